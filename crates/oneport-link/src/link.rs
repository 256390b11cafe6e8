//! One peer connection.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::SdpPendingOffer;
use str0m::error::RtcError;
use str0m::net::{Protocol, Receive};
use str0m::{Event, IceConnectionState, Input, Output, Rtc};

use crate::channels::Channels;
use crate::datagram::Datagram;
use crate::egress::Egress;
use crate::flight::Flight;
use crate::paths::Paths;
use crate::restart::Restart;
use crate::unseen::Unseen;
use crate::{
    Batch, ChannelConfig, ChannelId, CloseReason, LinkConfig, LinkEvent, Reason, Route, Transmit,
    Transport,
};

/// How many errors of one drain are survived. Garbage from the network is an error of one datagram;
/// an error that comes again and again is a link that cannot go on.
const ERRORS_PER_DRAIN_MAX: usize = 8;

/// How many outputs a drain takes. A send buffer has some hundreds of datagrams; more than this is an
/// `Rtc` that never comes to rest, and would hold up everybody else for ever.
const OUTPUTS_PER_DRAIN_MAX: usize = 16 * 1024;

/// How old the time may be that str0m knows when something is written: SCTP's timers begin there, and
/// the shortest, for an acknowledgement, has 200 ms.
const FRESH_MAX: Duration = Duration::from_millis(5);

/// How often a timer of str0m that is due at once is fed again before it must wait.
const IMMEDIATE_TIMEOUTS_MAX: usize = 8;

/// How long it must wait then. Nothing in ICE, DTLS or SCTP has a finer timer.
const TIMEOUT_MIN: Duration = Duration::from_millis(1);

/// One peer connection: the only owner of a [`str0m::Rtc`].
///
/// Every method that changes it leaves the `Rtc` drained, as str0m demands, but for
/// [`handle_datagram`](Self::handle_datagram); what came out waits in two queues, [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event). Several
/// messages written in one [`batch`](Self::batch) share packets. A panic or an error under it costs
/// this link and nothing else.
pub struct Link {
    pub(crate) config: Arc<LinkConfig>,
    pub(crate) rtc: Rtc,
    pub(crate) channels: Channels,
    pub(crate) flight: Flight,
    pub(crate) pending_offer: Option<SdpPendingOffer>,
    /// The largest message that the peer takes, in bytes.
    pub(crate) peer_message_bytes_max: usize,
    pub(crate) paths: Paths,
    pub(crate) egress: Egress,
    pub(crate) events: VecDeque<LinkEvent>,
    pub(crate) peer_ufrag: String,
    /// An ICE session that the peer does not use yet.
    pub(crate) restart: Option<Box<Restart>>,
    pub(crate) now: Instant,
    /// When str0m was last told the time.
    fed: Option<Instant>,
    /// What str0m was given and not yet asked about.
    unseen: Unseen,
    rtc_timeout: Instant,
    handshake_deadline: Option<Instant>,
    /// The path of the datagram that is being handled.
    pub(crate) arriving: Option<Route>,
    /// Set while draining, carried out after it.
    pub(crate) doom: Option<CloseReason>,
    closed: bool,
    errors: u64,
}

impl Link {
    pub(crate) fn new(
        now: Instant,
        config: Arc<LinkConfig>,
        rtc: Rtc,
        peer_message_bytes_max: usize,
    ) -> Self {
        let handshake_deadline = Some(now + config.handshake_timeout);
        Self {
            channels: Channels::new(&config),
            flight: Flight::default(),
            config,
            rtc,
            pending_offer: None,
            peer_message_bytes_max,
            paths: Paths::default(),
            egress: Egress::default(),
            events: VecDeque::new(),
            peer_ufrag: String::new(),
            restart: None,
            now,
            fed: None,
            unseen: Unseen::default(),
            rtc_timeout: now,
            handshake_deadline,
            arriving: None,
            doom: None,
            closed: false,
            errors: 0,
        }
    }

    /// Takes a datagram that belongs to this link.
    ///
    /// Records of an open link are looked at together, when the link is asked what came of them or written
    /// to: their messages then need one acknowledgement, and acknowledgements one look at what they are
    /// for. While datagrams wait for their pace, that is when the next of them may leave.
    pub fn handle_datagram(&mut self, now: Instant, route: Route, bytes: &[u8]) {
        self.advance(now);
        if self.closed {
            return;
        }
        let datagram = Datagram::classify(bytes);
        let is_open = self.handshake_deadline.is_none() && self.rtc_timeout > now;
        let can_wait = is_open && datagram == Datagram::Dtls;
        if !can_wait {
            self.catch_up();
        }
        let is_anew = self.try_restart(&datagram, bytes);
        let destination = self.config.candidate_for(route);
        let protocol = protocol(route.transport);
        let errors = self.errors;
        let receive = |rtc: &mut Rtc| {
            let receive = Receive::new(protocol, route.peer, destination, bytes)?;
            rtc.handle_input(Input::Receive(now, receive))
        };
        if can_wait {
            self.unseen.add(bytes.len());
            self.guarded(|link| link.feed(receive));
            if self.unseen.is_full() {
                self.catch_up();
            }
        } else {
            self.arriving = Some(route);
            self.change(receive);
            self.arriving = None;
        }
        if is_anew {
            let nominates = matches!(
                datagram,
                Datagram::Check {
                    nominates: true,
                    ..
                }
            );
            self.end_try(nominates);
        }
        if self.errors > errors {
            return;
        }
        self.fed = Some(now);
        // What the link could use says where the peer is now, if the peer has proven that path.
        let is_sign = match datagram {
            Datagram::Dtls => true,
            Datagram::Check { nominates, .. } => nominates,
            Datagram::Stun | Datagram::Unknown => false,
        };
        if is_sign {
            self.paths.follow(route);
        }
    }

    /// A path has ended. The link goes on over another one that its peer has proven, or waits for one: as long
    /// as ICE does.
    pub fn handle_closed(&mut self, now: Instant, route: Route) {
        self.advance(now);
        if self.paths.forget(route) {
            self.events.push_back(LinkEvent::PathForgotten(route));
        }
    }

    /// Looks at what str0m was given.
    fn catch_up(&mut self) {
        if !self.unseen.is_empty() {
            self.change(|_| Ok(()));
        }
    }

    /// Whether there is something to look at that has no reason to wait. While datagrams wait for their
    /// pace, at most a millisecond, nothing that arrives can make the next one leave sooner.
    fn is_behind(&self) -> bool {
        !self.unseen.is_empty() && !self.egress.waits(self.now)
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        if self.closed {
            return;
        }
        if self.handshake_deadline.is_some_and(|at| at <= now) {
            self.end(CloseReason::HandshakeTimeout);
        } else if self.rtc_timeout <= now {
            self.feed_time();
        } else if self.is_behind() {
            self.catch_up();
        }
    }

    /// Writes several messages and then drains once, so that SCTP bundles them into as few packets
    /// as they fit in. The link is drained when the batch is dropped.
    pub fn batch(&mut self, now: Instant) -> Batch<'_> {
        self.advance(now);
        // str0m's timers start from the time that it was last told, which on an idle link is long ago.
        let is_fresh = |fed: Instant| now.saturating_duration_since(fed) <= FRESH_MAX;
        if self.fed.is_some_and(is_fresh) {
            self.catch_up();
        } else if !self.closed {
            self.feed_time();
        }
        Batch::new(self)
    }

    /// How many bytes of messages the peer has acknowledged on a channel, over its whole life. What
    /// is acknowledged out of order counts, so near a loss it can be a later message's.
    pub fn acknowledged(&mut self, channel: ChannelId) -> u64 {
        self.catch_up();
        let written = self.channels.written(channel).unwrap_or(0);
        let id = self.channels.get(channel);
        let buffered = catch_unwind(AssertUnwindSafe(|| {
            id.and_then(|id| self.rtc.channel(id).map(|mut open| open.buffered_amount()))
        }));
        match buffered {
            Ok(buffered) => written.saturating_sub(buffered.unwrap_or(0) as u64),
            Err(_) => {
                self.panicked();
                0
            }
        }
    }

    /// Opens a data channel, whoever made the offer; [`LinkEvent::ChannelOpen`] comes when it can be
    /// written to. A label or subprotocol longer than [`LinkConfig::label_bytes_max`] does not open it.
    pub fn open_channel(&mut self, now: Instant, channel: ChannelConfig) {
        self.advance(now);
        let bytes_max = self.config.label_bytes_max;
        if self.closed || channel.label.len().max(channel.protocol.len()) > bytes_max {
            return;
        }
        self.change(|rtc| {
            rtc.direct_api().create_data_channel(channel.into_str0m());
            Ok(())
        });
    }

    /// Closes one data channel; the peer's `onclose` fires.
    pub fn close_channel(&mut self, now: Instant, channel: ChannelId) {
        self.advance(now);
        if let Some(id) = self.channels.remove(channel) {
            self.change(|rtc| {
                rtc.direct_api().close_data_channel(id);
                Ok(())
            });
        }
    }

    /// Ends the link: the peer is told by SCTP and DTLS, and [`LinkEvent::Closed`] comes at once.
    pub fn close(&mut self, now: Instant, why: &'static str) {
        self.advance(now);
        self.catch_up();
        self.end(CloseReason::ByOwner(why));
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<LinkEvent> {
        if self.is_behind() {
            self.catch_up();
        }
        self.events.pop_front()
    }

    /// The next datagram that may leave now; there may be more that must wait for their pace.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        if self.is_behind() {
            self.catch_up();
        }
        self.egress.pop(self.now)
    }

    /// When [`Self::handle_timeout`] is due, or [`Self::poll_transmit`] yields again.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        if self.is_behind() {
            return Some((self.now, Reason::Queued));
        }
        let egress = self.egress.poll_timeout(self.now).map(|at| {
            let waits = at > self.now;
            (
                at,
                if waits {
                    Reason::Pacing
                } else {
                    Reason::Queued
                },
            )
        });
        if self.closed {
            return egress;
        }
        let reason = match self.rtc.last_timeout_reason() {
            str0m::Reason::DTLS => Reason::Dtls,
            str0m::Reason::Ice => Reason::Ice,
            str0m::Reason::Sctp => Reason::Sctp,
            _ => Reason::Rtc,
        };
        let handshake = self.handshake_deadline.map(|at| (at, Reason::Handshake));
        [egress, Some((self.rtc_timeout, reason)), handshake]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// Whether the link has ended and all that it had to send is taken: it can be dropped.
    pub fn is_done(&self) -> bool {
        self.closed && self.egress.is_empty()
    }

    /// How many datagrams were of no use: garbage, records that fail decryption, floods.
    pub fn datagrams_dropped(&self) -> u64 {
        self.errors + self.egress.dropped()
    }

    pub(crate) fn buffered_bytes_target(&self) -> usize {
        self.config.buffered_bytes_target
    }

    /// How many bytes wait for their pace, roughly.
    pub(crate) fn paced_bytes(&self) -> usize {
        self.egress.bytes()
    }

    /// Whether it has ended, by whomever. Its last datagrams may still wait to be sent.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn advance(&mut self, now: Instant) {
        debug_assert!(now >= self.now, "time must not go back");
        self.now = self.now.max(now);
    }

    /// Tells str0m the time.
    pub(crate) fn feed_time(&mut self) {
        let now = self.now;
        self.change(|rtc| rtc.handle_input(Input::Timeout(now)));
        self.fed = Some(now);
    }

    /// Changes the `Rtc`, drains it, and serves the timers that are due at once, so that what is
    /// left to wait for lies in the future.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Rtc) -> Result<(), RtcError>) {
        self.step(change);
        let now = self.now;
        for _ in 0..IMMEDIATE_TIMEOUTS_MAX {
            if self.rtc_timeout > now || self.closed {
                return;
            }
            self.step(|rtc| rtc.handle_input(Input::Timeout(now)));
        }
        self.rtc_timeout = self.rtc_timeout.max(now + TIMEOUT_MIN);
    }

    /// Changes the `Rtc` and drains it. The only place where that is done.
    fn step(&mut self, change: impl FnOnce(&mut Rtc) -> Result<(), RtcError>) {
        self.guarded(|link| {
            link.feed(change);
            link.drain();
            while let Some(id) = link.channels.next_to_close() {
                link.rtc.direct_api().close_data_channel(id);
                link.drain();
            }
        });
    }

    fn feed(&mut self, change: impl FnOnce(&mut Rtc) -> Result<(), RtcError>) {
        if let Err(error) = change(&mut self.rtc) {
            self.note(&error);
        }
    }

    /// Does something to the `Rtc` of a link that has not ended. What is wrong with it then ends it.
    pub(crate) fn guarded(&mut self, act: impl FnOnce(&mut Self)) {
        if self.closed {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_err() {
            self.doom = Some(CloseReason::Panicked);
        }
        if let Some(reason) = self.doom.take() {
            self.end(reason);
        }
    }

    fn drain(&mut self) {
        self.unseen = Unseen::default();
        let mut errors = 0;
        let mut outputs = 0;
        loop {
            outputs += 1;
            if outputs > OUTPUTS_PER_DRAIN_MAX {
                let what = "the transport does not come to rest".to_string();
                self.doom.get_or_insert(CloseReason::Faulty(what));
                break;
            }
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.rtc_timeout = at.max(self.now);
                    break;
                }
                Ok(Output::Transmit(transmit)) => self.queue(transmit),
                Ok(Output::Event(event)) => self.handle_event(event),
                Err(error) => {
                    self.note(&error);
                    errors += 1;
                    if errors >= ERRORS_PER_DRAIN_MAX || !self.rtc.is_alive() {
                        let what = error.to_string();
                        self.doom.get_or_insert(CloseReason::Faulty(what));
                        break;
                    }
                }
            }
        }
        if !self.rtc.is_alive() {
            let what = "the transport gave up".to_string();
            self.doom.get_or_insert(CloseReason::Faulty(what));
        }
    }

    /// str0m panicked: whatever state it is in, it is not touched again.
    pub(crate) fn panicked(&mut self) {
        self.end(CloseReason::Panicked);
    }

    /// An error is garbage from the network until it turns out to be the end of the link: whoever
    /// can forge a source address must not be able to close somebody else's.
    fn note(&mut self, error: &RtcError) {
        self.errors += 1;
        log::debug!("link: {error}");
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::Connected => self.events.push_back(LinkEvent::Established),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.doom.get_or_insert(CloseReason::Lost);
            }
            Event::Closed => {
                self.doom.get_or_insert(CloseReason::ByPeer);
            }
            Event::ChannelOpen(id, _) => {
                let config = self.rtc.channel(id).and_then(|c| c.config().cloned());
                let config = config.unwrap_or_default();
                // What nobody opens a channel on is of no use: until then it is a handshake.
                self.handshake_deadline = None;
                self.events.push_back(self.channels.open(id, &config));
            }
            Event::ChannelClose(id) => self.events.extend(self.channels.closed(id)),
            Event::ChannelData(data) => {
                self.events.extend(self.channels.message(data));
            }
            _ => {}
        }
    }

    /// Ends the link for this reason, unless it has ended. The peer is told as far as there is
    /// still somebody to tell it to; nothing waits for its answer.
    fn end(&mut self, reason: CloseReason) {
        if self.closed {
            return;
        }
        if reason != CloseReason::Panicked && self.rtc.is_alive() {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                if self.rtc.close().is_ok() {
                    self.drain();
                }
            }));
        }
        self.rtc.disconnect();
        self.unseen = Unseen::default();
        self.closed = true;
        self.events.push_back(LinkEvent::Closed(reason));
    }
}

fn protocol(transport: Transport) -> Protocol {
    match transport {
        Transport::Udp => Protocol::Udp,
        Transport::Tcp => Protocol::Tcp,
    }
}
