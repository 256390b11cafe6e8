//! Which packets are lost, by time (RFC 8985 sections 6.1 to 6.3, adapted): a packet is lost if one that
//! was sent sufficiently later has arrived. How much later adapts to the reordering of the path.

use std::collections::VecDeque;

use super::RoundTrip;
use crate::send::{Chunk, Delivered, Newly, is_later};
use crate::types::{LongTsn, Span, Time, Tsn};

#[derive(Debug, Default)]
pub(crate) struct Rack {
    /// The latest transmission that is known to have arrived.
    delivered: Option<Delivered>,
    /// The round trip of that one.
    round_trip: Option<Span>,
    was_reordered: bool,
    /// In quarters of the least round trip, less one.
    widened: u32,
    /// For how many recoveries the window stays as wide as it is.
    recoveries_left: u32,
    /// Until this is acknowledged, further duplicates are of the same round.
    widened_until: Option<LongTsn>,
    /// What was repeated because it counted as lost, the last ones.
    repeated: VecDeque<Tsn>,
}

/// What to do about the oldest transmission in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Lost,
    /// It is lost at this time, if nothing is heard of it until then.
    LostAt(Time),
    /// Nothing that was sent later has arrived.
    Unknown,
}

/// So many packets that overtake one say that it is lost, if nothing was ever reordered.
const OVERTAKERS: u32 = 3;

/// A window that was widened stays for so many recoveries (RFC 8985 section 6.2 step 4).
const RECOVERIES_KEPT: u32 = 16;

/// The most repeated chunks that are remembered, to know duplicates of them.
const REPEATED_MAX: usize = 64;

/// The window is not widened further: it is bounded by the round trip anyway.
const WIDENED_MAX: u32 = 64;

impl Rack {
    /// Takes in what an acknowledgement said.
    pub(crate) fn note_acknowledged(&mut self, now: Time, newly: &Newly, path: &RoundTrip) {
        self.was_reordered |= newly.is_reordered;
        let Some(latest) = newly.latest else { return };
        let round_trip = now.since(latest.sent_at);
        // It was the earlier transmission that arrived (RFC 8985 section 6.2 step 1).
        if latest.is_ambiguous && path.least().is_some_and(|least| round_trip < least) {
            return;
        }
        let is_newer = self
            .delivered
            .is_none_or(|delivered| is_later(latest.packet, delivered.packet));
        if is_newer {
            self.delivered = Some(latest);
            self.round_trip = Some(round_trip);
        }
    }

    /// Notes that a chunk which counted as lost is repeated.
    pub(crate) fn note_repeated(&mut self, tsn: Tsn) {
        if self.repeated.len() == REPEATED_MAX {
            self.repeated.pop_front();
        }
        self.repeated.push_back(tsn);
    }

    /// Notes that the peer got chunks twice. If they were repeated for nothing, packets are reordered by
    /// more than the window: it is widened, once in a round trip.
    pub(crate) fn note_duplicates(
        &mut self,
        duplicates: impl Iterator<Item = Tsn>,
        cumulative: LongTsn,
        last: LongTsn,
    ) {
        if self.repeated.is_empty() {
            return;
        }
        let mut was_spurious = false;
        for duplicate in duplicates {
            if let Some(at) = self.repeated.iter().position(|tsn| *tsn == duplicate) {
                self.repeated.remove(at);
                was_spurious = true;
            }
        }
        let is_new_round = self.widened_until.is_none_or(|until| cumulative >= until);
        if was_spurious && is_new_round {
            self.was_reordered = true;
            self.widened = (self.widened + 1).min(WIDENED_MAX);
            self.widened_until = Some(last);
        }
        if was_spurious {
            self.recoveries_left = RECOVERIES_KEPT;
        }
    }

    /// Notes the end of a recovery. After some without reordering the window narrows again.
    pub(crate) fn note_recovery(&mut self) {
        if self.recoveries_left == 0 {
            return;
        }
        self.recoveries_left -= 1;
        if self.recoveries_left == 0 {
            self.widened = 0;
        }
    }

    /// Returns how much later than another a packet may arrive that was sent before it.
    fn window(&self, path: &RoundTrip) -> Span {
        let (Some(least), Some(smoothed)) = (path.least(), path.smoothed()) else {
            return Span::ZERO;
        };
        Span(least.0 / 4)
            .times(u64::from(self.widened) + 1)
            .min(smoothed)
    }

    /// Judges the oldest transmission in flight.
    pub(crate) fn judge(&self, now: Time, chunk: &Chunk, path: &RoundTrip) -> Verdict {
        let (Some(delivered), Some(round_trip)) = (self.delivered, self.round_trip) else {
            return Verdict::Unknown;
        };
        if !is_later(delivered.packet, chunk.packet) {
            return Verdict::Unknown;
        }
        let overtakers = delivered.packet.wrapping_sub(chunk.packet);
        if !self.was_reordered && overtakers >= OVERTAKERS {
            return Verdict::Lost;
        }
        let due = chunk.sent_at.plus(round_trip).plus(self.window(path));
        if now >= due {
            Verdict::Lost
        } else {
            Verdict::LostAt(due)
        }
    }

    /// The path is another: what was learned of it is void.
    pub(crate) fn change_path(&mut self) {
        self.widened = 0;
        self.recoveries_left = 0;
        self.widened_until = None;
    }
}

#[cfg(test)]
mod tests;
