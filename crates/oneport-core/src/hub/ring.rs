//! The log of a room.

use std::collections::{BTreeMap, VecDeque};

use oneport_wire::{MemberId, MemberName, Offset, UnixMillis};

use super::departed::Departed;
use super::reader::Reader;
use super::{Entry, HubLimits};

/// The log of a room: history and send queue at once. An entry is stored once, however many members
/// it goes to. Offsets ascend, but entries that were forgotten leave holes.
#[derive(Debug, Default)]
pub(super) struct Ring {
    entries: VecDeque<Entry>,
    /// The offset of the entry that comes next.
    end: Offset,
    bytes: usize,
    /// From here on, every entry that is kept is still there.
    complete_from: Offset,
    last_transient: Option<Offset>,
    /// How many entries are only there for whoever has not taken them yet, and all have.
    forgotten: usize,
    departed: Departed,
}

impl Ring {
    /// One with these entries, all of them kept and in their order.
    pub(super) fn reopened(
        entries: Vec<Entry>,
        end: Offset,
        complete_from: Offset,
        last_transient: Option<Offset>,
    ) -> Self {
        Self {
            bytes: entries.iter().map(Entry::bytes).sum(),
            entries: entries.into(),
            end,
            complete_from,
            last_transient,
            forgotten: 0,
            departed: Departed::default(),
        }
    }

    /// The offset of the entry that comes next.
    pub(super) fn end(&self) -> Offset {
        self.end
    }

    /// The offset of the oldest entry, or of the next one if there is none.
    pub(super) fn start(&self) -> Offset {
        self.entries.front().map_or(self.end, |entry| entry.offset)
    }

    /// Appends an entry with the offset [`Self::end`].
    pub(super) fn push(&mut self, entry: Entry) {
        debug_assert_eq!(entry.offset, self.end);
        self.end = self.end.next().unwrap_or(self.end);
        self.bytes += entry.bytes();
        if !entry.is_kept {
            self.last_transient = Some(entry.offset);
        }
        self.entries.push_back(entry);
    }

    /// The offset from which on every entry that is kept is still there.
    pub(super) fn complete_from(&self) -> Offset {
        self.complete_from
    }

    /// Where the first entry from this offset on is. Mostly it is as far from the end as its offset is
    /// from [`Self::end`]; where entries were forgotten in between, it must be looked for.
    fn position(&self, offset: Offset) -> usize {
        let distance = self.end.get().saturating_sub(offset.get());
        let distance = usize::try_from(distance).unwrap_or(usize::MAX);
        let guess = self.entries.len().checked_sub(distance);
        let is_it = |at: &usize| {
            self.entries
                .get(*at)
                .is_none_or(|entry| entry.offset == offset)
        };
        guess
            .filter(is_it)
            .unwrap_or_else(|| self.entries.partition_point(|entry| entry.offset < offset))
    }

    fn index(&self, offset: Offset) -> Option<usize> {
        let at = self.position(offset);
        (self.entries.get(at)?.offset == offset).then_some(at)
    }

    /// `None` if the entry is not there any longer.
    pub(super) fn get(&self, offset: Offset) -> Option<&Entry> {
        self.entries.get(self.index(offset)?)
    }

    /// The entries from this offset on.
    pub(super) fn from(&self, offset: Offset) -> impl DoubleEndedIterator<Item = &Entry> + Clone {
        self.entries.range(self.position(offset)..)
    }

    /// The first entry from this offset on that a reader is to take. It has taken none of them yet, so
    /// what is live for it is still owed to it.
    pub(super) fn first_for(
        &self,
        from: Offset,
        member: MemberId,
        reader: &Reader,
    ) -> Option<Offset> {
        let is_owed = |entry: &&Entry| {
            let is_live = entry.offset >= reader.live_from;
            (entry.is_kept || is_live) && entry.is_for(member, &reader.filter)
        };
        self.from(from).find(is_owed).map(|entry| entry.offset)
    }

    /// The last entry that was not kept.
    pub(super) fn last_transient(&self) -> Option<Offset> {
        self.last_transient
    }

    /// One reader more is to take this entry.
    pub(super) fn owe(&mut self, offset: Offset) {
        if let Some(at) = self.index(offset) {
            self.entries[at].owed += 1;
        }
    }

    /// One reader less is to take this entry. One that is not kept goes with the last of them.
    pub(super) fn settle(&mut self, offset: Offset) {
        let Some(at) = self.index(offset) else {
            return;
        };
        let entry = &mut self.entries[at];
        entry.owed = entry.owed.saturating_sub(1);
        if entry.is_forgotten() {
            self.forgotten += 1;
            self.compact();
        }
    }

    /// The entry that was just pushed is for nobody who is there: it goes at once if it is not kept.
    pub(super) fn settle_unowed(&mut self) {
        if self.entries.back().is_some_and(Entry::is_forgotten) {
            self.forgotten += 1;
            self.compact();
        }
    }

    /// Removes what is forgotten, as soon as it is half of all: that costs each entry one move on
    /// average.
    fn compact(&mut self) {
        self.drop_forgotten();
        if self.forgotten * 2 > self.entries.len() {
            let mut bytes = 0;
            self.entries.retain(|entry| {
                let keep = !entry.is_forgotten();
                bytes += if keep { entry.bytes() } else { 0 };
                keep
            });
            self.bytes = bytes;
            self.forgotten = 0;
        }
        if self.entries.is_empty() {
            // A burst shall not hold its room for ever.
            self.entries.shrink_to_fit();
        }
    }

    /// Removes what is forgotten from the front: the oldest entry is always one that somebody may take.
    fn drop_forgotten(&mut self) {
        while self.entries.front().is_some_and(Entry::is_forgotten) {
            self.evict();
        }
    }

    /// Takes the oldest entry out.
    fn evict(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.bytes();
        if entry.is_kept {
            self.departed.evicted(entry.offset);
        }
        if entry.is_forgotten() {
            self.forgotten -= 1;
        }
        Some(entry)
    }

    /// Takes the oldest entry out if the ring holds more than it may.
    pub(super) fn evict_beyond(&mut self, limits: &HubLimits, now: UnixMillis) -> Option<Entry> {
        let oldest = self.entries.front()?;
        let age_ms = now.get().saturating_sub(oldest.time.get());
        let is_beyond = self.entries.len() - self.forgotten > limits.ring_messages_max
            || self.bytes() > limits.ring_bytes_max
            || u128::from(age_ms) > limits.ring_age_max.as_millis();
        if !is_beyond {
            return None;
        }
        let evicted = self.evict()?;
        self.drop_forgotten();
        if evicted.is_kept {
            self.complete_from = evicted.offset.next().unwrap_or(self.end);
        }
        Some(evicted)
    }

    /// How many entries it has, those that are forgotten but not removed yet included.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keeps the name of a member that leaves for as long as its last message, which is at this offset.
    pub(super) fn keep_name(&mut self, last_message: Offset, member: MemberId, name: MemberName) {
        if self.index(last_message).is_some() {
            self.departed.insert(last_message, member, name);
        }
    }

    /// The offset of the last kept message of each author.
    pub(super) fn last_messages(&self) -> BTreeMap<MemberId, Offset> {
        let kept = self.entries.iter().filter(|entry| entry.is_kept);
        kept.filter_map(|entry| Some((entry.author()?, entry.offset)))
            .collect()
    }

    /// The members that have left and whose names are kept.
    pub(super) fn departed(&self) -> &Departed {
        &self.departed
    }

    /// The memory that the entries and the names of their authors take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.departed.bytes()
    }
}
