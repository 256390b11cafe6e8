//! Which announcements were made, so that a retry is not a second one.

use std::collections::{HashMap, VecDeque};

use oneport_wire::{Epoch, Offset, RequestId, RoomName};

/// How many ids of announcements are remembered, in all rooms together: a retry comes within seconds.
const IDS_MAX: usize = 1024;

/// What makes two announcements the same: the room, its epoch, and the id.
pub(crate) type Key = (RoomName, Epoch, RequestId);

/// The last announcements with an id, and where they went.
#[derive(Debug, Default)]
pub(crate) struct AnnouncedIds {
    offsets: HashMap<Key, Offset>,
    order: VecDeque<Key>,
}

impl AnnouncedIds {
    /// Where the announcement with this id went, if it was made before.
    pub(crate) fn get(&self, key: &Key) -> Option<Offset> {
        self.offsets.get(key).copied()
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, Offset)> {
        let known = |key: &Key| Some((key.clone(), self.get(key)?));
        self.order.iter().filter_map(known)
    }

    /// Remembers one more, and forgets the oldest beyond the limit.
    pub(crate) fn insert(&mut self, key: Key, offset: Offset) {
        if self.offsets.insert(key.clone(), offset).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.offsets.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_ones_of_each_epoch() {
        let key = |n: usize, epoch: u8| {
            let room = "lobby".parse().expect("a room");
            let id = format!("{n}").parse().expect("an id");
            (room, Epoch::from_random([epoch; 8]), id)
        };
        let mut announced = AnnouncedIds::default();
        for n in 0..=IDS_MAX {
            announced.insert(key(n, 1), Offset::from(7));
        }
        assert_eq!(announced.get(&key(0, 1)), None);
        assert_eq!(announced.get(&key(1, 1)), Some(Offset::from(7)));
        assert_eq!(announced.get(&key(IDS_MAX, 2)), None);
        assert_eq!(announced.offsets.len(), IDS_MAX);
    }
}
