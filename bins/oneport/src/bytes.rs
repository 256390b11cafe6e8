//! Numbers of bytes, for people.

use std::fmt;
use std::str::FromStr;

/// A number of bytes. For people it is printed in the largest unit that leaves it at least one, with
/// at most one decimal; from them it is taken as `512M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["KiB", "MiB", "GiB", "TiB"];
        let mut tenths = self.0 * 10 / 1024;
        let mut unit = 0;
        while tenths >= 10_240 && unit + 1 < units.len() {
            tenths /= 1024;
            unit += 1;
        }
        match tenths % 10 {
            0 => write!(f, "{} {}", tenths / 10, units[unit]),
            tenth => write!(f, "{}.{tenth} {}", tenths / 10, units[unit]),
        }
    }
}

impl Bytes {
    /// More than any machine has, and little enough that no sum of limits overflows.
    const MAX: usize = 1 << 50;
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let units = [("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)];
        let (number, unit) = units
            .into_iter()
            .find_map(|(letter, unit)| Some((text.strip_suffix(letter)?, unit)))
            .unwrap_or((text, 1));
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<usize> = number.parse().ok().filter(|_| is_number);
        match number.and_then(|number| number.checked_mul(unit)) {
            Some(bytes) if (1..=Self::MAX).contains(&bytes) => Ok(Self(bytes)),
            _ => Err("a size like 64K, 512M or 2G".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        for (bytes, text) in [
            (256 * 1024, "256 KiB"),
            (4 << 20, "4 MiB"),
            (1536 * 1024, "1.5 MiB"),
            (100, "0 KiB"),
            (2_621_440_000, "2.4 GiB"),
            (5 << 40, "5 TiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn bytes_from_people() {
        for (text, bytes) in [
            ("1", 1),
            ("64K", 64 << 10),
            ("512M", 512 << 20),
            ("2G", 2 << 30),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in [
            "",
            "0",
            "0G",
            "M",
            "1m",
            "1.5G",
            "-1",
            "+1G",
            "1 G",
            "1GiB",
            "16777217G",
        ] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }
}
