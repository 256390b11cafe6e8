//! What becomes of a framed client that is too slow, room by room.

use std::fmt;
use std::str::FromStr;

use oneport_wire::{RoomName, RoomPattern};

use crate::hub::Lag;

/// What becomes of a framed client that takes a room's entries so slowly that some leave the ring
/// before it has them (`PROTOCOL.md`, section 11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlowPolicy {
    /// Its link ends (`bye slow`), and it may resume.
    #[default]
    Disconnect,
    /// It skips ahead and is told what it has lost (`gap`).
    Gap,
}

impl SlowPolicy {
    /// The word on a command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnect => "disconnect",
            Self::Gap => "gap",
        }
    }
}

impl From<SlowPolicy> for Lag {
    fn from(policy: SlowPolicy) -> Self {
        match policy {
            SlowPolicy::Disconnect => Self::Disconnect,
            SlowPolicy::Gap => Self::Gap,
        }
    }
}

impl FromStr for SlowPolicy {
    type Err = UnknownSlowPolicy;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let mut policies = [Self::Disconnect, Self::Gap].into_iter();
        policies
            .find(|policy| policy.as_str() == word)
            .ok_or(UnknownSlowPolicy)
    }
}

impl fmt::Display for SlowPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no [`SlowPolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownSlowPolicy;

impl fmt::Display for UnknownSlowPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policies are disconnect and gap")
    }
}

impl std::error::Error for UnknownSlowPolicy {}

/// Which rooms have which policy. Asked when a client joins, not for each message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlowPolicies {
    /// The first that matches a room is its policy.
    pub rules: Vec<(RoomPattern, SlowPolicy)>,
    /// That of all other rooms.
    pub others: SlowPolicy,
}

impl SlowPolicies {
    /// The policy of a room.
    pub fn of(&self, room: &RoomName) -> SlowPolicy {
        let rule = self.rules.iter().find(|(rooms, _)| rooms.matches(room));
        rule.map_or(self.others, |(_, policy)| *policy)
    }
}

/// The same policy for all rooms.
impl From<SlowPolicy> for SlowPolicies {
    fn from(others: SlowPolicy) -> Self {
        let rules = Vec::new();
        Self { rules, others }
    }
}

impl fmt::Display for SlowPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rooms, policy) in &self.rules {
            write!(f, "{policy} in {rooms}; ")?;
        }
        write!(f, "{} in all rooms", self.others)?;
        if !self.rules.is_empty() {
            f.write_str(" else")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches() {
        let rule = |rooms: &str, policy| (rooms.parse().expect("a pattern"), policy);
        let (disconnect, gap) = (SlowPolicy::Disconnect, SlowPolicy::Gap);
        let policies = SlowPolicies {
            rules: vec![rule("game-1", disconnect), rule("game-*", gap)],
            others: disconnect,
        };
        for (room, policy) in [
            ("game-1", disconnect),
            ("game-2", gap),
            ("lobby", disconnect),
        ] {
            assert_eq!(
                policies.of(&room.parse().expect("a name")),
                policy,
                "{room}"
            );
        }
        let shown = "disconnect in game-1; gap in game-*; disconnect in all rooms else";
        assert_eq!(policies.to_string(), shown);
        assert_eq!(SlowPolicies::from(gap).to_string(), "gap in all rooms");
    }
}
