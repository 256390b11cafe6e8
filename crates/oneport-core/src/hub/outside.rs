//! Rooms as somebody sees them who is in none: the operator.

use std::ops::Bound;

use oneport_wire::frame::{Member, Message};
use oneport_wire::{
    Epoch, ErrorCode, MemberId, MemberName, Offset, RoomName, RoomPattern, UnixMillis,
};

use super::room::Room;
use super::{Body, Entry, Hub, Publication, SeatId};

/// A room in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSummary {
    /// Its name.
    pub room: RoomName,
    /// Its epoch.
    pub epoch: Epoch,
    /// The offset of what comes next.
    pub offset: Offset,
    /// How many members it has, those away included.
    pub members: usize,
    /// The memory that its entries and the names of their authors take, in bytes.
    pub ring_bytes: usize,
    /// Since when it has no members, if it has none.
    pub empty_since: Option<UnixMillis>,
}

/// A room from outside.
#[derive(Clone, Copy, Debug)]
pub struct Outside<'a> {
    hub: &'a Hub,
    room: &'a Room,
}

impl Hub {
    /// The rooms after this one that match, by name.
    pub fn rooms_after(
        &self,
        rooms: &RoomPattern,
        after: Option<&RoomName>,
    ) -> impl Iterator<Item = RoomSummary> {
        let beginning = rooms.beginning();
        let from = match after {
            Some(after) if after.as_str() >= beginning => Bound::Excluded(after.as_str()),
            _ => Bound::Included(beginning),
        };
        let by_name = self
            .room_by_name
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(move |(name, _)| name.as_str().starts_with(beginning));
        by_name
            .filter(|(name, _)| rooms.matches(name))
            .map(|(_, id)| self.rooms[*id].summary())
    }

    /// A room from outside, if there is such a room.
    pub fn outside(&self, name: &RoomName) -> Option<Outside<'_>> {
        let room = &self.rooms[*self.room_by_name.get(name)?];
        Some(Outside { hub: self, room })
    }

    /// Publishes a message of the relay itself: [`MemberId::RELAY`].
    ///
    /// # Errors
    ///
    /// [`ErrorCode::NotInRoom`] where there is no such room; [`ErrorCode::NoSuchMember`] where a
    /// recipient is not in it.
    pub fn announce(
        &mut self,
        now: UnixMillis,
        name: &RoomName,
        publication: Publication,
    ) -> Result<Offset, ErrorCode> {
        let room = self.room_by_name.get(name).copied();
        let room = room.ok_or(ErrorCode::NotInRoom)?;
        self.publish_in(now, room, MemberId::RELAY, publication)
    }

    /// Ends a room at once, with its history and with all who are in it: whose seats these were.
    pub fn close(&mut self, now: UnixMillis, name: &RoomName) -> Option<Vec<SeatId>> {
        let id = *self.room_by_name.get(name)?;
        let room = self.remove_room(now, id)?;
        for id in &room.readers {
            let reader = self.readers.remove(*id);
            if let Some(owner) = reader.and_then(|reader| self.owners.get_mut(reader.owner)) {
                owner.readers.retain(|other| other != id);
            }
        }
        let seats: Vec<_> = room.members.values().copied().collect();
        for seat in &seats {
            self.seats.remove(*seat);
        }
        Some(seats)
    }
}

impl<'a> Outside<'a> {
    /// What a list says of it.
    pub fn summary(&self) -> RoomSummary {
        self.room.summary()
    }

    /// The offset from which on it still has everything that is kept.
    pub fn complete_from(&self) -> Offset {
        self.room.ring.complete_from()
    }

    /// Its members after this one, by id, with their seats.
    pub fn members_after(
        &self,
        after: Option<MemberId>,
    ) -> impl Iterator<Item = (SeatId, Member)> + use<'a> {
        let hub = self.hub;
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let members = self.room.members.range((after, Bound::Unbounded));
        members.map(move |(_, seat)| (*seat, hub.seats[*seat].as_member()))
    }

    /// The seat of a member.
    pub fn seat(&self, member: MemberId) -> Option<SeatId> {
        self.room.members.get(&member).copied()
    }

    /// The latest name of the author of a message that it keeps, whether or not it is still a member.
    /// `None` if it has none.
    pub fn name_of(&self, author: MemberId) -> Option<&'a MemberName> {
        self.hub.name_in(self.room, author)
    }

    /// The messages that it keeps, from this offset on, whomever they were for.
    pub fn messages_from(
        &self,
        from: Offset,
    ) -> impl DoubleEndedIterator<Item = &'a Message<'static>> + Clone + use<'a> {
        let kept = |entry: &'a Entry| match &entry.body {
            Body::Message { message, .. } => entry.is_kept.then_some(message),
            Body::Presence(_) => None,
        };
        self.room.ring.from(from).filter_map(kept)
    }
}

impl Room {
    fn summary(&self) -> RoomSummary {
        RoomSummary {
            room: self.name.clone(),
            epoch: self.epoch,
            offset: self.ring.end(),
            members: self.members.len(),
            ring_bytes: self.ring.bytes(),
            empty_since: self.empty_since,
        }
    }
}
