//! The relay.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use oneport_link::{
    ChannelConfig, ChannelId, CloseReason, Datagram, LinkConfig, LinkEvent, Reason, Rejection,
    Reliability, Route,
};
use oneport_wire::frame::LeaveReason;
use oneport_wire::{ByeCode, Kind, PROTOCOL, SessionId, UnixMillis};
use slotmap::{SecondaryMap, SlotMap, new_key_type};

use crate::announced::AnnouncedIds;
use crate::client::{Client, Role};
use crate::deadlines::Deadlines;
use crate::demux::Demux;
use crate::drain::Shutdown;
use crate::holder::{Carrier, Holder};
use crate::hub::{Hub, Observer, OwnerId, SeatId};
use crate::lossy::Waiting;
use crate::overview::Closes;
use crate::places::{Places, PlacesMax};
use crate::receipts::Receipts;
use crate::secrets::Secrets;
use crate::sessions::{SILENCE_MAX, SessionKey, Sessions};
use crate::{Gate, RelayConfig, Stats};

new_key_type! {
    /// A link of a relay.
    pub(crate) struct LinkId;
}

/// How long a link may be full without taking anything more. SCTP's retransmissions have then failed
/// several times, or its other end is stuck.
const STUCK_MAX: Duration = Duration::from_secs(30);

/// Why a link ends whose place in its handshake a newcomer got.
pub(crate) const CROWDED_OUT: &str = "crowded_out";

/// How often rooms forget what is too old.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(10);

/// The relay: it terminates ICE, DTLS and SCTP for every client and forwards data channel messages
/// between the members of a room. See the [crate's documentation](crate) for how to drive it.
pub struct Relay {
    pub(crate) config: RelayConfig,
    pub(crate) link_config: Arc<LinkConfig>,
    started: Instant,
    pub(crate) now: Instant,
    pub(crate) secrets: Secrets,
    /// Each in a place of its own: one has some kilobytes, and a table that grows moves what is in it.
    pub(crate) links: SlotMap<LinkId, Box<Client>>,
    pub(crate) by_session_id: HashMap<SessionId, LinkId>,
    pub(crate) sessions: Sessions,
    pub(crate) hub: Hub,
    /// Over what the entries of the hub's owners travel.
    pub(crate) carriers: SecondaryMap<OwnerId, Carrier>,
    /// Lossy messages that wait for the end of a batch of inputs.
    pub(crate) lossy: SecondaryMap<OwnerId, Waiting>,
    pub(crate) receipts: Receipts,
    pub(crate) announced: AnnouncedIds,
    /// Whose the hub's seats are.
    pub(crate) holders: SecondaryMap<SeatId, Holder>,
    pub(crate) demux: Demux,
    pub(crate) deadlines: Deadlines<LinkId>,
    pub(crate) session_deadlines: Deadlines<SessionKey>,
    pub(crate) places: Places,
    /// The links that datagrams came for and that were not attended to yet, each once.
    pub(crate) fed: VecDeque<LinkId>,
    /// The links that have datagrams to send, each once, first come first served.
    pub(crate) sending: VecDeque<LinkId>,
    /// The links that were written to and not settled yet.
    pub(crate) unsettled: VecDeque<LinkId>,
    /// When rooms forget what is too old.
    pub(crate) expiry: Instant,
    /// Whether it is going down.
    pub(crate) shutdown: Option<Shutdown>,
    /// For the log: links are numbered from 1.
    pub(crate) last_number: u64,
    pub(crate) gate: Option<Box<dyn Gate>>,
    pub(crate) stats: Stats,
    /// For the operator.
    pub(crate) closes: Closes,
}

impl Relay {
    /// A relay without clients. All that it has to choose at random comes from the seed, which must
    /// come from a cryptographically secure source: session ids and ICE passwords are made of it.
    ///
    /// # Panics
    ///
    /// Where limits contradict each other: a room's ring must hold two of the largest messages, a link
    /// must be able to buffer something, and the memory must do for
    /// [one client in one room](RelayConfig::memory_bytes_min).
    pub fn new(now: Instant, config: RelayConfig, seed: [u8; 32]) -> Self {
        let message_bytes_max = config.link.message_bytes_max;
        assert!(
            config.hub.ring_bytes_max >= 2 * message_bytes_max,
            "ring_bytes_max"
        );
        assert!(
            config.link.buffered_bytes_target > 0,
            "buffered_bytes_target"
        );
        let memory_bytes_max = config.memory_bytes_max.unwrap_or(usize::MAX);
        assert!(
            memory_bytes_max >= config.memory_bytes_min(),
            "memory_bytes_max"
        );
        Self {
            link_config: Arc::new(config.link.clone()),
            started: now,
            now,
            secrets: Secrets::new(seed),
            links: SlotMap::with_key(),
            by_session_id: HashMap::new(),
            sessions: Sessions::default(),
            hub: Hub::new(config.hub.clone()),
            carriers: SecondaryMap::new(),
            lossy: SecondaryMap::new(),
            receipts: Receipts::default(),
            announced: AnnouncedIds::default(),
            holders: SecondaryMap::new(),
            demux: Demux::default(),
            deadlines: Deadlines::default(),
            session_deadlines: Deadlines::default(),
            places: Places::new(PlacesMax {
                links: config.links_max,
                links_per_address: config.links_per_address_max,
                handshakes: config.handshakes_max,
                handshakes_per_address: config.handshakes_per_address_max,
            }),
            fed: VecDeque::new(),
            sending: VecDeque::new(),
            unsettled: VecDeque::new(),
            expiry: now + EXPIRY_INTERVAL,
            shutdown: None,
            last_number: 0,
            gate: None,
            stats: Stats::default(),
            closes: Closes::default(),
            config,
        }
    }

    /// From now on this decides who comes in over framed channels, and what is published.
    pub fn set_gate(&mut self, gate: Box<dyn Gate>) {
        self.gate = Some(gate);
    }

    /// From now on this is told what happens in the rooms.
    pub fn set_observer(&mut self, observer: Box<dyn Observer>) {
        self.hub.set_observer(observer);
    }

    /// What it has done so far, and what it holds now.
    pub fn stats(&self) -> Stats {
        Stats {
            links: self.links.len(),
            handshakes: self.places.handshakes(),
            sessions: self.sessions.len(),
            members: self.hub.members(),
            members_away: self.hub.members_away(),
            is_shutting_down: self.shutdown.is_some(),
            rooms: self.hub.rooms(),
            ring_bytes: self.hub.ring_bytes(),
            reserved_bytes: self.reserved_bytes(),
            hub: self.hub.stats(),
            ..self.stats.clone()
        }
    }

    /// Whether nothing is left of the clients that it had: every index is empty. Rooms may still keep
    /// their history for a while. For tests of embedders and of ourselves.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.by_session_id.is_empty()
            && self.sessions.is_empty()
            && self.hub.is_deserted()
            && self.carriers.is_empty()
            && self.lossy.is_empty()
            && self.receipts.is_empty()
            && self.holders.is_empty()
            && self.demux.is_empty()
            && self.deadlines.is_empty()
            && self.session_deadlines.is_empty()
            && self.places.is_empty()
            && self.fed.is_empty()
    }

    pub(crate) fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
        // Where there is no room nothing grows old, and the first one must not find itself overdue.
        if self.hub.rooms() == 0 {
            self.expiry = self.now + EXPIRY_INTERVAL;
        }
    }

    /// The time that entries are stamped with.
    pub(crate) fn unix_now(&self) -> UnixMillis {
        let since_1970 = self.config.unix_time + (self.now - self.started);
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        UnixMillis::new(millis).unwrap_or(UnixMillis::MAX)
    }

    /// Wakes the links and sessions that are due: each at most once, for their next deadline lies
    /// in the future then.
    pub(crate) fn handle_timeout(&mut self) {
        // What has arrived counts before the time that is up.
        self.attend_fed();
        while let Some(id) = self.deadlines.pop_due(self.now) {
            self.links[id].link.handle_timeout(self.now);
            self.attend(id);
        }
        while let Some(key) = self.session_deadlines.pop_due(self.now) {
            self.wake_session(key);
        }
        if self.expiry <= self.now {
            self.expiry = self.now + EXPIRY_INTERVAL;
            self.hub.expire(self.unix_now());
        }
        self.go_down();
    }

    pub(crate) fn handle_datagram(&mut self, route: Route, bytes: &[u8]) {
        self.stats.datagrams += 1;
        let datagram = Datagram::classify(bytes);
        let claims = self.demux.find(route, &datagram);
        if claims.is_empty() {
            self.stats.datagrams_unmatched += 1;
        }
        // Whom it is not for cannot read it.
        for id in claims {
            let client = &mut self.links[id];
            client.link.handle_datagram(self.now, route, bytes);
            if !client.is_fed {
                client.is_fed = true;
                self.fed.push_back(id);
            }
            // What it proves decides where the next datagram belongs.
            if datagram != Datagram::Dtls {
                self.settle(id);
            }
        }
    }

    /// A path has ended: no link has it any more.
    pub(crate) fn handle_closed(&mut self, route: Route) {
        for id in self.demux.on(route) {
            self.links[id].link.handle_closed(self.now, route);
            self.settle(id);
        }
    }

    /// Looks after the links that datagrams came for, once for all that a batch brought.
    pub(crate) fn attend_fed(&mut self) {
        while let Some(id) = self.fed.pop_front() {
            if let Some(client) = self.links.get_mut(id) {
                client.is_fed = false;
                self.attend(id);
            }
        }
    }

    /// Sees what has become of a link that was given a datagram or the time.
    fn attend(&mut self, id: LinkId) {
        let client = &mut self.links[id];
        if !client.unacknowledged.is_empty() {
            self.collect_receipts(id);
        }
        // It may have acknowledged what filled the link.
        let client = &mut self.links[id];
        if client.is_full {
            client.is_full = false;
            let (plain, session) = (client.owner, client.session);
            self.hub.wake(plain);
            if let Some(session) = session.and_then(|key| self.sessions.get(key)) {
                self.hub.wake(session.owner);
            }
        }
        self.end_if_overdue(id);
        if self.shutdown.is_some() {
            self.part_if_done(id);
        }
        self.settle(id);
    }

    /// Ends a link that takes nothing, or has a framed channel and says nothing. Asked whenever the
    /// link does something, which every link does within a few seconds.
    fn end_if_overdue(&mut self, id: LinkId) {
        let client = &self.links[id];
        let is_over = |since: Option<Instant>, max: Duration| {
            since.is_some_and(|since| self.now - since >= max)
        };
        let is_expired = client.grant.expires.is_some_and(|at| at <= self.unix_now());
        if is_expired && client.seat.is_some() {
            self.end_link(id, ByeCode::Expired);
        } else if is_over(client.full_since.map(|(_, since)| since), STUCK_MAX) {
            self.end_link(id, ByeCode::Slow);
        } else if client.session.is_none() && is_over(client.framed_since, SILENCE_MAX) {
            self.end_link(id, ByeCode::Idle);
        }
    }

    /// Brings everything else in line with a link that may have changed. To be called after each
    /// change of a link.
    pub(crate) fn settle(&mut self, id: LinkId) {
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
                if !client.is_sending {
                    client.is_sending = true;
                    self.sending.push_back(id);
                }
            }
            timeout => self.deadlines.set(self.now, id, timeout.map(|(at, _)| at)),
        }
    }

    fn handle_event(&mut self, id: LinkId, event: LinkEvent) {
        match event {
            LinkEvent::PathProven(route) => {
                self.demux.add_route(route, id);
                self.places.is_heard(self.links[id].number);
            }
            LinkEvent::PathForgotten(route) => self.demux.remove_route(route, id),
            LinkEvent::IceRestarted => self.ice_restarted(id),
            LinkEvent::Established => self.established(id),
            LinkEvent::ChannelOpen(channel, config) => self.open_channel(id, channel, &config),
            LinkEvent::ChannelClosed(channel) => self.close_channel(id, channel),
            LinkEvent::Message {
                channel,
                kind,
                payload,
            } => self.handle_message(id, channel, kind_on_wire(kind), payload),
            LinkEvent::ChannelRejected(rejection) => self.reject(id, rejection),
            LinkEvent::MessageRejected(channel, rejection) => {
                self.reject(id, rejection);
                if let Some(Role::Framed | Role::Lossy) = self.links[id].role(channel) {
                    self.handle_no_frame(id, rejection);
                }
            }
            LinkEvent::Closed(reason) => self.closed(id, &reason),
        }
    }

    fn established(&mut self, id: LinkId) {
        self.stats.established += 1;
        log::debug!("link {} has its keys", self.links[id].number);
    }

    fn open_channel(&mut self, id: LinkId, channel: ChannelId, config: &ChannelConfig) {
        let client = &mut self.links[id];
        log::debug!("link {} opened channel {:?}", client.number, config.label);
        if client.in_handshake {
            client.in_handshake = false;
            self.places.end_handshake(client.address, client.number);
            log::info!("link {} connected for room {}", client.number, client.room);
        }
        let role = match (config.protocol == PROTOCOL, config.reliability) {
            (false, _) => return self.open_plain(id, channel, config),
            (true, Reliability::Reliable) if config.ordered => Role::Framed,
            (true, _) => Role::Lossy,
        };
        self.open_framed(id, channel, role);
    }

    fn handle_message(&mut self, id: LinkId, channel: ChannelId, kind: Kind, payload: Vec<u8>) {
        self.stats.messages_in += 1;
        self.stats.message_bytes_in += payload.len() as u64;
        match self.links[id].role(channel) {
            Some(Role::Plain { topic, is_kept, .. }) => {
                let (topic, is_kept) = (topic.clone(), *is_kept);
                self.publish_plain(id, channel, topic, kind, payload, is_kept);
            }
            Some(Role::Framed) => self.handle_frame(id, kind, &payload, false),
            Some(Role::Lossy) => self.handle_frame(id, kind, &payload, true),
            None => {}
        }
        // Normally everybody is pumped once for a whole batch of datagrams. But a burst may bring
        // more than a ring holds, and nobody is slow who was given nothing yet.
        if self.hub.is_pressed() {
            self.pump_ready();
        }
    }

    fn reject(&mut self, id: LinkId, rejection: Rejection) {
        *self.stats.rejected.entry(rejection).or_default() += 1;
        log::debug!("link {}: {rejection}", self.links[id].number);
    }

    /// A data channel is closed, by whomever.
    pub(crate) fn close_channel(&mut self, id: LinkId, channel: ChannelId) {
        let client = &mut self.links[id];
        let Some(at) = client.channels.iter().position(|open| open.id == channel) else {
            return;
        };
        match client.channels.swap_remove(at).role {
            Role::Plain { reader, .. } => self.hub.remove_reader(reader),
            // A session without its framed channel is a session without a link.
            Role::Framed => self.detach(id),
            Role::Lossy => {}
        }
    }

    /// The link has ended: the client leaves at once, while its last datagrams may still wait to be
    /// sent.
    fn closed(&mut self, id: LinkId, reason: &CloseReason) {
        let came_to_be = !self.links[id].in_handshake;
        self.leave(id, leave_reason(reason));
        *self.stats.closed.entry(reason.code()).or_default() += 1;
        let Client { number, room, .. } = &*self.links[id];
        match reason {
            CloseReason::Panicked => log::error!("link {number} left room {room}: {reason}"),
            _ if came_to_be => log::info!("link {number} left room {room}: {reason}"),
            _ => log::debug!("link {number} never joined room {room}: {reason}"),
        }
        // What anybody can do with offers alone pushes nobody out of what the operator sees.
        if came_to_be {
            self.closes.push(self.unix_now(), &self.links[id], reason);
        }
    }

    fn leave(&mut self, id: LinkId, reason: LeaveReason) {
        self.detach(id);
        self.leave_plain(id, reason);
        let client = &mut self.links[id];
        client.channels.clear();
        self.by_session_id.remove(&client.session_id);
        self.demux.remove_ufrag(&client.ufrag);
        if let Some(restarting) = client.restarting.take() {
            self.demux.remove_ufrag(&restarting.ufrag);
        }
        if client.in_handshake {
            client.in_handshake = false;
            self.places.end_handshake(client.address, client.number);
        }
    }

    /// Forgets a link.
    pub(crate) fn remove(&mut self, id: LinkId) {
        self.leave(id, LeaveReason::Lost);
        self.deadlines.set(self.now, id, None);
        if let Some(client) = self.links.remove(id) {
            self.places.give_back(client.address);
            self.stats.datagrams_dropped += client.link.datagrams_dropped();
            for route in client.link.paths() {
                self.demux.remove_route(route, id);
            }
        }
    }

    /// Writes to everybody who has something to take.
    pub(crate) fn pump_ready(&mut self) {
        while let Some(owner) = self.hub.poll_ready() {
            match self.carriers.get(owner) {
                Some(Carrier::Plain(link)) => self.pump_plain(*link),
                Some(Carrier::Session(key)) => self.pump_session(*key),
                None => {}
            }
        }
    }
}

fn leave_reason(reason: &CloseReason) -> LeaveReason {
    match reason {
        CloseReason::ByPeer | CloseReason::ByOwner("left") => LeaveReason::Left,
        CloseReason::ByOwner("slow") => LeaveReason::Slow,
        CloseReason::ByOwner("kicked") => LeaveReason::Kicked,
        CloseReason::ByOwner("closed") => LeaveReason::Closed,
        CloseReason::ByOwner("shutdown") => LeaveReason::Shutdown,
        _ => LeaveReason::Lost,
    }
}

/// The two crates of layer 0 do not know each other.
fn kind_on_wire(kind: oneport_link::Kind) -> Kind {
    match kind {
        oneport_link::Kind::Text => Kind::Text,
        oneport_link::Kind::Binary => Kind::Binary,
    }
}
