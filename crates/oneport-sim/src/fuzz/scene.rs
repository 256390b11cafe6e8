//! A relay, two who talk to each other, and whatever a stranger does to disturb them.

use std::cell::Cell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::thread::LocalKey;
use std::time::Duration;

use oneport_core::hub::HubLimits;
use oneport_core::{Machine, RelayConfig, RoomName};

use crate::{Dice, World, relay_config};

/// The room in which the two are.
pub(super) const ROOM: &str = "lobby";

/// Beyond so many operations, a fuzzer's bytes say nothing new.
pub(super) const OPERATIONS_MAX: usize = 200;

/// How many inputs meet the same world, where it is kept. To make one and to empty it costs more than an input
/// does.
const INPUTS_PER_SCENE: usize = 256;

/// After how many inputs the two talk in a world that is kept.
const INPUTS_PER_TALK: usize = 4;

/// How much of an input is played.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    pub(super) operations_max: usize,
    /// By how much pauses are shorter than the input says.
    pub(super) pause_divisor: u32,
}

/// All of it, in a world of its own.
pub(super) const WHOLE: Measure = Measure {
    operations_max: OPERATIONS_MAX,
    pause_divisor: 1,
};

/// The beginning, in a world that is kept: the next input goes on there.
pub(super) const BEGINNING: Measure = Measure {
    operations_max: 8,
    pause_divisor: 8,
};

/// Until nothing is left of anybody: silence, grace, and the age of empty rooms.
const EMPTYING: Duration = Duration::from_secs(300);

/// How often the relay may want to be woken in a second. All that fuzzing has found is far below; a timer
/// that spins is due again after a millisecond.
const TIMEOUTS_PER_S_MAX: u64 = 300;

/// How many datagrams are remembered that were on the way.
const OVERHEARD_MAX: usize = 64;

/// The world, and in it ada and bob.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) config: RelayConfig,
    room: RoomName,
    ada: usize,
    bob: usize,
    said: usize,
    /// How many inputs have met it.
    inputs: usize,
    /// What strangers sent, the latest last: they may well send it again.
    pub(super) overheard: VecDeque<Vec<u8>>,
}

/// A world that earlier inputs of this thread have left, and the stranger in it.
pub(super) type Kept<S> = Cell<Option<(Scene, S)>>;

/// Lets a stranger disturb the two: in the world that is kept, or in a new one. They talk after a few
/// inputs, and nothing is left of a world that has met enough of them.
pub(super) fn play<S: Default>(
    kept: &'static LocalKey<Kept<S>>,
    disturb: impl FnOnce(&mut Scene, &mut S),
) {
    // Where this panics, the world is gone.
    let (mut scene, mut stranger) = kept.take().unwrap_or_else(|| (Scene::new(), S::default()));
    disturb(&mut scene, &mut stranger);
    scene.inputs += 1;
    if scene.inputs < INPUTS_PER_SCENE {
        if scene.inputs.is_multiple_of(INPUTS_PER_TALK) {
            scene.talk();
        }
        kept.set(Some((scene, stranger)));
    } else {
        scene.end();
    }
}

impl Scene {
    /// The two are in the room, and have talked.
    pub(super) fn new() -> Self {
        let defaults = relay_config();
        let config = RelayConfig {
            hub: HubLimits {
                empty_room_age_max: Duration::from_secs(60),
                ..defaults.hub
            },
            links_max: 16,
            handshakes_max: 8,
            ..defaults
        };
        let mut world = World::new(config.clone(), 1);
        let room: RoomName = ROOM.parse().expect("a name");
        let [ada, bob] = ["ada", "bob"].map(|name| world.add_to(&room, name));
        let mut scene = Self {
            world,
            config,
            room,
            ada,
            bob,
            said: 0,
            inputs: 0,
            overheard: VecDeque::new(),
        };
        scene.talk();
        scene
    }

    /// The addresses of ada and bob.
    pub(super) fn addresses(&self) -> [SocketAddr; 2] {
        [self.ada, self.bob].map(|member| self.world.member(member).access.outside)
    }

    /// Each says something and the other hears it, and nobody has lost anything.
    fn talk(&mut self) {
        for (from, to) in [(self.ada, self.bob), (self.bob, self.ada)] {
            self.said += 1;
            let text = format!("said-{}", self.said);
            let now = self.world.now();
            self.world.member_mut(from).say(now, &self.room, &text);
            self.world.run_until("the other hears it", |world| {
                world.member(to).texts().contains(&text)
            });
        }
        for member in [self.ada, self.bob] {
            let member = self.world.member_mut(member);
            assert!(member.lost().is_empty(), "{:?}", member.lost());
            // What was told is of no use any more.
            member.events.clear();
        }
        let stats = self.world.relay().stats();
        assert!(!stats.closed.contains_key("panicked"), "{stats:?}");
        assert!(stats.links <= self.config.links_max, "{stats:?}");
        assert!(stats.handshakes <= self.config.handshakes_max, "{stats:?}");
        assert!(stats.rooms <= self.config.hub.rooms_max, "{stats:?}");
        assert!(stats.ring_bytes <= self.config.hub.bytes_max(), "{stats:?}");
        assert!(stats.reserved_bytes <= self.config.bytes_max(), "{stats:?}");
    }

    /// Time goes by, and the relay sleeps for most of it.
    pub(super) fn run_for(&mut self, mut time: Duration) {
        while !time.is_zero() {
            let step = time.min(Duration::from_secs(1));
            let before = self.world.relay_timeouts;
            self.world.run_for(step);
            let timeouts = self.world.relay_timeouts - before;
            assert!(timeouts <= TIMEOUTS_PER_S_MAX, "{timeouts} in {step:?}");
            time -= step;
        }
    }

    /// Time goes by in small steps, so that each datagram of a stranger is seen on its way.
    pub(super) fn run_watchfully(&mut self, steps: u64) {
        // Less than a datagram takes.
        const STEP: Duration = Duration::from_millis(4);
        let members = self.addresses();
        for _ in 0..steps {
            self.world.run_for(STEP);
            let on_the_way = self.world.on_the_way();
            let strange = on_the_way.filter(|(source, _)| !members.contains(source));
            let new: Vec<_> = strange.map(|(_, bytes)| bytes.to_vec()).collect();
            self.overheard.extend(new);
            while self.overheard.len() > OVERHEARD_MAX {
                self.overheard.pop_front();
            }
        }
    }

    /// Whether the relay has a link beside those of ada and bob.
    pub(super) fn has_stranger(&self) -> bool {
        self.world.relay().stats().links > 2
    }

    /// A stranger ends its session at signaling, and makes place for the next one.
    pub(super) fn dismiss(&mut self, guest: usize) {
        let (now, session) = (self.world.now(), self.world.guest(guest).session);
        let relay = self.world.relay_mut();
        relay.disconnect(now, &self.room, session);
        self.world.guest_mut(guest).access.set_cut(true);
    }

    /// The two still talk; then everybody goes, and nothing is left.
    pub(super) fn end(mut self) {
        self.talk();
        let now = self.world.now();
        for member in [self.ada, self.bob] {
            self.world.member_mut(member).client.close(now);
        }
        for guest in 0..self.world.guests().len() {
            self.world.guest_mut(guest).access.set_cut(true);
        }
        self.run_for(EMPTYING);
        let relay = self.world.relay();
        let stats = relay.stats();
        assert!(relay.is_empty(), "{stats:?}");
        assert_eq!((stats.rooms, stats.ring_bytes), (0, 0), "{stats:?}");
        assert!(!stats.closed.contains_key("panicked"), "{stats:?}");
        assert_eq!(relay.poll_timeout(), None);
    }
}

/// The bytes, changed here and there as the dice say: bits, lengths, ends, or a piece of something else.
pub(super) fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=dice.below(4) {
        let at = dice.index(bytes.len().max(1));
        match dice.below(6) {
            0 => set(bytes, at, |byte, by| byte ^ by, dice),
            1 => set(bytes, at, |_, by| by, dice),
            2 => bytes.truncate(at),
            3 => bytes.extend(dice.bytes(8)),
            4 => {
                let inserted = dice.bytes(4);
                let at = at.min(bytes.len());
                bytes.splice(at..at, inserted);
            }
            _ => {
                let end = other.len().min(at + 1 + dice.index(64));
                let piece = other.get(at..end).unwrap_or_default();
                let place = at.min(bytes.len());
                let until = bytes.len().min(place + piece.len());
                bytes.splice(place..until, piece.iter().copied());
            }
        }
    }
}

fn set(bytes: &mut [u8], at: usize, change: fn(u8, u8) -> u8, dice: &mut Dice) {
    let by = dice.below(256) as u8;
    if let Some(byte) = bytes.get_mut(at) {
        *byte = change(*byte, by);
    }
}
