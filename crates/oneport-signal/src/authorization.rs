//! What a client shows to be let in.

use oneport_wire::{AccessToken, AccessTokenError};

/// Reads the value of an `Authorization` header: `Bearer`, in any case, and the token (RFC 6750
/// section 2.1). Another scheme is meant for somebody else, such as a proxy in front of us, and no
/// token is as good as no header.
pub(crate) fn bearer(value: &[u8]) -> Option<Result<AccessToken, AccessTokenError>> {
    let (scheme, token) = str::from_utf8(value).ok()?.split_once(' ')?;
    let token = token.trim();
    let is_ours = scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty();
    is_ours.then(|| token.parse())
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
            let found = bearer(value.as_bytes()).map(|token| token.expect(value));
            assert_eq!(found.as_ref().map(AccessToken::reveal), token, "{value}");
        }
        assert_eq!(bearer(b"Bearer \xff"), None);
        assert_eq!(bearer(b"Bearer a b"), Some(Err(AccessTokenError)));
    }
}
