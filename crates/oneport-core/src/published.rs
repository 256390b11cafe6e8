//! Which messages a session has published, so that a retry is not a second message.

use std::collections::{HashMap, VecDeque};

use oneport_wire::{Offset, RequestId};

/// The last messages that a session published with an id, and where they went.
#[derive(Debug, Default)]
pub(crate) struct PublishedIds {
    offsets: HashMap<RequestId, Offset>,
    order: VecDeque<RequestId>,
}

impl PublishedIds {
    /// Where the message with this id went, if it was published before.
    pub(crate) fn get(&self, id: &RequestId) -> Option<Offset> {
        self.offsets.get(id).copied()
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RequestId, Offset)> {
        let known = |id: &RequestId| Some((id.clone(), self.get(id)?));
        self.order.iter().filter_map(known)
    }

    /// Remembers one more, and forgets the oldest beyond `count_max`.
    pub(crate) fn insert(&mut self, id: RequestId, offset: Offset, count_max: usize) {
        if self.offsets.insert(id.clone(), offset).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > count_max
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
    fn remembers_the_last_ones() {
        let id = |n: usize| format!("m{n}").parse::<RequestId>().expect("an id");
        let mut published = PublishedIds::default();
        for n in 0..5 {
            published.insert(id(n), Offset::from(10), 3);
        }
        let known: Vec<_> = (0..5).map(|n| published.get(&id(n)).is_some()).collect();
        assert_eq!(known, [false, false, true, true, true]);
        assert_eq!(published.offsets.len(), 3);
    }
}
