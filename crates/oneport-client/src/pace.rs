//! How fast frames may leave, so that the relay never has to answer `err rate`.

use std::time::{Duration, Instant};

/// How much may leave at once. The relay grants twice that, so that a burst which the network has
/// pressed together is still within its rate.
const BURST: Duration = Duration::from_secs(1);

/// A rate as one point in time (the "generic cell rate algorithm"): each frame moves it on by the
/// time that the frame is worth, and it may be a [`BURST`] ahead of now.
#[derive(Debug)]
pub(crate) struct Pace {
    frames_per_s: u32,
    bytes_per_s: u32,
    spent: Instant,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            frames_per_s: u32::MAX,
            bytes_per_s: u32::MAX,
            spent: now,
        }
    }

    /// The relay has said what it grants.
    pub(crate) fn grant(&mut self, frames_per_s: u32, bytes_per_s: u32) {
        self.frames_per_s = frames_per_s.max(1);
        self.bytes_per_s = bytes_per_s.max(1);
    }

    /// From when on a frame may leave.
    pub(crate) fn ready_at(&self) -> Instant {
        self.spent.checked_sub(BURST).unwrap_or(self.spent)
    }

    /// A frame has left.
    pub(crate) fn spend(&mut self, now: Instant, bytes: usize) {
        let by_count = Duration::from_secs(1) / self.frames_per_s;
        let nanos = bytes as u64 * 1_000_000_000 / u64::from(self.bytes_per_s);
        self.spent = self.spent.max(now) + by_count.max(Duration::from_nanos(nanos));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.grant(100, 1_000_000);
        let mut now = start;
        let mut sent = 0;
        while now < start + Duration::from_secs(10) {
            now = now.max(pace.ready_at());
            pace.spend(now, 10);
            sent += 1;
        }
        assert!((1090..=1110).contains(&sent), "{sent}");
        // Bytes count where they weigh more.
        let before = pace.ready_at();
        pace.spend(now, 500_000);
        assert_eq!(pace.ready_at() - before, Duration::from_millis(500));
    }
}
