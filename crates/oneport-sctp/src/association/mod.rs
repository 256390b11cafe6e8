//! The association: what the parts have to do with each other.

mod input;
mod message;
mod output;
mod timeout;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::channels::Channels;
use crate::closing::{Closing, Life, cause};
use crate::config::Config;
use crate::cookie::Announced;
use crate::dcep::protocol_of;
use crate::error::{CloseReason, OpenError, SendError, Violation};
use crate::event::{Acknowledged, ChannelOptions, Event, Kind, Role};
use crate::handshake::{Handshake, Phase};
use crate::heartbeat::Heartbeat;
use crate::payload::Payload;
use crate::pmtu::PathMtu;
use crate::random::Random;
use crate::receive::Receiver;
use crate::reset::Reset;
use crate::send::Sender;
use crate::stats::Stats;
use crate::types::{Clock, Span, StreamId, Time};
use crate::wire::Supported;

/// One end of an SCTP association that carries data channels.
///
/// # Calling contract
/// 1. Time comes from the caller: `now` never goes back. It need not be exact; a call that comes late
///    makes the peer wait, and one that comes early does nothing.
/// 2. After any call that takes `now`, call [`poll_transmit`](Self::poll_transmit) until it returns
///    false, and hand each packet to DTLS. Then call [`poll_event`](Self::poll_event) until it returns
///    `None`. While some thousand events wait, data is refused.
/// 3. [`poll_timeout`](Self::poll_timeout) then says when to call
///    [`handle_timeout`](Self::handle_timeout), unless something else happens before.
/// 4. Packets are sent as far as the congestion window allows; spreading them over time is the
///    caller's business.
/// 5. Each message that was delivered takes up space of the receive window until its bytes are
///    [released](Self::release). Call `poll_transmit` after that too: a window update may be due.
/// 6. Nothing that the peer sends makes a call fail or panic: it ends the association by
///    [`Event::Closed`].
///
/// # Example
/// ```
/// # use std::sync::Arc;
/// # use std::time::Instant;
/// use oneport_sctp::{Association, ChannelOptions, Config, Event, Kind, Role};
///
/// let now = Instant::now();
/// let config = Arc::new(Config::default());
/// // The seeds must be unpredictable to anybody else.
/// let mut client = Association::new(now, Arc::clone(&config), Role::Client, [1; 32]);
/// let mut server = Association::new(now, config, Role::Server, [2; 32]);
/// client.connect(now);
/// let id = client.open(now, ChannelOptions::default())?;
/// client.send(now, id, Kind::Text, b"hello"[..].into())?;
///
/// let mut packet = Vec::new();
/// let mut heard = Vec::new();
/// for _ in 0..10 {
///     while client.poll_transmit(now, &mut packet) {
///         server.handle_packet(now, &packet);
///     }
///     while server.poll_transmit(now, &mut packet) {
///         client.handle_packet(now, &packet);
///     }
///     while let Some(event) = server.poll_event() {
///         if let Event::Message { id, bytes, .. } = event {
///             server.release(id, bytes.len());
///             heard.push(bytes);
///         }
///     }
/// }
/// assert_eq!(heard, [b"hello"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Association {
    clock: Clock,
    config: Arc<Config>,
    role: Role,
    random: Random,
    handshake: Handshake,
    closing: Closing,
    channels: Channels,
    sender: Sender,
    receiver: Receiver,
    reset: Reset,
    heartbeat: Heartbeat,
    path_mtu: PathMtu,
    /// Chunks that are ready to be sent: kind, flags, value.
    control: VecDeque<Control>,
    events: VecDeque<Event>,
    /// What both ends have.
    supported: Supported,
    peer_message_bytes_max: usize,
    packets: Packets,
    messages_unclaimed: u64,
}

#[derive(Debug)]
struct Control {
    kind: u8,
    value: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Packets {
    sent: u64,
    received: u64,
    dropped: u64,
}

/// Setting up and ending.
impl Association {
    /// Returns an association that waits for the peer to begin.
    ///
    /// `seed` must be 32 bytes that nobody can predict, fresh for each association: verification tags,
    /// initial sequence numbers and the keys of state cookies are derived from it. Under DTLS these are
    /// a second line of defence.
    #[must_use]
    pub fn new(now: Instant, config: Arc<Config>, role: Role, seed: [u8; 32]) -> Self {
        let mut random = Random::new(seed);
        let handshake = Handshake::new(&mut random);
        let clock = Clock::starting_at(now);
        Self::with(clock, config, role, random, handshake)
    }

    fn with(
        clock: Clock,
        config: Arc<Config>,
        role: Role,
        random: Random,
        handshake: Handshake,
    ) -> Self {
        let first = handshake.local_tsn();
        Self {
            clock,
            role,
            random,
            closing: Closing::new(),
            channels: Channels::new(&config, role),
            sender: Sender::new(&config, first),
            receiver: Receiver::new(&config),
            reset: Reset::new(first),
            heartbeat: Heartbeat::new(config.heartbeat_interval.map(Span::from_duration)),
            path_mtu: PathMtu::new(&config),
            control: VecDeque::new(),
            events: VecDeque::new(),
            supported: Supported::default(),
            peer_message_bytes_max: config.peer_message_bytes_max,
            packets: Packets::default(),
            messages_unclaimed: 0,
            handshake,
            config,
        }
    }

    /// Begins the handshake. Both ends may.
    pub fn connect(&mut self, now: Instant) {
        if !self.closing.has_ended() {
            self.handshake.connect(self.clock.time(now), &self.config);
        }
    }

    /// Returns true between [`Event::Established`] and the end.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.handshake.phase() == Phase::Done && !self.closing.has_ended()
    }

    /// Returns true after the end.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closing.has_ended()
    }

    /// Takes what the peer announces of itself.
    fn meet(&mut self, peer: &Announced) {
        self.supported = self.config.supported().and(peer.supported);
        let packet_bytes = self.path_mtu.current();
        self.sender
            .establish(self.supported, peer.window, packet_bytes);
        self.receiver
            .establish(peer.first_tsn, self.supported.interleaving);
        self.channels.limit_streams(peer.inbound_streams);
        self.reset.establish(peer.first_tsn);
    }

    fn established(&mut self, now: Time) {
        log::debug!("association established, {:?}", self.supported);
        self.path_mtu.start(now);
        self.heartbeat.note_alive(now);
        self.events.push_back(Event::Established);
    }

    /// Ends the association once everything that was sent has been acknowledged. No message is
    /// accepted after this call.
    pub fn shutdown(&mut self, now: Instant) {
        if self.handshake.phase() == Phase::Done {
            self.closing.begin();
            self.settle(self.clock.time(now));
        } else {
            self.end(CloseReason::Shutdown);
        }
    }

    /// Ends the association at once, and tells the peer why with the next packet.
    pub fn abort(&mut self, _now: Instant, reason: &str) {
        if self.is_established() {
            self.closing.abort(cause::USER_INITIATED, reason);
        }
        self.end(CloseReason::Aborted);
    }

    fn fail(&mut self, violation: Violation) {
        self.closing
            .abort(cause::PROTOCOL_VIOLATION, &violation.to_string());
        self.end(CloseReason::ProtocolViolation(violation));
    }

    fn end(&mut self, reason: CloseReason) {
        if !self.closing.has_ended() {
            log::debug!("association ended: {reason}");
            self.closing.end();
            self.control.clear();
            self.events.push_back(Event::Closed(reason));
        }
    }

    /// Draws conclusions after each input: whether streams can be reset, and whether all is done.
    fn settle(&mut self, _now: Time) {
        if self.closing.has_ended() || self.handshake.phase() != Phase::Done {
            return;
        }
        if self.channels.is_draining() {
            self.request_resets();
        }
        if self.closing.life() != Life::Open
            && self.sender.is_idle()
            && !self.channels.has_scheduled()
        {
            self.closing.note_idle();
        }
    }

    fn request_resets(&mut self) {
        if self.supported.reconfig {
            self.reset
                .request(self.sender.last_sent(), &mut self.channels);
            return;
        }
        // The peer cannot: the channel ends here, and its number is not used again by the peer.
        for id in self.channels.take_drained(usize::MAX) {
            let incoming = self.channels.reset_incoming(id);
            let outgoing = self.channels.reset_outgoing(id);
            if let Some(unreleased) = incoming.or(outgoing) {
                self.channel_gone((id, unreleased));
            }
        }
    }
}

/// Channels.
impl Association {
    /// Opens a channel. Messages may be sent at once, even before the association is established; the
    /// peer has accepted the channel when [`Event::ChannelOpen`] comes.
    ///
    /// # Errors
    /// [`OpenError`], if there is no number or no space for it.
    pub fn open(&mut self, now: Instant, options: ChannelOptions) -> Result<StreamId, OpenError> {
        let _ = now;
        if self.closing.life() != Life::Open {
            return Err(OpenError::Closed);
        }
        self.channels.open(options)
    }

    /// Closes a channel: what was accepted is sent, then the stream is reset. When the peer has done the
    /// same, [`Event::ChannelClosed`] follows. An unknown channel is ignored.
    pub fn close(&mut self, now: Instant, id: StreamId) {
        if self.channels.close(id) {
            self.settle(self.clock.time(now));
        }
    }

    /// Queues a message.
    ///
    /// # Errors
    /// [`SendError`]; the message is dropped then.
    pub fn send(
        &mut self,
        now: Instant,
        id: StreamId,
        kind: Kind,
        payload: Payload,
    ) -> Result<(), SendError> {
        if self.closing.life() != Life::Open {
            return Err(SendError::NoChannel);
        }
        let len = payload.len();
        if len > self.peer_message_bytes_max {
            return Err(SendError::TooLarge);
        }
        let kept = self.channels.queued_bytes() + self.sender.bytes_kept();
        if kept > 0 && kept + len > self.config.send_buffer {
            return Err(SendError::Full);
        }
        let payload = if len == 0 { [0][..].into() } else { payload };
        self.channels.send(
            self.clock.time(now),
            id,
            payload,
            protocol_of(kind, len == 0),
        )
    }

    /// Notes that the application has taken so many bytes of a channel's messages: the peer may send as
    /// many again.
    pub fn release(&mut self, id: StreamId, bytes: usize) {
        if let Some(channel) = self.channels.get_mut(id) {
            let released = channel.release(bytes);
            self.receiver.release(released);
        }
    }

    /// Returns how many bytes of a channel wait for their first transmission.
    #[must_use]
    pub fn buffered_amount(&self, id: StreamId) -> usize {
        let channel = self.channels.get(id);
        channel.map_or(0, |channel| channel.queued_bytes())
    }

    /// Returns what the peer has acknowledged of a channel. Zero for one that does not exist.
    #[must_use]
    pub fn acknowledged(&self, id: StreamId) -> Acknowledged {
        let channel = self.channels.get(id);
        channel.map_or_else(Acknowledged::default, |channel| channel.acknowledged())
    }

    /// Returns how many bytes may still be queued before the send buffer is full.
    #[must_use]
    pub fn send_space(&self) -> usize {
        let kept = self.channels.queued_bytes() + self.sender.bytes_kept();
        self.config.send_buffer.saturating_sub(kept)
    }

    /// Sets the largest message that the peer accepts (`a=max-message-size`).
    pub fn set_peer_message_bytes_max(&mut self, bytes: usize) {
        self.peer_message_bytes_max = bytes;
    }

    fn channel_gone(&mut self, (id, unreleased): (StreamId, usize)) {
        self.receiver.release(unreleased);
        self.events.push_back(Event::ChannelClosed(id));
    }
}

/// The path and figures.
impl Association {
    /// Says that the path is back after an outage, or is another one: what may have been lost is sent
    /// again at once, and timeouts, windows and packet sizes begin anew.
    pub fn path_changed(&mut self, now: Instant) {
        let now = self.clock.time(now);
        if self.closing.has_ended() {
            return;
        }
        self.handshake.nudge(now, &self.config);
        if self.handshake.phase() == Phase::Done {
            self.sender.change_path(now, &mut self.channels);
            self.reset.nudge();
            self.path_mtu.change_path(now);
            self.sender.set_packet_bytes(self.path_mtu.current());
            self.receiver.demand_acknowledgement();
        }
    }

    /// Returns what was done so far, and where it stands.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (sent, received) = (self.sender.counts(), self.receiver.counts());
        Stats {
            packets_sent: self.packets.sent,
            packets_received: self.packets.received,
            packets_dropped: self.packets.dropped,
            chunks_sent: sent.chunks,
            chunks_retransmitted: sent.retransmitted,
            chunks_received: received.chunks,
            duplicates_received: received.duplicates,
            chunks_refused: received.refused,
            messages_abandoned: sent.abandoned + self.channels.abandoned(),
            messages_unclaimed: self.messages_unclaimed,
            timeouts: sent.timeouts,
            tail_probes: sent.tail_probes,
            recoveries: sent.recoveries,
            round_trip: self.sender.round_trip().map(Span::duration),
            retransmission_timeout: self.sender.retransmission_timeout().duration(),
            congestion_window: self.sender.congestion_window(),
            bytes_in_flight: self.sender.bytes_in_flight(),
            peer_window: self.sender.peer_window(),
            bytes_queued: self.channels.queued_bytes(),
            receive_window: self.receiver.window(),
            packet_bytes: self.path_mtu.current(),
            channels: self.channels.count(),
        }
    }

    /// Returns the next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

#[cfg(test)]
mod tests;
