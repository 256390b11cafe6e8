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

mod behind;
mod departed;
mod entry;
mod limits;
mod members;
mod observer;
mod outside;
mod reader;
mod reading;
mod ring;
mod room;
mod seat;
mod state;
mod view;

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};

use oneport_wire::frame::Message;
use oneport_wire::{
    ErrorCode, MemberId, MemberName, Offset, Payload, Recipients, RoomName, Span, Topic, UnixMillis,
};
use slotmap::{SlotMap, new_key_type};

pub use behind::Behind;
pub use entry::{Body, Entry, Profile};
pub use limits::HubLimits;
pub use observer::{Event, Observer};
pub use outside::{Outside, RoomSummary};
use reader::Reader;
pub use reader::{Filter, Lag};
use room::Room;
use seat::Seat;
pub(crate) use state::{Flaw, RoomState, StoredRoom};
pub use view::RoomView;

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
    /// Those of them that were not to stay for history and resume.
    pub published_transient: u64,
    /// Those of them that were lossy, and so never in a ring.
    pub published_lossy: u64,
    /// Changes about a member that the others were told: that it came, left, or is away.
    pub announced: u64,
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
    room_by_name: BTreeMap<RoomName, RoomId>,
    seats: SlotMap<SeatId, Seat>,
    readers: SlotMap<ReaderId, Reader>,
    owners: SlotMap<OwnerId, Owner>,
    /// The owners that have something to carry, each once, first come first served.
    ready: VecDeque<OwnerId>,
    /// How much was appended since everybody was last asked to take something.
    untaken_messages: usize,
    untaken_bytes: usize,
    next_sequence: u64,
    observer: Option<Box<dyn Observer>>,
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
            room_by_name: BTreeMap::new(),
            seats: SlotMap::with_key(),
            readers: SlotMap::with_key(),
            owners: SlotMap::with_key(),
            ready: VecDeque::new(),
            untaken_messages: 0,
            untaken_bytes: 0,
            next_sequence: 0,
            observer: None,
            stats: HubStats::default(),
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
        let seat = self.seats.get(id).ok_or(ErrorCode::NotInRoom)?;
        let is_kept = publication.is_kept;
        let offset = self.publish_in(now, seat.room, seat.member, publication)?;
        if is_kept && let Some(seat) = self.seats.get_mut(id) {
            seat.last_message = Some(offset);
        }
        Ok(offset)
    }

    fn publish_in(
        &mut self,
        now: UnixMillis,
        room: RoomId,
        from: MemberId,
        publication: Publication,
    ) -> Result<Offset, ErrorCode> {
        let (echo, is_kept) = (publication.echo, publication.is_kept);
        let mut message = self.message(now, room, from, publication)?;
        let offset = self.rooms[room].ring.end();
        message.offset = Some(offset);
        self.stats.published += 1;
        self.stats.published_transient += u64::from(!is_kept);
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
        let seat = self.seats.get(id).ok_or(ErrorCode::NotInRoom)?;
        let message = self.message(now, seat.room, seat.member, publication)?;
        self.stats.published += 1;
        self.stats.published_lossy += 1;
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

    /// The first of these recipients that is not in the member's room.
    pub fn stranger(&self, id: SeatId, to: &Recipients) -> Option<MemberId> {
        self.rooms[self.seats.get(id)?.room].stranger(to)
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
        room: RoomId,
        from: MemberId,
        publication: Publication,
    ) -> Result<Message<'static>, ErrorCode> {
        let room = &self.rooms[room];
        if let Some(to) = &publication.to
            && room.stranger(to).is_some()
        {
            return Err(ErrorCode::NoSuchMember);
        }
        Ok(Message {
            room: room.name.clone(),
            offset: None,
            from,
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
        if let Some(observer) = &mut self.observer {
            let author = entry.author().and_then(|id| room.members.get(&id));
            observer.observe(Event::Entry {
                epoch: room.epoch,
                entry: &entry,
                author: author.and_then(|seat| self.seats[*seat].profile.name.as_ref()),
            });
        }
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
                self.remove_room(now, id);
            }
        }
    }

    /// How many rooms there are.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// How many members there are, over all rooms, those that are away included.
    pub fn members(&self) -> usize {
        self.seats.len()
    }

    /// How many members are away.
    pub fn members_away(&self) -> usize {
        self.seats.values().filter(|seat| seat.is_away).count()
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

    /// The latest name of a member of this room, or of one that has left and has a message in its ring.
    fn name_in<'a>(&'a self, room: &'a Room, member: MemberId) -> Option<&'a MemberName> {
        match room.members.get(&member) {
            Some(seat) => self.seats[*seat].profile.name.as_ref(),
            None => room.ring.departed().name(member),
        }
    }

    /// What went through.
    pub fn stats(&self) -> HubStats {
        self.stats
    }

    /// The memory that the rooms' entries and the names of their authors take, in bytes; at most [`HubLimits::bytes_max`].
    pub fn ring_bytes(&self) -> usize {
        self.rooms.values().map(|room| room.ring.bytes()).sum()
    }

    /// Whether there are no members, no readers and no owners. Rooms may still keep history.
    pub fn is_deserted(&self) -> bool {
        self.seats.is_empty() && self.readers.is_empty() && self.owners.is_empty()
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
