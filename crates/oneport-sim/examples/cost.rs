//! What the relay does for a message, for a connection and for an idle link, so that `callgrind` can
//! count its instructions: `tests/cost` runs this, and knows the two marks around each phase. It needs
//! nothing but the world, so it can be built with optimization in little time.
//!
//! Each phase prints a line: its name, what one unit of it is, how many units there were, and how many
//! datagrams the relay took and sent.
//!
//! ```sh
//! cargo run --profile cost -p oneport-sim --example cost
//! ```

use std::hint::black_box;
use std::time::Duration;

use oneport_client::Publish;
use oneport_core::RelayConfig;
use oneport_link::{ChannelConfig, Kind, Write};
use oneport_sim::{Access, World, relay_config};

/// Members of the room in which somebody speaks.
const MEMBERS: usize = 10;

/// What a datagram takes to the relay or back, and the time between two messages: each has reached
/// all before the next one is said. Both are short, so that hardly any timer of an idle link falls
/// into a phase that is about messages.
const DELAY: Duration = Duration::from_micros(200);
const PAUSE: Duration = Duration::from_millis(2);

/// So much is said before anything is counted: then SCTP's windows are open, and what grows has grown.
const WARM_UP: usize = 20;

const SMALL_BYTES: usize = 100;
const LARGE_BYTES: usize = 4000;
const MESSAGES: usize = 200;

/// Datagrams that reach the relay before it is asked what it sends, each with a message.
const BATCH_MESSAGES: usize = 20;
const BATCHES: usize = 20;

const CONNECTS: usize = 20;

const IDLE_LINKS: usize = 1000;
const IDLE_PER_ROOM: usize = 10;
const IDLE_TIME: Duration = Duration::from_secs(10);

fn main() {
    let mut room = Room::plain(world(1));
    room.count("message-plain-10", MESSAGES, Room::say_small);
    room.count("message-plain-10-batched", BATCHES, Room::say_at_once);
    room.count("message-4000", MESSAGES, Room::say_large);

    let mut room = Room::framed(world(2));
    room.count("message-framed-10", MESSAGES, Room::say_framed);

    let mut world = world(3);
    // The first one makes what the others share.
    connect(&mut world, "lobby");
    let connect_all = |world: &mut World| (0..CONNECTS).for_each(|_| connect(world, "lobby"));
    count("connect", "connect", CONNECTS, &mut world, connect_all);

    let first_idle = world.guests().len();
    for number in 0..IDLE_LINKS {
        connect(&mut world, &format!("idle{}", number / IDLE_PER_ROOM));
    }
    world.run_for(IDLE_TIME);
    let link_seconds = world.guests().len() * IDLE_TIME.as_secs() as usize;
    let idle = |world: &mut World| world.run_for(IDLE_TIME);
    count("idle", "link and second", link_seconds, &mut world, idle);

    let mut room = Room::plain(world);
    // Nothing comes from them while others speak: what they cost then is that they are there.
    for idle in first_idle..first_idle + IDLE_LINKS {
        room.world.guest_mut(idle).access.set_cut(true);
    }
    room.count("message-with-idle", MESSAGES, Room::say_small);
}

fn world(seed: u64) -> World {
    let config = RelayConfig {
        links_max: 2 * IDLE_LINKS,
        ..relay_config()
    };
    World::new(config, seed)
}

fn connect(world: &mut World, room: &str) {
    world.add_guest(room, ChannelConfig::new("chat"));
}

/// A room in which somebody speaks, and the world around it.
struct Room {
    world: World,
    members: Vec<usize>,
}

impl Room {
    fn plain(mut world: World) -> Self {
        let mut join = |_| {
            let guest = world.add_guest("room", ChannelConfig::new("chat"));
            shorten(&mut world.guest_mut(guest).access);
            guest
        };
        let members = (0..MEMBERS).map(&mut join).collect();
        Self { world, members }
    }

    fn framed(mut world: World) -> Self {
        let room = "room".parse().expect("a name");
        let mut join = |number| {
            let member = world.add_to(&room, &format!("member{number}"));
            shorten(&mut world.member_mut(member).access);
            member
        };
        let members = (0..MEMBERS).map(&mut join).collect();
        Self { world, members }
    }

    /// Counts so many repetitions; a unit is a delivery.
    fn count(&mut self, name: &str, times: usize, act: fn(&mut Self)) {
        (0..WARM_UP).for_each(|_| act(self));
        let delivered = self.world.relay().stats().hub.delivered;
        let begin = Datagrams::of(&self.world);
        phase_begins();
        (0..times).for_each(|_| act(self));
        phase_ends();
        let deliveries = self.world.relay().stats().hub.delivered - delivered;
        begin.report(name, "delivery", deliveries as usize, &self.world);
    }

    fn say_small(&mut self) {
        self.write(self.members[0], SMALL_BYTES);
        self.world.run_for(PAUSE);
    }

    fn say_large(&mut self) {
        self.write(self.members[0], LARGE_BYTES);
        self.world.run_for(PAUSE);
    }

    fn say_at_once(&mut self) {
        for number in 0..BATCH_MESSAGES {
            self.write(self.members[number % MEMBERS], SMALL_BYTES);
        }
        self.world.run_for(PAUSE);
    }

    fn write(&mut self, guest: usize, bytes: usize) {
        let now = self.world.now();
        let payload = vec![b'x'; bytes];
        let written = self.world.guest_mut(guest).send(now, Kind::Text, &payload);
        assert_eq!(written, Write::Accepted);
    }

    /// With an id, so it is acknowledged.
    fn say_framed(&mut self) {
        let now = self.world.now();
        let number = self.world.relay().stats().hub.published;
        let id = format!("m-{number:05}").parse().expect("an id");
        let text = "x".repeat(SMALL_BYTES);
        let publish = Publish::new("room".parse().expect("a name"), text.as_str());
        let member = self.world.member_mut(self.members[0]);
        let published = member.publish(now, Some(id), publish);
        published.expect("there is room for it");
        self.world.run_for(PAUSE);
    }
}

fn shorten(access: &mut Access) {
    (access.up.delay, access.down.delay) = (DELAY, DELAY);
}

fn count(name: &str, unit: &str, units: usize, world: &mut World, act: impl Fn(&mut World)) {
    let begin = Datagrams::of(world);
    phase_begins();
    act(world);
    phase_ends();
    begin.report(name, unit, units, world);
}

/// How many datagrams the relay has taken and sent.
struct Datagrams {
    taken: u64,
    sent: u64,
}

impl Datagrams {
    fn of(world: &World) -> Self {
        Self {
            taken: world.relay().stats().datagrams,
            sent: world.datagrams_from_relay,
        }
    }

    /// What has become of it since.
    fn report(&self, name: &str, unit: &str, units: usize, world: &World) {
        let end = Self::of(world);
        let (taken, sent) = (end.taken - self.taken, end.sent - self.sent);
        println!("{name}\t{unit}\t{units}\t{taken}\t{sent}");
    }
}

/// What is counted begins. The marks do something different each, else they would be one function.
#[inline(never)]
fn phase_begins() {
    black_box("begins");
}

/// What is counted ends.
#[inline(never)]
fn phase_ends() {
    black_box("ends");
}
