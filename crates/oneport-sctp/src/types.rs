//! Identifiers, serial numbers and the internal clock.

use std::fmt;
use std::time::{Duration, Instant};

/// The number of a stream, which is also the number of a data channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(u16);

impl StreamId {
    /// Returns the stream with this number.
    #[must_use]
    pub const fn new(id: u16) -> Self {
        Self(id)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A verification tag (RFC 9260 section 8.5). Zero stands only in packets that carry an INIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VerificationTag(pub(crate) u32);

impl VerificationTag {
    pub(crate) const NONE: Self = Self(0);
}

/// A transmission sequence number as it stands in packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tsn(pub(crate) u32);

/// A transmission sequence number that does not wrap. Its low 32 bits are the [`Tsn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LongTsn(pub(crate) u64);

impl LongTsn {
    /// Starts counting at `tsn`. The offset leaves room for one number before the first.
    pub(crate) fn starting_at(tsn: Tsn) -> Self {
        Self((1 << 32) | u64::from(tsn.0))
    }

    /// Returns the number nearest to this one that `tsn` can stand for (RFC 1982 arithmetic).
    pub(crate) fn nearest(self, tsn: Tsn) -> Self {
        let distance = serial_distance(self.wire().0, tsn.0);
        Self(self.0.wrapping_add_signed(i64::from(distance)))
    }

    pub(crate) fn wire(self) -> Tsn {
        Tsn((self.0 & u64::from(u32::MAX)) as u32)
    }

    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(crate) fn previous(self) -> Self {
        Self(self.0 - 1)
    }

    pub(crate) fn plus(self, count: u64) -> Self {
        Self(self.0 + count)
    }

    /// How far this number is behind `from`, which is not greater.
    pub(crate) fn since(self, from: Self) -> u64 {
        self.0 - from.0
    }
}

/// Returns how far `to` is ahead of `from`; negative if it is behind (RFC 1982).
pub(crate) fn serial_distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

/// The number of a message in its stream: an SSN of 16 bits in DATA, an MID of 32 bits in I-DATA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MessageSeq(pub(crate) u32);

impl MessageSeq {
    pub(crate) const FIRST: Self = Self(0);

    /// Returns the number after this one, which wraps after 16 bits unless messages are interleaved.
    pub(crate) fn next(self, interleaved: bool) -> Self {
        let next = self.0.wrapping_add(1);
        Self(if interleaved { next } else { next & 0xffff })
    }

    /// Returns true if `other` is this number or ahead of it.
    pub(crate) fn is_at_or_before(self, other: Self, interleaved: bool) -> bool {
        if interleaved {
            serial_distance(self.0, other.0) >= 0
        } else {
            (other.0.wrapping_sub(self.0) as u16 as i16) >= 0
        }
    }
}

/// Microseconds since the association was made. Compact, and cheap to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(u64);

impl Time {
    /// Of a timer that is not set.
    pub(crate) const NEVER: Self = Self(u64::MAX);
    pub(crate) const START: Self = Self(0);

    pub(crate) fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    pub(crate) fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn is_set(self) -> bool {
        self != Self::NEVER
    }

    pub(crate) fn as_micros(self) -> u64 {
        self.0
    }

    pub(crate) fn from_micros(micros: u64) -> Self {
        Self(micros)
    }
}

/// A number of microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) u64);

impl Span {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) const fn from_millis(millis: u64) -> Self {
        Self(millis * 1000)
    }

    pub(crate) fn from_duration(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }

    pub(crate) fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }

    pub(crate) fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

/// Converts between the caller's clock and [`Time`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: Instant,
}

impl Clock {
    pub(crate) fn starting_at(epoch: Instant) -> Self {
        Self { epoch }
    }

    /// A moment before the epoch counts as the epoch.
    #[inline]
    pub(crate) fn time(self, now: Instant) -> Time {
        Time(Span::from_duration(now.saturating_duration_since(self.epoch)).0)
    }

    pub(crate) fn instant(self, time: Time) -> Option<Instant> {
        let is_set = time.is_set();
        is_set
            .then(|| self.epoch.checked_add(Duration::from_micros(time.0)))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_follow_the_short_ones_over_the_wrap() {
        let first = LongTsn::starting_at(Tsn(u32::MAX));
        assert_eq!(first.next().wire(), Tsn(0));
        assert_eq!(first.nearest(Tsn(5)), first.plus(6));
        assert_eq!(first.plus(6).nearest(Tsn(u32::MAX)), first);
        let zero = LongTsn::starting_at(Tsn(0));
        assert_eq!(zero.previous().wire(), Tsn(u32::MAX));
    }

    #[test]
    fn message_numbers_wrap_at_their_width() {
        assert_eq!(MessageSeq(0xffff).next(false), MessageSeq(0));
        assert_eq!(MessageSeq(0xffff).next(true), MessageSeq(0x1_0000));
        assert_eq!(MessageSeq(u32::MAX).next(true), MessageSeq(0));
        assert!(MessageSeq(0xfff0).is_at_or_before(MessageSeq(3), false));
        assert!(!MessageSeq(3).is_at_or_before(MessageSeq(0xfff0), false));
        assert!(!MessageSeq(0xfff0).is_at_or_before(MessageSeq(3), true));
    }

    #[test]
    fn the_clock_keeps_whole_microseconds() {
        let epoch = Instant::now();
        let clock = Clock::starting_at(epoch);
        let at = epoch + Duration::from_nanos(1_234_567);
        assert_eq!(clock.time(at), Time(1234));
        assert_eq!(
            clock.instant(Time(1234)),
            Some(epoch + Duration::from_micros(1234))
        );
        assert_eq!(clock.instant(Time::NEVER), None);
        assert_eq!(clock.time(epoch - Duration::from_secs(1)), Time::START);
    }
}
