//! What the owner asks of the session.

use std::time::Instant;

use oneport_link::Write;
use oneport_wire::frame::{ClientBody, Delivery, History, Join, Kick, Members, Publish, Update};
use oneport_wire::{RequestId, RoomName};

use crate::client::Phase;
use crate::pending::Publication;
use crate::pump::encode;
use crate::requests::Request;
use crate::room::{Room, Stage};
use crate::{Client, CommandError, Ended};

/// How many rooms may be wanted. A relay normally grants fewer.
const ROOMS_MAX: usize = 256;

impl Client {
    /// Enters a room, now or as soon as there is a link, and again over each further link. Its
    /// `since` is where the owner left off in a room that it knows from before.
    ///
    /// # Errors
    ///
    /// [`CommandError::AlreadyInRoom`], [`CommandError::Full`], [`CommandError::Ended`].
    pub fn join(&mut self, now: Instant, join: Join) -> Result<(), CommandError> {
        self.advance(now);
        self.refuse_if_ended()?;
        if self.rooms.contains_key(&join.room) {
            return Err(CommandError::AlreadyInRoom);
        }
        if self.rooms.len() >= ROOMS_MAX {
            return Err(CommandError::Full);
        }
        self.rooms.insert(join.room.clone(), Room::new(join));
        self.settle();
        Ok(())
    }

    /// Leaves a room: nothing more of it is told. [`Event::Left`](crate::Event::Left) follows where
    /// there is a link; without one the room is just not joined again.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotInRoom`].
    pub fn leave(&mut self, now: Instant, room: &RoomName) -> Result<(), CommandError> {
        self.advance(now);
        let entry = self.rooms.get_mut(room).ok_or(CommandError::NotInRoom)?;
        let is_known = matches!(entry.stage, Stage::Live | Stage::Joining(_));
        entry.stage = Stage::Leaving;
        self.abandon_room(room, !is_known);
        if is_known {
            self.send_leave(room);
            self.settle();
        }
        Ok(())
    }

    /// Publishes a message in a room that was joined. With an `id` it is acknowledged, and sent
    /// again over the next link until it is. A lossy message is sent now or not at all.
    ///
    /// # Errors
    ///
    /// [`CommandError`] says whether it makes sense to try again.
    pub fn publish(
        &mut self,
        now: Instant,
        id: Option<RequestId>,
        publish: Publish<'_>,
    ) -> Result<(), CommandError> {
        self.advance(now);
        self.refuse_if_ended()?;
        let room = self.rooms.get(&publish.room);
        let room = room.filter(|room| room.stage != Stage::Leaving);
        let is_live = room.ok_or(CommandError::NotInRoom)?.is_live();
        self.refuse_if_in_use(id.as_ref())?;
        let is_lossy = publish.delivery == Delivery::Lossy;
        let room = publish.room.clone();
        let is_addressed = publish.to.is_some();
        let (kind, bytes) = encode(id.clone(), ClientBody::Publish(publish));
        if bytes.len() > self.frame_bytes_max {
            let bytes_max = self.frame_bytes_max;
            return Err(CommandError::TooLarge { bytes_max });
        }
        if is_lossy {
            let is_free = is_live && self.outbox.is_empty() && self.pace.ready_at() <= now;
            if !is_free || self.write(kind, &bytes) != Some(Write::Accepted) {
                self.lossy_dropped += 1;
            }
            return Ok(());
        }
        let publication = Publication {
            id,
            room,
            is_addressed,
            kind,
            bytes,
        };
        if !self.pending.push(publication) {
            return Err(CommandError::Full);
        }
        self.settle();
        Ok(())
    }

    /// Asks for earlier messages: they and [`Event::HistoryEnd`](crate::Event::HistoryEnd) are the
    /// answer.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotNow`] without a link, and as [`Self::publish`].
    pub fn history(
        &mut self,
        now: Instant,
        id: Option<RequestId>,
        ask: History,
    ) -> Result<RequestId, CommandError> {
        let room = ask.room.clone();
        self.ask_in(now, id, &room, Request::Other, ClientBody::History(ask))
    }

    /// Asks for a page of the members: [`Event::Members`](crate::Event::Members) is the answer.
    ///
    /// # Errors
    ///
    /// As [`Self::history`].
    pub fn members(
        &mut self,
        now: Instant,
        id: Option<RequestId>,
        ask: Members,
    ) -> Result<RequestId, CommandError> {
        let room = ask.room.clone();
        self.ask_in(now, id, &room, Request::Other, ClientBody::Members(ask))
    }

    /// Changes the member's own name or metadata: [`Event::Ack`](crate::Event::Ack) is the answer.
    ///
    /// # Errors
    ///
    /// As [`Self::history`].
    pub fn update(
        &mut self,
        now: Instant,
        id: Option<RequestId>,
        update: Update,
    ) -> Result<RequestId, CommandError> {
        let request = Request::Update(update.clone());
        let room = update.room.clone();
        self.ask_in(now, id, &room, request, ClientBody::Update(update))
    }

    /// Removes another member: [`Event::Ack`](crate::Event::Ack) is the answer.
    ///
    /// # Errors
    ///
    /// As [`Self::history`].
    pub fn kick(
        &mut self,
        now: Instant,
        id: Option<RequestId>,
        kick: Kick,
    ) -> Result<RequestId, CommandError> {
        let room = kick.room.clone();
        self.ask_in(now, id, &room, Request::Other, ClientBody::Kick(kick))
    }

    /// There is reason to doubt the link, for example because the host was asleep: the relay must
    /// answer within 2 s, or the link is given up.
    pub fn check(&mut self, now: Instant) {
        self.advance(now);
        if let Phase::Live(_) = self.phase {
            self.ping = Some(self.heartbeat.doubt(now));
            self.settle();
        }
    }

    /// Ends the client as [`Self::close`] does, as soon as nothing is waited for any more: rooms to
    /// be joined, their history, acknowledgements, answers. That may take several links.
    pub fn finish(&mut self, now: Instant) {
        self.advance(now);
        self.is_finishing = true;
        self.settle();
    }

    /// Ends the session and the client. Others see it leave, if that can still be sent.
    pub fn close(&mut self, now: Instant) {
        self.advance(now);
        if let Phase::Live(_) = self.phase {
            for room in std::mem::take(&mut self.rooms).into_keys() {
                let (kind, bytes) = encode(None, ClientBody::Leave { room });
                let _ = self.write(kind, &bytes);
            }
        }
        self.end(Ended::ByOwner);
    }

    pub(crate) fn ask_in(
        &mut self,
        now: Instant,
        id: Option<RequestId>,
        room: &RoomName,
        request: Request,
        body: ClientBody<'_>,
    ) -> Result<RequestId, CommandError> {
        self.advance(now);
        self.refuse_if_ended()?;
        self.refuse_if_in_use(id.as_ref())?;
        let room = self.rooms.get(room).ok_or(CommandError::NotInRoom)?;
        if !room.is_live() {
            return Err(CommandError::NotNow);
        }
        if self.requests.is_full() {
            return Err(CommandError::Full);
        }
        let id = self.ask(id, request, body);
        self.settle();
        Ok(id)
    }

    pub(crate) fn refuse_if_in_use(&self, id: Option<&RequestId>) -> Result<(), CommandError> {
        match id {
            Some(id) if self.pending.contains(id) || self.requests.contains(id) => {
                Err(CommandError::IdInUse)
            }
            _ => Ok(()),
        }
    }
}
