//! The network between the relay and its clients: what becomes of a datagram on its way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use oneport_link::Transmit;

use crate::Dice;

/// Beyond this time in the queue of a slow path, a datagram is dropped.
const QUEUE_TIME_MAX: Duration = Duration::from_millis(500);

/// One direction of a client's access to the network. The default loses nothing and takes 5 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// How long a datagram takes.
    pub delay: Duration,
    /// How much longer it may take, by chance. More than the distance of two datagrams reorders them.
    pub jitter: Duration,
    /// How many of a thousand are lost.
    pub loss: u16,
    /// How many of a thousand arrive twice.
    pub duplication: u16,
    /// How many of a thousand arrive with a bit that was turned over.
    pub corruption: u16,
    /// How many bytes a second pass; what comes faster waits for 500 ms at most, else it is dropped.
    pub bytes_per_s: Option<u32>,
    /// Larger datagrams are dropped.
    pub mtu: usize,
    /// Nothing passes.
    pub is_cut: bool,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(5),
            jitter: Duration::ZERO,
            loss: 0,
            duplication: 0,
            corruption: 0,
            bytes_per_s: None,
            mtu: 1500,
            is_cut: false,
        }
    }
}

/// A client's way to the network and back.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The address of the client's socket, as it knows it.
    pub inside: SocketAddr,
    /// The address under which the network sees it: a NAT may change it at any time.
    pub outside: SocketAddr,
    /// From the client to the relay.
    pub up: Path,
    /// From the relay to the client.
    pub down: Path,
    up_free: Option<Instant>,
    down_free: Option<Instant>,
}

/// Which direction a datagram takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From a client to the relay.
    Up,
    /// From the relay to a client.
    Down,
}

impl Access {
    /// Without a NAT, over the default path.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            inside: address,
            outside: address,
            up: Path::default(),
            down: Path::default(),
            up_free: None,
            down_free: None,
        }
    }

    /// Nothing passes from now on in either direction, or all does again.
    pub fn set_cut(&mut self, is_cut: bool) {
        (self.up.is_cut, self.down.is_cut) = (is_cut, is_cut);
    }

    /// Whether nothing passes in at least one direction.
    pub fn is_cut(&self) -> bool {
        self.up.is_cut || self.down.is_cut
    }

    fn path(&mut self, direction: Direction) -> (Path, &mut Option<Instant>) {
        match direction {
            Direction::Up => (self.up, &mut self.up_free),
            Direction::Down => (self.down, &mut self.down_free),
        }
    }
}

/// Something on its way, and when it arrives.
#[derive(Debug)]
struct Arrival<T> {
    at: Instant,
    /// What leaves first arrives first, if at the same time.
    number: u64,
    what: T,
}

impl<T> PartialEq for Arrival<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Arrival<T> {}

impl<T> PartialOrd for Arrival<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Arrival<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// What is on its way.
#[derive(Debug)]
pub(crate) struct InFlight<T> {
    arrivals: BinaryHeap<Reverse<Arrival<T>>>,
    number: u64,
}

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self {
            arrivals: BinaryHeap::new(),
            number: 0,
        }
    }
}

impl<T> InFlight<T> {
    pub(crate) fn push(&mut self, at: Instant, what: T) {
        self.number += 1;
        let number = self.number;
        self.arrivals.push(Reverse(Arrival { at, number, what }));
    }

    /// When the next arrives.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.arrivals.peek().map(|Reverse(arrival)| arrival.at)
    }

    /// What is on its way, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.arrivals.iter().map(|Reverse(arrival)| &arrival.what)
    }

    /// Takes some of it away, the first first.
    pub(crate) fn take(&mut self, is_wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let arrivals = std::mem::take(&mut self.arrivals).into_sorted_vec();
        let (wanted, rest): (Vec<_>, Vec<_>) = arrivals
            .into_iter()
            .rev()
            .partition(|Reverse(arrival)| is_wanted(&arrival.what));
        self.arrivals = rest.into();
        wanted.into_iter().map(|Reverse(a)| a.what).collect()
    }

    /// What has arrived by then, the first first.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        self.arrivals.pop().map(|Reverse(arrival)| arrival.what)
    }
}

/// What becomes of a datagram on this way: when it arrives, and as what; nothing, or twice.
pub(crate) fn carry(
    now: Instant,
    access: &mut Access,
    direction: Direction,
    dice: &mut Dice,
    transmit: Transmit,
) -> impl Iterator<Item = (Instant, Transmit)> + use<> {
    let (path, free) = access.path(direction);
    let bytes = transmit.contents.len();
    let is_dropped = path.is_cut || bytes > path.mtu || dice.happens(path.loss);
    let departure = departure(now, &path, free, bytes).filter(|_| !is_dropped);
    let copies = match departure {
        None => 0,
        Some(_) if dice.happens(path.duplication) => 2,
        Some(_) => 1,
    };
    let mut arrivals = Vec::with_capacity(copies);
    for _ in 0..copies {
        let jitter = dice.below(path.jitter.as_micros() as u64 + 1);
        let at = departure.unwrap_or(now) + path.delay + Duration::from_micros(jitter);
        let mut transmit = transmit.clone();
        if dice.happens(path.corruption) && bytes > 0 {
            transmit.contents[dice.index(bytes)] ^= 1 << dice.below(8);
        }
        arrivals.push((at, transmit));
    }
    arrivals.into_iter()
}

/// When a datagram leaves the queue of its path; `None` if the queue is too long.
fn departure(
    now: Instant,
    path: &Path,
    free: &mut Option<Instant>,
    bytes: usize,
) -> Option<Instant> {
    let Some(rate) = path.bytes_per_s else {
        return Some(now);
    };
    let start = free.map_or(now, |free| free.max(now));
    if start - now > QUEUE_TIME_MAX {
        return None;
    }
    let end = start + Duration::from_secs(1) * bytes as u32 / rate.max(1);
    *free = Some(end);
    Some(end)
}

#[cfg(test)]
mod tests {
    use oneport_link::Route;

    use super::*;

    fn address() -> SocketAddr {
        ([198, 51, 100, 1], 50_000).into()
    }

    fn arrivals(path: Path, count: usize) -> Vec<(Duration, Vec<u8>)> {
        let now = Instant::now();
        let mut access = Access::new(address());
        access.up = path;
        let mut dice = Dice::new(1);
        let route = Route::udp(address(), address());
        let mut arrived = Vec::new();
        for number in 0..count {
            let contents = vec![number as u8; 100];
            let transmit = Transmit { route, contents };
            let carried = carry(now, &mut access, Direction::Up, &mut dice, transmit);
            arrived.extend(carried.map(|(at, transmit)| (at - now, transmit.contents)));
        }
        arrived
    }

    #[test]
    fn a_path_without_faults_brings_everything_as_it_was() {
        let arrived = arrivals(Path::default(), 100);
        assert_eq!(arrived.len(), 100);
        let delay = Duration::from_millis(5);
        let is_as_sent = |(number, (at, contents)): (usize, &(Duration, Vec<u8>))| {
            *at == delay && *contents == [number as u8; 100]
        };
        assert!(arrived.iter().enumerate().all(is_as_sent));
    }

    #[test]
    fn each_fault_happens_about_as_often_as_asked_for() {
        let half = 500;
        let lossy = arrivals(
            Path {
                loss: half,
                ..Path::default()
            },
            200,
        );
        assert!((70..130).contains(&lossy.len()), "{}", lossy.len());
        let doubled = arrivals(
            Path {
                duplication: half,
                ..Path::default()
            },
            200,
        );
        assert!((270..330).contains(&doubled.len()), "{}", doubled.len());
        let corrupt = arrivals(
            Path {
                corruption: half,
                ..Path::default()
            },
            200,
        );
        let is_whole =
            |(_, contents): &&(Duration, Vec<u8>)| contents.iter().all(|byte| *byte == contents[0]);
        let whole = corrupt.iter().filter(is_whole).count();
        assert!((70..130).contains(&whole), "{whole}");
        let late = arrivals(
            Path {
                jitter: Duration::from_millis(50),
                ..Path::default()
            },
            200,
        );
        assert!(!late.is_sorted_by_key(|(at, _)| *at));
        assert_eq!(
            arrivals(
                Path {
                    is_cut: true,
                    ..Path::default()
                },
                200
            ),
            []
        );
        assert_eq!(
            arrivals(
                Path {
                    mtu: 99,
                    ..Path::default()
                },
                200
            ),
            []
        );
    }

    #[test]
    fn a_slow_path_delays_and_then_drops() {
        let path = Path {
            bytes_per_s: Some(1000),
            ..Path::default()
        };
        // 100 bytes take 100 ms, and what would wait for longer than 500 ms is dropped.
        let arrived = arrivals(path, 20);
        let times: Vec<_> = arrived.iter().map(|(at, _)| at.as_millis()).collect();
        assert_eq!(times, [105, 205, 305, 405, 505, 605]);
    }
}
