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
    /// Returns where the message with this id went, if it was published before. The id counts as the latest
    /// from now on: this answer may get lost as well, and then the client repeats the message once more.
    pub(crate) fn recall(&mut self, id: &RequestId) -> Option<Offset> {
        let offset = self.offsets.get(id).copied()?;
        let place = self.order.iter().position(|known| known == id);
        let id = place.and_then(|place| self.order.remove(place));
        self.order.extend(id);
        Some(offset)
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RequestId, Offset)> {
        let known = |id: &RequestId| Some((id.clone(), *self.offsets.get(id)?));
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

    fn id(n: u32) -> RequestId {
        format!("m{n}").parse().expect("an id")
    }

    fn known(published: &PublishedIds) -> Vec<String> {
        published.iter().map(|(id, _)| id.to_string()).collect()
    }

    #[test]
    fn remembers_the_last_ones() {
        let mut published = PublishedIds::default();
        for n in 0..5 {
            published.insert(id(n), Offset::from(10), 3);
        }
        assert_eq!(known(&published), ["m2", "m3", "m4"]);
        assert_eq!(published.offsets.len(), 3);
    }

    #[test]
    fn remembers_what_was_repeated_last() {
        let mut published = PublishedIds::default();
        for n in 0..3 {
            published.insert(id(n), Offset::from(10 + n), 3);
        }
        assert_eq!(published.recall(&id(0)), Some(Offset::from(10)));
        published.insert(id(3), Offset::from(13), 3);
        assert_eq!(known(&published), ["m2", "m0", "m3"]);
        assert_eq!(published.recall(&id(1)), None);
    }
}
