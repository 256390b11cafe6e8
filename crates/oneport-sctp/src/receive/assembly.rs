//! Puts messages together from fragments, and keeps those whose turn has not come.
//!
//! Fragments that follow each other form a run. With DATA the position of a fragment is its TSN, and all
//! runs share one space; with I-DATA it is its number in its message, and each message has a space.

use std::collections::{BTreeMap, VecDeque};

use crate::config::HELD_CHUNK_OVERHEAD;
use crate::error::Violation;
use crate::types::{LongTsn, MessageSeq, StreamId};
use crate::wire::{Data, DataHeader, Skip};
use crate::work;

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) stream: StreamId,
    pub(crate) sequence: MessageSeq,
    pub(crate) protocol: u32,
    pub(crate) is_unordered: bool,
    pub(crate) bytes: Vec<u8>,
}

/// A whole message, and the last TSN of it.
pub(super) type Whole = (Received, LongTsn);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    space: u64,
    position: u64,
}

#[derive(Debug)]
struct Run {
    begins: bool,
    ends: bool,
    /// The position after the last fragment.
    end: u64,
    last_tsn: LongTsn,
    header: DataHeader,
    parts: VecDeque<Vec<u8>>,
    bytes: usize,
    charge: usize,
}

#[derive(Debug)]
pub(super) struct Assembly {
    runs: BTreeMap<Key, Run>,
    /// Ordered messages that are whole and not next.
    waiting: BTreeMap<(StreamId, MessageSeq), (Whole, usize)>,
    /// The same by their last TSN.
    by_tsn: BTreeMap<LongTsn, (StreamId, MessageSeq)>,
    /// What all this takes up.
    charge: usize,
    message_bytes_max: usize,
}

/// The space of DATA. It comes before those of I-DATA.
const DATA_SPACE: u64 = 0;

fn message_space(stream: StreamId, is_unordered: bool, sequence: u32) -> u64 {
    let order = u64::from(is_unordered) << 32;
    1 << 63 | u64::from(stream.get()) << 33 | order | u64::from(sequence)
}

impl Key {
    fn of(data: &Data<'_>, tsn: LongTsn) -> Self {
        let header = &data.header;
        if data.is_interleaved {
            let sequence = header.sequence.0;
            Self {
                space: message_space(header.stream, header.is_unordered(), sequence),
                position: header.fragment.into(),
            }
        } else {
            Self {
                space: DATA_SPACE,
                position: tsn.0,
            }
        }
    }
}

impl Assembly {
    pub(super) fn new(message_bytes_max: usize) -> Self {
        Self {
            runs: BTreeMap::new(),
            waiting: BTreeMap::new(),
            by_tsn: BTreeMap::new(),
            charge: 0,
            message_bytes_max,
        }
    }

    pub(super) fn charge(&self) -> usize {
        self.charge
    }

    /// Adds a fragment. Returns the message that it completes.
    pub(super) fn insert(
        &mut self,
        data: &Data<'_>,
        tsn: LongTsn,
    ) -> Result<Option<Whole>, Violation> {
        let key = Key::of(data, tsn);
        let header = data.header;
        let before = (!header.begins())
            .then(|| self.runs.range_mut(..key).next_back())
            .flatten()
            .filter(|(start, run)| {
                start.space == key.space && run.end == key.position && !run.ends
            });
        let start = if let Some((start, run)) = before {
            let start = *start;
            let charge = run.charge;
            run.append(data, tsn);
            self.charge += run.charge - charge;
            start
        } else {
            if self.runs.contains_key(&key) {
                // The same fragment under another TSN.
                return Ok(None);
            }
            let run = Run::new(data, tsn, key.position);
            self.charge += run.charge;
            self.runs.insert(key, run);
            key
        };
        self.join_next(start);
        self.take_if_whole(start)
    }

    /// Joins a run with the one that begins where it ends.
    fn join_next(&mut self, start: Key) {
        let Some(run) = self.runs.get(&start).filter(|run| !run.ends) else {
            return;
        };
        let next = Key {
            position: run.end,
            ..start
        };
        if self.runs.get(&next).is_none_or(|run| run.begins) {
            return;
        }
        if let Some(next) = self.runs.remove(&next)
            && let Some(run) = self.runs.get_mut(&start)
        {
            run.join(next);
        }
    }

    fn take_if_whole(&mut self, start: Key) -> Result<Option<Whole>, Violation> {
        let Some(run) = self.runs.get(&start) else {
            return Ok(None);
        };
        if run.bytes > self.message_bytes_max {
            return Err(Violation::MessageTooLarge);
        }
        if !(run.begins && run.ends) {
            return Ok(None);
        }
        let run = self.runs.remove(&start);
        Ok(run.map(|run| {
            self.charge -= run.charge;
            run.whole()
        }))
    }

    /// Keeps an ordered message until it is its turn. A second of the same number is dropped.
    pub(super) fn wait(&mut self, whole: Whole) {
        let (message, last_tsn) = &whole;
        let place = (message.stream, message.sequence);
        if self.waiting.contains_key(&place) || self.by_tsn.contains_key(last_tsn) {
            return;
        }
        let charge = message.bytes.len() + 2 * HELD_CHUNK_OVERHEAD;
        self.charge += charge;
        self.by_tsn.insert(*last_tsn, place);
        self.waiting.insert(place, (whole, charge));
    }

    /// Takes a message that waits.
    pub(super) fn take_waiting(
        &mut self,
        stream: StreamId,
        sequence: MessageSeq,
    ) -> Option<Received> {
        if self.waiting.is_empty() {
            return None;
        }
        let ((message, last_tsn), charge) = self.waiting.remove(&(stream, sequence))?;
        self.by_tsn.remove(&last_tsn);
        self.charge -= charge;
        Some(message)
    }

    /// Takes the first message that waits although everything sent before it has arrived or was given
    /// up: whatever its number says, its turn is now.
    pub(super) fn take_overdue(&mut self, cumulative: LongTsn) -> Option<Received> {
        let (last_tsn, place) = self.by_tsn.first_key_value()?;
        if *last_tsn > cumulative {
            return None;
        }
        let (stream, sequence) = *place;
        self.take_waiting(stream, sequence)
    }

    /// Drops fragments that nothing can complete: everything around them has arrived.
    pub(super) fn drop_orphans(&mut self, cumulative: LongTsn) {
        while let Some((start, run)) = self.runs.first_key_value() {
            work::step(1);
            let has_start = run.begins || start.position > cumulative.0;
            let has_end = run.end > cumulative.0;
            if start.space != DATA_SPACE || (has_start && has_end) {
                break;
            }
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, run)) = self.runs.pop_first() {
            self.charge -= run.charge;
        }
    }

    /// Drops fragments of interleaved messages of a stream up to one (RFC 8260 section 2.3.1).
    pub(super) fn skip_messages(&mut self, skip: &Skip) {
        let last = skip.sequence.0;
        // The half of the circle that is behind `last`, which may lie over the wrap.
        let first = last.wrapping_sub(u32::MAX / 2);
        let space = |sequence| message_space(skip.stream, skip.is_unordered, sequence);
        if first <= last {
            self.drop_spaces(space(first), space(last));
        } else {
            self.drop_spaces(space(0), space(last));
            self.drop_spaces(space(first), space(u32::MAX));
        }
    }

    fn drop_spaces(&mut self, first: u64, last: u64) {
        let key = |space, position| Key { space, position };
        while let Some((start, _)) = self.runs.range(key(first, 0)..=key(last, u64::MAX)).next() {
            work::step(1);
            let start = *start;
            if let Some(run) = self.runs.remove(&start) {
                self.charge -= run.charge;
            }
        }
    }
}

impl Run {
    fn new(data: &Data<'_>, tsn: LongTsn, position: u64) -> Self {
        Self {
            begins: data.header.begins(),
            ends: data.header.ends(),
            end: position + 1,
            last_tsn: tsn,
            header: data.header,
            parts: VecDeque::from([data.payload.to_vec()]),
            bytes: data.payload.len(),
            charge: data.payload.len() + 2 * HELD_CHUNK_OVERHEAD,
        }
    }

    fn append(&mut self, data: &Data<'_>, tsn: LongTsn) {
        self.ends = data.header.ends();
        self.end += 1;
        self.last_tsn = self.last_tsn.max(tsn);
        self.bytes += data.payload.len();
        self.charge += data.payload.len();
        if let Some(part) = self.parts.back_mut() {
            part.extend_from_slice(data.payload);
        }
    }

    /// Appends a run. The shorter list of parts is moved.
    fn join(&mut self, mut next: Self) {
        self.ends = next.ends;
        self.end = next.end;
        self.last_tsn = self.last_tsn.max(next.last_tsn);
        self.bytes += next.bytes;
        self.charge += next.charge;
        if self.parts.len() >= next.parts.len() {
            work::step(next.parts.len() as u64);
            self.parts.append(&mut next.parts);
        } else {
            work::step(self.parts.len() as u64);
            for part in self.parts.drain(..).rev() {
                next.parts.push_front(part);
            }
            self.parts = next.parts;
        }
    }

    fn whole(mut self) -> Whole {
        let mut bytes = self.parts.pop_front().unwrap_or_default();
        bytes.reserve_exact(self.bytes - bytes.len());
        for part in self.parts {
            bytes.extend_from_slice(&part);
        }
        let message = Received {
            stream: self.header.stream,
            sequence: self.header.sequence,
            protocol: self.header.protocol,
            is_unordered: self.header.is_unordered(),
            bytes,
        };
        (message, self.last_tsn)
    }
}

#[cfg(test)]
mod tests;
