//! Which messages a session has published, so that a retry is not a second message.

use std::collections::{HashMap, VecDeque};

use oneport_wire::{Offset, RequestId};

/// How many ids are remembered for each that a client may have without an answer. While one of its messages is
/// unanswered, the messages that the client sends for the first time are less than a window after it, and
/// those that it sends again were first sent less than a window before it (PROTOCOL.md section 9). So fewer than two
/// windows of ids can come after it, in whatever order, and it is not forgotten.
const WINDOWS: usize = 2;

/// Returns how many ids are remembered where a client may have `window` messages without an answer.
pub(crate) fn ids_max(window: usize) -> usize {
    window.saturating_mul(WINDOWS)
}

/// The last messages that a session published with an id, and where they went.
#[derive(Debug, Default)]
pub(crate) struct PublishedIds {
    offsets: HashMap<RequestId, Offset>,
    order: VecDeque<RequestId>,
}

impl PublishedIds {
    /// Returns where the message with this id went, if it was published before.
    pub(crate) fn get(&self, id: &RequestId) -> Option<Offset> {
        self.offsets.get(id).copied()
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RequestId, Offset)> {
        let known = |id: &RequestId| Some((id.clone(), *self.offsets.get(id)?));
        self.order.iter().filter_map(known)
    }

    /// Remembers one more, and forgets the oldest beyond [`ids_max`].
    pub(crate) fn insert(&mut self, id: RequestId, offset: Offset, window: usize) {
        if self.offsets.insert(id.clone(), offset).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > ids_max(window)
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
    fn remembers_two_windows() {
        let mut published = PublishedIds::default();
        for n in 0..8 {
            published.insert(id(n), Offset::from(10), 3);
        }
        assert_eq!(known(&published), ["m2", "m3", "m4", "m5", "m6", "m7"]);
        assert_eq!(published.offsets.len(), 6);
        assert_eq!(published.get(&id(1)), None);
        assert_eq!(published.get(&id(2)), Some(Offset::from(10)));
    }
}
