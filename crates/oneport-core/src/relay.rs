//! The relay.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use oneport_link::{
    ChannelId, CloseReason, Datagram, Input, Kind, Link, LinkConfig, LinkEvent, Machine,
    OfferError, Reason, Rejection, Reliability, Transmit, Write,
};
use oneport_wire::{OFFER_BYTES_MAX, Refusal, RoomName, SessionId};
use slotmap::{SlotMap, new_key_type};

use crate::deadlines::Deadlines;
use crate::demux::Demux;
use crate::handshakes::Handshakes;
use crate::hub::{Hub, MemberId, Next, SubscriptionId};
use crate::secrets::Secrets;
use crate::{Command, Connected, RelayConfig, Reply, Stats};

new_key_type! {
    /// A link of a relay.
    pub(crate) struct LinkId;
}

/// How many links are woken in one call; the others are due at once again.
const WOKEN_PER_CALL_MAX: usize = 256;

/// The relay: it terminates ICE, DTLS and SCTP for every client and forwards data channel messages
/// between the members of a room. See the [crate's documentation](crate) for how to drive it.
pub struct Relay {
    config: RelayConfig,
    link_config: Arc<LinkConfig>,
    now: Instant,
    secrets: Secrets,
    links: SlotMap<LinkId, Client>,
    sessions: HashMap<SessionId, LinkId>,
    /// The links of the hub's members.
    by_member: HashMap<MemberId, LinkId>,
    hub: Hub,
    demux: Demux,
    deadlines: Deadlines,
    handshakes: Handshakes,
    /// The links that have datagrams to send, each once, first come first served.
    sending: VecDeque<LinkId>,
    /// When a shutdown ends at the latest.
    shutdown: Option<Instant>,
    /// For the log: links are numbered from 1.
    last_number: u64,
    stats: Stats,
}

/// One client: its link and what the relay knows of it.
struct Client {
    link: Link,
    /// For the log, where a session's id does not belong.
    number: u64,
    session: SessionId,
    ufrag: String,
    /// Where the offer came from.
    address: IpAddr,
    room: RoomName,
    /// `None` once the client has left.
    member: Option<MemberId>,
    channels: Vec<Channel>,
    /// Whether it still counts as a handshake.
    in_handshake: bool,
    /// Whether messages wait because the link was full.
    is_full: bool,
    is_sending: bool,
}

struct Channel {
    id: ChannelId,
    subscription: SubscriptionId,
}

impl Relay {
    /// A relay without clients. All that it has to choose at random comes from the seed, which must
    /// come from a cryptographically secure source: session ids and ICE passwords are made of it.
    pub fn new(now: Instant, config: RelayConfig, seed: [u8; 32]) -> Self {
        Self {
            link_config: Arc::new(config.link.clone()),
            now,
            secrets: Secrets::new(seed),
            links: SlotMap::with_key(),
            sessions: HashMap::new(),
            by_member: HashMap::new(),
            hub: Hub::new(config.hub.clone()),
            demux: Demux::default(),
            deadlines: Deadlines::default(),
            handshakes: Handshakes::new(config.handshakes_max, config.handshakes_per_address_max),
            sending: VecDeque::new(),
            shutdown: None,
            last_number: 0,
            stats: Stats::default(),
            config,
        }
    }

    /// Takes a client's offer and answers it. The client is a member of the room from now on, and
    /// is reached as soon as its checks arrive; it has [`LinkConfig::handshake_timeout`] for that.
    ///
    /// `client` is where the offer came from, as far as signaling knows: the number of links that
    /// are in their handshake is capped for each address.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] says whose fault it is and whether a retry can help.
    pub fn connect(
        &mut self,
        now: Instant,
        room: &RoomName,
        offer: &str,
        client: IpAddr,
    ) -> Result<Connected, Refusal> {
        self.advance(now);
        let connected = self.try_connect(room, offer, client);
        if let Err(refusal) = &connected {
            *self.stats.refused.entry(refusal.code()).or_default() += 1;
            log::debug!("refused for room {room}: {refusal}");
        }
        connected
    }

    fn try_connect(
        &mut self,
        room: &RoomName,
        offer: &str,
        address: IpAddr,
    ) -> Result<Connected, Refusal> {
        if self.shutdown.is_some() {
            return Err(Refusal::ShuttingDown);
        }
        if offer.len() > OFFER_BYTES_MAX {
            return Err(Refusal::OfferTooLarge);
        }
        if self.links.len() >= self.config.links_max {
            return Err(Refusal::RelayFull);
        }
        self.handshakes.admits(address)?;
        self.hub.admits(room)?;
        let mut credentials = self.secrets.credentials();
        while self.demux.has_ufrag(&credentials.ufrag) {
            credentials = self.secrets.credentials();
        }
        let ufrag = credentials.ufrag.clone();
        let link_config = Arc::clone(&self.link_config);
        let (link, answer) =
            Link::answer(self.now, link_config, credentials, offer).map_err(refusal)?;
        let member = self.hub.join(room)?;
        let session = self.secrets.session();
        self.last_number += 1;
        self.handshakes.begin(address);
        let id = self.links.insert(Client {
            link,
            number: self.last_number,
            session,
            ufrag: ufrag.clone(),
            address,
            room: room.clone(),
            member: Some(member),
            channels: Vec::new(),
            in_handshake: true,
            is_full: false,
            is_sending: false,
        });
        self.demux.add_ufrag(ufrag.clone(), id);
        self.sessions.insert(session, id);
        self.by_member.insert(member, id);
        self.settle(id);
        Ok(Connected {
            answer,
            session,
            ice_session: ufrag,
        })
    }

    /// Ends a session of a room; its client's `onclose` fires. Answers whether there was one.
    pub fn disconnect(&mut self, now: Instant, room: &RoomName, session: SessionId) -> bool {
        self.advance(now);
        let Some(&id) = self.sessions.get(&session) else {
            return false;
        };
        let client = &mut self.links[id];
        if client.room != *room {
            return false;
        }
        client.link.close(now, "left");
        self.settle(id);
        true
    }

    /// Ends all links, properly, and takes no more. [`Machine::is_finished`] says when they are
    /// gone: within [`RelayConfig::shutdown_timeout`].
    pub fn shut_down(&mut self, now: Instant) {
        self.advance(now);
        if self.shutdown.is_some() {
            return;
        }
        self.shutdown = Some(now + self.config.shutdown_timeout);
        let ids: Vec<_> = self.links.keys().collect();
        for id in ids {
            self.links[id].link.close(now, "shutdown");
            self.settle(id);
        }
    }

    /// What it has done so far, and what it holds now.
    pub fn stats(&self) -> Stats {
        Stats {
            links: self.links.len(),
            handshakes: self.handshakes.total(),
            rooms: self.hub.rooms(),
            ring_bytes: self.hub.ring_bytes(),
            hub: self.hub.stats(),
            ..self.stats.clone()
        }
    }

    /// Whether nothing is left of the clients that it had: every index is empty. For tests of
    /// embedders and of ourselves.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.sessions.is_empty()
            && self.by_member.is_empty()
            && self.hub.rooms() == 0
            && self.demux.is_empty()
            && self.deadlines.is_empty()
            && self.handshakes.total() == 0
    }

    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// Wakes the links that are due.
    fn handle_timeout(&mut self) {
        for _ in 0..WOKEN_PER_CALL_MAX {
            let due = self.deadlines.first().filter(|(at, _)| *at <= self.now);
            let Some((_, id)) = due else {
                break;
            };
            self.links[id].link.handle_timeout(self.now);
            self.settle(id);
        }
        if self.shutdown.is_some_and(|at| at <= self.now) {
            let ids: Vec<_> = self.links.keys().collect();
            ids.into_iter().for_each(|id| self.remove(id));
        }
    }

    fn handle_datagram(&mut self, route: oneport_link::Route, bytes: &[u8]) {
        self.stats.datagrams += 1;
        let Some(id) = self.demux.find(route, &Datagram::classify(bytes)) else {
            self.stats.datagrams_unmatched += 1;
            return;
        };
        let client = &mut self.links[id];
        client.link.handle_datagram(self.now, route, bytes);
        // It may have acknowledged what filled the link.
        if client.is_full
            && let Some(member) = client.member
        {
            client.is_full = false;
            self.hub.wake(member);
        }
        self.settle(id);
    }

    /// Brings everything else in line with a link that may have changed. To be called after each
    /// change of a link.
    fn settle(&mut self, id: LinkId) {
        while let Some(event) = self.links.get_mut(id).and_then(|c| c.link.poll_event()) {
            self.handle_event(id, event);
        }
        let Some(client) = self.links.get_mut(id) else {
            return;
        };
        if client.link.is_done() {
            self.remove(id);
            return;
        }
        match client.link.poll_timeout() {
            Some((_, Reason::Queued)) => {
                // What can leave at once needs no deadline: it is asked for in this turn.
                self.deadlines.set(id, None);
                if !client.is_sending {
                    client.is_sending = true;
                    self.sending.push_back(id);
                }
            }
            timeout => self.deadlines.set(id, timeout.map(|(at, _)| at)),
        }
    }

    fn handle_event(&mut self, id: LinkId, event: LinkEvent) {
        let client = &mut self.links[id];
        match event {
            LinkEvent::PathProven(route) => self.demux.add_route(route, id),
            LinkEvent::PathForgotten(route) => self.demux.remove_route(route, id),
            LinkEvent::Established => self.established(id),
            LinkEvent::ChannelOpen(channel, config) => {
                let is_reliable = config.reliability == Reliability::Reliable;
                let subscription = client
                    .member
                    .and_then(|member| self.hub.subscribe(member, &config.label, is_reliable));
                if let Some(subscription) = subscription {
                    log::debug!("link {} opened channel {:?}", client.number, config.label);
                    client.channels.push(Channel {
                        id: channel,
                        subscription,
                    });
                }
            }
            LinkEvent::ChannelClosed(channel) => self.close_channel(id, channel),
            LinkEvent::Message {
                channel,
                kind,
                payload,
            } => self.publish(id, channel, kind, payload),
            LinkEvent::ChannelRejected(rejection) | LinkEvent::MessageRejected(_, rejection) => {
                self.reject(id, rejection);
            }
            LinkEvent::Closed(reason) => self.closed(id, &reason),
        }
    }

    fn established(&mut self, id: LinkId) {
        let client = &mut self.links[id];
        client.in_handshake = false;
        self.handshakes.end(client.address);
        self.stats.established += 1;
        let members = client.member.and_then(|member| self.hub.room_of(member));
        let members = members.map_or(0, |(_, members)| members);
        let (number, room) = (client.number, &client.room);
        log::info!("link {number} joined room {room}, which has {members} members");
    }

    fn publish(&mut self, id: LinkId, channel: ChannelId, kind: Kind, payload: Vec<u8>) {
        let channels = &self.links[id].channels;
        if let Some(channel) = channels.iter().find(|open| open.id == channel) {
            self.hub.publish(channel.subscription, kind, payload);
        }
    }

    fn reject(&mut self, id: LinkId, rejection: Rejection) {
        *self.stats.rejected.entry(rejection).or_default() += 1;
        log::debug!("link {}: {rejection}", self.links[id].number);
    }

    /// A data channel is closed, by whomever: its subscription ends.
    fn close_channel(&mut self, id: LinkId, channel: ChannelId) {
        let channels = &mut self.links[id].channels;
        if let Some(at) = channels.iter().position(|open| open.id == channel) {
            self.hub.unsubscribe(channels.swap_remove(at).subscription);
        }
    }

    /// The link has ended: the client leaves its room at once, while its last datagrams may still
    /// wait to be sent.
    fn closed(&mut self, id: LinkId, reason: &CloseReason) {
        self.leave(id);
        *self.stats.closed.entry(reason.code()).or_default() += 1;
        let Client { number, room, .. } = &self.links[id];
        match reason {
            CloseReason::Panicked => log::error!("link {number} left room {room}: {reason}"),
            CloseReason::HandshakeTimeout => {
                log::debug!("link {number} never joined room {room}: {reason}");
            }
            _ => log::info!("link {number} left room {room}: {reason}"),
        }
    }

    fn leave(&mut self, id: LinkId) {
        let client = &mut self.links[id];
        client.channels.clear();
        self.sessions.remove(&client.session);
        self.demux.remove_ufrag(&client.ufrag);
        if client.in_handshake {
            client.in_handshake = false;
            self.handshakes.end(client.address);
        }
        if let Some(member) = client.member.take() {
            self.by_member.remove(&member);
            self.hub.leave(member);
        }
    }

    /// Forgets a link.
    fn remove(&mut self, id: LinkId) {
        self.leave(id);
        self.deadlines.set(id, None);
        if let Some(client) = self.links.remove(id) {
            self.stats.datagrams_dropped += client.link.datagrams_dropped();
            for route in client.link.paths() {
                self.demux.remove_route(route, id);
            }
        }
    }

    /// Writes as much of what a member is owed as its link takes, in one batch.
    fn pump(&mut self, member: MemberId) {
        let Some(&id) = self.by_member.get(&member) else {
            return;
        };
        let client = &mut self.links[id];
        let mut batch = client.link.batch(self.now);
        let mut too_large = None;
        let mut is_slow = false;
        loop {
            let (subscription, entry) = match self.hub.next(member) {
                Next::Entry(subscription, entry) => (subscription, entry),
                Next::Idle => break,
                Next::Slow => {
                    is_slow = true;
                    break;
                }
            };
            let channel = client
                .channels
                .iter()
                .find(|open| open.subscription == subscription)
                .map(|open| open.id);
            let written = channel.map_or(Write::Refused, |channel| {
                batch.write(channel, entry.kind, &entry.payload)
            });
            match written {
                Write::Accepted => self.hub.taken(subscription),
                Write::Full => {
                    client.is_full = true;
                    break;
                }
                Write::TooLarge => {
                    too_large = channel;
                    break;
                }
                // The channel is closing; the event that ends the subscription is on its way.
                Write::Refused => self.hub.skip(subscription),
            }
        }
        drop(batch);
        if is_slow {
            client.link.close(self.now, "slow");
        }
        if let Some(channel) = too_large {
            self.refuse_too_large(id, channel);
            self.hub.wake(member);
        }
        self.settle(id);
    }

    /// A client that takes smaller messages than one that it was owed has lost it. Its channel is
    /// closed, so that it knows.
    fn refuse_too_large(&mut self, id: LinkId, channel: ChannelId) {
        let client = &mut self.links[id];
        self.stats.too_large_for_peer += 1;
        log::info!(
            "link {} in room {}: a channel is closed, for a message was larger than the client takes",
            client.number,
            client.room
        );
        client.link.close_channel(self.now, channel);
        self.close_channel(id, channel);
    }
}

impl Machine for Relay {
    type Command = Command;
    type Reply = Reply;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.advance(now);
        match input {
            Input::Datagram { route, bytes } => self.handle_datagram(route, bytes),
            Input::Timeout => self.handle_timeout(),
        }
    }

    fn handle_command(&mut self, now: Instant, command: Command) -> Reply {
        match command {
            Command::Connect {
                room,
                offer,
                client,
            } => Reply::Connected(self.connect(now, &room, &offer, client)),
            Command::Disconnect { room, session } => {
                Reply::Disconnected(self.disconnect(now, &room, session))
            }
            Command::Stats => Reply::Stats(Box::new(self.stats())),
            Command::ShutDown => {
                self.shut_down(now);
                Reply::ShuttingDown
            }
        }
    }

    /// Members are pumped here, once for all that a batch of inputs brought, so that messages
    /// share packets.
    fn poll_transmit(&mut self) -> Option<Transmit> {
        while let Some(member) = self.hub.poll_ready() {
            self.pump(member);
        }
        while let Some(&id) = self.sending.front() {
            let client = self.links.get_mut(id);
            if let Some(transmit) = client.and_then(|client| client.link.poll_transmit()) {
                return Some(transmit);
            }
            self.sending.pop_front();
            if let Some(client) = self.links.get_mut(id) {
                client.is_sending = false;
                self.settle(id);
            }
        }
        None
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        if self.hub.has_ready() || !self.sending.is_empty() {
            return Some((self.now, Reason::Queued));
        }
        let link = self.deadlines.first().and_then(|(at, id)| {
            let (_, reason) = self.links.get(id)?.link.poll_timeout()?;
            Some((at, reason))
        });
        let shutdown = self.shutdown.filter(|_| !self.links.is_empty());
        let shutdown = shutdown.map(|at| (at, Reason::Close));
        link.into_iter().chain(shutdown).min_by_key(|(at, _)| *at)
    }

    fn is_finished(&self) -> bool {
        self.shutdown.is_some() && self.links.is_empty()
    }
}

fn refusal(error: OfferError) -> Refusal {
    match error {
        OfferError::NoDataChannel => Refusal::NoDataChannel,
        malformed => Refusal::BadOffer(malformed.to_string()),
    }
}
