//! Short texts in a token.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text of 1 to this many bytes, without control characters: it can stand in a log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const BYTES_MAX: usize>(Box<str>);

/// The name of a member.
pub type Name = Text<64>;

/// A `sub` (RFC 7519 section 4.1.2): an account's name, an e-mail address, a UUID.
pub type Subject = Text<256>;

impl<const BYTES_MAX: usize> Text<BYTES_MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const BYTES_MAX: usize> FromStr for Text<BYTES_MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=BYTES_MAX).contains(&text.len());
        if !fits || text.contains(char::is_control) {
            return Err(TextError {
                bytes_max: BYTES_MAX,
            });
        }
        Ok(Self(text.into()))
    }
}

impl<const BYTES_MAX: usize> fmt::Display for Text<BYTES_MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const BYTES_MAX: usize> Serialize for Text<BYTES_MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const BYTES_MAX: usize> Deserialize<'de> for Text<BYTES_MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a text is no [`Text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextError {
    bytes_max: usize,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes_max = self.bytes_max;
        write!(f, "1 to {bytes_max} bytes without control characters")
    }
}

impl std::error::Error for TextError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limit_and_one_past_it() {
        let longest = "\u{e9}".repeat(32);
        assert!(longest.parse::<Name>().is_ok());
        let longer = format!("{longest}x");
        for text in ["", "a\nb", "\u{7f}", &longer] {
            assert_eq!(text.parse::<Name>(), Err(TextError { bytes_max: 64 }));
        }
        assert!(longer.parse::<Subject>().is_ok());
    }
}
