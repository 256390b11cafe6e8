//! The congestion window (RFC 9260 section 7.2).

use crate::config::Config;
use crate::types::{LongTsn, Span, Time};

#[derive(Debug)]
pub(crate) struct Congestion {
    window: usize,
    threshold: usize,
    /// Acknowledged since the window last grew, in congestion avoidance.
    credit: usize,
    /// Until this is acknowledged, further losses belong to the same event.
    recovery: Option<LongTsn>,
    packet: usize,
    initial_packets: usize,
    last_sent: Time,
}

/// The window does not shrink further for losses that are not timeouts (RFC 9260 section 7.2.3).
const PACKETS_MIN: usize = 4;

/// A window of this size fills 1 Gbit/s over 100 ms.
const WINDOW_MAX: usize = 16 * 1024 * 1024;

/// What is left of the window after a loss, in tenths: CUBIC's factor (RFC 9438 section 4.6) for the
/// additive increase that RFC 9260 has.
const KEPT_TENTHS: usize = 7;

impl Congestion {
    pub(crate) fn new(config: &Config) -> Self {
        let packet = config.packet_bytes_base();
        let initial_packets = config.initial_window_packets.max(1);
        Self {
            window: packet * initial_packets,
            threshold: usize::MAX,
            credit: 0,
            recovery: None,
            packet,
            initial_packets,
            last_sent: Time::START,
        }
    }

    pub(crate) fn window(&self) -> usize {
        self.window
    }

    pub(crate) fn set_packet(&mut self, bytes: usize) {
        self.packet = bytes;
    }

    fn initial(&self) -> usize {
        self.packet * self.initial_packets
    }

    /// Returns true if a packet may be sent while so many bytes are in flight.
    pub(crate) fn allows(&self, in_flight: usize) -> bool {
        in_flight < self.window
    }

    /// Notes that data is sent. After a pause the window halves once for each timeout of it, down to
    /// the initial window: it says little about the path now (RFC 9260 section 7.2.1).
    pub(crate) fn note_sent(&mut self, now: Time, timeout: Span, in_flight: usize) {
        if in_flight == 0 {
            let mut idle = now.since(self.last_sent);
            while idle > timeout && self.window > self.initial() {
                idle = Span(idle.0 - timeout.0);
                self.window = (self.window / 2).max(self.initial());
            }
        }
        self.last_sent = now;
    }

    /// Grows the window for acknowledged bytes if it was in use.
    pub(crate) fn note_acknowledged(
        &mut self,
        bytes: usize,
        in_flight_before: usize,
        cumulative: LongTsn,
    ) {
        if self.recovery.is_some_and(|end| cumulative >= end) {
            self.recovery = None;
        }
        let was_used = in_flight_before + self.packet > self.window;
        if self.recovery.is_some() || !was_used {
            return;
        }
        if self.window <= self.threshold {
            // Two packets for an acknowledgement of two (RFC 9260 section 7.2.1, L = 1 and delayed
            // acknowledgements; bytes counted as in RFC 3465 with L = 2).
            self.window += bytes.min(2 * self.packet);
        } else {
            self.credit += bytes;
            if self.credit >= self.window {
                self.credit -= self.window;
                self.window += self.packet;
            }
        }
        self.window = self.window.min(WINDOW_MAX);
    }

    /// Shrinks the window for a loss, once until everything sent so far is acknowledged. Returns true
    /// if it did.
    pub(crate) fn note_loss(&mut self, last_sent: LongTsn) -> bool {
        let is_new = self.recovery.is_none();
        if is_new {
            self.threshold = (self.window * KEPT_TENTHS / 10).max(PACKETS_MIN * self.packet);
            self.window = self.window.min(self.threshold);
            self.credit = 0;
            self.recovery = Some(last_sent);
        }
        is_new
    }

    /// Shrinks the window to one packet after a timeout (RFC 9260 section 7.2.3).
    pub(crate) fn note_timeout(&mut self) {
        self.threshold = (self.window / 2).max(PACKETS_MIN * self.packet);
        self.window = self.packet;
        self.credit = 0;
        self.recovery = None;
    }

    /// Starts again: nothing is known of the new path.
    pub(crate) fn change_path(&mut self) {
        self.window = self.initial();
        self.threshold = usize::MAX;
        self.credit = 0;
        self.recovery = None;
    }
}

#[cfg(test)]
impl Congestion {
    pub(crate) fn set_window(&mut self, bytes: usize) {
        self.window = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Tsn;

    fn congestion() -> Congestion {
        Congestion::new(&Config::default())
    }

    fn tsn(n: u64) -> LongTsn {
        LongTsn::starting_at(Tsn(0)).plus(n)
    }

    #[test]
    fn it_doubles_and_then_grows_by_a_packet_per_window() {
        let mut congestion = congestion();
        let packet = congestion.packet;
        assert_eq!(congestion.window(), 10 * packet);
        for _ in 0..10 {
            let window = congestion.window();
            congestion.note_acknowledged(packet, window, tsn(1));
        }
        assert_eq!(congestion.window(), 20 * packet);
        assert!(congestion.note_loss(tsn(50)));
        assert!(!congestion.note_loss(tsn(60)), "the same event");
        assert_eq!(congestion.window(), 14 * packet);
        let window = congestion.window();
        congestion.note_acknowledged(packet, window, tsn(49));
        assert_eq!(congestion.window(), window, "still recovering");
        for n in 0..=14 {
            congestion.note_acknowledged(packet, window, tsn(50 + n));
        }
        assert_eq!(congestion.window(), window + packet);
    }

    #[test]
    fn it_does_not_grow_while_it_is_not_used() {
        let mut congestion = congestion();
        let window = congestion.window();
        congestion.note_acknowledged(1_000, 1_000, tsn(1));
        assert_eq!(congestion.window(), window);
    }

    #[test]
    fn losses_leave_four_packets_and_a_timeout_one() {
        let mut congestion = congestion();
        for n in 0..20 {
            congestion.recovery = None;
            congestion.note_loss(tsn(n));
        }
        assert_eq!(congestion.window(), 4 * congestion.packet);
        congestion.note_timeout();
        assert_eq!(congestion.window(), congestion.packet);
        assert!(congestion.allows(0));
        congestion.change_path();
        assert_eq!(congestion.window(), 10 * congestion.packet);
    }

    #[test]
    fn a_pause_takes_back_what_was_learned() {
        let mut congestion = congestion();
        let initial = congestion.window();
        congestion.window = 8 * initial;
        let second = Span::from_millis(1_000);
        let at = |seconds| Time::START.plus(second.times(seconds));
        congestion.note_sent(at(1), second, 1);
        congestion.note_sent(at(9), second, 5);
        assert_eq!(congestion.window(), 8 * initial, "it was not idle");
        congestion.note_sent(at(11), second, 0);
        assert_eq!(congestion.window(), 4 * initial);
        congestion.note_sent(at(1_000), second, 0);
        assert_eq!(congestion.window(), initial);
    }
}
