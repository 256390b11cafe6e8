//! How fast somebody may go.

use std::time::Duration;

use oneport_wire::UnixMillis;

/// A rate in messages and in bytes, each with the burst of two seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Messages per second.
    pub messages: u32,
    /// Bytes per second.
    pub bytes: u32,
}

impl Default for Rate {
    /// 1000 messages and 16 MiB per second: a program at work, not a flood. A burst must hold the
    /// largest message.
    fn default() -> Self {
        Self {
            messages: 1000,
            bytes: 16 * 1024 * 1024,
        }
    }
}

/// What is left of a [`Rate`]: two token buckets, in thousandths of a message and of a byte, filled
/// by the millisecond.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    messages_milli: u64,
    bytes_milli: u64,
    filled: UnixMillis,
}

/// How many seconds' worth may be spent at once.
const BURST_SECS: u64 = 2;

impl Bucket {
    /// A full one.
    pub(crate) fn new(rate: Rate, now: UnixMillis) -> Self {
        Self {
            rate,
            messages_milli: u64::from(rate.messages) * 1000 * BURST_SECS,
            bytes_milli: u64::from(rate.bytes) * 1000 * BURST_SECS,
            filled: now,
        }
    }

    /// Takes one message of so many bytes out, or says how long to wait until that is possible.
    pub(crate) fn spend(&mut self, now: UnixMillis, bytes: usize) -> Result<(), Duration> {
        let elapsed_ms = now.get().saturating_sub(self.filled.get());
        self.filled = self.filled.max(now);
        let fill = |level: &mut u64, per_second: u32| {
            let full = u64::from(per_second) * 1000 * BURST_SECS;
            let more = u64::from(per_second).saturating_mul(elapsed_ms);
            *level = level.saturating_add(more).min(full);
        };
        fill(&mut self.messages_milli, self.rate.messages);
        fill(&mut self.bytes_milli, self.rate.bytes);
        // A message larger than the whole bucket costs the whole bucket, so that it can be sent.
        let byte_bucket = u64::from(self.rate.bytes) * 1000 * BURST_SECS;
        let byte_cost = (bytes as u64).saturating_mul(1000).min(byte_bucket);
        let lacking_ms = |cost: u64, level: u64, per_second: u32| {
            cost.saturating_sub(level)
                .div_ceil(u64::from(per_second).max(1))
        };
        let wait_ms = lacking_ms(1000, self.messages_milli, self.rate.messages).max(lacking_ms(
            byte_cost,
            self.bytes_milli,
            self.rate.bytes,
        ));
        if wait_ms > 0 {
            return Err(Duration::from_millis(wait_ms));
        }
        self.messages_milli -= 1000;
        self.bytes_milli -= byte_cost;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u32) -> UnixMillis {
        UnixMillis::from(ms)
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let rate = Rate {
            messages: 10,
            bytes: 1000,
        };
        let mut bucket = Bucket::new(rate, at(0));
        for _ in 0..20 {
            assert_eq!(bucket.spend(at(0), 1), Ok(()));
        }
        assert_eq!(bucket.spend(at(0), 1), Err(Duration::from_millis(100)));
        assert_eq!(bucket.spend(at(99), 1), Err(Duration::from_millis(1)));
        assert_eq!(bucket.spend(at(100), 1), Ok(()));
    }

    #[test]
    fn bytes_count_as_well() {
        let rate = Rate {
            messages: 1000,
            bytes: 1000,
        };
        let mut bucket = Bucket::new(rate, at(0));
        assert_eq!(bucket.spend(at(0), 5000), Ok(()), "all of the bucket");
        assert_eq!(bucket.spend(at(0), 500), Err(Duration::from_millis(500)));
        assert_eq!(bucket.spend(at(500), 500), Ok(()));
    }
}
