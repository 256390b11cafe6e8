//! Rooms, their members, their log, and who has to take which entry: pure data, no transport.
//!
//! A room keeps what happens in it in one ring, in one order. Each reader has a cursor into it. The
//! ring *is* the send queue: an entry is stored once, a receiver costs a cursor, and memory is
//! bounded however slow a receiver is. One that falls off the ring is told to its owner, who closes
//! it or tells it the gap; the publisher is never slowed. The same ring is the room's history and
//! what a member that was away comes back to.
//!
//! Words: a **member** is somebody in a room as the others see it ([`MemberId`]); its **seat** is the
//! hub's handle on it ([`SeatId`]); a **reader** is one channel that takes entries for it; an
//! **owner** is whoever carries readers' entries away, over one link.

mod entry;
mod limits;
mod reader;
mod ring;
mod room;
mod seat;

use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};
use std::ops::Bound;

use oneport_wire::frame::{LeaveReason, Member, Message, Presence, PresenceChange};
use oneport_wire::{
    Epoch, ErrorCode, MemberId, Offset, Payload, Recipients, RoomName, Span, Topic, UnixMillis,
};
use slotmap::{SlotMap, new_key_type};

pub use entry::{Body, Entry, Profile};
pub use limits::HubLimits;
use reader::Reader;
pub use reader::{Filter, Lag};
use room::Room;
use seat::Seat;

new_key_type! {
    /// A room of a hub.
    struct RoomId;
    /// A member's place in a room.
    pub struct SeatId;
    /// Something that takes a room's entries.
    pub struct ReaderId;
    /// Whoever carries readers' entries away.
    pub struct OwnerId;
}

/// What an owner is to carry next.
#[derive(Debug)]
pub enum Next<'a> {
    /// Nothing.
    Idle,
    /// This entry, for this reader. [`Hub::taken`] goes on.
    Entry(ReaderId, &'a Entry),
    /// The news that entries are lost to a reader. [`Hub::taken`] goes on.
    Gap {
        /// To which reader.
        reader: ReaderId,
        /// Of which room.
        room: &'a RoomName,
        /// Where they were.
        span: Span,
    },
    /// Entries that a reader was owed are gone, and it cannot be told.
    Slow,
}

/// A message to publish.
#[derive(Debug)]
pub struct Publication {
    /// What it is about.
    pub topic: Topic,
    /// For whom it is, if not for all.
    pub to: Option<Recipients>,
    /// Whether its author is to get it as well.
    pub echo: bool,
    /// Whether it stays for history and resume.
    pub is_kept: bool,
    /// What it carries.
    pub payload: Payload<'static>,
}

/// What went through a hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubStats {
    /// Messages that were published.
    pub published: u64,
    /// Entries that were taken, once for each reader.
    pub delivered: u64,
    /// Entries that left the ring before a reader took them, once for each such reader.
    pub evicted: u64,
}

/// All rooms of a relay.
#[derive(Debug)]
pub struct Hub {
    limits: HubLimits,
    rooms: SlotMap<RoomId, Room>,
    room_by_name: HashMap<RoomName, RoomId>,
    seats: SlotMap<SeatId, Seat>,
    readers: SlotMap<ReaderId, Reader>,
    owners: SlotMap<OwnerId, Owner>,
    /// The owners that have something to carry, each once, first come first served.
    ready: VecDeque<OwnerId>,
    /// How much was appended since everybody was last asked to take something.
    untaken_messages: usize,
    untaken_bytes: usize,
    next_sequence: u64,
    stats: HubStats,
}

#[derive(Debug, Default)]
struct Owner {
    readers: Vec<ReaderId>,
    is_ready: bool,
}

impl Hub {
    /// A hub without rooms.
    pub fn new(limits: HubLimits) -> Self {
        Self {
            limits,
            rooms: SlotMap::with_key(),
            room_by_name: HashMap::new(),
            seats: SlotMap::with_key(),
            readers: SlotMap::with_key(),
            owners: SlotMap::with_key(),
            ready: VecDeque::new(),
            untaken_messages: 0,
            untaken_bytes: 0,
            next_sequence: 0,
            stats: HubStats::default(),
        }
    }

    /// Somebody new who carries entries.
    pub fn add_owner(&mut self) -> OwnerId {
        self.owners.insert(Owner::default())
    }

    /// Forgets an owner with its readers.
    pub fn remove_owner(&mut self, owner: OwnerId) {
        let readers = self.owners.get(owner).map(|o| o.readers.clone());
        for reader in readers.unwrap_or_default() {
            self.remove_reader(reader);
        }
        self.owners.remove(owner);
    }

    /// Whether [`Self::join`] would succeed.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::RoomFull`], [`ErrorCode::TooManyRooms`].
    pub fn admits(&self, room: &RoomName) -> Result<(), ErrorCode> {
        match self.room_by_name.get(room) {
            Some(id) if self.rooms[*id].members.len() >= self.limits.members_per_room_max => {
                Err(ErrorCode::RoomFull)
            }
            None if self.rooms.len() >= self.limits.rooms_max && self.longest_empty().is_none() => {
                Err(ErrorCode::TooManyRooms)
            }
            _ => Ok(()),
        }
    }

    /// Adds a member to a room and tells the others. A room comes into being with its first member,
    /// and with this epoch, which must be random.
    ///
    /// # Errors
    ///
    /// As [`Self::admits`].
    pub fn join(
        &mut self,
        now: UnixMillis,
        name: &RoomName,
        epoch: Epoch,
        profile: Profile,
    ) -> Result<SeatId, ErrorCode> {
        self.admits(name)?;
        let room = match self.room_by_name.get(name) {
            Some(room) => *room,
            None => self.add_room(name, epoch),
        };
        self.rooms[room].empty_since = None;
        let member = self.rooms[room].new_member();
        let seat = Seat::new(room, member, profile);
        let seat = self.seats.insert(seat);
        self.rooms[room].members.insert(member, seat);
        self.tell(now, seat, PresenceChange::Joined);
        Ok(seat)
    }

    fn add_room(&mut self, name: &RoomName, epoch: Epoch) -> RoomId {
        if self.rooms.len() >= self.limits.rooms_max
            && let Some(room) = self.longest_empty()
        {
            self.remove_room(room);
        }
        let room = self.rooms.insert(Room::new(name.clone(), epoch));
        self.room_by_name.insert(name.clone(), room);
        room
    }

    /// A room without members only keeps its history for a while.
    fn longest_empty(&self) -> Option<RoomId> {
        let empty = |(id, room): (RoomId, &Room)| room.empty_since.map(|since| (since, id));
        self.rooms.iter().filter_map(empty).min().map(|(_, id)| id)
    }

    fn remove_room(&mut self, room: RoomId) {
        if let Some(room) = self.rooms.remove(room) {
            self.room_by_name.remove(&room.name);
        }
    }

    /// Removes a member and tells the others why.
    pub fn leave(&mut self, now: UnixMillis, id: SeatId, reason: LeaveReason) {
        let Some(seat) = self.seats.get(id) else {
            return;
        };
        for reader in seat.readers.clone() {
            self.remove_reader(reader);
        }
        self.tell(now, id, PresenceChange::Left { reason });
        let Some(seat) = self.seats.remove(id) else {
            return;
        };
        let room = &mut self.rooms[seat.room];
        room.members.remove(&seat.member);
        if room.members.is_empty() {
            room.empty_since = Some(now);
            if room.ring.is_empty() {
                self.remove_room(seat.room);
            }
        }
    }

    /// The member's link is lost, or it came back: the others are told.
    pub fn set_away(&mut self, now: UnixMillis, id: SeatId, is_away: bool) {
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        if seat.is_away != is_away {
            seat.is_away = is_away;
            let change = if is_away {
                PresenceChange::Away
            } else {
                PresenceChange::Back
            };
            self.tell(now, id, change);
        }
    }

    /// The member has another name or other metadata: the others are told.
    pub fn update(&mut self, now: UnixMillis, id: SeatId, profile: Profile) {
        if let Some(seat) = self.seats.get_mut(id)
            && seat.profile != profile
        {
            seat.profile = profile;
            self.tell(now, id, PresenceChange::Updated);
        }
    }

    fn tell(&mut self, now: UnixMillis, id: SeatId, change: PresenceChange) {
        let Some(seat) = self.seats.get(id) else {
            return;
        };
        let room_id = seat.room;
        let room = &self.rooms[room_id];
        let presence = Presence {
            room: room.name.clone(),
            offset: room.ring.end(),
            time: now,
            change,
            member: seat.as_member(),
        };
        self.append(now, room_id, Body::Presence(presence), true);
    }

    /// From now on the owner carries what this member is to take. With `since`, beginning with what
    /// was kept from that offset on; otherwise only what comes.
    pub fn add_reader(
        &mut self,
        owner: OwnerId,
        seat_id: SeatId,
        filter: Filter,
        lag: Lag,
        since: Option<Offset>,
    ) -> Option<ReaderId> {
        let carrier = self.owners.get_mut(owner)?;
        let seat = self.seats.get_mut(seat_id)?;
        let room = &mut self.rooms[seat.room];
        let owed: Vec<Offset> = since.map_or_else(Vec::new, |since| {
            let is_owed = |entry: &&Entry| entry.is_kept && entry.is_for(seat.member, &filter);
            let entries = room.ring.from(since).filter(is_owed);
            entries.map(|entry| entry.offset).collect()
        });
        let live_from = room.ring.end();
        owed.iter().for_each(|offset| room.ring.owe(*offset));
        let cursor = owed.first().copied();
        let reader = self.readers.insert(Reader {
            seat: seat_id,
            owner,
            filter,
            lag,
            live_from,
            cursor,
        });
        seat.readers.push(reader);
        room.readers.push(reader);
        carrier.readers.push(reader);
        if cursor.is_some() {
            self.wake(owner);
        }
        Some(reader)
    }

    /// The reader takes no more. What it was owed is forgotten.
    pub fn remove_reader(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.remove(id) else {
            return;
        };
        let seat = &mut self.seats[reader.seat];
        seat.readers.retain(|other| *other != id);
        let room = &mut self.rooms[seat.room];
        room.readers.retain(|other| *other != id);
        let mut owed = reader.cursor;
        while let Some(offset) = owed {
            room.ring.settle(offset);
            let following = offset.next().unwrap_or(offset);
            owed = room.ring.first_for(following, seat.member, &reader);
        }
        if let Some(owner) = self.owners.get_mut(reader.owner) {
            owner.readers.retain(|other| *other != id);
        }
    }

    /// Publishes a message, and answers its place in the room's order.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::NoSuchMember`] where a recipient is not in the room; [`ErrorCode::NotInRoom`]
    /// where the seat is not.
    pub fn publish(
        &mut self,
        now: UnixMillis,
        id: SeatId,
        publication: Publication,
    ) -> Result<Offset, ErrorCode> {
        let (echo, is_kept) = (publication.echo, publication.is_kept);
        let mut message = self.message(now, id, publication)?;
        let room = self.seats[id].room;
        let offset = self.rooms[room].ring.end();
        message.offset = Some(offset);
        self.stats.published += 1;
        self.append(now, room, Body::Message { message, echo }, is_kept);
        Ok(offset)
    }

    /// A message that is not to be in the ring, and who would read it: for lossy ones.
    ///
    /// # Errors
    ///
    /// As [`Self::publish`].
    pub fn audience(
        &mut self,
        now: UnixMillis,
        id: SeatId,
        publication: Publication,
    ) -> Result<(Message<'static>, Vec<(OwnerId, ReaderId)>), ErrorCode> {
        let echo = publication.echo;
        let message = self.message(now, id, publication)?;
        self.stats.published += 1;
        let reads = |reader: &ReaderId| {
            let Reader {
                owner,
                seat,
                filter,
                ..
            } = &self.readers[*reader];
            let is_for = entry::is_message_for(&message, echo, self.seats[*seat].member, filter);
            is_for.then_some((*owner, *reader))
        };
        let room = &self.rooms[self.seats[id].room];
        let readers = room.readers.iter().filter_map(reads).collect();
        Ok((message, readers))
    }

    /// For how many members a message with these recipients would be.
    pub fn audience_size(&self, id: SeatId, to: Option<&Recipients>, echo: bool) -> usize {
        let Some(seat) = self.seats.get(id) else {
            return 0;
        };
        let is_addressed = |member: &MemberId| to.is_none_or(|to| to.contains(*member));
        let others = |member: &&MemberId| **member != seat.member && is_addressed(member);
        let members = self.rooms[seat.room].members.keys();
        members.filter(others).count() + usize::from(echo)
    }

    /// What a publication becomes, without a place in the order yet.
    fn message(
        &self,
        now: UnixMillis,
        id: SeatId,
        publication: Publication,
    ) -> Result<Message<'static>, ErrorCode> {
        let seat = self.seats.get(id).ok_or(ErrorCode::NotInRoom)?;
        let room = &self.rooms[seat.room];
        let mut recipients = publication.to.iter().flat_map(|to| to.as_slice());
        if recipients.any(|to| !room.members.contains_key(to)) {
            return Err(ErrorCode::NoSuchMember);
        }
        Ok(Message {
            room: room.name.clone(),
            offset: None,
            from: seat.member,
            time: now,
            topic: publication.topic,
            to: publication.to,
            payload: publication.payload,
        })
    }

    fn append(&mut self, now: UnixMillis, room_id: RoomId, body: Body, is_kept: bool) {
        let room = &mut self.rooms[room_id];
        let offset = room.ring.end();
        let mut entry = Entry {
            offset,
            time: now,
            body,
            is_kept,
            sequence: self.next_sequence,
            owed: 0,
            frame: OnceCell::new(),
        };
        self.next_sequence += 1;
        for id in &room.readers {
            let reader = &mut self.readers[*id];
            if entry.is_for(self.seats[reader.seat].member, &reader.filter) {
                entry.owed += 1;
                reader.cursor.get_or_insert(offset);
                self.owners[reader.owner].mark_ready(reader.owner, &mut self.ready);
            }
        }
        self.untaken_messages += 1;
        self.untaken_bytes += entry.bytes();
        room.ring.push(entry);
        if !is_kept {
            room.ring.settle_unowed();
        }
        self.evict(now, room_id);
    }

    /// Makes the ring as small as it must be. If somebody loses something by it, all who read there
    /// become ready, so that whoever it is learns it at once.
    fn evict(&mut self, now: UnixMillis, room_id: RoomId) {
        let room = &mut self.rooms[room_id];
        let mut lost = 0;
        while let Some(entry) = room.ring.evict_beyond(&self.limits, now) {
            lost += entry.owed as u64;
        }
        self.stats.evicted += lost;
        if lost > 0 {
            for id in &room.readers {
                let owner = self.readers[*id].owner;
                self.owners[owner].mark_ready(owner, &mut self.ready);
            }
        }
    }

    /// Forgets what is too old: entries, and rooms that nobody is in. To be called now and then.
    pub fn expire(&mut self, now: UnixMillis) {
        let rooms: Vec<_> = self.rooms.keys().collect();
        let age_max = self.limits.empty_room_age_max.as_millis();
        for id in rooms {
            self.evict(now, id);
            let room = &self.rooms[id];
            let is_over = room.empty_since.is_some_and(|since| {
                let age_ms = now.get().saturating_sub(since.get());
                u128::from(age_ms) >= age_max || room.ring.is_empty()
            });
            if is_over {
                self.remove_room(id);
            }
        }
    }

    /// The next owner that has something to carry, or may have: it leaves the queue.
    pub fn poll_ready(&mut self) -> Option<OwnerId> {
        loop {
            let Some(id) = self.ready.pop_front() else {
                self.untaken_messages = 0;
                self.untaken_bytes = 0;
                return None;
            };
            if let Some(owner) = self.owners.get_mut(id) {
                owner.is_ready = false;
                return Some(id);
            }
        }
    }

    /// Whether so much was appended since [`Self::poll_ready`] was last empty that a ring may lose
    /// entries that nobody had a chance to take.
    pub fn is_pressed(&self) -> bool {
        self.untaken_messages >= self.limits.ring_messages_max / 4
            || self.untaken_bytes >= self.limits.ring_bytes_max / 4
    }

    /// Whether [`Self::poll_ready`] has something to say.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Puts an owner that could not carry all into the queue again.
    pub fn wake(&mut self, id: OwnerId) {
        if let Some(owner) = self.owners.get_mut(id) {
            owner.mark_ready(id, &mut self.ready);
        }
    }

    /// What the owner is to carry next, over all its readers, in the order in which it was taken in.
    pub fn next(&mut self, owner: OwnerId) -> Next<'_> {
        let Some(owner) = self.owners.get(owner) else {
            return Next::Idle;
        };
        let mut first: Option<(&Entry, ReaderId)> = None;
        for id in &owner.readers {
            let reader = &mut self.readers[*id];
            let Some(cursor) = reader.cursor else {
                continue;
            };
            let seat = &self.seats[reader.seat];
            let Room { ring, name, .. } = &self.rooms[seat.room];
            if ring.get(cursor).is_none() {
                match reader.lag {
                    Lag::Disconnect => return Next::Slow,
                    Lag::Gap => {
                        let span = Span::new(cursor, ring.start());
                        let span = span.expect("what is gone lies before what is there");
                        let (reader, room) = (*id, name);
                        return Next::Gap { reader, room, span };
                    }
                    Lag::Skip => {
                        reader.cursor = ring.first_for(cursor, seat.member, reader);
                    }
                }
            }
            if let Some(entry) = reader.cursor.and_then(|cursor| ring.get(cursor))
                && first.is_none_or(|(other, _)| entry.sequence < other.sequence)
            {
                first = Some((entry, *id));
            }
        }
        first.map_or(Next::Idle, |(entry, reader)| Next::Entry(reader, entry))
    }

    /// The owner has carried what [`Self::next`] showed for this reader.
    pub fn taken(&mut self, id: ReaderId) {
        self.stats.delivered += 1;
        self.skip(id);
    }

    /// The owner will never carry what [`Self::next`] showed for this reader.
    pub fn skip(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.get_mut(id) else {
            return;
        };
        let seat = &self.seats[reader.seat];
        let ring = &mut self.rooms[seat.room].ring;
        let Some(cursor) = reader.cursor else {
            return;
        };
        // Behind a gap, the first entry that is still there has not been shown yet.
        let from = if ring.get(cursor).is_none() {
            ring.start()
        } else {
            ring.settle(cursor);
            cursor.next().unwrap_or(cursor)
        };
        reader.cursor = ring.first_for(from, seat.member, reader);
    }

    /// How many rooms there are.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// A look at the member's room; `None` if it has left.
    pub fn room(&self, seat: SeatId) -> Option<RoomView<'_>> {
        let seat = self.seats.get(seat)?;
        Some(RoomView {
            hub: self,
            room: &self.rooms[seat.room],
            me: seat,
        })
    }

    /// What went through.
    pub fn stats(&self) -> HubStats {
        self.stats
    }

    /// The memory that the rooms' entries take, in bytes; at most [`HubLimits::bytes_max`].
    pub fn ring_bytes(&self) -> usize {
        self.rooms.values().map(|room| room.ring.bytes()).sum()
    }

    /// Whether there are no members, no readers and no owners. Rooms may still keep history.
    pub fn is_deserted(&self) -> bool {
        self.seats.is_empty() && self.readers.is_empty() && self.owners.is_empty()
    }
}

/// A room as one of its members sees it.
#[derive(Clone, Copy, Debug)]
pub struct RoomView<'a> {
    hub: &'a Hub,
    room: &'a Room,
    me: &'a Seat,
}

impl<'a> RoomView<'a> {
    /// Its name.
    pub fn name(&self) -> &'a RoomName {
        &self.room.name
    }

    /// Its epoch.
    pub fn epoch(&self) -> Epoch {
        self.room.epoch
    }

    /// The offset of what comes next.
    pub fn end(&self) -> Offset {
        self.room.ring.end()
    }

    /// The offset from which on it still has everything that is kept.
    pub fn complete_from(&self) -> Offset {
        self.room.ring.complete_from()
    }

    /// Whether something that was not kept was published at this offset or later.
    pub fn has_transients_from(&self, offset: Offset) -> bool {
        self.room
            .ring
            .last_transient()
            .is_some_and(|last| last >= offset)
    }

    /// Who is looking.
    pub fn me(&self) -> MemberId {
        self.me.member
    }

    /// The looking member's profile.
    pub fn my_profile(&self) -> &'a Profile {
        &self.me.profile
    }

    /// How many members it has.
    pub fn members_count(&self) -> usize {
        self.room.members.len()
    }

    /// Its members after this one, by id.
    pub fn members_after(&self, after: Option<MemberId>) -> impl Iterator<Item = Member> {
        let hub = self.hub;
        let later = after.map_or(Bound::Unbounded, Bound::Excluded);
        let members = self.room.members.range((later, Bound::Unbounded));
        members.map(move |(_, seat)| hub.seats[*seat].as_member())
    }

    /// The seat of a member.
    pub fn seat(&self, member: MemberId) -> Option<SeatId> {
        self.room.members.get(&member).copied()
    }

    /// The messages before an offset that the member may see, its own included, latest first.
    pub fn history_before(&self, before: Offset) -> impl Iterator<Item = &'a Entry> {
        let me = self.me.member;
        let is_visible = move |entry: &&Entry| match &entry.body {
            Body::Presence(_) => false,
            Body::Message { message, .. } => {
                let is_addressed = message.to.as_ref().is_none_or(|to| to.contains(me));
                entry.is_kept && (is_addressed || message.from == me)
            }
        };
        let entries = self.room.ring.from(Offset::default()).rev();
        entries
            .skip_while(move |entry| entry.offset >= before)
            .filter(is_visible)
    }
}

impl Owner {
    fn mark_ready(&mut self, id: OwnerId, ready: &mut VecDeque<OwnerId>) {
        if !self.is_ready {
            self.is_ready = true;
            ready.push_back(id);
        }
    }
}

#[cfg(test)]
mod tests;
