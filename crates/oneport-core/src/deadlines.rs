//! Which link wants to be woken when.

use std::collections::BTreeSet;
use std::time::Instant;

use slotmap::SecondaryMap;

use crate::LinkId;

/// The next deadline of each link, so that a wake-up touches only the links that are due.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    queue: BTreeSet<(Instant, LinkId)>,
    by_link: SecondaryMap<LinkId, Instant>,
}

impl Deadlines {
    /// The link wants to be woken then, or not at all.
    pub(crate) fn set(&mut self, link: LinkId, deadline: Option<Instant>) {
        if self.by_link.get(link).copied() == deadline {
            return;
        }
        if let Some(old) = self.by_link.remove(link) {
            self.queue.remove(&(old, link));
        }
        if let Some(new) = deadline {
            self.by_link.insert(link, new);
            self.queue.insert((new, link));
        }
    }

    /// The link that is due first, and when.
    pub(crate) fn first(&self) -> Option<(Instant, LinkId)> {
        self.queue.first().copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use slotmap::SlotMap;

    use super::*;

    #[test]
    fn the_earliest_first_and_no_trace_of_old_ones() {
        let mut links = SlotMap::<LinkId, ()>::with_key();
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
        assert!(deadlines.is_empty() && deadlines.by_link.is_empty());
    }
}
