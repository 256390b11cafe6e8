//! Where operations are carried out: a world, its oracle, and who is on it.

mod acts;
mod guests;
mod house;
mod weather;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use oneport_client::{Event, Machine};
use oneport_core::{RelayConfig, RoomName};

use guests::Stranger;
use house::Doorkeeper;

use crate::{Dice, Operation, Oracle, Report, Sabotage, World};

/// After the network has healed: the longest wait between two attempts, a handshake that was lost on
/// the way, the grace time of ghosts that fill a room, and what waited under a rate.
const HEALING: Duration = Duration::from_secs(150);

/// After everybody has gone: silence, grace, and the age of empty rooms.
const EMPTYING: Duration = Duration::from_secs(300);

/// How long a relay may take that shuts down: so long clients are given what they are owed, and then a
/// second to go.
const SHUTDOWN_MAX: Duration = Duration::from_secs(3);

/// A world in which operations are carried out, and the oracle that watches it.
pub(crate) struct Stage {
    world: World,
    oracle: Oracle,
    config: RelayConfig,
    rooms: [RoomName; 3],
    /// The members whose program runs, and the rooms that they want to be in.
    alive: BTreeMap<usize, BTreeSet<RoomName>>,
    /// Those without a client.
    guests: Vec<Stranger>,
    /// When ways are mended.
    cuts: BTreeMap<usize, Instant>,
    /// For what an operation leaves open.
    dice: Dice,
    foreign: u64,
    sabotage: Option<Sabotage>,
    report: Report,
}

impl Stage {
    pub(crate) fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let config = house::config(&mut dice);
        let mut world = World::new(config.clone(), seed);
        world.relay_mut().set_gate(Box::new(Doorkeeper));
        world.is_relay_woken = sabotage != Some(Sabotage::NoWakeUp);
        Self {
            world,
            oracle: Oracle::new(config.clone()),
            config,
            rooms: ["lobby", "attic", "cellar"].map(|name| name.parse().expect("a name")),
            alive: BTreeMap::new(),
            guests: Vec::new(),
            cuts: BTreeMap::new(),
            dice,
            foreign: 0,
            sabotage,
            report: Report::default(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.world.now()
    }

    /// What was seen, when everything is over.
    pub(crate) fn report(mut self) -> Report {
        let [same, other] = self.oracle.repeated();
        self.report.count("id repeated in its session", same as u64);
        self.report
            .count("id repeated in another session", other as u64);
        Report {
            published: self.oracle.published() as u64,
            delivered: self.oracle.delivered(),
            datagrams: self.world.datagrams,
            ..self.report
        }
    }

    /// One of those alive, by any number.
    fn who(&self, number: u8) -> Option<usize> {
        let count = self.alive.len();
        let place = usize::from(number).checked_rem(count)?;
        self.alive.keys().nth(place).copied()
    }

    fn room(&self, number: u8) -> RoomName {
        self.rooms[usize::from(number) % self.rooms.len()].clone()
    }

    /// One of the rooms that a member wants to be in; any other if there is none.
    fn room_of(&self, index: usize, number: u8) -> RoomName {
        let rooms = self.alive.get(&index);
        let place = rooms.and_then(|rooms| usize::from(number).checked_rem(rooms.len()));
        let room = place.and_then(|place| rooms?.iter().nth(place));
        room.cloned().unwrap_or_else(|| self.room(number))
    }

    pub(crate) fn carry_out(&mut self, operation: Operation) {
        log::debug!("{operation:?}");
        match operation {
            Operation::Arrive { room, history } => self.arrive(room, history),
            Operation::Guest { room, is_framed } => self.welcome_guest(room, is_framed),
            Operation::GuestSays { who, what } => self.guest_says(who, what),
            Operation::Garbage { from, count } => self.garbage(from, count),
            Operation::Exceed { who, what } => self.exceed(who, what),
            Operation::Restart => self.restart(),
            Operation::HandOver => self.hand_over(),
            Operation::Advance { ms } => self.run_for(Duration::from_millis(ms.into())),
            of_member => self.carry_out_of_member(of_member),
        }
        self.listen();
    }

    /// The relay begins anew. Guests, who have nobody who notices, are gone.
    fn restart(&mut self) {
        self.listen();
        self.count_relay();
        self.world.restart_relay(Some(Box::new(Doorkeeper)));
        self.oracle.relay_restarts(self.world.now());
        self.dismiss_guests();
    }

    /// The relay is stopped, and another one goes on where it has stopped: nobody may notice more than a
    /// pause. Guests, who have no sessions, are gone.
    fn hand_over(&mut self) {
        self.listen();
        self.count_relay();
        let now = self.now();
        self.world.relay_mut().shut_down(now);
        self.run_for(SHUTDOWN_MAX);
        assert!(self.world.relay().is_finished(), "it ends in time");
        let state = self.world.relay().state().encode();
        let restored = self.world.restart_relay_with(&state, |config| config);
        let restored = restored.expect("what a relay has left");
        assert_eq!(
            (
                restored.rooms_dropped,
                restored.sessions_dropped,
                restored.stays_dropped
            ),
            (0, 0, 0)
        );
        self.world.relay_mut().set_gate(Box::new(Doorkeeper));
        self.report.count("relay: handed over", 1);
        self.dismiss_guests();
    }

    fn dismiss_guests(&mut self) {
        for stranger in std::mem::take(&mut self.guests) {
            self.world.guest_mut(stranger.guest).access.set_cut(true);
        }
    }

    /// What only the relay knows.
    fn count_relay(&mut self) {
        let stats = self.world.relay().stats();
        for (reason, count) in &stats.closed {
            self.report.count(format!("relay: closed {reason}"), *count);
        }
        for (code, count) in &stats.frames_refused {
            self.report.count(format!("relay: err {code}"), *count);
        }
        self.report
            .count("relay: lossy dropped", stats.lossy_dropped);
    }

    /// Time goes by, and ways that are cut are mended when it is time.
    fn run_for(&mut self, time: Duration) {
        let end = self.now() + time;
        loop {
            let next = self.cuts.iter().min_by_key(|(_, at)| **at);
            let next = next.map(|(index, at)| (*index, *at));
            let Some((index, at)) = next.filter(|(_, at)| *at <= end) else {
                break;
            };
            self.cuts.remove(&index);
            self.world.run_for(at.saturating_duration_since(self.now()));
            self.world.member_mut(index).access.set_cut(false);
        }
        self.world
            .run_for(end.saturating_duration_since(self.now()));
    }

    /// The oracle hears what members were told.
    fn listen(&mut self) {
        self.world.collect();
        for index in 0..self.world.members().len() {
            let told = std::mem::take(&mut self.world.member_mut(index).events);
            let Some(rooms) = self.alive.get_mut(&index) else {
                continue;
            };
            let (times, mut events): (Vec<_>, Vec<_>) = told.into_iter().unzip();
            if self
                .sabotage
                .is_some_and(|sabotage| sabotage.falsify(&mut events))
            {
                self.sabotage = None;
                self.report.is_falsified = true;
            }
            for (place, event) in events.iter().enumerate() {
                log::debug!("member {index} is told {event:?}");
                // A falsified list may be longer.
                let at = times[place.min(times.len() - 1)];
                self.oracle.hear(at, index, event);
                self.report.count_event(event);
                match event {
                    Event::Left(left) => drop(rooms.remove(&left.room)),
                    Event::NotJoined {
                        room,
                        is_retried: false,
                        ..
                    } => drop(rooms.remove(room)),
                    Event::Closed(_) => rooms.clear(),
                    _ => {}
                }
            }
            if events.iter().any(|event| matches!(event, Event::Closed(_))) {
                self.alive.remove(&index);
                self.oracle.dies(index);
            }
        }
    }

    /// Nothing exceeds what was configured.
    pub(crate) fn check_bounds(&self) {
        let stats = self.world.relay().stats();
        let RelayConfig {
            hub,
            links_max,
            sessions_max,
            ..
        } = &self.config;
        assert!(stats.links <= *links_max, "{stats:?}");
        assert!(stats.sessions <= *sessions_max, "{stats:?}");
        assert!(stats.rooms <= hub.rooms_max, "{stats:?}");
        assert!(stats.ring_bytes <= hub.bytes_max(), "{stats:?}");
    }

    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
        self.world.heal();
        for index in self.alive.keys() {
            let member = self.world.member_mut(*index);
            member.is_asleep = false;
            member.answers_to_lose = 0;
        }
        self.world.run_for(HEALING);
        self.listen();
    }

    /// What the oracle says. Once everything `is_settled`, everybody must be where he wants to be.
    pub(crate) fn judge(&mut self, is_settled: bool) -> Result<(), Vec<String>> {
        self.listen();
        let is_alive = |member: usize| self.alive.contains_key(&member);
        let mut faults = self.oracle.verdict(is_settled, &is_alive);
        let strangers = self.guests.iter();
        let guest = |stranger: &Stranger| self.world.guest(stranger.guest);
        faults.extend(strangers.filter_map(|s| s.judge(guest(s), is_settled)));
        if is_settled {
            for (index, rooms) in &self.alive {
                let client = &self.world.member(*index).client;
                if !client.is_live() || client.unacknowledged() > 0 {
                    faults.push(format!("member {index} is not well: {client:?}"));
                }
                let missing = rooms.iter().filter(|room| !self.oracle.is_in(*index, room));
                faults.extend(missing.map(|room| format!("member {index} is not in {room}")));
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// Everybody goes: some say so, some do not.
    pub(crate) fn empty(&mut self) {
        while let Some(index) = self.who(0) {
            match self.dice.happens(500) {
                true => self.quit(0),
                false => self.die(0),
            }
            debug_assert!(!self.alive.contains_key(&index));
        }
        self.dismiss_guests();
        self.count_relay();
        self.world.run_for(EMPTYING);
    }

    /// Nothing is left of anybody, and the relay waits for nothing.
    pub(crate) fn judge_empty(&self) -> Result<(), Vec<String>> {
        let stats = self.world.relay().stats();
        let mut faults = Vec::new();
        if !self.world.relay().is_empty() || stats.rooms > 0 || stats.ring_bytes > 0 {
            faults.push(format!("something is left: {stats:?}"));
        }
        if let Some((_, reason)) = self.world.relay().poll_timeout() {
            faults.push(format!("nobody is there, and the relay waits: {reason:?}"));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}
