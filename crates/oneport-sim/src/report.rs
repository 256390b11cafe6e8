//! What a scenario has seen.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use oneport_client::Event;
use oneport_wire::frame::{PresenceChange, Recovery};

/// What a scenario has seen: a generator that goes soft is noticed by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages that members published.
    pub published: u64,
    /// Entries that they were told of.
    pub delivered: u64,
    /// Datagrams on the network.
    pub datagrams: u64,
    /// Virtual time that went by.
    pub time: Duration,
    /// How often each kind of thing happened.
    pub counts: BTreeMap<Cow<'static, str>, u64>,
    /// Whether there was something to [falsify](crate::Sabotage).
    pub is_falsified: bool,
}

impl Report {
    /// How often something of this kind happened.
    pub fn of(&self, kind: &str) -> u64 {
        self.counts.get(kind).copied().unwrap_or(0)
    }

    pub(crate) fn count(&mut self, kind: impl Into<Cow<'static, str>>, times: u64) {
        *self.counts.entry(kind.into()).or_default() += times;
    }

    pub(crate) fn count_event(&mut self, event: &Event) {
        let kind: Cow<'static, str> = match event {
            Event::Connected { resumed: true, .. } => "session resumed".into(),
            Event::Connected { .. } => "session begun".into(),
            Event::Joined(joined) => match joined.recovery {
                Recovery::Recovered => "recovered".into(),
                Recovery::NotRecovered(reason) => {
                    format!("not recovered: {}", reason.as_str()).into()
                }
                Recovery::Fresh => "joined".into(),
            },
            Event::NotJoined { rejection, .. } => {
                format!("not joined: {}", rejection.code.as_str()).into()
            }
            Event::Gap(gap) => format!("gap: {}", gap.reason.as_str()).into(),
            Event::Left(left) => format!("left: {}", left.reason.as_str()).into(),
            Event::Bye(bye) => format!("bye: {}", bye.code.as_str()).into(),
            Event::Rejected(rejection) => format!("rejected: {}", rejection.code.as_str()).into(),
            Event::Ack(ack) if ack.duplicate => "acknowledged again".into(),
            Event::Unanswered { why, .. } => format!("unanswered: {}", why.as_str()).into(),
            Event::Receipt(_) => "receipt".into(),
            Event::HistoryEnd(_) => "history".into(),
            Event::Message { message, .. } if message.offset.is_none() => "lossy message".into(),
            Event::Presence(presence) => match presence.change {
                PresenceChange::Away => "away".into(),
                PresenceChange::Back => "back".into(),
                _ => return,
            },
            _ => return,
        };
        self.count(kind, 1);
    }
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.published += other.published;
        self.delivered += other.delivered;
        self.datagrams += other.datagrams;
        self.time += other.time;
        for (kind, times) in other.counts {
            self.count(kind, times);
        }
        self.is_falsified |= other.is_falsified;
    }
}

impl fmt::Display for Report {
    /// A line for each count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = [
            ("published", self.published),
            ("delivered", self.delivered),
            ("datagrams", self.datagrams),
            ("seconds of virtual time", self.time.as_secs()),
        ];
        for (kind, times) in numbers {
            writeln!(f, "{times:>12} {kind}")?;
        }
        for (kind, times) in &self.counts {
            writeln!(f, "{times:>12} {kind}")?;
        }
        Ok(())
    }
}
