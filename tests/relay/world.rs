//! A relay and its clients in virtual time, joined by a wire that loses nothing unless it is told to.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use oneport_core::{
    Certificate, Grant, Input, LinkConfig, Machine, Refusal, Relay, RelayConfig, RoomName, Route,
    SessionId, Transmit,
};
use oneport_link::{
    ChannelConfig, ChannelId, CloseReason, Credentials, Kind, Link, LinkEvent, Write,
};

const LATENCY: Duration = Duration::from_millis(5);

/// More steps than any test needs: what does not end is a bug.
const STEPS_MAX: usize = 300_000;

/// More than any test waits for something: what fails shall fail soon.
const WAIT_MAX: Duration = Duration::from_secs(120);

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) relay: Relay,
    pub(crate) clients: Vec<Client>,
    wire: VecDeque<(Instant, Transmit)>,
    certificate: Certificate,
    pub(crate) datagrams_from_relay: usize,
    /// What clients send to this address reaches the relay at its own, and the other way round.
    pub(crate) announced: Option<SocketAddr>,
    /// What signaling grants to those who come.
    pub(crate) grant: Grant,
}

pub(crate) struct Client {
    pub(crate) link: Link,
    pub(crate) address: SocketAddr,
    pub(crate) session: SessionId,
    pub(crate) answer: String,
    pub(crate) channels: Vec<(ChannelId, String)>,
    /// Label, kind, payload.
    pub(crate) messages: Vec<(String, Kind, Vec<u8>)>,
    /// The last connectivity check that it sent.
    pub(crate) check: Vec<u8>,
    pub(crate) channels_closed: usize,
    pub(crate) closed: Option<CloseReason>,
    /// Whether it answers pings, as a page that is alive does.
    pub(crate) answers_pings: bool,
    /// Nothing reaches it and nothing it sends arrives.
    pub(crate) is_cut: bool,
}

pub(crate) fn address() -> SocketAddr {
    ([192, 0, 2, 1], 3478).into()
}

pub(crate) fn config() -> RelayConfig {
    RelayConfig::new(LinkConfig::new(Certificate::generate(), vec![address()]))
}

impl World {
    pub(crate) fn new(config: RelayConfig) -> Self {
        let now = Instant::now();
        Self {
            now,
            relay: Relay::new(now, config, [7; 32]),
            clients: Vec::new(),
            wire: VecDeque::new(),
            certificate: Certificate::generate(),
            datagrams_from_relay: 0,
            announced: None,
            grant: Grant::default(),
        }
    }

    /// A client that has signaled, and not yet sent a datagram.
    pub(crate) fn offer(
        &mut self,
        room: &str,
        channels: Vec<ChannelConfig>,
    ) -> Result<usize, Refusal> {
        let host = u8::try_from(self.clients.len() % 250 + 1).expect("few");
        let address = SocketAddr::new(IpAddr::from([198, 51, 100, host]), 50_000);
        self.offer_from(address, room, channels)
    }

    /// A client with a chat channel whose offer is changed on the way.
    pub(crate) fn offer_with(
        &mut self,
        room: &str,
        edit: impl Fn(&str) -> String,
    ) -> Result<usize, Refusal> {
        let address = SocketAddr::new(IpAddr::from([198, 51, 100, 251]), 50_000);
        self.offer_edited(address, room, vec![ChannelConfig::new("chat")], edit)
    }

    pub(crate) fn offer_from(
        &mut self,
        address: SocketAddr,
        room: &str,
        channels: Vec<ChannelConfig>,
    ) -> Result<usize, Refusal> {
        self.offer_edited(address, room, channels, str::to_string)
    }

    fn offer_edited(
        &mut self,
        address: SocketAddr,
        room: &str,
        channels: Vec<ChannelConfig>,
        edit: impl Fn(&str) -> String,
    ) -> Result<usize, Refusal> {
        let config = Arc::new(LinkConfig::new(self.certificate.clone(), vec![address]));
        let credentials = Credentials {
            ufrag: format!("client{}", self.clients.len()),
            password: "0123456789abcdefghijklmn".into(),
        };
        let (mut link, offer) = Link::offer(self.now, config, credentials, channels);
        let room: RoomName = room.parse().expect("a name");
        let connected = self.relay.connect(
            self.now,
            &room,
            &edit(&offer),
            address.ip(),
            self.grant.clone(),
        )?;
        link.accept_answer(self.now, &connected.answer)
            .expect("an answer to the offer");
        self.clients.push(Client {
            link,
            address,
            session: connected.session,
            answer: connected.answer,
            channels: Vec::new(),
            messages: Vec::new(),
            check: Vec::new(),
            channels_closed: 0,
            closed: None,
            answers_pings: true,
            is_cut: false,
        });
        Ok(self.clients.len() - 1)
    }

    /// A client whose channel is open.
    pub(crate) fn join_with(&mut self, room: &str, channel: ChannelConfig) -> usize {
        let client = self.offer(room, vec![channel]).expect("taken in");
        self.run_until("the channel opens", |world| {
            !world.clients[client].channels.is_empty()
        });
        client
    }

    pub(crate) fn join(&mut self, room: &str) -> usize {
        self.join_with(room, ChannelConfig::new("chat"))
    }

    pub(crate) fn send(&mut self, client: usize, kind: Kind, payload: &[u8]) -> Write {
        let client = &mut self.clients[client];
        let (channel, _) = client.channels[0];
        client.link.batch(self.now).write(channel, kind, payload)
    }

    pub(crate) fn say(&mut self, client: usize, text: &str) {
        assert_eq!(
            self.send(client, Kind::Text, text.as_bytes()),
            Write::Accepted
        );
    }

    pub(crate) fn heard(&self, client: usize) -> Vec<String> {
        let text =
            |(_, _, payload): &(_, _, Vec<u8>)| String::from_utf8_lossy(payload).into_owned();
        self.clients[client].messages.iter().map(text).collect()
    }

    pub(crate) fn datagram(&mut self, peer: SocketAddr, bytes: &[u8]) {
        let route = Route {
            local: address(),
            peer,
        };
        let input = Input::Datagram { route, bytes };
        self.relay.handle_input(self.now, input);
    }

    /// Everything that a client has to send now reaches the relay before the relay is drained.
    pub(crate) fn hold_and_deliver(&mut self, client: usize) {
        let address = self.clients[client].address;
        while let Some(transmit) = self.clients[client].link.poll_transmit() {
            self.datagram(address, &transmit.contents);
        }
    }

    fn collect(&mut self) {
        while let Some(transmit) = self.relay.poll_transmit() {
            self.datagrams_from_relay += 1;
            self.wire.push_back((self.now + LATENCY, transmit));
        }
        for client in &mut self.clients {
            client.collect_events(self.now);
            while let Some(transmit) = client.link.poll_transmit() {
                // A STUN binding request.
                if transmit.contents.starts_with(&[0, 1]) {
                    client.check.clone_from(&transmit.contents);
                }
                if !client.is_cut {
                    // A NAT turns the announced address into the relay's own.
                    let route = Route {
                        local: client.address,
                        peer: address(),
                    };
                    let contents = transmit.contents;
                    let transmit = Transmit { route, contents };
                    self.wire.push_back((self.now + LATENCY, transmit));
                }
            }
        }
        if let Some((at, reason)) = self.relay.poll_timeout() {
            assert!(
                at > self.now,
                "{reason:?} is not in the future once drained"
            );
        }
    }

    /// Jumps to whatever happens next, however far away it is, but not beyond the limit.
    fn step(&mut self, limit: Option<Instant>) {
        self.collect();
        let clients = self.clients.iter().filter_map(|c| c.link.poll_timeout());
        let timers = clients.chain(self.relay.poll_timeout()).map(|(at, _)| at);
        let arrivals = self.wire.front().map(|(at, _)| *at);
        let Some(next) = timers.chain(arrivals).chain(limit).min() else {
            panic!("nothing more will happen");
        };
        self.now = next;
        while self.wire.front().is_some_and(|(at, _)| *at <= next) {
            let Some((_, transmit)) = self.wire.pop_front() else {
                break;
            };
            self.deliver(&transmit);
        }
        self.relay.handle_input(next, Input::Timeout);
        for client in &mut self.clients {
            client.link.handle_timeout(next);
        }
        self.collect();
    }

    fn deliver(&mut self, transmit: &Transmit) {
        let route = Route {
            local: transmit.route.peer,
            peer: transmit.route.local,
        };
        if route.local == address() {
            return self.datagram(route.peer, &transmit.contents);
        }
        let receiver = |c: &&mut Client| c.address == route.local && !c.is_cut;
        let route = Route {
            peer: self.announced.unwrap_or(route.peer),
            ..route
        };
        // Of several clients that had this address one after the other, the last one has it now.
        if let Some(client) = self.clients.iter_mut().rev().find(receiver) {
            client
                .link
                .handle_datagram(self.now, route, &transmit.contents);
        }
    }

    pub(crate) fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = self.now + WAIT_MAX;
        for _ in 0..STEPS_MAX {
            if done(self) {
                return;
            }
            assert!(self.now < end, "not in {WAIT_MAX:?}: {what}");
            self.step(None);
        }
        panic!("never: {what}");
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step(Some(end));
        }
    }
}

impl Client {
    fn collect_events(&mut self, now: Instant) {
        while let Some(event) = self.link.poll_event() {
            match event {
                LinkEvent::ChannelOpen(id, config) => self.channels.push((id, config.label)),
                LinkEvent::ChannelClosed(_) => self.channels_closed += 1,
                LinkEvent::Message {
                    channel,
                    kind,
                    payload,
                } => {
                    let open = self.channels.iter().find(|(id, _)| *id == channel);
                    let label = open.map_or_else(String::new, |(_, label)| label.clone());
                    if self.answers_pings && payload.starts_with(br#"{"t":"ping""#) {
                        let pong = String::from_utf8_lossy(&payload).replacen("ping", "pong", 1);
                        let _ = self
                            .link
                            .batch(now)
                            .write(channel, Kind::Text, pong.as_bytes());
                    }
                    self.messages.push((label, kind, payload));
                }
                LinkEvent::Closed(reason) => self.closed = Some(reason),
                _ => {}
            }
        }
    }
}
