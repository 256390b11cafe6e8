//! One member's stay in one life of a room: what its stream has brought it.

use std::collections::BTreeSet;

use oneport_wire::frame::{Gap, GapReason};
use oneport_wire::{Epoch, MemberId, Offset};

use super::ledger::Ledger;
use super::said::Said;

/// From a `joined` that did not recover to the end of the session or of the membership, over all
/// links between.
#[derive(Debug)]
pub(crate) struct Stay {
    pub(crate) epoch: Epoch,
    pub(crate) you: MemberId,
    from: Offset,
    /// The first offset that it still needs.
    position: Offset,
    got: BTreeSet<Offset>,
    gaps: Vec<Gap>,
    /// Whether it goes on.
    pub(crate) is_open: bool,
}

impl Stay {
    pub(crate) fn new(epoch: Epoch, you: MemberId, from: Offset) -> Self {
        Self {
            epoch,
            you,
            from,
            position: from,
            got: BTreeSet::new(),
            gaps: Vec::new(),
            is_open: true,
        }
    }

    /// An entry came.
    pub(crate) fn take(&mut self, offset: Offset) -> Result<(), String> {
        if offset < self.position {
            let how = match self.got.contains(&offset) {
                true => "came twice",
                false => "came too late",
            };
            return Err(format!("{offset:?} {how}: {:?} is next", self.position));
        }
        self.got.insert(offset);
        self.position = offset.next().unwrap_or(offset);
        Ok(())
    }

    /// The news came that entries do not.
    pub(crate) fn miss(&mut self, gap: Gap) -> Result<(), String> {
        if gap.span.from() < self.position {
            return Err(format!("{gap:?} begins before {:?}", self.position));
        }
        if gap.reason != GapReason::Transient {
            self.position = gap.span.to();
        }
        self.gaps.push(gap);
        Ok(())
    }

    /// Whether an entry came already.
    pub(crate) fn has(&self, offset: Offset) -> bool {
        self.got.contains(&offset)
    }

    /// What never came, and nobody said so. `is_whole` if everything must have come by now; otherwise
    /// only what lies before something that did.
    pub(crate) fn verify(&self, ledger: &Ledger, said: &[Said], is_whole: bool) -> Vec<String> {
        let missing = ledger.entries.range(self.from..).filter(|(offset, entry)| {
            let is_due = is_whole || **offset < self.position;
            is_due && !self.got.contains(offset) && ledger.is_for(entry, self.you, said)
        });
        let is_lost = |(offset, entry): &(&Offset, &super::ledger::Entry)| {
            let is_transient = Ledger::is_transient(entry, said);
            !self.gaps.iter().any(|gap| {
                let is_inside = (gap.span.from()..gap.span.to()).contains(offset);
                is_inside && (is_transient || gap.reason != GapReason::Transient)
            })
        };
        let lost = missing.filter(is_lost);
        lost.map(|(offset, entry)| format!("never got {entry:?} at {offset:?}"))
            .collect()
    }
}
