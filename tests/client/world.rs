//! The relay and its native clients in virtual time, which jumps to whatever happens next.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use oneport_client::{Client, Config, Event, Lost, join};
use oneport_core::{
    Certificate, Grant, Input, LinkConfig, Machine, Relay, RelayConfig, RoomName, Route, Transmit,
};
use oneport_wire::frame::{Joined, Publish};
use oneport_wire::{MemberName, RequestId};

const LATENCY: Duration = Duration::from_millis(5);

/// More steps than any test needs: what does not end is a bug.
const STEPS_MAX: usize = 300_000;

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) relay: Relay,
    pub(crate) peers: Vec<Peer>,
    wire: VecDeque<(Instant, Transmit)>,
    /// Of so many datagrams one is lost.
    pub(crate) loses_one_in: Option<u64>,
    datagrams: u64,
}

/// A client, its owner, and what the owner was told.
pub(crate) struct Peer {
    pub(crate) client: Client,
    address: SocketAddr,
    pub(crate) events: Vec<(Instant, Event)>,
    /// An offer that is to be carried.
    pub(crate) offer: Option<String>,
    /// Nothing reaches it and nothing it sends arrives, and its signaling fails.
    pub(crate) is_cut: bool,
    /// So many offers reach the relay, but the answers do not come back.
    pub(crate) answers_to_lose: usize,
    /// It does not look at its events.
    pub(crate) is_asleep: bool,
}

pub(crate) fn relay_address() -> SocketAddr {
    ([192, 0, 2, 1], 3478).into()
}

pub(crate) fn relay_config() -> RelayConfig {
    RelayConfig::new(LinkConfig::new(
        Certificate::generate(),
        vec![relay_address()],
    ))
}

/// The room of the URL, which means nothing to a client of rooms.
pub(crate) fn home() -> RoomName {
    "home".parse().expect("a name")
}

pub(crate) fn lobby() -> RoomName {
    "lobby".parse().expect("a name")
}

impl World {
    pub(crate) fn new(config: RelayConfig) -> Self {
        let now = Instant::now();
        Self {
            now,
            relay: Relay::new(now, config, [7; 32]),
            peers: Vec::new(),
            wire: VecDeque::new(),
            loses_one_in: None,
            datagrams: 0,
        }
    }

    /// A client that has made its offer.
    pub(crate) fn add_with(&mut self, change: impl Fn(Config) -> Config) -> usize {
        let host = u8::try_from(self.peers.len() + 1).expect("few");
        let address = SocketAddr::from(([198, 51, 100, host], 50_000));
        let link = LinkConfig::new(Certificate::generate(), vec![address]);
        let (client, offer) = Client::new(self.now, change(Config::new(link)), [host; 32]);
        self.peers.push(Peer {
            client,
            address,
            events: Vec::new(),
            offer: Some(offer),
            is_cut: false,
            answers_to_lose: 0,
            is_asleep: false,
        });
        self.peers.len() - 1
    }

    pub(crate) fn add(&mut self) -> usize {
        self.add_with(|config| config)
    }

    /// A member of the lobby.
    pub(crate) fn member(&mut self, name: &str) -> usize {
        let peer = self.add();
        self.join(peer, name, 0);
        self.run_until("it is a member", |world| world.peers[peer].joined() == 1);
        peer
    }

    pub(crate) fn join(&mut self, peer: usize, name: &str, history: u32) {
        let name: MemberName = name.parse().expect("a name");
        let mut join = join(lobby());
        (join.name, join.history) = (Some(name), history);
        let joined = self.peers[peer].client.join(self.now, join);
        joined.expect("not yet");
    }

    /// Publishes in the lobby, under the text as id.
    pub(crate) fn say(&mut self, peer: usize, text: &str) {
        let id: RequestId = text.parse().expect("an id");
        let publish = Publish::new(lobby(), text);
        let published = self.peers[peer].client.publish(self.now, Some(id), publish);
        published.expect("there is room for it");
    }

    /// Jumps to whatever happens next, but not beyond the limit.
    fn step(&mut self, limit: Option<Instant>) {
        self.collect();
        let clients = self.peers.iter().map(|peer| peer.client.poll_timeout());
        let timers = clients.chain([self.relay.poll_timeout()]).flatten();
        let arrivals = self.wire.front().map(|(at, _)| *at);
        let times = timers.map(|(at, _)| at).chain(arrivals).chain(limit);
        self.now = times.min().expect("something will happen");
        while self.wire.front().is_some_and(|(at, _)| *at <= self.now) {
            if let Some((_, transmit)) = self.wire.pop_front() {
                self.deliver(&transmit);
            }
        }
        self.relay.handle_input(self.now, Input::Timeout);
        for peer in &mut self.peers {
            peer.client.handle_input(self.now, Input::Timeout);
        }
        self.collect();
    }

    fn collect(&mut self) {
        self.signal();
        let arrival = self.now + LATENCY;
        while let Some(transmit) = self.relay.poll_transmit() {
            self.wire.push_back((arrival, transmit));
        }
        for peer in &mut self.peers {
            while let Some(transmit) = peer.client.poll_transmit() {
                if !peer.is_cut {
                    self.wire.push_back((arrival, transmit));
                }
            }
            if let Some((at, reason)) = peer.client.poll_timeout() {
                assert!(at > self.now, "{reason:?} is due, but nothing was done");
            }
        }
    }

    /// Owners take events and carry offers.
    fn signal(&mut self) {
        for peer in &mut self.peers {
            while !peer.is_asleep
                && let Some(event) = peer.client.poll_event()
            {
                if event == Event::OfferWanted {
                    peer.offer = peer.client.reconnect(self.now).ok();
                }
                peer.events.push((self.now, event));
            }
            let Some(offer) = peer.offer.take() else {
                continue;
            };
            if peer.is_cut {
                peer.client.abandon_offer(self.now, None);
                continue;
            }
            let ip = peer.address.ip();
            let connected = self
                .relay
                .connect(self.now, &home(), &offer, ip, Grant::default());
            if peer.answers_to_lose > 0 {
                peer.answers_to_lose -= 1;
                continue;
            }
            match connected {
                Ok(connected) => {
                    let accepted = peer.client.accept_answer(self.now, &connected.answer);
                    accepted.expect("an answer to the offer");
                }
                Err(_) => peer.client.abandon_offer(self.now, None),
            }
        }
    }

    fn deliver(&mut self, transmit: &Transmit) {
        self.datagrams += 1;
        // A multiplier, so that the losses do not keep step with anything.
        let is_lost = |one_in: u64| (self.datagrams * 7919 / 13).is_multiple_of(one_in);
        if self.loses_one_in.is_some_and(is_lost) {
            return;
        }
        let route = Route {
            local: transmit.route.peer,
            peer: transmit.route.local,
        };
        let bytes = &transmit.contents[..];
        let input = Input::Datagram { route, bytes };
        if route.local == relay_address() {
            return self.relay.handle_input(self.now, input);
        }
        let is_receiver = |peer: &&mut Peer| peer.address == route.local && !peer.is_cut;
        if let Some(peer) = self.peers.iter_mut().find(is_receiver) {
            peer.client.handle_input(self.now, input);
        }
    }

    pub(crate) fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..STEPS_MAX {
            self.collect();
            if done(self) {
                return;
            }
            self.step(None);
        }
        let events: Vec<_> = self.peers.iter().map(|peer| &peer.events).collect();
        panic!("never: {what}\n{events:#?}");
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step(Some(end));
        }
    }
}

impl Peer {
    fn told<'a, T>(&'a self, pick: impl Fn(&'a Event) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(|(_, e)| pick(e)).collect()
    }

    /// The texts of messages, and whether each was history.
    pub(crate) fn heard(&self) -> Vec<(String, bool)> {
        self.told(|event| match event {
            Event::Message {
                message,
                is_history,
            } => {
                let text = String::from_utf8_lossy(message.payload.as_bytes());
                Some((text.into_owned(), *is_history))
            }
            _ => None,
        })
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.heard().into_iter().map(|(text, _)| text).collect()
    }

    pub(crate) fn acknowledged(&self) -> Vec<&str> {
        self.told(|event| match event {
            Event::Ack(ack) => Some(ack.id.as_str()),
            _ => None,
        })
    }

    pub(crate) fn unanswered(&self) -> Vec<&str> {
        self.told(|event| match event {
            Event::Unanswered { id: Some(id), .. } => Some(id.as_str()),
            _ => None,
        })
    }

    pub(crate) fn joins(&self) -> Vec<&Joined> {
        self.told(|event| match event {
            Event::Joined(joined) => Some(joined),
            _ => None,
        })
    }

    pub(crate) fn joined(&self) -> usize {
        self.joins().len()
    }

    pub(crate) fn lost(&self) -> Vec<&Lost> {
        self.told(|event| match event {
            Event::Disconnected { why, .. } => Some(why),
            _ => None,
        })
    }

    /// When something like this was told.
    pub(crate) fn times(&self, is_like: impl Fn(&Event) -> bool) -> Vec<Instant> {
        let told = self.events.iter().filter(|(_, event)| is_like(event));
        told.map(|(at, _)| *at).collect()
    }
}
