//! How much may be logged, since clients cause most of it.

use std::time::Instant;

/// How many lines may come at once: a few for each of two thousand clients who all leave.
const LINES_BURST: f64 = 10_000.0;

/// How many a second may follow for ever. At 100 bytes these are 170 MB a day, which a disk with any log
/// rotation has; who joins and leaves without end fills no more.
const LINES_PER_S: f64 = 20.0;

/// What may still be logged.
#[derive(Debug)]
pub(crate) struct LogBudget {
    lines: f64,
    since: Instant,
}

impl LogBudget {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            lines: LINES_BURST,
            since: now,
        }
    }

    /// Whether one more line may be logged now.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.since).as_secs_f64();
        self.since = self.since.max(now);
        self.lines = (self.lines + elapsed * LINES_PER_S).min(LINES_BURST);
        let is_left = self.lines >= 1.0;
        if is_left {
            self.lines -= 1.0;
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_and_then_so_many_a_second() {
        let start = Instant::now();
        let mut budget = LogBudget::new(start);
        let taken = |budget: &mut LogBudget, at| (0..20_000).filter(|_| budget.take(at)).count();
        assert_eq!(taken(&mut budget, start), 10_000);
        let later = start + Duration::from_secs(3);
        assert_eq!(taken(&mut budget, later), 60);
        // A clock that goes back gives nothing.
        assert_eq!(taken(&mut budget, start), 0);
        let much_later = start + Duration::from_hours(1);
        assert_eq!(taken(&mut budget, much_later), 10_000);
    }
}
