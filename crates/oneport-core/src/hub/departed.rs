//! The names of members that have left a room.

use std::collections::BTreeMap;

use oneport_wire::{MemberId, MemberName, Offset};

/// The memory of a name besides its text, in bytes: its allocation, and an entry in each of two maps.
const NAME_BYTES: usize = 128;

/// The members that have left a room, have a name, and have a kept message in the room's ring. A member
/// in the room has its name in its seat.
///
/// A name goes with the last message of its member, so there are no more names than entries. The ring
/// counts their memory.
#[derive(Debug, Default)]
pub(super) struct Departed {
    names: BTreeMap<MemberId, MemberName>,
    /// The same members by the offset of their last kept message. An entry has one author, so no two
    /// members share an offset.
    by_last_message: BTreeMap<Offset, MemberId>,
    bytes: usize,
}

impl Departed {
    /// Adds a member that leaves, with the offset of its last kept message.
    pub(super) fn insert(&mut self, last_message: Offset, member: MemberId, name: MemberName) {
        self.bytes += NAME_BYTES + name.as_str().len();
        self.by_last_message.insert(last_message, member);
        self.names.insert(member, name);
    }

    /// The entry with this offset has left the ring.
    pub(super) fn evicted(&mut self, offset: Offset) {
        if let Some(member) = self.by_last_message.remove(&offset)
            && let Some(name) = self.names.remove(&member)
        {
            self.bytes -= NAME_BYTES + name.as_str().len();
        }
    }

    /// The name of a member that has left.
    pub(super) fn name(&self, member: MemberId) -> Option<&MemberName> {
        self.names.get(&member)
    }

    /// All of them, by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (MemberId, &MemberName)> {
        self.names.iter().map(|(member, name)| (*member, name))
    }

    /// The memory that the names take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
