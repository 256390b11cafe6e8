//! A relay and its clients in virtual time.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use oneport_client::{Certificate, Config};
use oneport_core::{
    Connected, Gate, Grant, Input, LinkConfig, Machine, Refusal, Relay, RelayConfig, Restored,
    RoomName, Route, State, StateError, parse_offer,
};
use oneport_link::ChannelConfig;

use crate::network::InFlight;
use crate::timers::Timers;
use crate::traffic::Parcel;
use crate::{Dice, Guest, Member};

/// More than [`World::run_until`] waits for anything: what fails shall fail soon.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// sctp-proto reads the real clock once in an association: virtual time must be ahead of it.
const AHEAD: Duration = Duration::from_hours(24);

/// The relay, its clients and the network between them. Time is virtual: it jumps to whatever
/// happens next, so an hour in which little happens takes moments, and no timer is ever late.
pub struct World {
    began: Instant,
    pub(crate) now: Instant,
    pub(crate) relay: Relay,
    config: RelayConfig,
    pub(crate) members: Vec<Member>,
    pub(crate) guests: Vec<Guest>,
    pub(crate) in_flight: InFlight<Parcel>,
    pub(crate) timers: Timers,
    /// Those to whom something was done since they were last asked what they want.
    pub(crate) touched: BTreeSet<Node>,
    /// The weather. What is done in the world has dice of its own, so that either can be varied.
    pub(crate) dice: Dice,
    certificate: Certificate,
    /// What clients send to this address reaches the relay at its own, and the other way round.
    pub announced: Option<SocketAddr>,
    /// What signaling grants to those who come.
    pub grant: Grant,
    /// Whether the relay gets the timeouts that it asks for: a test of the tests takes them away.
    pub is_relay_woken: bool,
    /// How many datagrams the relay has sent.
    pub datagrams_from_relay: u64,
    /// How many datagrams were on the way, in both directions.
    pub datagrams: u64,
    /// How often the relay was told that its time has come.
    pub relay_timeouts: u64,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Relay,
    Member(usize),
    Guest(usize),
}

/// Where the relay is.
pub fn relay_address() -> SocketAddr {
    ([192, 0, 2, 1], 3478).into()
}

/// The relay's defaults, at [`relay_address`].
pub fn relay_config() -> RelayConfig {
    RelayConfig::new(LinkConfig::new(
        Certificate::generate(),
        vec![relay_address()],
    ))
}

/// The room of members' signaling URL, which means nothing to a client of rooms.
pub fn home() -> RoomName {
    "home".parse().expect("a name")
}

/// The address of the member or guest with this number: one of the network that RFC 2544 has for
/// measurements.
fn client_address(number: usize) -> SocketAddr {
    let host = u32::from(Ipv4Addr::new(198, 18, 0, 1)) + number as u32;
    SocketAddr::new(IpAddr::V4(host.into()), 50_000)
}

impl World {
    /// A relay and nobody else. The seed is for the weather and for all secrets.
    pub fn new(config: RelayConfig, seed: u64) -> Self {
        let now = Instant::now() + AHEAD;
        let mut dice = Dice::new(seed);
        let relay = Relay::new(now, config.clone(), dice.seed());
        Self {
            began: now,
            now,
            relay,
            config,
            members: Vec::new(),
            guests: Vec::new(),
            in_flight: InFlight::default(),
            timers: Timers::default(),
            touched: BTreeSet::new(),
            dice,
            certificate: Certificate::generate(),
            announced: None,
            grant: Grant::default(),
            is_relay_woken: true,
            datagrams_from_relay: 0,
            datagrams: 0,
            relay_timeouts: 0,
        }
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The relay.
    pub fn relay(&self) -> &Relay {
        &self.relay
    }

    /// The relay, to do something with it.
    pub fn relay_mut(&mut self) -> &mut Relay {
        self.touched.insert(Node::Relay);
        &mut self.relay
    }

    /// The relay is killed, and another one takes its place. It knows nothing of the first.
    pub fn restart_relay(&mut self, gate: Option<Box<dyn Gate>>) {
        let config = RelayConfig {
            unix_time: self.config.unix_time + Duration::from_secs(1),
            ..self.config.clone()
        };
        self.relay = Relay::new(self.now, config, self.dice.seed());
        if let Some(gate) = gate {
            self.relay.set_gate(gate);
        }
        self.touched.insert(Node::Relay);
    }

    /// Another relay takes the place of this one, and goes on with the state that it left, as bytes.
    /// Where that is none, everything stays as it is.
    ///
    /// # Errors
    ///
    /// As [`Relay::restore`].
    pub fn restart_relay_with(
        &mut self,
        state: &[u8],
        change: impl FnOnce(RelayConfig) -> RelayConfig,
    ) -> Result<Restored, StateError> {
        let state = State::decode(state)?;
        let config = change(RelayConfig {
            unix_time: self.config.unix_time + (self.now - self.began),
            ..self.config.clone()
        });
        let seed = self.dice.seed();
        let (relay, restored) = Relay::restore(self.now, config, seed, state)?;
        self.relay = relay;
        self.touched.insert(Node::Relay);
        Ok(restored)
    }

    /// All members that there have been, those that are dead included.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// One of the members.
    pub fn member(&self, index: usize) -> &Member {
        &self.members[index]
    }

    /// One of the members, to do something with it.
    pub fn member_mut(&mut self, index: usize) -> &mut Member {
        self.touched.insert(Node::Member(index));
        &mut self.members[index]
    }

    /// All guests that there have been.
    pub fn guests(&self) -> &[Guest] {
        &self.guests
    }

    /// One of the guests.
    pub fn guest(&self, index: usize) -> &Guest {
        &self.guests[index]
    }

    /// One of the guests, to do something with it.
    pub fn guest_mut(&mut self, index: usize) -> &mut Guest {
        self.touched.insert(Node::Guest(index));
        &mut self.guests[index]
    }

    /// Ends the network's faults.
    pub fn heal(&mut self) {
        let members = self.members.iter_mut().map(|member| &mut member.access);
        let guests = self.guests.iter_mut().map(|guest| &mut guest.access);
        for access in members.chain(guests) {
            access.up = crate::Path::default();
            access.down = crate::Path::default();
        }
    }

    /// A member of no room yet, with an address of its own.
    pub fn add(&mut self) -> usize {
        self.add_with(|config| config)
    }

    /// [`Self::add`] with another configuration than the default.
    pub fn add_with(&mut self, change: impl FnOnce(Config) -> Config) -> usize {
        let index = self.members.len();
        let address = client_address(index);
        let certificate = self.certificate.clone();
        let seed = self.dice.seed();
        let member = Member::new(self.now, address, certificate, seed, change);
        self.members.push(member);
        self.touched.insert(Node::Member(index));
        index
    }

    /// A member of this room.
    pub fn add_to(&mut self, room: &RoomName, name: &str) -> usize {
        let member = self.add();
        let now = self.now;
        self.member_mut(member).join(now, room, name, 0);
        self.run_until("it is a member", |world| {
            world.member(member).joins().len() == 1
        });
        member
    }

    /// A guest that has signaled, and not yet sent a datagram.
    ///
    /// # Errors
    ///
    /// The relay's refusal.
    ///
    /// # Panics
    ///
    /// As [`Self::offer_from`].
    pub fn offer(&mut self, room: &str, channels: Vec<ChannelConfig>) -> Result<usize, Refusal> {
        self.offer_with(room, channels, str::to_string)
    }

    /// [`Self::offer`], changed on the way.
    pub(crate) fn offer_with(
        &mut self,
        room: &str,
        channels: Vec<ChannelConfig>,
        edit: impl Fn(&str) -> String,
    ) -> Result<usize, Refusal> {
        // Other addresses than those of members.
        let address = client_address(60_000 + self.guests.len());
        self.offer_from(address, room, channels, edit)
    }

    /// [`Self::offer`] from an address that somebody may have had before, and changed on the way.
    ///
    /// # Errors
    ///
    /// The relay's refusal.
    ///
    /// # Panics
    ///
    /// Where the room's name is none, or the relay's answer.
    pub fn offer_from(
        &mut self,
        address: SocketAddr,
        room: &str,
        channels: Vec<ChannelConfig>,
        edit: impl Fn(&str) -> String,
    ) -> Result<usize, Refusal> {
        let index = self.guests.len();
        let name = format!("guest{index}");
        let certificate = self.certificate.clone();
        let (mut link, offer) = Guest::offer(self.now, address, certificate, &name, channels);
        let room: RoomName = room.parse().expect("a name");
        let grant = self.grant.clone();
        let (now, offer) = (self.now, edit(&offer));
        let relay = self.relay_mut();
        let offer = parse_offer(&offer)?;
        let connected = relay.connect(now, &room, &offer, address.ip(), grant)?;
        let accepted = link.accept_answer(now, &connected.answer);
        accepted.expect("an answer to the offer");
        let Connected {
            session, answer, ..
        } = connected;
        self.guests.push(Guest::new(link, address, session, answer));
        self.touched.insert(Node::Guest(index));
        Ok(index)
    }

    /// A guest with a channel that is open.
    ///
    /// # Panics
    ///
    /// Where the relay does not let it in.
    pub fn add_guest(&mut self, room: &str, channel: ChannelConfig) -> usize {
        let offered = self.offer(room, vec![channel]);
        let guest = offered.expect("taken in");
        self.run_until("its channel opens", |world| {
            !world.guest(guest).channels.is_empty()
        });
        guest
    }

    /// A datagram from anywhere reaches the relay at once.
    pub fn datagram(&mut self, peer: SocketAddr, bytes: &[u8]) {
        let local = relay_address();
        let route = Route::udp(local, peer);
        let now = self.now;
        let input = Input::Datagram { route, bytes };
        self.relay_mut().handle_input(now, input);
    }

    /// Lets time go on until this is so.
    ///
    /// # Panics
    ///
    /// Where it does not come about.
    pub fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = self.now + WAIT_MAX;
        loop {
            self.collect();
            if done(self) {
                return;
            }
            if self.now >= end {
                break;
            }
            self.step(end);
        }
        let events: Vec<_> = self.members.iter().map(|member| &member.events).collect();
        panic!("not in {WAIT_MAX:?}: {what}\n{events:#?}");
    }

    /// Lets so much time go by.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step(end);
        }
    }

    /// Jumps to whatever happens next, but not beyond the limit.
    fn step(&mut self, limit: Instant) {
        self.collect();
        let next = [self.timers.next(), self.in_flight.next()];
        let next = next.into_iter().flatten().fold(limit, Instant::min);
        self.now = next.max(self.now);
        while let Some(parcel) = self.in_flight.pop(self.now) {
            self.deliver(parcel);
        }
        while let Some(node) = self.timers.pop(self.now) {
            self.relay_timeouts += u64::from(node == Node::Relay);
            self.handle_input(node, Input::Timeout);
        }
        self.collect();
    }

    pub(crate) fn handle_input(&mut self, node: Node, input: Input<'_>) {
        self.touched.insert(node);
        match node {
            Node::Relay => self.relay.handle_input(self.now, input),
            Node::Member(index) => self.members[index].client.handle_input(self.now, input),
            Node::Guest(index) => self.guests[index].handle_input(self.now, input),
        }
    }
}
