//! The id of a session.

use std::fmt;
use std::str::FromStr;

use crate::hex::{self, Hex};
use crate::text::serde_as_text;

/// The id of a session: 128 random bits, printed as 32 lower-case hexadecimal digits.
///
/// It stands in the session's URL, and whoever knows it may end the session: it is as secret as a
/// capability and never logged in full ([`fmt::Debug`] shows the first four digits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// An id of these bits, which must come from a cryptographically secure source.
    pub fn from_random(bits: [u8; 16]) -> Self {
        Self(bits)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({}..)", Hex(&self.0[..2]))
    }
}

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::parse(text).map(Self).ok_or(SessionIdError)
    }
}

serde_as_text!(SessionId);

/// A text that is no [`SessionId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionIdError;

impl fmt::Display for SessionIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session id has 32 lower-case hexadecimal digits")
    }
}

impl std::error::Error for SessionIdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses() {
        let id = SessionId::from_random(*b"\x00\x01\x7f\x80\xff56789abcdef");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(format!("{id:?}"), "SessionId(0001..)");
    }

    #[test]
    fn refuses_other_spellings() {
        let upper = "00017F80FF3435363738396162636465";
        for text in [
            "",
            "00",
            &upper[1..],
            upper,
            &format!("{}\u{e9}", &upper[2..]),
        ] {
            assert_eq!(text.parse::<SessionId>(), Err(SessionIdError), "{text}");
        }
    }
}
