//! What a client shows to be let in.

use std::fmt;

/// An access token as a client sent it: some text, for the backend to judge.
///
/// Whoever has it is let in, so nothing here logs it, and its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// The token, for whoever has to check it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Reads the value of an `Authorization` header: `Bearer`, in any case, and the token (RFC 6750
    /// section 2.1). Another scheme is meant for somebody else, such as a proxy in front of us.
    pub(crate) fn from_authorization(value: &[u8]) -> Option<Self> {
        let (scheme, token) = str::from_utf8(value).ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("Bearer")
            .then(|| Self::from_text(token.trim()))
            .flatten()
    }

    /// An empty text is no token.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_in_any_case_and_nothing_else() {
        for (value, token) in [
            ("Bearer a.b.c", Some("a.b.c")),
            ("bearer a.b.c", Some("a.b.c")),
            ("BEARER   a.b.c", Some("a.b.c")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearera.b.c", None),
            ("Basic YTpi", None),
            ("a.b.c", None),
            ("", None),
        ] {
            let found = AccessToken::from_authorization(value.as_bytes());
            assert_eq!(found.as_ref().map(AccessToken::reveal), token, "{value}");
        }
        assert_eq!(AccessToken::from_authorization(b"Bearer \xff"), None);
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let token = AccessToken::from_text("a.b.c").expect("not empty");
        assert_eq!(format!("{token:?}"), "AccessToken(..)");
    }
}
