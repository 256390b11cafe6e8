//! Who the bearer of a token is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A `sub` (RFC 7519 section 4.1.2): an account's name, an e-mail address, a UUID. 1 to 256 bytes
/// without control characters: it can stand in a log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(Box<str>);

impl Subject {
    /// The longest one, in bytes.
    pub const BYTES_MAX: usize = 256;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=Self::BYTES_MAX).contains(&text.len());
        if !fits || text.contains(char::is_control) {
            return Err(SubjectError);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is no [`Subject`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectError;

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes_max = Subject::BYTES_MAX;
        write!(f, "1 to {bytes_max} bytes without control characters")
    }
}

impl std::error::Error for SubjectError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limit_and_one_past_it() {
        let longest = "\u{e9}".repeat(128);
        assert!(longest.parse::<Subject>().is_ok());
        let longer = format!("{longest}x");
        for text in ["", "a\nb", "\u{7f}", &longer] {
            assert_eq!(text.parse::<Subject>(), Err(SubjectError));
        }
    }
}
