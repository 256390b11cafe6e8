//! The name of a room.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a room: 1 to 64 characters, each a letter, a digit or one of `-._~`, but not `.` or
/// `..`, which a URL's path cannot hold (RFC 3986 section 5.2.4).
///
/// These are the characters that need no escape in a URL (RFC 3986 section 2.3, "unreserved"), so
/// that a room has one spelling in a path, in a fragment and in JSON. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// The longest name, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// In the order of the text, and equal to it.
impl Borrow<str> for RoomName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomName {
    type Err = RoomNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name.is_empty() {
            return Err(RoomNameError::Empty);
        }
        if name.len() > Self::BYTES_MAX {
            return Err(RoomNameError::TooLong { bytes: name.len() });
        }
        match name.chars().find(|c| !is_unreserved(*c)) {
            Some(character) => Err(RoomNameError::Character { character }),
            None if name == "." || name == ".." => Err(RoomNameError::Dots),
            None => Ok(Self(name.into())),
        }
    }
}

/// RFC 3986 section 2.3.
fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~')
}

crate::text::serde_as_text!(RoomName);

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no [`RoomName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomNameError {
    /// There is nothing in it.
    Empty,
    /// It is longer than [`RoomName::BYTES_MAX`].
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It has a character that is not allowed.
    Character {
        /// The first such character.
        character: char,
    },
    /// It is `.` or `..`.
    Dots,
}

impl fmt::Display for RoomNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "a room name must not be empty"),
            Self::TooLong { bytes } => write!(
                f,
                "a room name has at most {} bytes, not {bytes}",
                RoomName::BYTES_MAX
            ),
            Self::Character { character } => write!(
                f,
                "a room name has only letters a-z, digits and -._~, not {character:?}"
            ),
            Self::Dots => write!(f, "a room name must not be . or .."),
        }
    }
}

impl std::error::Error for RoomNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let longest = "x".repeat(RoomName::BYTES_MAX);
        assert_eq!(
            longest.parse::<RoomName>().map(|r| r.to_string()),
            Ok(longest.clone())
        );
        assert_eq!(
            format!("{longest}x").parse::<RoomName>(),
            Err(RoomNameError::TooLong { bytes: 65 })
        );
        assert_eq!("".parse::<RoomName>(), Err(RoomNameError::Empty));
        for dots in [".", ".."] {
            assert_eq!(dots.parse::<RoomName>(), Err(RoomNameError::Dots));
        }
        assert!("...".parse::<RoomName>().is_ok());
    }

    #[test]
    fn only_unreserved_characters() {
        assert!("Ab-9._~".parse::<RoomName>().is_ok());
        for (name, character) in [
            ("a b", ' '),
            ("a/b", '/'),
            ("caf\u{e9}", '\u{e9}'),
            ("%41", '%'),
        ] {
            assert_eq!(
                name.parse::<RoomName>(),
                Err(RoomNameError::Character { character })
            );
        }
    }
}
