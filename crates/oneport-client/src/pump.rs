//! From the queues to the link.

use std::time::Instant;

use oneport_link::Write;
use oneport_wire::frame::{ClientBody, ClientFrame};
use oneport_wire::{Kind, RequestId, RoomName};

use crate::Client;
use crate::client::Phase;
use crate::pending::Attempt;
use crate::requests::Request;
use crate::room::{Room, Stage};

impl Client {
    /// Queues a frame, under a new id if it has none.
    pub(crate) fn ask(
        &mut self,
        id: Option<RequestId>,
        request: Request,
        body: ClientBody<'_>,
    ) -> RequestId {
        let pending = &self.pending;
        let id = self.requests.add(id, request, |id| pending.contains(id));
        self.outbox.push_back(encode(Some(id.clone()), body));
        id
    }

    pub(crate) fn send_leave(&mut self, room: &RoomName) {
        if let Some(entry) = self.rooms.get_mut(room) {
            entry.stage = Stage::Leaving;
        }
        let body = ClientBody::Leave { room: room.clone() };
        self.ask(None, Request::Leave(room.clone()), body);
    }

    /// Writes as much as may leave now: answers to pings, then frames, then messages.
    pub(crate) fn pump(&mut self) {
        let now = self.now;
        let (Some(link), Some(channel)) = (&mut self.link, self.channel) else {
            return;
        };
        let is_messages_turn = matches!(self.phase, Phase::Live(_)) && self.pending.len() > 0;
        let is_beat_due = self.pong.is_some() || self.ping.is_some();
        if !is_beat_due && self.outbox.is_empty() && !is_messages_turn {
            return;
        }
        let mut batch = link.batch(now);
        let (pace, held) = (&mut self.pace, self.held);
        let mut write = |kind: Kind, bytes: &[u8]| {
            let written = batch.write(channel, kind_on_link(kind), bytes);
            if written == Write::Accepted {
                pace.spend(now, bytes.len());
            }
            written
        };
        let pong = self.pong.map(|n| ClientBody::Pong { n });
        let ping = self.ping.map(|n| ClientBody::Ping { n });
        for body in pong.into_iter().chain(ping) {
            let (kind, bytes) = encode(None, body);
            if write(kind, &bytes) == Write::Full {
                return;
            }
        }
        (self.ping, self.pong) = (None, None);
        while let Some((kind, bytes)) = self.outbox.front() {
            if write(*kind, bytes) == Write::Full {
                return;
            }
            self.outbox.pop_front();
        }
        if !is_messages_turn || held.is_some_and(|until| until > now) {
            return;
        }
        self.held = None;
        let rooms = &self.rooms;
        self.pending.send(self.window, |publication| {
            if !rooms.get(&publication.room).is_some_and(Room::is_live) {
                return Attempt::NotThis;
            }
            if pace.ready_at() > now {
                return Attempt::Stop;
            }
            match batch.write(channel, kind_on_link(publication.kind), &publication.bytes) {
                Write::Accepted => {
                    pace.spend(now, publication.bytes.len());
                    Attempt::Sent
                }
                Write::Full | Write::Refused | Write::TooLarge => Attempt::Stop,
            }
        });
    }

    /// Writes one frame past the queues; `None` without a channel.
    pub(crate) fn write(&mut self, kind: Kind, bytes: &[u8]) -> Option<Write> {
        let (link, channel) = (self.link.as_mut()?, self.channel?);
        let written = link
            .batch(self.now)
            .write(channel, kind_on_link(kind), bytes);
        self.pace.spend(self.now, bytes.len());
        Some(written)
    }

    /// Whether messages wait for their pace alone, and until when.
    pub(crate) fn paced_until(&self) -> Option<Instant> {
        let is_waiting = self.is_live() && self.pending.len() > 0;
        let until = self.held.unwrap_or(self.now).max(self.pace.ready_at());
        (is_waiting && until > self.now).then_some(until)
    }
}

pub(crate) fn encode(id: Option<RequestId>, body: ClientBody<'_>) -> (Kind, Vec<u8>) {
    let mut bytes = Vec::new();
    let kind = ClientFrame { id, body }.encode_into(&mut bytes);
    (kind, bytes)
}

/// The two crates of layer 0 do not know each other.
pub(crate) fn kind_on_wire(kind: oneport_link::Kind) -> Kind {
    match kind {
        oneport_link::Kind::Text => Kind::Text,
        oneport_link::Kind::Binary => Kind::Binary,
    }
}

fn kind_on_link(kind: Kind) -> oneport_link::Kind {
    match kind {
        Kind::Text => oneport_link::Kind::Text,
        Kind::Binary => oneport_link::Kind::Binary,
    }
}
