//! What is known of one life of a room: its entries, from whoever was told of one.

use std::collections::BTreeMap;

use oneport_wire::frame::{Class, PresenceChange};
use oneport_wire::{MemberId, Offset};

use super::said::{Said, SaidId};

/// An entry of a room, as any member may be told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A publication.
    Message {
        /// Under which id its author was a member.
        from: MemberId,
        /// Which.
        said: SaidId,
    },
    /// A message of somebody without a client.
    Foreign {
        /// Who.
        from: MemberId,
        /// What.
        payload: Vec<u8>,
    },
    /// Something about a member.
    Presence {
        /// Whom.
        member: MemberId,
        /// What.
        change: PresenceChange,
    },
}

/// One life of a room.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) entries: BTreeMap<Offset, Entry>,
    /// Which member of the world has or had which id.
    pub(crate) members: BTreeMap<MemberId, usize>,
}

impl Ledger {
    /// Somebody was told of an entry: everybody must be told the same.
    pub(crate) fn record(&mut self, offset: Offset, entry: Entry) -> Result<(), String> {
        match self.entries.get(&offset) {
            Some(known) if *known != entry => Err(format!(
                "at {offset:?} one was told {known:?} and another {entry:?}"
            )),
            Some(_) => Ok(()),
            None => {
                self.entries.insert(offset, entry);
                Ok(())
            }
        }
    }

    /// A member of the world has this id.
    pub(crate) fn admit(&mut self, id: MemberId, member: usize) -> Result<(), String> {
        let known = *self.members.entry(id).or_insert(member);
        match known == member {
            true => Ok(()),
            false => Err(format!("{id:?} is member {known} and member {member}")),
        }
    }

    /// Whether the entry is for a member with this id.
    pub(crate) fn is_for(&self, entry: &Entry, you: MemberId, said: &[Said]) -> bool {
        match entry {
            Entry::Message { from, said: id } => said[*id].is_for(you, *from == you),
            Entry::Foreign { from, .. } => *from != you,
            Entry::Presence { member, .. } => *member != you,
        }
    }

    /// Whether the entry is forgotten once everybody present has it.
    pub(crate) fn is_transient(entry: &Entry, said: &[Said]) -> bool {
        matches!(entry, Entry::Message { said: id, .. } if said[*id].class == Class::Transient)
    }

    /// What can be said of a room's whole life: everybody spoke in his own name and in his own order,
    /// nothing is there twice, and nobody does anything after he has left.
    pub(crate) fn verify(&self, said: &[Said]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut latest: BTreeMap<MemberId, SaidId> = BTreeMap::new();
        let mut left: BTreeMap<MemberId, Offset> = BTreeMap::new();
        for (offset, entry) in &self.entries {
            match entry {
                Entry::Message { from, said: id } => {
                    let author = said[*id].author;
                    if self.members.get(from).is_some_and(|who| *who != author) {
                        faults.push(format!("{offset:?}: {from:?} has said what {author} said"));
                    }
                    if let Some(earlier) = latest.insert(*from, *id)
                        && earlier >= *id
                    {
                        faults.push(format!("{offset:?}: {id} comes after {earlier}"));
                    }
                    if let Some(since) = left.get(from) {
                        faults.push(format!("{offset:?}: {from:?} had left at {since:?}"));
                    }
                }
                Entry::Presence { member, change } => {
                    if let Some(since) = left.get(member) {
                        faults.push(format!(
                            "{offset:?}: {change:?} of {member:?}, left at {since:?}"
                        ));
                    }
                    if let PresenceChange::Left { .. } = change {
                        left.insert(*member, *offset);
                    }
                }
                Entry::Foreign { .. } => {}
            }
        }
        faults
    }
}
