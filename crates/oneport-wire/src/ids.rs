//! The numbers and random ids of rooms and members.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::hex::{self, Hex};
use crate::text::serde_as_text;

/// The largest number that every client reads exactly: 2^53 - 1, JavaScript's `MAX_SAFE_INTEGER`
/// (RFC 8259 section 6 recommends to stay within it).
pub const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

/// A member of a room. Unique within the room's [`Epoch`], and never given to another within it. No
/// member has [`Self::RELAY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberId(u32);

impl MemberId {
    /// As the sender of a message: the relay itself, which says it for its operator.
    pub const RELAY: Self = Self(0);

    /// The member with this number; the relay counts them up from 1.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A newtype over a whole number up to [`SAFE_INTEGER_MAX`].
macro_rules! safe_integer {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(try_from = "u64")]
        pub struct $name(u64);

        impl $name {
            /// The largest one.
            pub const MAX: Self = Self(SAFE_INTEGER_MAX);

            /// The one with this number; `None` beyond [`SAFE_INTEGER_MAX`].
            pub const fn new(number: u64) -> Option<Self> {
                if number <= SAFE_INTEGER_MAX { Some(Self(number)) } else { None }
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = UnsafeInteger;

            fn try_from(number: u64) -> Result<Self, Self::Error> {
                Self::new(number).ok_or(UnsafeInteger)
            }
        }

        impl From<u32> for $name {
            fn from(number: u32) -> Self {
                Self(number.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

safe_integer! {
    /// A place in a room's order. The first entry of an epoch has offset 0.
    Offset
}

impl Offset {
    /// The place after this one; `None` after 2^53 entries, which a room does not live to see.
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}

safe_integer! {
    /// A moment: milliseconds since 1970-01-01T00:00:00Z, by the relay's clock.
    UnixMillis
}

/// A number beyond [`SAFE_INTEGER_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsafeInteger;

impl fmt::Display for UnsafeInteger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the number is greater than {SAFE_INTEGER_MAX}")
    }
}

impl std::error::Error for UnsafeInteger {}

/// Offsets from one (with it) to another (without it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SpanJson")]
pub struct Span {
    from: Offset,
    to: Offset,
}

/// What [`Span`] is in JSON, before the two ends are compared.
#[derive(Deserialize)]
struct SpanJson {
    from: Offset,
    to: Offset,
}

impl Span {
    /// `None` if it ends before it begins.
    pub fn new(from: Offset, to: Offset) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// The first offset.
    pub fn from(self) -> Offset {
        self.from
    }

    /// The offset after the last one.
    pub fn to(self) -> Offset {
        self.to
    }
}

impl TryFrom<SpanJson> for Span {
    type Error = &'static str;

    fn try_from(SpanJson { from, to }: SpanJson) -> Result<Self, Self::Error> {
        Self::new(from, to).ok_or("a span of offsets ends before it begins")
    }
}

/// A newtype over 64 random bits, 16 digits in JSON.
macro_rules! random_64 {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 8]);

        impl $name {
            /// The one of these bits.
            pub const fn from_random(bits: [u8; 8]) -> Self {
                Self(bits)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Hex(&self.0).fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = NotHex;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                hex::parse(text).map(Self).ok_or(NotHex { digits: 16 })
            }
        }

        serde_as_text!($name);
    };
}

random_64! {
    /// One life of a room, from its first member to its end. Offsets and member ids mean something
    /// only together with it: a room of the same name that begins anew has another.
    Epoch
}

random_64! {
    /// A session's name for logs and bug reports. It is no secret and gives no rights.
    SessionLabel
}

/// A text that does not have exactly so many lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHex {
    /// How many there should be.
    pub digits: usize,
}

impl fmt::Display for NotHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {} lower-case hexadecimal digits", self.digits)
    }
}

impl std::error::Error for NotHex {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_safe_integer() {
        assert_eq!(Offset::new(SAFE_INTEGER_MAX), Some(Offset::MAX));
        assert_eq!(Offset::new(SAFE_INTEGER_MAX + 1), None);
        assert_eq!(Offset::MAX.next(), None);
        assert_eq!(Offset::default().next(), Some(Offset::from(1)));
    }

    #[test]
    fn an_epoch_has_one_spelling() {
        let epoch = Epoch::from_random(*b"\x00\x01\x7f\x80\xff567");
        assert_eq!(epoch.to_string(), "00017f80ff353637");
        assert_eq!(epoch.to_string().parse(), Ok(epoch));
        for text in [
            "",
            "00017f80ff35363",
            "00017F80FF353637",
            "00017f80ff3536377",
        ] {
            assert_eq!(text.parse::<Epoch>(), Err(NotHex { digits: 16 }), "{text}");
        }
    }

    #[test]
    fn a_span_runs_forward() {
        let (three, four) = (Offset::from(3), Offset::from(4));
        assert!(Span::new(three, four).is_some() && Span::new(three, three).is_some());
        assert_eq!(Span::new(four, three), None);
    }
}
