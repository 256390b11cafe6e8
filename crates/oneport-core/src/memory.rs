//! The limit of memory.
//!
//! A link, a session and a room each count with the most that they may ever hold, from their
//! beginning to their end. So the limit holds whatever they do, and who is there is never sent away
//! for it: only who would come is refused.

use oneport_wire::{ErrorCode, RoomName};

use crate::Relay;
use crate::hub::{Profile, SeatId};

impl Relay {
    /// What all that there is may hold, in bytes.
    pub(crate) fn reserved_bytes(&self) -> usize {
        self.links.len() * self.config.client_bytes_max()
            + self.sessions.len() * self.config.session_bytes_max()
            + self.hub.rooms() * self.config.hub.ring_bytes_max
    }

    /// Whether so many bytes more can be had, if rooms without members give up their history for it.
    pub(crate) fn has_place(&self, bytes: usize) -> bool {
        let Some(bytes_max) = self.config.memory_bytes_max else {
            return true;
        };
        let wanted = self.reserved_bytes() + bytes;
        // Nobody counts the empty ones while there is enough.
        wanted <= bytes_max
            || wanted - self.hub.empty_rooms() * self.config.hub.ring_bytes_max <= bytes_max
    }

    /// Whether so many bytes more can be had as it is.
    pub(crate) fn has_place_beside_empty(&self, bytes: usize) -> bool {
        let bytes_max = self.config.memory_bytes_max.unwrap_or(usize::MAX);
        self.reserved_bytes().saturating_add(bytes) <= bytes_max
    }

    /// Makes place for so many bytes more, at the cost of as few empty rooms as possible, the longest
    /// empty first. Answers whether there is place; if not, nothing is lost for it.
    pub(crate) fn make_place(&mut self, bytes: usize) -> bool {
        if !self.has_place(bytes) {
            return false;
        }
        let bytes_max = self.config.memory_bytes_max.unwrap_or(usize::MAX);
        let now = self.unix_now();
        while self.reserved_bytes() + bytes > bytes_max && self.hub.drop_empty_room(now) {}
        true
    }

    /// What a room would take in addition if somebody came into it.
    pub(crate) fn room_bytes(&self, room: &RoomName) -> usize {
        match self.hub.members_of(room) {
            Some(1..) => 0,
            // An empty one may be dropped for what comes before.
            Some(0) | None => self.config.hub.ring_bytes_max,
        }
    }

    /// A new member of a room, if there is place for it.
    pub(crate) fn take_seat(
        &mut self,
        room: &RoomName,
        profile: Profile,
    ) -> Result<SeatId, ErrorCode> {
        self.hub.admits(room)?;
        let is_new = self.hub.members_of(room).is_none();
        if is_new && !self.make_place(self.config.hub.ring_bytes_max) {
            return Err(ErrorCode::Memory);
        }
        let (now, epoch) = (self.unix_now(), self.secrets.epoch());
        self.hub.join(now, room, epoch, profile)
    }
}
