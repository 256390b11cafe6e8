//! Whether the relay is still there (`PROTOCOL.md` section 10).

use std::time::{Duration, Instant};

use oneport_wire::SILENCE_MS_MAX;

/// How soon an answer must come to a client that has reason to doubt its link.
const DOUBT: Duration = Duration::from_secs(2);

/// The relay's signs of life on one link: its frames, and nothing else.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    heard: Instant,
    pinged: Instant,
    /// When the link is dead, unless a frame comes.
    dead: Instant,
    interval: Duration,
    number: u32,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    Rest,
    Ping(u32),
    Dead,
}

impl Heartbeat {
    /// A link whose channel has opened. It is not asked for anything until the relay has said how
    /// often.
    pub(crate) fn new(now: Instant) -> Self {
        let silence_max = Duration::from_millis(SILENCE_MS_MAX.into());
        Self {
            heard: now,
            pinged: now,
            dead: now + silence_max,
            interval: silence_max,
            number: 0,
        }
    }

    /// A frame came.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.dead = now + Duration::from_millis(SILENCE_MS_MAX.into());
    }

    /// After so long without a frame, a `ping` is to be sent.
    pub(crate) fn every(&mut self, interval: Duration) {
        // A relay that says 0 does not mean a ping without end.
        self.interval = interval.max(Duration::from_millis(100));
    }

    /// There is reason to doubt: the `ping` for it.
    pub(crate) fn doubt(&mut self, now: Instant) -> u32 {
        self.dead = self.dead.min(now + DOUBT);
        self.ping(now)
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.dead.min(self.next_ping())
    }

    pub(crate) fn beat(&mut self, now: Instant) -> Beat {
        if self.dead <= now {
            return Beat::Dead;
        }
        if self.next_ping() <= now {
            return Beat::Ping(self.ping(now));
        }
        Beat::Rest
    }

    fn next_ping(&self) -> Instant {
        self.heard.max(self.pinged) + self.interval
    }

    fn ping(&mut self, now: Instant) -> u32 {
        self.pinged = now;
        self.number = self.number.wrapping_add(1);
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_after_each_interval_and_dies_after_fifteen_seconds() {
        let secs = Duration::from_secs;
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        heartbeat.every(secs(5));
        assert_eq!(heartbeat.deadline(), start + secs(5));
        assert_eq!(heartbeat.beat(start + secs(4)), Beat::Rest);
        assert_eq!(heartbeat.beat(start + secs(5)), Beat::Ping(1));
        assert_eq!(heartbeat.beat(start + secs(5)), Beat::Rest);
        assert_eq!(heartbeat.beat(start + secs(10)), Beat::Ping(2));
        assert_eq!(heartbeat.beat(start + secs(15)), Beat::Dead);
        heartbeat.heard(start + secs(12));
        assert_eq!(heartbeat.deadline(), start + secs(17));
        assert_eq!(heartbeat.doubt(start + secs(13)), 3);
        assert_eq!(heartbeat.deadline(), start + secs(15));
        heartbeat.heard(start + secs(14));
        assert_eq!(heartbeat.beat(start + secs(15)), Beat::Rest);
    }
}
