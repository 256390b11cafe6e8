//! Who wants to be woken when.

use std::collections::BTreeSet;
use std::time::Instant;

use slotmap::{Key, SecondaryMap};

/// The next deadline of each link or session, so that a wake-up touches only those that are due.
///
/// One that is put off keeps its place until the earlier time comes, and only then gets its new one: SCTP
/// puts its timers off with every message, and being woken early is harmless.
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
    /// This one wants to be woken then at the latest, or not at all.
    pub(crate) fn set(&mut self, now: Instant, key: K, deadline: Option<Instant>) {
        let old = self.by_key.get(key).copied();
        if let (Some(old), Some(new)) = (old, deadline)
            && now < old
            && old <= new
        {
            return;
        }
        if let Some(old) = old {
            self.by_key.remove(key);
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

    /// Takes out who is due first, if that is at `now` or before. It has no deadline then.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        let (_, key) = self.first().filter(|(at, _)| *at <= now)?;
        self.queue.pop_first();
        self.by_key.remove(key);
        Some(key)
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
        deadlines.set(start, a, at(5));
        deadlines.set(start, b, at(3));
        assert_eq!(deadlines.first(), at(3).map(|t| (t, b)));
        deadlines.set(start, b, at(2));
        assert_eq!(deadlines.first(), at(2).map(|t| (t, b)));
        deadlines.set(start, b, None);
        deadlines.set(start, b, None);
        assert_eq!(deadlines.first(), at(5).map(|t| (t, a)));
        assert_eq!(deadlines.pop_due(start + Duration::from_secs(4)), None);
        assert_eq!(deadlines.pop_due(start + Duration::from_secs(5)), Some(a));
        assert!(deadlines.is_empty() && deadlines.by_key.is_empty());
    }

    #[test]
    fn one_that_is_put_off_keeps_its_place_until_then() {
        let mut links = SlotMap::<DefaultKey, ()>::new();
        let key = links.insert(());
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut deadlines = Deadlines::default();
        deadlines.set(start, key, Some(at(3)));
        deadlines.set(start, key, Some(at(9)));
        assert_eq!(deadlines.first(), Some((at(3), key)));
        deadlines.set(at(3), key, Some(at(9)));
        assert_eq!(deadlines.first(), Some((at(9), key)));
    }
}
