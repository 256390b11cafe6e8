//! Two engines and the network between them, in virtual time: it jumps to whatever happens next.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::engines::{Engine, engine};

/// What the network does to packets, in each direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    pub(crate) loss: f64,
    pub(crate) duplication: f64,
    pub(crate) corruption: f64,
    /// One way.
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    /// Jitter changes the order.
    pub(crate) reorders: bool,
}

impl Faults {
    pub(crate) const fn none(delay_ms: u64) -> Self {
        Self {
            loss: 0.0,
            duplication: 0.0,
            corruption: 0.0,
            delay: Duration::from_millis(delay_ms),
            jitter: Duration::ZERO,
            reorders: false,
        }
    }
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) ends: [Box<dyn Engine>; 2],
    pub(crate) faults: Faults,
    pub(crate) random: fastrand::Rng,
    /// By arrival; the number keeps them apart.
    under_way: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
    latest: [Option<Instant>; 2],
}

impl World {
    pub(crate) fn new(names: [&str; 2], seed: u64) -> Self {
        // A day ahead: sctp-proto asks the real clock in places.
        let now = Instant::now() + Duration::from_secs(86_400);
        let ends = [
            engine(names[0], now, true, seed),
            engine(names[1], now, false, seed),
        ];
        Self::with(now, ends, seed)
    }

    pub(crate) fn with(now: Instant, ends: [Box<dyn Engine>; 2], seed: u64) -> Self {
        fastrand::seed(seed);
        Self {
            now,
            ends,
            faults: Faults::none(20),
            random: fastrand::Rng::with_seed(seed),
            under_way: BTreeMap::new(),
            sent: 0,
            latest: [None; 2],
        }
    }

    /// Both ends are established afterwards.
    pub(crate) fn connect(&mut self) {
        let now = self.now;
        self.ends[0].connect(now);
        self.run(Duration::from_secs(30), |world| {
            world.ends.iter().all(|end| end.is_established())
        });
        assert!(self.ends.iter().all(|end| end.is_established()));
    }

    fn collect(&mut self) {
        for from in 0..2 {
            for packet in self.ends[from].packets(self.now) {
                self.transmit(1 - from, packet);
            }
        }
    }

    fn transmit(&mut self, to: usize, mut packet: Vec<u8>) {
        let faults = self.faults;
        self.sent += 1;
        if self.random.f64() < faults.loss {
            return;
        }
        if self.random.f64() < faults.corruption {
            let bit = self.random.usize(..packet.len() * 8);
            packet[bit / 8] ^= 1 << (bit % 8);
        }
        let copies = 1 + usize::from(self.random.f64() < faults.duplication);
        for copy in 0..copies {
            let mut at = self.now + faults.delay + faults.jitter.mul_f64(self.random.f64());
            if !faults.reorders {
                at = self.latest[to].map_or(at, |latest| latest.max(at));
                self.latest[to] = Some(at);
            }
            let key = (at, 2 * self.sent + copy as u64);
            self.under_way.insert(key, (to, packet.clone()));
        }
    }

    /// Lets time pass until `is_done`, or until nothing happens any more, for at most `limit`. Returns
    /// whether it is done.
    pub(crate) fn run(
        &mut self,
        limit: Duration,
        mut is_done: impl FnMut(&mut Self) -> bool,
    ) -> bool {
        let end = self.now + limit;
        loop {
            self.collect();
            if is_done(self) {
                return true;
            }
            self.collect();
            let Some(next) = self.next().filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            self.now = next;
            self.step();
        }
    }

    /// Lets time pass until `until`.
    pub(crate) fn run_until(&mut self, until: Instant, mut each: impl FnMut(&mut Self)) {
        let limit = until.saturating_duration_since(self.now);
        self.run(limit, |world| {
            each(world);
            false
        });
    }

    fn next(&mut self) -> Option<Instant> {
        let packet = self.under_way.keys().next().map(|(at, _)| *at);
        let now = self.now;
        let timers = self.ends.iter_mut().filter_map(|end| end.next_timeout());
        let timers = timers.map(|at| at.max(now)).min();
        [packet, timers].into_iter().flatten().min()
    }

    fn step(&mut self) {
        while let Some(entry) = self.under_way.first_entry()
            && entry.key().0 <= self.now
        {
            let (to, packet) = entry.remove();
            self.ends[to].handle_packet(self.now, &packet);
        }
        for end in &mut self.ends {
            if end.next_timeout().is_some_and(|at| at <= self.now) {
                end.handle_timeout(self.now);
            }
        }
    }

    pub(crate) fn packets_sent(&self) -> u64 {
        self.sent
    }
}
