//! What a link has to send, and how fast it may.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Transmit;

/// The most datagrams that wait in one link: a full window of SCTP's, and some more. A peer that
/// floods us with STUN checks can reach it; what is dropped then are answers to the flood, or SCTP
/// packets that SCTP sends again.
pub(crate) const QUEUED_DATAGRAMS_MAX: usize = 512;

/// The time that one datagram uses up: 16 in a millisecond, about 19 MB/s. Chromium's UDP receive
/// buffer holds about 57 full datagrams; a longer unpaced burst overflows it, and the lost tail
/// waits a second for SCTP's retransmission timer.
const INTERVAL: Duration = Duration::from_nanos(62_500);

/// How much may leave at once after a pause: 16 datagrams, a millisecond's worth.
const BURST: Duration = Duration::from_millis(1);

/// How much of the time that a link was woken too late is made up for: then up to 48 leave at once,
/// after a pause in which the browser could take in all that came before. Otherwise a busy machine, or
/// one that counts in milliseconds, would send at half the pace.
const LATE_MAX: Duration = Duration::from_millis(2);

/// How long so many bytes take at that pace, in datagrams of the usual size.
pub(crate) fn time_for(bytes: usize) -> Duration {
    const DATAGRAM_BYTES: usize = 1_100;
    INTERVAL * u32::try_from(bytes.div_ceil(DATAGRAM_BYTES)).unwrap_or(u32::MAX)
}

/// The datagrams of one link that wait to be sent, paced.
#[derive(Debug, Default)]
pub(crate) struct Egress {
    queue: VecDeque<Transmit>,
    /// When all that was sent is paid for: the "theoretical arrival time" of the generic cell rate
    /// algorithm (ITU-T I.371). Beyond `now + BURST`, the link waits until it is reached.
    paid: Option<Instant>,
    /// Set when the burst was used up: nothing leaves before, so that the link is woken once for 16
    /// datagrams and not for each one.
    resume: Option<Instant>,
    /// Whether something has been waiting for that, without a pause.
    is_held_up: bool,
    dropped: u64,
}

impl Egress {
    pub(crate) fn push(&mut self, transmit: Transmit) {
        if self.queue.len() >= QUEUED_DATAGRAMS_MAX {
            self.dropped += 1;
            return;
        }
        self.queue.push_back(transmit);
    }

    /// The next datagram that may leave at `now`.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Transmit> {
        if self.resume.is_some_and(|resume| now < resume) {
            return None;
        }
        let transmit = self.queue.pop_front()?;
        let paid = self.paid.unwrap_or(now);
        let made_up = match self.is_held_up {
            true => LATE_MAX,
            false => Duration::ZERO,
        };
        let lost = now.saturating_duration_since(paid).saturating_sub(made_up);
        let paid = paid + lost + INTERVAL;
        self.paid = Some(paid);
        self.resume = (paid >= now + BURST).then_some(paid);
        self.is_held_up = !self.queue.is_empty() && (self.is_held_up || self.resume.is_some());
        Some(transmit)
    }

    /// When [`Self::pop`] yields something: `None` if nothing waits, a time in the past if something
    /// may leave at once.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if self.queue.is_empty() {
            return None;
        }
        Some(self.resume.unwrap_or(now))
    }

    /// Whether something is queued that may not leave yet.
    pub(crate) fn waits(&self, now: Instant) -> bool {
        !self.queue.is_empty() && self.resume.is_some_and(|resume| now < resume)
    }

    /// How many bytes are queued; of a long queue, what its first datagrams make likely.
    pub(crate) fn bytes(&self) -> usize {
        let first = self.queue.front().map_or(0, |first| first.contents.len());
        first * self.queue.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many datagrams were dropped because too many waited.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Route;

    fn transmit(n: usize) -> Transmit {
        let address = "127.0.0.1:1".parse().expect("an address");
        Transmit {
            route: Route::udp(address, address),
            contents: n.to_be_bytes().to_vec(),
        }
    }

    fn pop_all(egress: &mut Egress, now: Instant) -> usize {
        std::iter::from_fn(|| egress.pop(now)).count()
    }

    #[test]
    fn a_train_leaves_in_bursts_of_a_millisecond() {
        let start = Instant::now();
        let mut egress = Egress::default();
        (0..40).for_each(|n| egress.push(transmit(n)));
        assert_eq!(egress.poll_timeout(start), Some(start));
        assert_eq!(pop_all(&mut egress, start), 16);
        let resume = egress.poll_timeout(start).expect("more waits");
        assert_eq!(resume, start + Duration::from_millis(1));
        assert_eq!(pop_all(&mut egress, resume - Duration::from_nanos(1)), 0);
        assert_eq!(pop_all(&mut egress, resume), 16);
        assert_eq!(pop_all(&mut egress, resume + BURST), 8);
        assert_eq!(egress.poll_timeout(resume + BURST), None);
    }

    #[test]
    fn what_was_woken_too_late_catches_up() {
        let ms = Duration::from_millis;
        for (late, leave) in [(ms(0), 16), (ms(1), 32), (ms(2), 48), (ms(60), 48)] {
            let start = Instant::now();
            let mut egress = Egress::default();
            (0..100).for_each(|n| egress.push(transmit(n)));
            assert_eq!(pop_all(&mut egress, start), 16);
            assert_eq!(
                pop_all(&mut egress, start + ms(1) + late),
                leave,
                "{late:?}"
            );
        }
    }

    #[test]
    fn nothing_is_late_that_did_not_wait() {
        let start = Instant::now();
        let mut egress = Egress::default();
        (0..16).for_each(|n| egress.push(transmit(n)));
        assert_eq!(pop_all(&mut egress, start), 16);
        (0..100).for_each(|n| egress.push(transmit(n)));
        assert_eq!(pop_all(&mut egress, start + Duration::from_millis(3)), 16);
    }

    #[test]
    fn a_pause_does_not_save_up_more_than_a_burst() {
        let start = Instant::now();
        let mut egress = Egress::default();
        egress.push(transmit(0));
        assert_eq!(pop_all(&mut egress, start), 1);
        (0..40).for_each(|n| egress.push(transmit(n)));
        assert_eq!(pop_all(&mut egress, start + Duration::from_secs(60)), 16);
    }

    #[test]
    fn slow_trains_are_not_delayed() {
        let start = Instant::now();
        let mut egress = Egress::default();
        for n in 0..1000 {
            let now = start + INTERVAL * n;
            egress.push(transmit(0));
            assert_eq!(pop_all(&mut egress, now), 1, "datagram {n}");
        }
    }

    #[test]
    fn a_flood_is_bounded_and_counted() {
        let mut egress = Egress::default();
        (0..QUEUED_DATAGRAMS_MAX + 3).for_each(|n| egress.push(transmit(n)));
        assert_eq!(egress.queue.len(), QUEUED_DATAGRAMS_MAX);
        assert_eq!(egress.dropped(), 3);
    }
}
