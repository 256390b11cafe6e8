//! A room.

use std::collections::BTreeMap;

use oneport_wire::{Epoch, MemberId, Recipients, RoomName, UnixMillis};

use super::ring::Ring;
use super::{ReaderId, SeatId};

/// A room: who is there, who reads, and what was said.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) epoch: Epoch,
    pub(super) members: BTreeMap<MemberId, SeatId>,
    pub(super) readers: Vec<ReaderId>,
    pub(super) ring: Ring,
    /// When its last member left.
    pub(super) empty_since: Option<UnixMillis>,
    next_member: u32,
}

impl Room {
    pub(super) fn new(name: RoomName, epoch: Epoch) -> Self {
        Self {
            name,
            epoch,
            members: BTreeMap::new(),
            readers: Vec::new(),
            ring: Ring::default(),
            empty_since: None,
            next_member: 1,
        }
    }

    /// What is in it, if it was there before this relay.
    pub(super) fn reopen(&mut self, ring: Ring, next_member: u32, empty_since: Option<UnixMillis>) {
        self.ring = ring;
        self.next_member = next_member;
        self.empty_since = empty_since;
    }

    /// The first of these recipients that is not in the room.
    pub(super) fn stranger(&self, to: &Recipients) -> Option<MemberId> {
        let mut recipients = to.as_slice().iter().copied();
        recipients.find(|member| !self.members.contains_key(member))
    }

    /// The number of the member that comes next.
    pub(super) fn next_member(&self) -> u32 {
        self.next_member
    }

    /// An id that no member of this epoch has had.
    pub(super) fn new_member(&mut self) -> MemberId {
        let member = MemberId::new(self.next_member);
        // After 2^32 members the ids would come again; a room that sees a thousand joins a second
        // lives fifty days to get there, and its oldest members are long gone.
        // 0 is never one: it is the relay itself.
        self.next_member = self.next_member.checked_add(1).unwrap_or(1);
        member
    }
}
