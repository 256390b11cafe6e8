//! What a member says about itself, beyond its name.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::codes::ErrorCode;

/// A member's metadata: any JSON but `null` (which means none), at most 2048 bytes and nested at
/// most 16 deep. It is passed on exactly as it was written. Cheap to clone.
///
/// What is in one is read by every client of the room, so it is checked to be JSON that a strict
/// parser takes: valid Unicode also in escapes, numbers that fit a double.
#[derive(Clone, PartialEq, Eq)]
pub struct Meta(Arc<str>);

impl Meta {
    /// The longest one, in bytes. A page of 100 members with as much each still fits a message.
    pub const BYTES_MAX: usize = 2048;

    /// How deep arrays and objects may lie in each other: far below the 128 at which common parsers
    /// give up.
    pub const DEPTH_MAX: usize = 16;

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl FromStr for Meta {
    type Err = MetaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        if text.len() > Self::BYTES_MAX {
            return Err(MetaError::TooLarge { bytes: text.len() });
        }
        let mut parser = serde_json::Deserializer::from_str(text);
        Strict {
            depth_left: Self::DEPTH_MAX,
        }
        .deserialize(&mut parser)
        .and_then(|()| parser.end())
        .map_err(|_| MetaError::NotPortable)?;
        if text == "null" {
            return Err(MetaError::Null);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meta({})", self.0)
    }
}

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(D::Error::custom)
    }
}

/// Why a text is no [`Meta`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaError {
    /// It has more than [`Meta::BYTES_MAX`] bytes.
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// It is not JSON that every client can read, or nested deeper than [`Meta::DEPTH_MAX`].
    NotPortable,
    /// It is `null`, which means that there is none.
    Null,
}

impl MetaError {
    /// The code of the `err` that says so.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::TooLarge { .. } => ErrorCode::MetaTooLarge,
            Self::NotPortable | Self::Null => ErrorCode::BadMeta,
        }
    }
}

impl fmt::Display for MetaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes_max, depth_max) = (Meta::BYTES_MAX, Meta::DEPTH_MAX);
        match self {
            Self::TooLarge { bytes } => {
                write!(f, "metadata has at most {bytes_max} bytes, not {bytes}")
            }
            Self::NotPortable => write!(
                f,
                "metadata is JSON with valid Unicode, numbers that fit a double, and nested at most {depth_max} deep"
            ),
            Self::Null => f.write_str("null is no metadata"),
        }
    }
}

impl std::error::Error for MetaError {}

/// Reads a value wholly, keeps nothing, and fails where a strict parser would.
struct Strict {
    depth_left: usize,
}

impl Strict {
    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1);
        let depth_left = depth_left.ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth_left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner_depth = self.inner()?.depth_left;
        while items
            .next_element_seed(Self {
                depth_left: inner_depth,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inner_depth = self.inner()?.depth_left;
        while members.next_key::<IgnoredAny>()?.is_some() {
            members.next_value_seed(Self {
                depth_left: inner_depth,
            })?;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_on_as_it_was_written() {
        let meta: Meta = " {\"a\" : [1e3,\n\"\\u00e9\"]}\t".parse().expect("JSON");
        assert_eq!(meta.as_json(), "{\"a\" : [1e3,\n\"\\u00e9\"]}");
        let json = serde_json::to_string(&[&meta]).expect("serializes");
        assert_eq!(json, "[{\"a\" : [1e3,\n\"\\u00e9\"]}]");
    }

    #[test]
    fn at_the_limits_and_one_past_them() {
        let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        assert!(text(2048).parse::<Meta>().is_ok());
        assert_eq!(
            text(2049).parse::<Meta>(),
            Err(MetaError::TooLarge { bytes: 2049 })
        );

        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(nested(16).parse::<Meta>().is_ok());
        assert_eq!(nested(17).parse::<Meta>(), Err(MetaError::NotPortable));
    }

    #[test]
    fn what_some_client_could_not_read() {
        for text in [
            "",
            "{",
            "1 2",
            "nul",
            "1e400",
            r#""\ud800""#,
            r#"{"\udc00":1}"#,
            "'a'",
        ] {
            assert_eq!(text.parse::<Meta>(), Err(MetaError::NotPortable), "{text}");
        }
        assert_eq!(" null ".parse::<Meta>(), Err(MetaError::Null));
    }
}
