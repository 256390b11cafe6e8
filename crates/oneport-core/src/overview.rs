//! What an operator looks at, beyond numbers.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Duration;

use oneport_link::CloseReason;
use oneport_wire::{RoomName, SessionLabel, UnixMillis};

use crate::client::Client;
use crate::holder::Carrier;
use crate::hub::Behind;
use crate::{LinkId, Relay, Stats};

/// How a relay does at this moment.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Its numbers.
    pub stats: Stats,
    /// The time by the clock of entries.
    pub now: UnixMillis,
    /// Who is furthest behind, the one that waits the longest first: at most
    /// [`BEHIND_MAX`](Self::BEHIND_MAX).
    pub behind: Vec<Follower>,
    /// The links that have ended last, the latest first: at most [`CLOSES_MAX`](Self::CLOSES_MAX).
    /// Links that never came to be are not among them, or anybody could push the others out.
    pub closes: Vec<Close>,
}

impl Overview {
    /// How many of those that are behind it names.
    pub const BEHIND_MAX: usize = 10;

    /// How many ended links it names: an hour's on a quiet relay, and a page of them.
    pub const CLOSES_MAX: usize = 50;
}

/// Somebody who is owed entries that were there before this turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// The number of its link, as the log has it; none while it has no link.
    pub link: Option<u64>,
    /// Its session, if it is a framed client.
    pub session: Option<SessionLabel>,
    /// The room.
    pub room: RoomName,
    /// How many entries it is owed.
    pub entries: usize,
    /// Their content in bytes.
    pub bytes: usize,
    /// How long the first of them has waited.
    pub waits: Duration,
}

/// A link that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// When.
    pub at: UnixMillis,
    /// Its number, as the log has it.
    pub link: u64,
    /// Its session, if it was a framed client's.
    pub session: Option<SessionLabel>,
    /// The room of its URL.
    pub room: RoomName,
    /// Why: [`CloseReason::code`].
    pub code: &'static str,
    /// Why, in words.
    pub reason: String,
}

/// The links that have ended last.
#[derive(Debug, Default)]
pub(crate) struct Closes(VecDeque<Close>);

impl Closes {
    pub(crate) fn push(&mut self, at: UnixMillis, client: &Client, reason: &CloseReason) {
        self.0.truncate(Overview::CLOSES_MAX - 1);
        self.0.push_front(Close {
            at,
            link: client.number,
            session: client.label,
            room: client.room.clone(),
            code: reason.code(),
            reason: reason.to_string(),
        });
    }
}

impl Relay {
    /// How it does at this moment, for people to look at now and then. The work is bounded, but it is
    /// more than [`stats`](Self::stats) is.
    pub fn overview(&self) -> Overview {
        let now = self.unix_now();
        let mut behind = self.hub.behind(now, Overview::BEHIND_MAX);
        behind.sort_by_key(|behind| Reverse(behind.waits));
        Overview {
            stats: self.stats(),
            now,
            behind: behind.into_iter().map(|one| self.follower(one)).collect(),
            closes: self.closes.0.iter().cloned().collect(),
        }
    }

    fn follower(&self, behind: Behind) -> Follower {
        let (link, session) = match self.carriers.get(behind.owner) {
            Some(Carrier::Plain(link)) => (Some(*link), None),
            Some(Carrier::Session(key)) => {
                let session = self.sessions.get(*key);
                let link = session.and_then(|session| session.link);
                (link, session.map(|session| session.label))
            }
            None => (None, None),
        };
        let number = |id: LinkId| self.links.get(id).map(|client| client.number);
        Follower {
            link: link.and_then(number),
            session,
            room: behind.room,
            entries: behind.entries,
            bytes: behind.bytes,
            waits: behind.waits,
        }
    }
}
