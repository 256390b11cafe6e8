//! What a member may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One thing that a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Right {
    /// Be a member of a room, and ask who else is one. Included in [`Publish`](Self::Publish) and
    /// [`Subscribe`](Self::Subscribe).
    Join = 1 << 0,
    /// Send messages.
    Publish = 1 << 1,
    /// Receive messages and presence, and read the history.
    Subscribe = 1 << 2,
    /// Remove other members. It needs `Join`, or a right that includes it.
    Kick = 1 << 3,
    /// Use the HTTP API and read metrics, without being a member.
    Admin = 1 << 4,
}

impl Right {
    /// All that there are.
    pub const ALL: [Self; 5] = [
        Self::Join,
        Self::Publish,
        Self::Subscribe,
        Self::Kick,
        Self::Admin,
    ];

    /// Its name in a token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
            Self::Kick => "kick",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Right {
    type Err = UnknownRight;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut rights = Self::ALL.into_iter();
        rights
            .find(|right| right.as_str() == name)
            .ok_or(UnknownRight)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no [`Right`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRight;

impl fmt::Display for UnknownRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = Rights::from_iter(Right::ALL);
        write!(f, "the rights are {all}")
    }
}

impl std::error::Error for UnknownRight {}

/// A set of rights. In a token it is an array of their names; names that are not known are left
/// out, so that a token for a newer relay grants here what there is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// What an ordinary member has: join, publish, subscribe.
    pub const MEMBER: Self =
        Self(Right::Join as u8 | Right::Publish as u8 | Right::Subscribe as u8);

    /// Whether this right is among them.
    pub fn contains(self, right: Right) -> bool {
        self.0 & right as u8 != 0
    }

    /// Those that the others are not.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// These, and joining if one of them is to publish or to subscribe: neither can be done from
    /// outside.
    #[must_use]
    pub fn with_implied(self) -> Self {
        if self.contains(Right::Publish) || self.contains(Right::Subscribe) {
            return Self(self.0 | Right::Join as u8);
        }
        self
    }

    /// Each of them, in the order of [`Right::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Right> {
        let is_in = move |right: &Right| self.contains(*right);
        Right::ALL.into_iter().filter(is_in)
    }
}

impl From<Right> for Rights {
    fn from(right: Right) -> Self {
        Self(right as u8)
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        let join = |bits, right| bits | right as u8;
        Self(rights.into_iter().fold(0, join))
    }
}

/// With commas, as the command line takes them.
impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, right) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{right}")?;
        }
        Ok(())
    }
}

impl Serialize for Rights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Right::as_str))
    }
}

impl<'de> Deserialize<'de> for Rights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set() {
        let rights = Rights::from_iter([Right::Kick, Right::Join, Right::Kick]);
        assert_eq!(rights.to_string(), "join,kick");
        assert!(rights.contains(Right::Join) && !rights.contains(Right::Publish));
        let missing = Rights::MEMBER.without(rights);
        assert_eq!(missing.to_string(), "publish,subscribe");
        assert_eq!(rights.without(rights), Rights::default());
        assert_eq!(Rights::default().to_string(), "");
    }

    #[test]
    fn names() {
        for right in Right::ALL {
            assert_eq!(right.as_str().parse(), Ok(right));
        }
        for word in ["", "Join", "join ", "moderate"] {
            assert_eq!(word.parse::<Right>(), Err(UnknownRight), "{word}");
        }
    }

    #[test]
    fn as_json() {
        let all = Rights::from_iter(Right::ALL);
        let json = r#"["join","publish","subscribe","kick","admin"]"#;
        assert_eq!(serde_json::to_string(&all).expect("JSON"), json);
        assert_eq!(serde_json::from_str::<Rights>(json).expect("rights"), all);
        let newer = r#"["moderate","j\u006fin"]"#;
        let rights: Rights = serde_json::from_str(newer).expect("rights");
        assert_eq!(rights.to_string(), "join");
        for json in ["\"join\"", "null", "[1]", "{}"] {
            assert!(serde_json::from_str::<Rights>(json).is_err(), "{json}");
        }
    }
}
