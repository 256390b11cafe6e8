//! Short texts with a rule: topics, names of members, ids of requests, messages for people.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::codes::ErrorCode;
use crate::text::serde_as_text;

/// What a short text must be like, and the code of an `err` for one that is not.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    noun: &'static str,
    is_empty_allowed: bool,
    is_control_allowed: bool,
    bytes_max: usize,
    too_long: ErrorCode,
    otherwise: ErrorCode,
}

impl Rule {
    fn check(&'static self, text: &str) -> Result<(), TextError> {
        let flaw = if text.is_empty() && !self.is_empty_allowed {
            Flaw::Empty
        } else if text.len() > self.bytes_max {
            Flaw::TooLong { bytes: text.len() }
        } else if !self.is_control_allowed && text.contains(char::is_control) {
            Flaw::Control
        } else {
            return Ok(());
        };
        Err(TextError { rule: self, flaw })
    }
}

/// Why a text cannot be what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextError {
    rule: &'static Rule,
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Empty,
    TooLong { bytes: usize },
    Control,
}

impl TextError {
    /// The code of the `err` that says so.
    pub fn code(&self) -> ErrorCode {
        match self.flaw {
            Flaw::TooLong { .. } => self.rule.too_long,
            Flaw::Empty | Flaw::Control => self.rule.otherwise,
        }
    }

    /// The limit that it is beyond, in bytes, if that is what is wrong.
    pub fn limit(&self) -> Option<usize> {
        matches!(self.flaw, Flaw::TooLong { .. }).then_some(self.rule.bytes_max)
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule {
            noun, bytes_max, ..
        } = self.rule;
        match self.flaw {
            Flaw::Empty => write!(f, "a {noun} must not be empty"),
            Flaw::TooLong { bytes } => {
                write!(f, "a {noun} has at most {bytes_max} bytes, not {bytes}")
            }
            Flaw::Control => write!(f, "a {noun} has no control characters"),
        }
    }
}

impl std::error::Error for TextError {}

/// A newtype over a short text that keeps its rule. Cheap to clone.
macro_rules! short_text {
    (
        $(#[$attribute:meta])*
        $name:ident, $bytes_max:literal, $rule:expr
    ) => {
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest one, in bytes of UTF-8.
            pub const BYTES_MAX: usize = $bytes_max;

            const RULE: &'static Rule = &$rule;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::RULE.check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), &*self.0)
            }
        }

        serde_as_text!($name);
    };
}

short_text! {
    /// What a message is about, within its room: any text of at most 128 bytes, `""` unless said
    /// otherwise. A plain channel's label is the topic of its messages, so whatever can be a label
    /// can be a topic, if it is not longer.
    #[derive(Default)]
    Topic, 128, Rule {
        noun: "topic",
        is_empty_allowed: true,
        is_control_allowed: true,
        bytes_max: Self::BYTES_MAX,
        too_long: ErrorCode::TopicTooLong,
        otherwise: ErrorCode::BadFrame,
    }
}

impl Topic {
    /// Whether it is `""`, which frames leave out.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

short_text! {
    /// What a member calls itself: 1 to 64 bytes without control characters. Two members may have
    /// the same one; an access token may prescribe it.
    MemberName, 64, Rule {
        noun: "member name",
        is_empty_allowed: false,
        is_control_allowed: false,
        bytes_max: Self::BYTES_MAX,
        too_long: ErrorCode::NameTooLong,
        otherwise: ErrorCode::BadName,
    }
}

short_text! {
    /// What a client calls one of its frames, so that it knows the answer by it: 1 to 64 bytes
    /// without control characters. For a `pub` it is also what makes a retry harmless. 64 bytes hold
    /// a UUID, or a random prefix and a counter.
    RequestId, 64, Rule {
        noun: "request id",
        is_empty_allowed: false,
        is_control_allowed: false,
        bytes_max: Self::BYTES_MAX,
        too_long: ErrorCode::BadFrame,
        otherwise: ErrorCode::BadFrame,
    }
}

short_text! {
    /// What one person tells another about a kick: 1 to 256 bytes without control characters.
    Notice, 256, Rule {
        noun: "message",
        is_empty_allowed: false,
        is_control_allowed: false,
        bytes_max: Self::BYTES_MAX,
        too_long: ErrorCode::BadFrame,
        otherwise: ErrorCode::BadFrame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limit_and_one_past_it() {
        let longest = "\u{e9}".repeat(32);
        assert!(longest.parse::<MemberName>().is_ok());
        let error = format!("{longest}x")
            .parse::<MemberName>()
            .expect_err("65 bytes");
        assert_eq!(error.code(), ErrorCode::NameTooLong);
        assert_eq!(error.limit(), Some(64));
        assert_eq!(
            error.to_string(),
            "a member name has at most 64 bytes, not 65"
        );
    }

    #[test]
    fn empty_and_control_characters() {
        assert_eq!("".parse::<Topic>(), Ok(Topic::default()));
        assert!("a\nb".parse::<Topic>().is_ok());
        for text in ["", "a\nb", "\u{7f}", "\u{9f}"] {
            let error = text.parse::<MemberName>().expect_err(text);
            assert_eq!((error.code(), error.limit()), (ErrorCode::BadName, None));
        }
    }
}
