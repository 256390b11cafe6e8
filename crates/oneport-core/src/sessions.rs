//! The sessions of framed clients, which outlive their links.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use oneport_wire::frame::ServerFrame;
use oneport_wire::{
    Kind, Offset, ResumeToken, RoomName, SILENCE_MS_MAX, SessionId, SessionLabel, UnixMillis,
};
use slotmap::{SlotMap, new_key_type};

use crate::hub::{OwnerId, ReaderId, SeatId};
use crate::published::PublishedIds;
use crate::rate::Bucket;
use crate::receipts::ReceiptId;
use crate::{Grant, LinkId};

new_key_type! {
    /// A session of a relay.
    pub(crate) struct SessionKey;
}

/// A link without a frame for that long is dead.
pub(crate) const SILENCE_MAX: Duration = Duration::from_millis(SILENCE_MS_MAX as u64);

/// A framed client's stay at the relay.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) label: SessionLabel,
    pub(crate) resume: ResumeToken,
    /// Who carries what it reads.
    pub(crate) owner: OwnerId,
    /// Its link; none during the grace time.
    pub(crate) link: Option<LinkId>,
    /// The URL of its latest link: ending that ends the session, in its grace time as well.
    pub(crate) url: (RoomName, SessionId),
    pub(crate) rooms: BTreeMap<RoomName, Stay>,
    pub(crate) outbox: Outbox,
    pub(crate) bucket: Bucket,
    pub(crate) published: PublishedIds,
    /// The receipts that it waits for, and until when.
    pub(crate) receipts: VecDeque<(Instant, ReceiptId)>,
    /// Whether the present link has resumed it, and so may come back to its rooms; until when.
    pub(crate) resumed_until: Option<Instant>,
    /// When its members are away in the eyes of the others: nobody has seen it since the relay before
    /// this one.
    pub(crate) away_at: Option<Instant>,
    /// How many frames in a row were refused.
    pub(crate) refused_in_a_row: u32,
    /// When the client was last heard; when the link was lost, for a session without one.
    pub(crate) heard: Instant,
    /// When the last `ping` was sent, and its number.
    pub(crate) pinged: Instant,
    pub(crate) ping: u32,
}

/// A session's stay in a room.
#[derive(Clone, Debug)]
pub(crate) struct Stay {
    pub(crate) seat: SeatId,
    /// The first offset of the membership's stream. A position before it is of another membership.
    pub(crate) began: Offset,
    /// None while the session has no link, and until it joins again over a new one.
    pub(crate) reader: Option<ReaderId>,
    pub(crate) grant: Grant,
}

impl Session {
    /// When something must be done about it: a ping, the end of its link, of its stay in rooms that
    /// it does not come back to, or its own.
    pub(crate) fn deadline(&self, ping_interval: Duration, grace: Duration) -> Instant {
        if self.link.is_none() {
            let end = self.heard + grace;
            return self.away_at.map_or(end, |away| away.min(end));
        }
        let ping = self.heard.max(self.pinged) + ping_interval;
        let due = ping.min(self.heard + SILENCE_MAX);
        let receipt = self.receipts.front().map(|(at, _)| *at);
        let others = [self.resumed_until, receipt].into_iter().flatten();
        others.fold(due, Instant::min)
    }

    /// When the first of its grants expires.
    pub(crate) fn expires(&self) -> Option<UnixMillis> {
        self.rooms
            .values()
            .filter_map(|stay| stay.grant.expires)
            .min()
    }
}

/// Answers that wait for a session's link.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: VecDeque<(Kind, Vec<u8>)>,
    bytes: usize,
}

impl Outbox {
    /// How many bytes may wait. A client that asks on and does not take its answers is too slow.
    pub(crate) const BYTES_MAX: usize = 1024 * 1024;

    pub(crate) fn push<'a>(&mut self, frame: impl Into<ServerFrame<'a>>) {
        let mut bytes = Vec::new();
        let kind = frame.into().encode_into(&mut bytes);
        self.push_encoded(kind, bytes);
    }

    pub(crate) fn push_encoded(&mut self, kind: Kind, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.frames.push_back((kind, bytes));
    }

    pub(crate) fn front(&self) -> Option<(Kind, &[u8])> {
        self.frames.front().map(|(kind, bytes)| (*kind, &bytes[..]))
    }

    pub(crate) fn pop(&mut self) {
        if let Some((_, bytes)) = self.frames.pop_front() {
            self.bytes -= bytes.len();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
    }

    pub(crate) fn is_overfull(&self) -> bool {
        self.bytes > Self::BYTES_MAX
    }
}

/// All sessions, the tokens that bring them back, and the URLs that end them.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    sessions: SlotMap<SessionKey, Session>,
    by_token: HashMap<ResumeToken, SessionKey>,
    by_url: HashMap<SessionId, SessionKey>,
}

impl Sessions {
    pub(crate) fn insert(&mut self, session: Session) -> SessionKey {
        let (token, (_, url)) = (session.resume, session.url.clone());
        let key = self.sessions.insert(session);
        self.by_token.insert(token, key);
        self.by_url.insert(url, key);
        key
    }

    pub(crate) fn remove(&mut self, key: SessionKey) -> Option<Session> {
        let session = self.sessions.remove(key)?;
        self.by_token.remove(&session.resume);
        self.by_url.remove(&session.url.1);
        Some(session)
    }

    /// The session has another link, and with it another URL. The one before means nothing to it any
    /// longer.
    pub(crate) fn set_url(&mut self, key: SessionKey, url: (RoomName, SessionId)) {
        if let Some(session) = self.sessions.get_mut(key) {
            self.by_url.remove(&session.url.1);
            self.by_url.insert(url.1, key);
            session.url = url;
        }
    }

    /// The session with this URL.
    pub(crate) fn at_url(&self, room: &RoomName, id: SessionId) -> Option<SessionKey> {
        let key = *self.by_url.get(&id)?;
        (self.sessions[key].url.0 == *room).then_some(key)
    }

    /// The session of this token. Whoever guesses does so among 2^128, whatever the lookup's timing
    /// tells.
    pub(crate) fn find(&self, token: &ResumeToken) -> Option<SessionKey> {
        self.by_token.get(token).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    pub(crate) fn get(&self, key: SessionKey) -> Option<&Session> {
        self.sessions.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.sessions.get_mut(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.by_token.is_empty() && self.by_url.is_empty()
    }
}
