//! How long to wait before the next link.

use std::time::{Duration, Instant};

use crate::secrets::Secrets;

/// A link that was good for so long was a success. One that dies sooner may do so again, and a
/// relay in trouble must not be asked four times a second.
const STABLE: Duration = Duration::from_secs(10);

/// Waits that double with each failure in a row, with jitter.
#[derive(Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration) -> Self {
        let failures = 0;
        Self { min, max, failures }
    }

    /// A link is lost that was welcomed then, if it was at all.
    pub(crate) fn lost(&mut self, now: Instant, welcomed: Option<Instant>) {
        if welcomed.is_some_and(|at| now - at >= STABLE) {
            self.failures = 0;
        }
    }

    /// How long to wait now.
    pub(crate) fn wait(&mut self, secrets: &mut Secrets) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        secrets.jitter(self.min.saturating_mul(factor).min(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_its_limit_and_begins_anew_after_a_good_link() {
        let (min, max) = (Duration::from_millis(250), Duration::from_secs(15));
        let mut secrets = Secrets::new([1; 32]);
        let mut backoff = Backoff::new(min, max);
        for failure in 0..40 {
            let full = min.saturating_mul(1 << failure.min(20)).min(max);
            let wait = backoff.wait(&mut secrets);
            assert!(wait >= full / 2 && wait <= full, "{failure}: {wait:?}");
        }
        let now = Instant::now();
        backoff.lost(now + STABLE / 2, Some(now));
        assert!(backoff.wait(&mut secrets) > max / 3);
        backoff.lost(now + STABLE, Some(now));
        assert!(backoff.wait(&mut secrets) <= min);
    }
}
