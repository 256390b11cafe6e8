//! Timers.

use std::time::Instant;

use super::Association;
use crate::error::CloseReason;
use crate::event::Timer;
use crate::handshake::Phase;
use crate::pmtu::BLACK_HOLE_TIMEOUTS;
use crate::types::Time;

impl Association {
    /// Returns when to call [`handle_timeout`](Self::handle_timeout), and what for. `None` if nothing
    /// waits for time to pass.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        if self.closing.has_ended() {
            return None;
        }
        let mut first = self.sender.next_timeout();
        for timer in [
            (self.handshake.timeout(), Timer::Handshake),
            (
                self.receiver.acknowledgement_timeout(),
                Timer::Acknowledgement,
            ),
            (self.reset.timeout(), Timer::Reset),
            (self.closing.timeout(), Timer::Shutdown),
            (self.heartbeat.timeout(), Timer::Heartbeat),
            (self.path_mtu.timeout(), Timer::PathProbe),
        ] {
            if timer.0 < first.0 {
                first = timer;
            }
        }
        Some((self.clock.instant(first.0)?, first.1))
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.clock.time(now);
        if self.closing.has_ended() {
            return;
        }
        if !self.handshake.handle_timeout(now, &self.config) || !self.closing.handle_timeout(now) {
            return self.end(CloseReason::TimedOut);
        }
        self.receiver.handle_timeout(now);
        self.reset.handle_timeout(now);
        if self.handshake.phase() == Phase::Done {
            self.heartbeat.handle_timeout(now);
            self.path_mtu.handle_timeout(now);
        }
        self.sender.handle_timeout(now, &mut self.channels);
        self.notice_silence(now);
        self.settle(now);
    }

    fn notice_silence(&mut self, now: Time) {
        let timeouts = self.sender.timeouts_in_a_row();
        let unanswered = self.heartbeat.unanswered();
        if let Some(max) = self.config.timeouts_max
            && timeouts.max(unanswered) > max
        {
            return self.end(CloseReason::TimedOut);
        }
        if timeouts >= BLACK_HOLE_TIMEOUTS {
            self.path_mtu.fall_back(now);
            self.sender.set_packet_bytes(self.path_mtu.current());
        }
    }
}
