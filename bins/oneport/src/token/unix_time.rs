//! A point in time, as tokens have it.

use std::ops::Add;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Seconds since 1970-01-01 UTC, without leap seconds: the `NumericDate` of RFC 7519 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(u64);

impl UnixTime {
    /// So many seconds since 1970.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// The system's time; a clock before 1970 counts as 1970.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self(since.map_or(0, |since| since.as_secs()))
    }

    /// The seconds since 1970.
    pub const fn as_secs(self) -> u64 {
        self.0
    }
}

/// The whole seconds later, but not beyond the end of time: a token may say what it likes.
impl Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later.as_secs()))
    }
}

impl Serialize for UnixTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for UnixTime {
    /// Fractions are allowed and cut off. What is before 1970 counts as 1970, and what is too far
    /// to count as the end of time.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum NumericDate {
            Whole(u64),
            Other(f64),
        }
        Ok(match NumericDate::deserialize(deserializer)? {
            NumericDate::Whole(secs) => Self(secs),
            // This conversion saturates.
            NumericDate::Other(secs) => Self(secs as u64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_dates() {
        for (json, secs) in [
            ("1790000000", 1_790_000_000),
            ("1790000000.9", 1_790_000_000),
            ("1.79e9", 1_790_000_000),
            ("0", 0),
            ("-1", 0),
            ("-0.5", 0),
            ("1e300", u64::MAX),
            ("18446744073709551616", u64::MAX),
        ] {
            let time: UnixTime = serde_json::from_str(json).expect(json);
            assert_eq!(time.as_secs(), secs, "{json}");
        }
        for json in ["\"1790000000\"", "null", "[1]", "true", "1e999"] {
            assert!(serde_json::from_str::<UnixTime>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn the_end_of_time_stays() {
        let end = UnixTime::from_secs(u64::MAX);
        assert_eq!(end + Duration::from_secs(1), end);
    }
}
