//! Several measurements of the same thing.

use std::fmt;

/// The middle of several values, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Summary {
    /// Of nothing there is none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() {
            0 => return None,
            n if n.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Some(Self {
            median,
            min: values[0],
            max: *values.last()?,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, min, max] = [self.median, self.min, self.max].map(figure);
        if min == max {
            return f.write_str(&median);
        }
        write!(f, "{median} [{min}–{max}]")
    }
}

/// A number with as many digits as are worth reading.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        size if size < 9999.5 => format!("{value:.0}"),
        _ => {
            // Three digits of so large a number.
            let unit = 10_f64.powf(value.abs().log10().floor() - 2.0);
            thousands((value / unit).round() * unit)
        }
    }
}

/// A whole number with commas.
pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_range() {
        assert_eq!(Summary::of([]), None);
        let odd = Summary::of([3.0, 1.0, 20.0]).expect("three");
        assert_eq!((odd.median, odd.min, odd.max), (3.0, 1.0, 20.0));
        assert_eq!(Summary::of([4.0, 1.0]).expect("two").median, 2.5);
        assert_eq!(odd.to_string(), "3.00 [1.00–20.0]");
        assert_eq!(Summary::of([7.0]).expect("one").to_string(), "7.00");
    }

    #[test]
    fn figures_are_short() {
        let texts = [0.123, 9.999, 45.67, 999.9, 12_345.0, 180_400.0].map(figure);
        assert_eq!(texts, ["0.12", "10.0", "45.7", "1000", "12,300", "180,000"]);
        assert_eq!(figure(2_000_000.0), "2,000,000");
    }
}
