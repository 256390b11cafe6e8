//! What was sent and is not acknowledged: chunks by TSN, and the messages that they are parts of.
//!
//! Every operation takes constant time for each chunk that changes its fate. Two lines run through the
//! chunks: those in flight, in the order of their last transmission, and those that are lost, in the
//! order of their retransmission. A chunk that a gap block acknowledged is in neither; its link leads
//! past other acknowledged ones, so that a repeated gap block is crossed in a few steps.

use std::collections::VecDeque;

use super::line::{Line, Link};
use super::message::{Message, Messages};
use crate::channels::Limit;
use crate::config::SKIPS_WRITTEN_MAX;
use crate::types::{LongTsn, Time, Tsn};
use crate::wire::{GapBlock, Skip, flag};
use crate::work;

/// Where a chunk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    InFlight,
    Lost,
    /// By a gap block. It holds until the retransmission timer runs out.
    Acknowledged,
}

#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(super) link: Link,
    pub(crate) sent_at: Time,
    message: u64,
    /// In which of our packets it was sent last. Orders transmissions.
    pub(crate) packet: u32,
    pub(crate) offset: u32,
    pub(crate) fragment: u32,
    pub(crate) len: u16,
    /// As in [`flag`].
    pub(crate) flags: u8,
    pub(crate) transmissions: u8,
    fate: Fate,
}

/// What an acknowledgement said that was not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Newly {
    pub(crate) bytes: usize,
    pub(crate) chunks: u32,
    /// They were sent in more than one packet.
    pub(crate) is_several_packets: bool,
    /// The transmission that was the latest of those acknowledged.
    pub(crate) latest: Option<Delivered>,
    /// A chunk that was sent once was acknowledged after one that was sent later.
    pub(crate) is_reordered: bool,
}

/// A transmission that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) packet: u32,
    pub(crate) sent_at: Time,
    /// It may have been another transmission that arrived.
    pub(crate) is_ambiguous: bool,
    /// The peer was asked not to delay its acknowledgement.
    pub(crate) was_immediate: bool,
}

/// What is sent for the first time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    pub(crate) message: u64,
    pub(crate) offset: u32,
    pub(crate) fragment: u32,
    pub(crate) len: u16,
    pub(crate) flags: u8,
}

#[derive(Debug)]
pub(crate) struct Flight {
    chunks: VecDeque<Chunk>,
    /// The TSN of the first of `chunks`, or of the next that is sent.
    first: LongTsn,
    messages: Messages,
    in_flight: Line,
    lost: Line,
    /// In flight, in bytes of payload.
    bytes: usize,
    /// In flight, lost or acknowledged by gap blocks.
    bytes_kept: usize,
    /// The last of those from the first on that are abandoned: what FORWARD-TSN announces.
    advanced: LongTsn,
    /// The highest that a gap block acknowledged.
    highest: LongTsn,
}

impl Flight {
    pub(crate) fn new(first: Tsn) -> Self {
        let first = LongTsn::starting_at(first);
        Self {
            chunks: VecDeque::new(),
            first,
            messages: Messages::default(),
            in_flight: Line::default(),
            lost: Line::default(),
            bytes: 0,
            bytes_kept: 0,
            advanced: first.previous(),
            highest: first.previous(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn bytes_kept(&self) -> usize {
        self.bytes_kept
    }

    /// Returns the last TSN that is acknowledged with everything before it.
    pub(crate) fn cumulative(&self) -> LongTsn {
        self.first.previous()
    }

    /// Returns the last TSN that was sent.
    pub(crate) fn last(&self) -> LongTsn {
        self.next().previous()
    }

    fn next(&self) -> LongTsn {
        self.first.plus(self.chunks.len() as u64)
    }

    pub(crate) fn messages(&self) -> &Messages {
        &self.messages
    }

    pub(crate) fn messages_mut(&mut self) -> &mut Messages {
        &mut self.messages
    }

    fn at(&self, tsn: LongTsn) -> usize {
        tsn.since(self.first) as usize
    }

    pub(crate) fn chunk(&self, tsn: LongTsn) -> &Chunk {
        &self.chunks[self.at(tsn)]
    }

    pub(crate) fn message_of(&self, tsn: LongTsn) -> &Message {
        self.messages.get(self.chunk(tsn).message)
    }

    /// Notes a first transmission and returns its TSN.
    pub(crate) fn send(&mut self, now: Time, packet: u32, fragment: Fragment) -> LongTsn {
        let tsn = self.next();
        self.messages.get_mut(fragment.message).chunks += 1;
        self.bytes += usize::from(fragment.len);
        self.bytes_kept += usize::from(fragment.len);
        self.chunks.push_back(Chunk {
            link: Link::default(),
            sent_at: now,
            message: fragment.message,
            packet,
            offset: fragment.offset,
            fragment: fragment.fragment,
            len: fragment.len,
            flags: fragment.flags,
            transmissions: 1,
            fate: Fate::InFlight,
        });
        self.in_flight.append(&mut self.chunks, self.first, tsn);
        tsn
    }

    /// Notes another transmission of a chunk that is in flight or lost.
    pub(crate) fn send_again(&mut self, now: Time, packet: u32, tsn: LongTsn) {
        self.leave_line(tsn);
        let at = self.at(tsn);
        let chunk = &mut self.chunks[at];
        chunk.fate = Fate::InFlight;
        chunk.sent_at = now;
        chunk.packet = packet;
        chunk.transmissions = chunk.transmissions.saturating_add(1);
        self.bytes += usize::from(chunk.len);
        self.in_flight.append(&mut self.chunks, self.first, tsn);
    }

    pub(crate) fn set_immediate(&mut self, tsn: LongTsn) {
        let at = self.at(tsn);
        self.chunks[at].flags |= flag::IMMEDIATE;
    }

    fn leave_line(&mut self, tsn: LongTsn) {
        let at = self.at(tsn);
        let len = usize::from(self.chunks[at].len);
        match self.chunks[at].fate {
            Fate::InFlight => {
                self.bytes -= len;
                self.in_flight.remove(&mut self.chunks, self.first, tsn);
            }
            Fate::Lost => self.lost.remove(&mut self.chunks, self.first, tsn),
            Fate::Acknowledged => {}
        }
    }

    /// Drops everything up to `cumulative`, which was sent. Calls `left` for each chunk, in order.
    pub(crate) fn acknowledge_up_to(
        &mut self,
        cumulative: LongTsn,
        newly: &mut Newly,
        mut left: impl FnMut(&Message, &Chunk, bool),
    ) {
        while self.first <= cumulative {
            work::step(1);
            let is_new = self.chunks[0].fate != Fate::Acknowledged;
            if is_new {
                self.note(self.first, newly);
                self.leave_line(self.first);
            }
            let Some(chunk) = self.chunks.pop_front() else {
                break;
            };
            self.first = self.first.next();
            self.bytes_kept -= usize::from(chunk.len);
            let message = self.messages.get_mut(chunk.message);
            message.chunks -= 1;
            left(message, &chunk, !message.is_abandoned());
            self.messages.tidy(chunk.message);
        }
        if self.chunks.is_empty() && self.chunks.capacity() > CHUNKS_KEPT {
            self.chunks = VecDeque::new();
        }
        self.advanced = self.advanced.max(cumulative);
        self.highest = self.highest.max(cumulative);
    }

    /// Notes that a gap block acknowledges these. What was not sent is left out.
    pub(crate) fn acknowledge_gap(&mut self, block: GapBlock, newly: &mut Newly) {
        let base = self.cumulative();
        let start = base.plus(block.start.into());
        let end = base.plus(block.end.into()).min(self.last());
        let mut tsn = start;
        while tsn <= end {
            work::step(1);
            let at = self.at(tsn);
            // All up to the end are acknowledged now: whoever comes here again may go there.
            let next = self.chunks[at].link.next;
            if self.chunks[at].fate == Fate::Acknowledged {
                self.chunks[at].link.next = next.max(end.0 + 1);
                tsn = LongTsn(next);
                continue;
            }
            newly.is_reordered |= tsn < self.highest && self.chunks[at].transmissions == 1;
            self.note(tsn, newly);
            self.leave_line(tsn);
            self.chunks[at].fate = Fate::Acknowledged;
            self.chunks[at].link.next = end.0 + 1;
            tsn = tsn.next();
        }
        if start <= end {
            self.highest = self.highest.max(end);
        }
    }

    fn note(&self, tsn: LongTsn, newly: &mut Newly) {
        let chunk = self.chunk(tsn);
        newly.bytes += usize::from(chunk.len);
        newly.chunks += 1;
        let latest = newly.latest.map(|latest| latest.packet);
        newly.is_several_packets |= latest.is_some_and(|latest| latest != chunk.packet);
        let is_latest = latest.is_none_or(|latest| is_later(chunk.packet, latest));
        if is_latest {
            newly.latest = Some(Delivered {
                packet: chunk.packet,
                sent_at: chunk.sent_at,
                is_ambiguous: chunk.transmissions > 1,
                was_immediate: chunk.flags & flag::IMMEDIATE != 0,
            });
        }
    }

    /// Returns the chunk in flight whose transmission is the oldest.
    pub(crate) fn oldest(&self) -> Option<(LongTsn, &Chunk)> {
        let tsn = self.in_flight.first()?;
        Some((tsn, self.chunk(tsn)))
    }

    /// Returns the chunk in flight whose transmission is the newest.
    pub(crate) fn newest(&self) -> Option<LongTsn> {
        self.in_flight.last()
    }

    /// Returns the chunk that is to be retransmitted next.
    pub(crate) fn next_lost(&self) -> Option<LongTsn> {
        self.lost.first()
    }

    /// Counts the chunk in flight whose transmission is the oldest as lost. If its message is not sent
    /// any more, it is abandoned, and its serial number returned the first time.
    pub(crate) fn lose_oldest(&mut self, now: Time) -> Option<u64> {
        let tsn = self.in_flight.first()?;
        work::step(1);
        self.leave_line(tsn);
        let at = self.at(tsn);
        self.chunks[at].fate = Fate::Lost;
        self.lost.append(&mut self.chunks, self.first, tsn);
        self.give_up_if_due(now, tsn)
    }

    /// Returns the serial number of the message of a lost chunk if it is to be given up now.
    pub(crate) fn give_up_if_due(&mut self, now: Time, tsn: LongTsn) -> Option<u64> {
        let chunk = self.chunk(tsn);
        let (serial, transmissions) = (chunk.message, chunk.transmissions);
        let message = self.messages.get_mut(serial);
        let is_due = !message.is_abandoned() && is_over(message.limit, now, transmissions);
        is_due.then_some(serial)
    }

    /// Returns true if a chunk may be sent once more.
    pub(crate) fn may_repeat(&self, now: Time, tsn: LongTsn) -> bool {
        let message = self.message_of(tsn);
        !message.is_abandoned() && !is_over(message.limit, now, self.chunk(tsn).transmissions)
    }

    /// Drops a lost chunk of an abandoned message from the line: it is not sent again.
    pub(crate) fn skip_lost(&mut self, tsn: LongTsn) {
        self.leave_line(tsn);
        let at = self.at(tsn);
        // As if acknowledged, for the lines; the message says that it is abandoned.
        self.chunks[at].fate = Fate::Acknowledged;
        self.chunks[at].link.next = tsn.0 + 1;
    }

    /// Counts acknowledged chunks that the latest gap blocks do not list as lost: the peer has dropped
    /// them (RFC 9260 section 6.2.1). Takes time for all chunks; called when the timer runs out.
    pub(crate) fn lose_reneged(&mut self, latest: &[GapBlock]) {
        let base = self.cumulative();
        let mut blocks = latest.iter().peekable();
        for ahead in 1..=self.chunks.len() as u64 {
            work::step(1);
            while blocks
                .next_if(|block| u64::from(block.end) < ahead)
                .is_some()
            {}
            let is_listed = blocks
                .peek()
                .is_some_and(|block| u64::from(block.start) <= ahead);
            let tsn = base.plus(ahead);
            let at = self.at(tsn);
            if self.chunks[at].fate != Fate::Acknowledged {
                continue;
            }
            self.chunks[at].link.next = tsn.0 + 1;
            if !is_listed && !self.messages.get(self.chunks[at].message).is_abandoned() {
                self.chunks[at].fate = Fate::Lost;
                self.lost.append(&mut self.chunks, self.first, tsn);
            }
        }
    }

    /// Moves the point that FORWARD-TSN announces over abandoned chunks. Returns true if it is ahead of
    /// what is acknowledged (RFC 3758 section 3.5).
    pub(crate) fn advance(&mut self) -> bool {
        let mut next = self.advanced.next();
        while next < self.next() && self.message_of(next).is_abandoned() {
            work::step(1);
            next = next.next();
        }
        self.advanced = next.previous();
        self.advanced > self.cumulative()
    }

    /// Returns what FORWARD-TSN says: the point, and the last message of each stream that is skipped.
    pub(crate) fn skips(&self, is_interleaved: bool) -> Option<(Tsn, Vec<Skip>)> {
        if self.advanced <= self.cumulative() {
            return None;
        }
        let mut skips: Vec<Skip> = Vec::new();
        let mut tsn = self.first;
        while tsn <= self.advanced {
            work::step(1);
            let message = self.message_of(tsn);
            let is_unordered = message.is_unordered;
            if !is_unordered || is_interleaved {
                let same = |skip: &&mut Skip| {
                    skip.stream == message.stream && skip.is_unordered == is_unordered
                };
                if let Some(skip) = skips.iter_mut().rev().find(same) {
                    // Messages of a stream are sent in the order of their numbers.
                    skip.sequence = message.sequence;
                } else if skips.len() == SKIPS_WRITTEN_MAX {
                    break;
                } else {
                    skips.push(Skip {
                        stream: message.stream,
                        is_unordered,
                        sequence: message.sequence,
                    });
                }
            }
            tsn = tsn.next();
        }
        Some((tsn.previous().wire(), skips))
    }
}

/// A buffer for more chunks is freed when it is empty.
const CHUNKS_KEPT: usize = 16;

fn is_over(limit: Limit, now: Time, transmissions: u8) -> bool {
    u32::from(transmissions) >= limit.transmissions || now > limit.expires
}

/// Returns true if packet `a` was sent after `b`.
pub(crate) fn is_later(a: u32, b: u32) -> bool {
    crate::types::serial_distance(b, a) > 0
}

#[cfg(test)]
mod tests;
