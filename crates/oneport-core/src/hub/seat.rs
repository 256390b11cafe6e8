//! A member of a room.

use oneport_wire::frame::Member;
use oneport_wire::{MemberId, Offset};

use super::{Profile, ReaderId, RoomId};

/// A member's place in a room.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) room: RoomId,
    pub(super) member: MemberId,
    pub(super) profile: Profile,
    pub(super) is_away: bool,
    pub(super) readers: Vec<ReaderId>,
    /// The offset of its last kept message.
    pub(super) last_message: Option<Offset>,
}

impl Seat {
    pub(super) fn new(room: RoomId, member: MemberId, profile: Profile) -> Self {
        Self {
            room,
            member,
            profile,
            is_away: false,
            readers: Vec::new(),
            last_message: None,
        }
    }

    /// The member as the others see it.
    pub(super) fn as_member(&self) -> Member {
        Member {
            id: self.member,
            name: self.profile.name.clone(),
            meta: self.profile.meta.clone(),
            away: self.is_away,
        }
    }
}
