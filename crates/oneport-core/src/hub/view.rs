//! A look at a room.

use std::ops::Bound;

use oneport_wire::frame::Member;
use oneport_wire::{Epoch, MemberId, MemberName, Offset, RoomName};

use super::room::Room;
use super::seat::Seat;
use super::{Body, Entry, Hub, Profile, SeatId};

/// A room as one of its members sees it.
#[derive(Clone, Copy, Debug)]
pub struct RoomView<'a> {
    pub(super) hub: &'a Hub,
    pub(super) room: &'a Room,
    pub(super) me: &'a Seat,
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

    /// The latest name of the author of a message in the ring, whether or not it is still a member.
    /// `None` if it has none.
    pub fn name_of(&self, author: MemberId) -> Option<&'a MemberName> {
        self.hub.name_in(self.room, author)
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
