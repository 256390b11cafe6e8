//! Who wants to be woken when.

use std::collections::BTreeSet;
use std::time::Instant;

use slotmap::{Key, SecondaryMap};

/// The next deadline of each link or session, so that a wake-up touches only those that are due.
#[derive(Debug)]
pub(crate) struct Deadlines<K: Key> {
    queue: BTreeSet<(Instant, K)>,
    by_key: SecondaryMap<K, Instant>,
}

impl<K: Key> Default for Deadlines<K> {
    fn default() -> Self {
        Self {
            queue: BTreeSet::new(),
            by_key: SecondaryMap::new(),
        }
    }
}

impl<K: Key> Deadlines<K> {
    /// This one wants to be woken then, or not at all.
    pub(crate) fn set(&mut self, key: K, deadline: Option<Instant>) {
        if self.by_key.get(key).copied() == deadline {
            return;
        }
        if let Some(old) = self.by_key.remove(key) {
            self.queue.remove(&(old, key));
        }
        if let Some(new) = deadline {
            self.by_key.insert(key, new);
            self.queue.insert((new, key));
        }
    }

    /// Whether this one is due at `now`.
    pub(crate) fn is_due(&self, key: K, now: Instant) -> bool {
        self.by_key.get(key).is_some_and(|at| *at <= now)
    }

    /// Who is due first, and when.
    pub(crate) fn first(&self) -> Option<(Instant, K)> {
        self.queue.first().copied()
    }

    /// The same, if it is due at `now`.
    pub(crate) fn due(&self, now: Instant) -> Option<(Instant, K)> {
        self.first().filter(|(at, _)| *at <= now)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use slotmap::{DefaultKey, SlotMap};

    use super::*;

    #[test]
    fn the_earliest_first_and_no_trace_of_old_ones() {
        let mut links = SlotMap::<DefaultKey, ()>::new();
        let (a, b) = (links.insert(()), links.insert(()));
        let start = Instant::now();
        let at = |s| Some(start + Duration::from_secs(s));
        let mut deadlines = Deadlines::default();
        deadlines.set(a, at(5));
        deadlines.set(b, at(3));
        assert_eq!(deadlines.first(), at(3).map(|t| (t, b)));
        deadlines.set(b, at(9));
        assert_eq!(deadlines.first(), at(5).map(|t| (t, a)));
        deadlines.set(a, None);
        deadlines.set(b, None);
        deadlines.set(b, None);
        assert!(deadlines.is_empty() && deadlines.by_key.is_empty());
    }
}
