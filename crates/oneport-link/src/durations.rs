//! How long things take.

use std::time::Duration;

/// How long something took each time, counted in classes, with the sum: enough for averages and for
/// quantiles to within a class, at a fixed size and a few instructions each time.
///
/// It lies here because whoever drives a [`Machine`](crate::Machine) and whoever is one both use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    counts: [u64; CLASSES],
    sum: Duration,
}

const MS: u64 = 1000;

/// The longest time of each class but the last, in microseconds: steps of two or two and a half, from what
/// a turn of an idle loop takes to what makes people give up.
const BOUNDS_US: [u64; CLASSES - 1] = [
    50,
    100,
    250,
    500,
    MS,
    2_500,
    5 * MS,
    10 * MS,
    25 * MS,
    50 * MS,
    100 * MS,
    250 * MS,
    500 * MS,
    1000 * MS,
    2500 * MS,
    10_000 * MS,
];

const CLASSES: usize = 17;

impl Durations {
    /// Counts one.
    pub fn count(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // Most are short.
        let class = BOUNDS_US
            .iter()
            .take_while(|bound| **bound < micros)
            .count();
        self.counts[class] += 1;
        self.sum = self.sum.saturating_add(took);
    }

    /// How many of each class there were, with the longest time of the class; the last has none.
    pub fn classes(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = BOUNDS_US
            .iter()
            .map(|micros| Some(Duration::from_micros(*micros)));
        bounds.chain([None]).zip(self.counts)
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took together.
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_the_first_class_that_it_fits_in() {
        let mut durations = Durations::default();
        let micros = [0, 50, 51, 1000, 1001, 10_000_000, 10_000_001];
        for micros in micros {
            durations.count(Duration::from_micros(micros));
        }
        let counted: Vec<_> = durations
            .classes()
            .filter(|(_, count)| *count > 0)
            .map(|(bound, count)| (bound.map(|bound| bound.as_micros()), count))
            .collect();
        let expected = [
            (Some(50), 2),
            (Some(100), 1),
            (Some(1000), 1),
            (Some(2500), 1),
            (Some(10_000_000), 1),
            (None, 1),
        ];
        assert_eq!(counted, expected);
        assert_eq!(durations.total(), 7);
        let sum = micros.iter().sum();
        assert_eq!(durations.sum(), Duration::from_micros(sum));
    }

    #[test]
    fn the_classes_are_in_order() {
        assert!(BOUNDS_US.is_sorted_by(|a, b| a < b));
    }
}
