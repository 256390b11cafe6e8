//! When data is acknowledged (RFC 9260 section 6.2), and by what.

use super::window::TsnWindow;
use crate::config::{DUPLICATES_MAX, GAP_BLOCKS_MAX};
use crate::types::{Span, Time, Tsn};
use crate::wire::Sack;

#[derive(Debug)]
pub(super) struct Acknowledging {
    delay: Span,
    /// Packets with data since the last acknowledgement.
    packets: u32,
    has_data: bool,
    is_due: bool,
    timeout: Time,
    duplicates: Vec<Tsn>,
}

/// Every second packet is acknowledged.
const PACKETS: u32 = 2;

impl Acknowledging {
    pub(super) fn new(delay: Span) -> Self {
        Self {
            delay,
            packets: 0,
            has_data: false,
            is_due: false,
            timeout: Time::NEVER,
            duplicates: Vec::new(),
        }
    }

    /// The packet that is being read has data.
    pub(super) fn note_data(&mut self, is_immediate: bool) {
        self.has_data = true;
        self.is_due |= is_immediate;
    }

    /// A duplicate is acknowledged at once (RFC 9260 section 6.2).
    pub(super) fn note_duplicate(&mut self, tsn: Tsn) {
        self.is_due = true;
        if self.duplicates.len() < DUPLICATES_MAX {
            self.duplicates.push(tsn);
        }
    }

    pub(super) fn demand(&mut self) {
        self.is_due = true;
    }

    pub(super) fn end_packet(&mut self, now: Time, has_gaps: bool) {
        if !self.has_data {
            return;
        }
        self.has_data = false;
        self.packets += 1;
        if self.packets >= PACKETS || has_gaps {
            self.is_due = true;
        } else if !self.timeout.is_set() {
            self.timeout = now.plus(self.delay);
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.is_due
    }

    pub(super) fn is_pending(&self) -> bool {
        self.is_due || self.packets > 0
    }

    pub(super) fn timeout(&self) -> Time {
        if self.is_due {
            Time::NEVER
        } else {
            self.timeout
        }
    }

    pub(super) fn write(
        &mut self,
        arrived: &TsnWindow,
        window: usize,
        room: usize,
        out: &mut Vec<u8>,
    ) {
        let entries = room.saturating_sub(Sack::BYTES) / Sack::ENTRY_BYTES;
        let gaps = arrived.gaps(entries.min(GAP_BLOCKS_MAX));
        let duplicates = self.duplicates.len().min(entries - gaps.len());
        let window = u32::try_from(window).unwrap_or(u32::MAX);
        let cumulative = arrived.cumulative().wire();
        Sack::write(
            cumulative,
            window,
            &gaps,
            &self.duplicates[..duplicates],
            out,
        );
        self.duplicates.clear();
        self.packets = 0;
        self.is_due = false;
        self.timeout = Time::NEVER;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::START.plus(Span::from_millis(millis))
    }

    fn acknowledging() -> Acknowledging {
        Acknowledging::new(Span::from_millis(20))
    }

    #[test]
    fn the_first_packet_waits_and_the_second_does_not() {
        let mut acknowledging = acknowledging();
        acknowledging.note_data(false);
        acknowledging.end_packet(at(1), false);
        assert!(!acknowledging.is_due() && acknowledging.is_pending());
        assert_eq!(acknowledging.timeout(), at(21));
        acknowledging.end_packet(at(2), false);
        assert!(!acknowledging.is_due(), "there was no data");
        acknowledging.note_data(false);
        acknowledging.end_packet(at(3), false);
        assert!(acknowledging.is_due());
        let mut out = Vec::new();
        acknowledging.write(&TsnWindow::new(Tsn(1)), 100, 16, &mut out);
        assert_eq!(out.len(), Sack::BYTES);
        assert!(!acknowledging.is_pending());
        assert_eq!(acknowledging.timeout(), Time::NEVER);
    }

    #[test]
    fn gaps_duplicates_and_the_wish_of_the_peer_do_not_wait() {
        for case in 0..3 {
            let mut acknowledging = acknowledging();
            acknowledging.note_data(case == 0);
            if case == 1 {
                acknowledging.note_duplicate(Tsn(1));
            }
            acknowledging.end_packet(at(1), case == 2);
            assert!(acknowledging.is_due(), "{case}");
        }
    }

    #[test]
    fn duplicates_are_bounded() {
        let mut acknowledging = acknowledging();
        for n in 0..1000 {
            acknowledging.note_duplicate(Tsn(n));
        }
        let mut out = Vec::new();
        acknowledging.write(&TsnWindow::new(Tsn(1)), 100, 1000, &mut out);
        assert_eq!(out.len(), Sack::BYTES + 4 * DUPLICATES_MAX);
    }
}
