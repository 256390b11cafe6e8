//! One member's stay in one life of a room: what its stream has brought it.

use std::collections::{BTreeMap, BTreeSet};

use oneport_wire::frame::{Gap, GapReason, Joined, Member, Presence, PresenceChange};
use oneport_wire::{Epoch, MemberId, Offset};

use super::ledger::Ledger;
use super::said::{Said, SaidId};

/// From a `joined` that did not recover to the end of the session or of the membership, over all
/// links between.
#[derive(Debug)]
pub(crate) struct Stay {
    pub(crate) epoch: Epoch,
    pub(crate) you: MemberId,
    /// How much had been said anywhere when it began.
    pub(crate) began: SaidId,
    /// Who else is there; not known behind a gap.
    pub(crate) members: Option<BTreeMap<MemberId, Member>>,
    members_at: Offset,
    from: Offset,
    /// The first offset that it still needs.
    position: Offset,
    got: BTreeSet<Offset>,
    gaps: Vec<Gap>,
    /// The authors that are named in the answer of history that is coming.
    pub(crate) telling: Option<BTreeSet<MemberId>>,
    /// Whether it goes on.
    pub(crate) is_open: bool,
    /// Whether it is one of the session that there is now.
    pub(crate) is_of_session: bool,
}

impl Stay {
    pub(crate) fn new(joined: &Joined, began: SaidId) -> Self {
        let from = joined.offset;
        Self {
            epoch: joined.epoch,
            you: joined.you,
            began,
            members: None,
            members_at: from,
            from,
            position: from,
            got: BTreeSet::new(),
            gaps: Vec::new(),
            telling: None,
            is_open: true,
            is_of_session: true,
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

    /// A list of members came (PROTOCOL.md section 7).
    pub(crate) fn list(&mut self, joined: &Joined) {
        let members = joined.members.iter();
        self.members = Some(members.map(|member| (member.id, member.clone())).collect());
        self.members_at = joined.offset;
        self.telling = None;
    }

    /// News of a member came.
    pub(crate) fn update(&mut self, presence: &Presence) {
        let Some(members) = &mut self.members else {
            return;
        };
        if presence.offset < self.members_at {
            return;
        }
        match presence.change {
            PresenceChange::Left { .. } => drop(members.remove(&presence.member.id)),
            _ => drop(members.insert(presence.member.id, presence.member.clone())),
        }
    }

    /// The first offset that it still needs.
    pub(crate) fn position(&self) -> Offset {
        self.position
    }

    /// Whether it has lost entries because it was slow.
    pub(crate) fn was_slow(&self) -> bool {
        self.gaps.iter().any(|gap| gap.reason == GapReason::Slow)
    }

    /// The news came that entries do not.
    pub(crate) fn miss(&mut self, gap: Gap) -> Result<(), String> {
        if gap.span.from() < self.position {
            return Err(format!("{gap:?} begins before {:?}", self.position));
        }
        if gap.reason != GapReason::Transient {
            self.position = gap.span.to();
            self.members = None;
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
