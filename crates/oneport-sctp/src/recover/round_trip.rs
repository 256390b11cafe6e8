//! The round trip and the timeouts that follow from it (RFC 9260 section 6.3.1, RFC 8985 section 7.2).

use crate::config::Config;
use crate::types::Span;

#[derive(Debug)]
pub(crate) struct RoundTrip {
    smoothed: Option<Span>,
    variation: Span,
    least: Option<Span>,
    /// How often the retransmission timeout has doubled.
    backoff: u32,
    initial: Span,
    min: Span,
    max: Span,
}

/// A probe waits at least this long: about what a busy peer takes to acknowledge at once.
const PROBE_MIN: Span = Span::from_millis(10);

/// Doubling ends here; the greatest timeout is reached long before.
const BACKOFF_MAX: u32 = 16;

impl RoundTrip {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            smoothed: None,
            variation: Span::ZERO,
            least: None,
            backoff: 0,
            initial: config.rto_initial(),
            min: config.rto_min(),
            max: config.rto_max(),
        }
    }

    /// Takes a measurement. It also ends doubling.
    pub(crate) fn measure(&mut self, sample: Span) {
        self.least = Some(self.least.map_or(sample, |least| least.min(sample)));
        self.backoff = 0;
        let Some(smoothed) = self.smoothed else {
            self.smoothed = Some(sample);
            self.variation = Span(sample.0 / 2);
            return;
        };
        let difference = smoothed.0.abs_diff(sample.0);
        self.variation = Span((3 * self.variation.0 + difference) / 4);
        self.smoothed = Some(Span((7 * smoothed.0 + sample.0) / 8));
    }

    pub(crate) fn smoothed(&self) -> Option<Span> {
        self.smoothed
    }

    /// Returns the least round trip measured on this path.
    pub(crate) fn least(&self) -> Option<Span> {
        self.least
    }

    pub(crate) fn retransmission_timeout(&self) -> Span {
        let base = match self.smoothed {
            Some(smoothed) => Span(smoothed.0 + 4 * self.variation.0),
            None => self.initial,
        };
        let base = base.clamp(self.min, self.max);
        base.times(1 << self.backoff).min(self.max)
    }

    /// Returns how long a packet goes unacknowledged before it is probed for: about two round trips.
    /// `None` before there was a measurement.
    pub(crate) fn probe_timeout(&self) -> Option<Span> {
        let smoothed = self.smoothed?;
        let twice = smoothed.times(2).max(PROBE_MIN);
        // A timeout that is nearer makes the probe needless.
        Some(Span(twice.0 + self.variation.0))
    }

    pub(crate) fn back_off(&mut self) {
        self.backoff = (self.backoff + 1).min(BACKOFF_MAX);
    }

    pub(crate) fn reset_backoff(&mut self) {
        self.backoff = 0;
    }

    /// The path is another: the least round trip may be longer now.
    pub(crate) fn change_path(&mut self) {
        self.backoff = 0;
        self.least = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip() -> RoundTrip {
        RoundTrip::new(&Config::default())
    }

    #[test]
    fn the_timeout_follows_the_measurements_within_its_bounds() {
        let mut path = round_trip();
        assert_eq!(path.retransmission_timeout(), Span::from_millis(500));
        path.measure(Span::from_millis(200));
        assert_eq!(path.retransmission_timeout(), Span::from_millis(600));
        for _ in 0..100 {
            path.measure(Span::from_millis(1));
        }
        assert_eq!(path.retransmission_timeout(), Span::from_millis(200));
        for _ in 0..100 {
            path.measure(Span::from_millis(9_000));
        }
        assert_eq!(path.retransmission_timeout(), Span::from_millis(3_000));
        assert_eq!(path.least(), Some(Span::from_millis(1)));
    }

    #[test]
    fn doubling_ends_with_a_measurement_or_a_new_path() {
        let mut path = round_trip();
        path.measure(Span::from_millis(10));
        let timeouts: Vec<_> = (0..6)
            .map(|_| {
                path.back_off();
                path.retransmission_timeout().0 / 1000
            })
            .collect();
        assert_eq!(timeouts, [400, 800, 1_600, 3_000, 3_000, 3_000]);
        path.change_path();
        assert_eq!(path.retransmission_timeout(), Span::from_millis(200));
        assert_eq!(path.least(), None);
    }

    #[test]
    fn a_probe_comes_after_about_two_round_trips() {
        let mut path = round_trip();
        assert_eq!(path.probe_timeout(), None);
        for _ in 0..50 {
            path.measure(Span::from_millis(40));
        }
        let probe = path.probe_timeout().expect("measured");
        assert!(probe >= Span::from_millis(80) && probe < Span::from_millis(82));
        for _ in 0..100 {
            path.measure(Span(300));
        }
        let probe = path.probe_timeout().expect("measured");
        assert!(probe >= PROBE_MIN && probe < Span::from_millis(11));
    }
}
