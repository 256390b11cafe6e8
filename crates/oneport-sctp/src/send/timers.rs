//! The timers of sending, and what happens when they run out.

use super::Sender;
use crate::channels::Channels;
use crate::event::Timer;
use crate::recover::RoundTrip;
use crate::types::Time;

#[derive(Debug)]
pub(super) struct Timers {
    /// T3-rtx (RFC 9260 section 6.3).
    pub(super) retransmission: Time,
    /// The tail loss probe (RFC 8985 section 7).
    pub(super) probe: Time,
    /// When the oldest packet counts as lost (RFC 8985 section 6.2 step 5).
    pub(super) reordering: Time,
    /// Probes since something was acknowledged.
    probes: u32,
    /// A probe is to be sent.
    pub(super) is_probe_due: bool,
    /// When the peer may be asked again to acknowledge at once.
    pub(super) immediate: Time,
    pub(super) timeouts_in_a_row: u32,
}

/// RFC 8985 has one; with a second, a lost probe does not mean a timeout.
const PROBES_MAX: u32 = 2;

impl Default for Timers {
    fn default() -> Self {
        Self {
            retransmission: Time::NEVER,
            probe: Time::NEVER,
            reordering: Time::NEVER,
            probes: 0,
            is_probe_due: false,
            immediate: Time::START,
            timeouts_in_a_row: 0,
        }
    }
}

impl Timers {
    /// T3 restarts only if the cumulative point advanced (RFC 9260 section 6.3.2, R3): an
    /// acknowledgement by gap blocks alone must not put off the repetition of the first chunk.
    pub(super) fn note_acknowledged(
        &mut self,
        now: Time,
        has_advanced: bool,
        is_news: bool,
        is_idle: bool,
        path: &RoundTrip,
    ) {
        if is_idle {
            self.retransmission = Time::NEVER;
            self.probe = Time::NEVER;
            self.reordering = Time::NEVER;
            self.probes = 0;
            self.is_probe_due = false;
            return;
        }
        if has_advanced {
            self.retransmission = now.plus(path.retransmission_timeout());
        }
        if is_news {
            self.probes = 0;
            self.arm_probe(now, path);
        }
    }

    pub(super) fn note_sent(&mut self, now: Time, is_first_again: bool, path: &RoundTrip) {
        if is_first_again || !self.retransmission.is_set() {
            self.retransmission = now.plus(path.retransmission_timeout());
        }
        self.arm_probe(now, path);
    }

    fn arm_probe(&mut self, now: Time, path: &RoundTrip) {
        self.probe = match path.probe_timeout() {
            Some(timeout) if self.probes < PROBES_MAX => now.plus(timeout.times(1 << self.probes)),
            _ => Time::NEVER,
        };
    }
}

impl Sender {
    pub(crate) fn next_timeout(&self) -> (Time, Timer) {
        let timers = [
            (self.timers.retransmission, Timer::Retransmission),
            (self.timers.probe, Timer::TailProbe),
            (self.timers.reordering, Timer::Reordering),
        ];
        let first = |a: (Time, Timer), b: (Time, Timer)| if b.0 < a.0 { b } else { a };
        timers.into_iter().fold(timers[0], first)
    }

    /// Returns how many times the retransmission timer ran out since the peer last answered.
    pub(crate) fn timeouts_in_a_row(&self) -> u32 {
        self.timers.timeouts_in_a_row
    }

    pub(crate) fn handle_timeout(&mut self, now: Time, channels: &mut Channels) {
        if self.timers.reordering <= now {
            self.detect_losses(now, channels);
        }
        if self.timers.retransmission <= now {
            self.time_out(now, channels);
        } else if self.timers.probe <= now {
            self.timers.probe = Time::NEVER;
            self.timers.probes += 1;
            self.timers.is_probe_due = true;
            self.timers.retransmission = now.plus(self.path.retransmission_timeout());
        }
    }

    /// Everything in flight counts as lost (RFC 9260 section 6.3.3), and acknowledgements that were
    /// taken back are forgotten.
    fn time_out(&mut self, now: Time, channels: &mut Channels) {
        self.counts.timeouts += 1;
        self.timers.timeouts_in_a_row += 1;
        // A closed window is no congestion (RFC 9260 section 6.1 A).
        if self.window_probe.is_none() {
            self.congestion.note_timeout();
        }
        self.path.back_off();
        while self.flight.oldest().is_some() {
            self.lose_oldest(now, channels);
        }
        self.flight.lose_reneged(&self.gaps);
        self.is_forward_due |= self.is_partially_reliable && self.flight.advance();
        self.timers.retransmission = now.plus(self.path.retransmission_timeout());
        self.timers.probe = Time::NEVER;
        self.timers.reordering = Time::NEVER;
        self.timers.is_probe_due = false;
    }

    /// The path is back, or another one: what was in flight for longer than a round trip is repeated
    /// at once, and what was learned of the path is forgotten.
    pub(crate) fn change_path(&mut self, now: Time, channels: &mut Channels) {
        self.path.change_path();
        self.congestion.change_path();
        self.rack.change_path();
        self.timers.timeouts_in_a_row = 0;
        self.timers.probes = 0;
        if self.flight.is_empty() {
            return;
        }
        let patience = self
            .path
            .smoothed()
            .unwrap_or(self.retransmission_timeout());
        while let Some((_, chunk)) = self.flight.oldest() {
            if now.since(chunk.sent_at) < patience {
                break;
            }
            self.lose_oldest(now, channels);
        }
        self.is_forward_due |= self.is_partially_reliable && self.flight.advance();
        self.timers.retransmission = now.plus(self.path.retransmission_timeout());
        self.timers.arm_probe(now, &self.path);
    }
}

#[cfg(test)]
impl Sender {
    pub(crate) fn retransmission_deadline(&self) -> Time {
        self.timers.retransmission
    }

    /// No probe is sent until something is acknowledged.
    pub(crate) fn forget_probes(&mut self) {
        self.timers.probe = Time::NEVER;
        self.timers.probes = PROBES_MAX;
    }

    /// Congestion is no limit.
    pub(crate) fn open_window(&mut self) {
        self.congestion.set_window(usize::MAX / 16);
    }
}
