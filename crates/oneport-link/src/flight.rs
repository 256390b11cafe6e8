//! What was written to a link and is not acknowledged yet.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::ChannelId;
use crate::egress;

/// How many messages may always be on their way. sctp-proto 0.10 looks at each chunk, several times and
/// through a hash map, whenever it is asked for packets: about 10 µs for so many small ones. Of large ones
/// [`LinkConfig::buffered_bytes_target`](crate::LinkConfig::buffered_bytes_target) allows no more anyway.
const MESSAGES_MIN: usize = 64;

/// How many may be on their way at the most, whatever the peer's distance: 10,000 a second over a round trip
/// of 100 ms.
const MESSAGES_MAX: usize = 1024;

/// How much longer than twice the shortest round trip something may be on its way before that counts as a
/// queue: a receiver acknowledges each second packet, and is scheduled now and then.
const QUEUED_MIN: Duration = Duration::from_millis(5);

/// For how long a round trip is remembered as the shortest: a peer may move to a longer path.
const MEMORY: Duration = Duration::from_secs(10);

/// What was written to a link and is not acknowledged yet.
///
/// More on its way than the path holds only waits in a queue: the peer's, or a router's. It gets nothing
/// there sooner, and costs the more CPU the more it is. A peer that cannot keep up would slow everybody
/// down. So what is on its way for clearly longer than a round trip shows a queue, and beyond
/// [`MESSAGES_MIN`] nothing is added to it: messages wait in the ring instead, and share packets later.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    messages: VecDeque<Message>,
    /// Whether messages of several channels are among them.
    is_mixed: bool,
    /// The shortest round trip since the time, and the one in the time before.
    shortest: Option<(Instant, Duration)>,
    shortest_before: Option<Duration>,
}

/// The most memory that a link needs for it.
pub(crate) const FLIGHT_BYTES_MAX: usize = MESSAGES_MAX * size_of::<Message>();

#[derive(Debug)]
struct Message {
    channel: ChannelId,
    /// Where it ends in all that was written to its channel, in bytes.
    end: u64,
    /// When it has left, if nothing but the pace holds it up.
    sent: Instant,
}

impl Flight {
    /// A message was written, which ends there in its channel. So many bytes, it included, wait for their
    /// pace.
    pub(crate) fn add(&mut self, now: Instant, channel: ChannelId, end: u64, paced_bytes: usize) {
        let last = self.messages.back();
        self.is_mixed |= last.is_some_and(|last| last.channel != channel);
        let sent = now + egress::time_for(paced_bytes);
        self.messages.push_back(Message { channel, end, sent });
    }

    /// Each channel was acknowledged up to where the function says; `None` for one that is closed.
    pub(crate) fn acknowledge(
        &mut self,
        now: Instant,
        acknowledged: impl Fn(ChannelId) -> Option<u64>,
    ) {
        while let Some(first) = self.messages.front() {
            let until = acknowledged(first.channel);
            if until.is_some_and(|until| until < first.end) {
                break;
            }
            let round_trip = now.saturating_duration_since(first.sent);
            self.messages.pop_front();
            // Of a closed channel nobody knows what has arrived.
            if until.is_some() {
                self.measure(now, round_trip);
            }
        }
        if self.is_mixed {
            // What was lost on one channel holds up no other.
            let is_left = |message: &Message| {
                acknowledged(message.channel).is_some_and(|until| until < message.end)
            };
            self.messages.retain(is_left);
        }
        if self.messages.is_empty() {
            self.is_mixed = false;
            // What a burst needed is not kept.
            self.messages.shrink_to(MESSAGES_MIN);
        }
    }

    fn measure(&mut self, now: Instant, round_trip: Duration) {
        match &mut self.shortest {
            Some((since, shortest)) if now.saturating_duration_since(*since) < MEMORY => {
                *shortest = round_trip.min(*shortest);
            }
            outdated => {
                self.shortest_before = outdated.map(|(_, shortest)| shortest);
                *outdated = Some((now, round_trip));
            }
        }
    }

    /// Whether no more may be on its way.
    pub(crate) fn is_full(&self) -> bool {
        self.messages.len() >= MESSAGES_MAX
    }

    /// Whether more on its way would only wait somewhere.
    pub(crate) fn is_behind(&self, now: Instant) -> bool {
        self.messages.len() >= MESSAGES_MIN && self.is_queued(now)
    }

    fn is_queued(&self, now: Instant) -> bool {
        let known = self.shortest.map(|(_, shortest)| shortest);
        let shortest = known.into_iter().chain(self.shortest_before).min();
        let (Some(first), Some(shortest)) = (self.messages.front(), shortest) else {
            return false;
        };
        now.saturating_duration_since(first.sent) > shortest * 2 + QUEUED_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: ChannelId = ChannelId(0);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Writes a message of 100 bytes so often, if it is taken, for five seconds; each is acknowledged
    /// after the round trip. Answers how many were on their way at most.
    fn run(flight: &mut Flight, start: Instant, round_trip: Duration, every: Duration) -> usize {
        let mut written = Vec::new();
        let (mut arrived, mut most) = (0, 0);
        let mut now = start;
        while now < start + ms(5_000) {
            while written
                .get(arrived)
                .is_some_and(|at| *at + round_trip <= now)
            {
                arrived += 1;
            }
            flight.acknowledge(now, |_| Some(arrived as u64 * 100));
            if !flight.is_full() && !flight.is_behind(now) {
                written.push(now);
                flight.add(now, CHANNEL, written.len() as u64 * 100, 0);
            }
            most = most.max(flight.messages.len());
            now += every;
        }
        flight.acknowledge(now, |_| None);
        most
    }

    #[test]
    fn a_long_path_is_filled() {
        let mut flight = Flight::default();
        let most = run(
            &mut flight,
            Instant::now(),
            ms(50),
            Duration::from_micros(250),
        );
        assert!((200..210).contains(&most), "{most}");
    }

    #[test]
    fn a_queue_is_not_made_longer() {
        let start = Instant::now();
        let mut flight = Flight::default();
        flight.add(start, CHANNEL, 100, 0);
        flight.acknowledge(start + ms(1), |_| Some(100));
        // From now on nothing is acknowledged.
        for n in 0..MESSAGES_MAX as u64 {
            let now = start + ms(1) + Duration::from_micros(100) * n as u32;
            if !flight.is_full() && !flight.is_behind(now) {
                flight.add(now, CHANNEL, 200 + n * 100, 0);
            }
        }
        let messages = MESSAGES_MIN..MESSAGES_MIN + 10;
        assert!(
            messages.contains(&flight.messages.len()),
            "{}",
            flight.messages.len()
        );
        flight.acknowledge(start + ms(200), |_| Some(100 + 20 * 100));
        assert!(!flight.is_behind(start + ms(200)), "there is room again");
    }

    #[test]
    fn messages_are_bounded_and_a_closed_channel_has_none() {
        let start = Instant::now();
        let mut flight = Flight::default();
        let mut end = 0;
        while !flight.is_full() {
            end += 60_000;
            flight.add(start, CHANNEL, end, 60_000);
        }
        assert_eq!(end / 60_000, MESSAGES_MAX as u64);
        flight.acknowledge(start, |_| None);
        assert!(flight.messages.is_empty());
    }

    #[test]
    fn what_one_channel_lost_holds_up_no_other() {
        let start = Instant::now();
        let mut flight = Flight::default();
        flight.add(start, CHANNEL, 100, 100);
        flight.acknowledge(start + ms(1), |_| Some(100));
        flight.add(start + ms(1), CHANNEL, 200, 100);
        let mut end = 0;
        for n in 0..1000 {
            let now = start + ms(1 + n);
            flight.acknowledge(now, |id| Some(if id == CHANNEL { 100 } else { end }));
            assert!(!flight.is_full() && !flight.is_behind(now), "{n}");
            end += 100;
            flight.add(now, ChannelId(1), end, 100);
        }
        assert_eq!(flight.messages.len(), 2);
    }

    #[test]
    fn a_path_that_became_longer_is_learnt() {
        let start = Instant::now();
        let mut flight = Flight::default();
        let most: Vec<usize> = [1, 50, 50, 50, 50, 50]
            .into_iter()
            .zip(0..)
            .map(|(round_trip, n)| {
                let start = start + ms(5_000) * n;
                run(
                    &mut flight,
                    start,
                    ms(round_trip),
                    Duration::from_micros(250),
                )
            })
            .collect();
        assert_eq!(most[1], MESSAGES_MIN, "it looks like a queue at first");
        assert!((200..210).contains(&most[5]), "{most:?}");
    }
}
