//! Some of all rooms, by name.

use std::fmt;
use std::str::FromStr;

use crate::{RoomName, RoomNameError};

/// A room's name, or the beginning of room names and a `*`: `team-*` is every room whose name begins
/// with `team-`, and `*` is every room. A `*` cannot stand in a room's name, so there is no doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    One(RoomName),
    BeginningWith(Box<str>),
}

impl RoomPattern {
    /// Whether that is every room there may ever be.
    pub fn is_every_room(&self) -> bool {
        matches!(&self.0, Pattern::BeginningWith(beginning) if beginning.is_empty())
    }

    /// Whether this room is among them.
    pub fn matches(&self, room: &RoomName) -> bool {
        match &self.0 {
            Pattern::One(one) => one == room,
            Pattern::BeginningWith(beginning) => room.as_str().starts_with(&**beginning),
        }
    }
}

impl RoomPattern {
    /// With what the names of all these rooms begin. In the order of names, they are then next to each
    /// other.
    pub fn beginning(&self) -> &str {
        match &self.0 {
            Pattern::One(one) => one.as_str(),
            Pattern::BeginningWith(beginning) => beginning,
        }
    }
}

impl From<RoomName> for RoomPattern {
    fn from(room: RoomName) -> Self {
        Self(Pattern::One(room))
    }
}

impl FromStr for RoomPattern {
    type Err = RoomNameError;

    /// # Errors
    ///
    /// What is wrong with the name, or with any that the pattern could match.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(beginning) = text.strip_suffix('*') else {
            return text.parse().map(RoomName::into);
        };
        // It begins a name if there is a name that it begins.
        format!("{beginning}x").parse::<RoomName>()?;
        Ok(Self(Pattern::BeginningWith(beginning.into())))
    }
}

impl fmt::Display for RoomPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::One(one) => one.fmt(f),
            Pattern::BeginningWith(beginning) => write!(f, "{beginning}*"),
        }
    }
}

crate::text::serde_as_text!(RoomPattern);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_it_says() {
        for (pattern, room, expected) in [
            ("lobby", "lobby", true),
            ("lobby", "Lobby", false),
            ("lobby", "lobby2", false),
            ("team-*", "team-7", true),
            ("team-*", "team-", true),
            ("team-*", "team", false),
            ("team-*", "a-team-7", false),
            (".*", ".hidden", true),
            ("*", "lobby", true),
        ] {
            let pattern: RoomPattern = pattern.parse().expect(pattern);
            let room: RoomName = room.parse().expect(room);
            assert_eq!(pattern.matches(&room), expected, "{pattern} {room}");
            assert_eq!(pattern.to_string().parse(), Ok(pattern));
        }
    }

    #[test]
    fn a_star_stands_at_the_end_only() {
        for text in ["", "*-team", "a*b", "**", "a b", "a b*", ".", "team/*"] {
            assert!(text.parse::<RoomPattern>().is_err(), "{text}");
        }
        let longest = "x".repeat(RoomName::BYTES_MAX);
        assert!(longest.parse::<RoomPattern>().is_ok());
        assert!(format!("{}*", &longest[1..]).parse::<RoomPattern>().is_ok());
        assert!(format!("{longest}*").parse::<RoomPattern>().is_err());
    }
}
