//! The log of a room.

use std::collections::VecDeque;

use oneport_link::Kind;

use super::{MemberId, TopicId};

/// The position of an entry in its room's order. Never used again within the room's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(u64);

/// A message in a room.
#[derive(Debug)]
pub struct Entry {
    /// How it was sent.
    pub kind: Kind,
    /// What it says.
    pub payload: Vec<u8>,
    pub(super) topic: TopicId,
    pub(super) publisher: MemberId,
    /// How many subscriptions have not taken it yet.
    pub(super) owed: usize,
    /// The next entry of the same topic: cursors skip the other topics in one step.
    next: Option<Offset>,
}

/// The entries of one room that somebody still has to take, in the room's order: log and send queue
/// at once. An entry is stored once, however many members it goes to.
#[derive(Debug, Default)]
pub(super) struct Ring {
    entries: VecDeque<Entry>,
    /// The offset of the first entry.
    start: u64,
    payload_bytes: usize,
}

impl Ring {
    /// What an entry takes beside its payload, in bytes.
    pub(super) const ENTRY_BYTES: usize = size_of::<Entry>();

    /// Appends an entry that `owed` subscriptions are to take; `previous` is the last one of its
    /// topic.
    pub(super) fn push(
        &mut self,
        topic: TopicId,
        publisher: MemberId,
        kind: Kind,
        payload: Vec<u8>,
        owed: usize,
        previous: Option<Offset>,
    ) -> Offset {
        let offset = Offset(self.start + self.entries.len() as u64);
        if let Some(previous) = previous.and_then(|previous| self.get_mut(previous)) {
            previous.next = Some(offset);
        }
        self.payload_bytes += payload.len();
        self.entries.push_back(Entry {
            kind,
            payload,
            topic,
            publisher,
            owed,
            next: None,
        });
        offset
    }

    /// `None` if the entry was evicted or taken by all.
    pub(super) fn get(&self, offset: Offset) -> Option<&Entry> {
        let index = offset.0.checked_sub(self.start)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    fn get_mut(&mut self, offset: Offset) -> Option<&mut Entry> {
        let index = offset.0.checked_sub(self.start)?;
        self.entries.get_mut(usize::try_from(index).ok()?)
    }

    /// One subscription less has to take this entry. Entries that nobody has to take leave.
    pub(super) fn settle(&mut self, offset: Offset) {
        if let Some(entry) = self.get_mut(offset) {
            entry.owed -= 1;
        }
        while self.entries.front().is_some_and(|entry| entry.owed == 0) {
            self.evict();
        }
    }

    /// The first entry behind `offset` that is of the same topic and not by `reader`.
    pub(super) fn following(&self, offset: Offset, reader: MemberId) -> Option<Offset> {
        let mut next = self.get(offset)?.next;
        while let Some(offset) = next {
            let entry = self.get(offset)?;
            if entry.publisher != reader {
                break;
            }
            next = entry.next;
        }
        next
    }

    /// The first entry that is of this topic and not by `reader`. Looks at all entries: for those
    /// who have lost their place only.
    pub(super) fn first_of(&self, topic: TopicId, reader: MemberId) -> Option<Offset> {
        let index = self.entries.iter().position(|entry| {
            entry.topic == topic && entry.publisher != reader && entry.owed > 0
        })?;
        Some(Offset(self.start + index as u64))
    }

    /// Takes the oldest entry out.
    pub(super) fn evict(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.start += 1;
        self.payload_bytes -= entry.payload.len();
        Some(entry)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The memory that the entries take.
    pub(super) fn bytes(&self) -> usize {
        self.payload_bytes + self.entries.len() * Self::ENTRY_BYTES
    }
}
