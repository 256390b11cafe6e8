//! What must not be seen in a log: the token of a session and the tokens of access.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hex::{self, Hex};
use crate::ids::NotHex;
use crate::text::Text;

/// What brings a session back on another link: 128 random bits, 32 lower-case hexadecimal digits.
///
/// Whoever has it *is* the session. It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResumeToken([u8; 16]);

impl ResumeToken {
    /// A token of these bits, which must come from a cryptographically secure source.
    pub const fn from_random(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// The digits, for whoever has to store them.
    pub fn reveal(&self) -> String {
        Hex(&self.0).to_string()
    }
}

impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeToken(..)")
    }
}

impl FromStr for ResumeToken {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::parse(text).map(Self).ok_or(NotHex { digits: 32 })
    }
}

impl Serialize for ResumeToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for ResumeToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        text.0.parse().map_err(serde::de::Error::custom)
    }
}

/// A token that gives access to a room: a JWT (RFC 7519), which this crate does not look into.
///
/// 1 to 4096 visible ASCII characters. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(Arc<str>);

impl AccessToken {
    /// The longest one, in bytes: several times what a token with the relay's claims has.
    pub const BYTES_MAX: usize = 4096;

    /// The token, for whoever has to check it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

impl FromStr for AccessToken {
    type Err = AccessTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_short = (1..=Self::BYTES_MAX).contains(&text.len());
        if !is_short || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AccessTokenError);
        }
        Ok(Self(text.into()))
    }
}

impl Serialize for AccessToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A text that cannot be an [`AccessToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessTokenError;

impl fmt::Display for AccessTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes_max = AccessToken::BYTES_MAX;
        write!(
            f,
            "an access token has 1 to {bytes_max} visible ASCII characters"
        )
    }
}

impl std::error::Error for AccessTokenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_secret_is_printed() {
        let resume = ResumeToken::from_random([0xab; 16]);
        assert_eq!(format!("{resume:?}"), "ResumeToken(..)");
        assert_eq!(resume.reveal().parse(), Ok(resume));
        let access: AccessToken = "a.b.c".parse().expect("a token");
        assert_eq!(format!("{access:?}"), "AccessToken(..)");
    }

    #[test]
    fn access_tokens_at_the_limit_and_one_past_it() {
        assert!("x".repeat(4096).parse::<AccessToken>().is_ok());
        for text in ["", "a b", "\u{e9}", &"x".repeat(4097)] {
            assert_eq!(text.parse::<AccessToken>(), Err(AccessTokenError));
        }
    }
}
