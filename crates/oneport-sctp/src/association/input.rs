//! Packets of the peer.

use std::time::Instant;

use super::{Association, Control};
use crate::closing::{Life, cause};
use crate::config::{
    CHUNKS_PER_PACKET_MAX, CONTROL_CHUNKS_MAX, ECHO_BYTES_MAX, EVENTS_MAX, SKIPS_READ_MAX,
};
use crate::cookie::Cookie;
use crate::error::{CloseReason, Violation};
use crate::event::Event;
use crate::handshake::{Echo, Handshake, Phase};
use crate::reset::Gone;
use crate::types::{Time, Tsn, VerificationTag};
use crate::wire::{
    Chunk, Data, ForwardTsn, Init, PacketView, RawChunk, Reconfig, ResetResponse, Sack, kind,
    parameters,
};
use crate::work;

/// Whether the rest of a packet is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Read,
    Drop,
}

/// What is done once for each packet.
#[derive(Default)]
struct Seen {
    has_sack: bool,
    has_forward: bool,
    has_reconfig: bool,
    has_echo: bool,
}

impl Association {
    /// Takes in a packet that came through DTLS.
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        let now = self.clock.time(now);
        if self.closing.has_ended() {
            return;
        }
        let Some(packet) = PacketView::new(packet).filter(|packet| self.is_acceptable(*packet))
        else {
            self.packets.dropped += 1;
            return;
        };
        self.packets.received += 1;
        if self.handshake.phase() == Phase::Done {
            self.heartbeat.note_alive(now);
        }
        let mut seen = Seen::default();
        for chunk in packet.chunks().take(CHUNKS_PER_PACKET_MAX) {
            work::step(1);
            let Some(parsed) = chunk.parse() else {
                self.packets.dropped += 1;
                break;
            };
            if self.handle_chunk(now, parsed, packet.tag(), &mut seen) == Rest::Drop
                || self.closing.has_ended()
            {
                break;
            }
        }
        self.receiver.end_packet(now);
        self.settle(now);
    }

    /// Checks tag and checksum (RFC 9260 sections 6.8 and 8.5, RFC 9653 section 5.3).
    fn is_acceptable(&self, packet: PacketView<'_>) -> bool {
        let first = packet.first_kind();
        let is_ours = match first {
            kind::INIT => packet.tag() == VerificationTag::NONE,
            // Its cookie has the tag, which may be that of a restart.
            kind::COOKIE_ECHO => true,
            _ => packet.tag() == self.handshake.local_tag(),
        };
        let may_omit = self.config.zero_checksum
            && packet.is_unchecked()
            && !matches!(first, kind::INIT | kind::COOKIE_ECHO);
        let is_ours = is_ours || self.is_reflected(packet);
        is_ours && (may_omit || packet.is_intact())
    }

    /// ABORT and SHUTDOWN COMPLETE may come with our own tag reflected, which the T bit says
    /// (RFC 9260 section 8.5.1).
    fn is_reflected(&self, packet: PacketView<'_>) -> bool {
        let chunk = packet.chunks().next();
        let has_bit = chunk.is_some_and(|chunk| {
            matches!(chunk.kind(), kind::ABORT | kind::SHUTDOWN_COMPLETE) && chunk.flags() & 1 != 0
        });
        let peer = self.handshake.peer_tag();
        has_bit && peer != VerificationTag::NONE && packet.tag() == peer
    }

    fn handle_chunk(
        &mut self,
        now: Time,
        chunk: Chunk<'_>,
        tag: VerificationTag,
        seen: &mut Seen,
    ) -> Rest {
        match chunk {
            Chunk::Data(data) => self.handle_data(&data),
            Chunk::Sack(sack) if !seen.has_sack => {
                seen.has_sack = true;
                self.handle_sack(now, &sack);
            }
            Chunk::Init(init) => {
                // INIT comes alone (RFC 9260 section 3.2).
                if tag == VerificationTag::NONE {
                    self.handle_init(now, &init);
                }
                return Rest::Drop;
            }
            Chunk::InitAck(init) => {
                if let Some(peer) = self.handshake.handle_init_ack(now, &init, &self.config) {
                    self.meet(&peer);
                }
                return Rest::Drop;
            }
            Chunk::CookieEcho(cookie) if !seen.has_echo => {
                seen.has_echo = true;
                return self.handle_cookie_echo(now, cookie, tag);
            }
            // Without an accepted COOKIE ECHO before it, only our present tag counts.
            Chunk::CookieAck if self.handshake.handle_cookie_ack() => self.established(now),
            Chunk::Heartbeat(value) => self.echo(kind::HEARTBEAT_ACK, value),
            Chunk::HeartbeatAck(value) => self.handle_heartbeat_ack(now, value),
            Chunk::Abort(causes) => self.end(CloseReason::PeerAborted(user_text(causes))),
            Chunk::Error(causes) => self.handle_error(now, causes),
            Chunk::Shutdown(cumulative) => self.handle_shutdown(now, cumulative),
            Chunk::ShutdownAck => {
                if let Some(reason) = self.closing.handle_shutdown_ack() {
                    self.end(reason);
                }
            }
            Chunk::ShutdownComplete if self.closing.life() == Life::ShutdownAckSent => {
                self.end(CloseReason::PeerShutdown);
            }
            Chunk::Reconfig(reconfig) if !seen.has_reconfig => {
                seen.has_reconfig = true;
                self.handle_reconfig(now, &reconfig);
            }
            Chunk::ForwardTsn(forward) if !seen.has_forward => {
                seen.has_forward = true;
                self.handle_forward(&forward);
            }
            Chunk::Unknown(chunk) => return self.handle_unknown(chunk),
            // Padding, and what no peer sends twice in a packet.
            _ => {}
        }
        Rest::Read
    }

    pub(super) fn push_control(&mut self, kind: u8, value: Vec<u8>) {
        if self.control.len() < CONTROL_CHUNKS_MAX {
            self.control.push_back(Control { kind, value });
        }
    }

    fn echo(&mut self, kind: u8, value: &[u8]) {
        if value.len() <= ECHO_BYTES_MAX {
            self.push_control(kind, value.to_vec());
        }
    }

    fn is_open_for_data(&self) -> bool {
        matches!(self.handshake.phase(), Phase::CookieEchoed | Phase::Done)
    }

    fn handle_init(&mut self, now: Time, init: &Init<'_>) {
        if self.closing.life() == Life::ShutdownAckSent {
            // RFC 9260 section 9.2: the peer did not see it.
            self.closing.handle_shutdown();
            return;
        }
        self.handshake
            .handle_init(now, init, &self.config, &mut self.random);
    }

    fn handle_cookie_echo(&mut self, now: Time, cookie: &[u8], tag: VerificationTag) -> Rest {
        let phase = self.handshake.phase();
        match self
            .handshake
            .handle_cookie_echo(now, cookie, tag, &self.random)
        {
            Echo::Establish(peer) => {
                self.meet(&peer);
                self.push_control(kind::COOKIE_ACK, Vec::new());
                self.established(now);
            }
            Echo::Confirm => {
                self.push_control(kind::COOKIE_ACK, Vec::new());
                if phase != Phase::Done {
                    self.established(now);
                }
            }
            Echo::Restart(cookie) if self.closing.life() == Life::Open => {
                self.restart(now, &cookie);
            }
            // What follows in the packet belongs to an association that is not accepted.
            Echo::Restart(_) | Echo::Ignore => return Rest::Drop,
        }
        Rest::Read
    }

    /// The peer has begun again: everything of before is gone (RFC 9260 section 5.2.4.1).
    fn restart(&mut self, now: Time, cookie: &Cookie) {
        let handshake = Handshake::with(cookie.local_tag, cookie.local_tsn);
        let config = std::sync::Arc::clone(&self.config);
        let random = self.random.clone();
        let fresh = Self::with(self.clock, config, self.role, random, handshake);
        let old = std::mem::replace(self, fresh);
        self.events = old.events;
        self.packets = old.packets;
        self.peer_message_bytes_max = old.peer_message_bytes_max;
        for id in old.channels.ids() {
            self.events.push_back(Event::ChannelClosed(id));
        }
        self.handshake.restart(cookie.peer.tag);
        self.meet(&cookie.peer);
        self.push_control(kind::COOKIE_ACK, Vec::new());
        self.path_mtu.start(now);
        self.heartbeat.note_alive(now);
        self.events.push_back(Event::Restarted);
    }

    fn handle_data(&mut self, data: &Data<'_>) {
        if !self.is_open_for_data() {
            return;
        }
        self.closing.note_data();
        let is_full = self.events.len() >= EVENTS_MAX;
        if data.payload.len() > self.config.message_bytes_max {
            return self.fail(Violation::MessageTooLarge);
        }
        match self.receiver.handle_data(data, &self.channels, is_full) {
            Ok(message) => {
                if let Some(message) = message {
                    self.take_messages(message);
                }
                self.take_overdue();
                self.perform_waiting_reset();
            }
            Err(violation) => self.fail(violation),
        }
    }

    fn take_overdue(&mut self) {
        while let Some(message) = self.receiver.next_overdue() {
            self.take_messages(message);
        }
    }

    fn handle_forward(&mut self, forward: &ForwardTsn<'_>) {
        if !self.is_open_for_data() || !self.supported.forward_tsn {
            return;
        }
        if !self.receiver.handle_forward(forward) {
            return;
        }
        self.take_overdue();
        let is_interleaved = self.supported.interleaving;
        for skip in forward.skips().take(SKIPS_READ_MAX) {
            work::step(1);
            if is_interleaved {
                self.receiver.skip_messages(&skip);
            }
            let Some(channel) = self.channels.get_mut(skip.stream) else {
                continue;
            };
            let next = channel.next_incoming();
            if skip.is_unordered || !next.is_at_or_before(skip.sequence, is_interleaved) {
                continue;
            }
            channel.set_next_incoming(skip.sequence.next(is_interleaved));
            if let Some(message) = self.receiver.next_message(skip.stream, &self.channels) {
                self.take_messages(message);
            }
        }
        self.perform_waiting_reset();
    }

    fn handle_sack(&mut self, now: Time, sack: &Sack<'_>) {
        if self.is_open_for_data()
            && let Err(violation) = self.sender.handle_sack(now, sack, &mut self.channels)
        {
            self.fail(violation);
        }
    }

    fn handle_heartbeat_ack(&mut self, now: Time, value: &[u8]) {
        if let Some(round_trip) = self.heartbeat.handle_ack(now, value) {
            self.sender.note_round_trip(round_trip);
        } else if self.path_mtu.handle_ack(now, value) {
            self.sender.set_packet_bytes(self.path_mtu.current());
        }
    }

    fn handle_error(&mut self, now: Time, causes: &[u8]) {
        let is_stale = parameters(causes)
            .take(CHUNKS_PER_PACKET_MAX)
            .any(|(cause, _)| cause == cause::STALE_COOKIE);
        if is_stale {
            self.handshake.handle_stale_cookie(now, &self.config);
        }
    }

    fn handle_shutdown(&mut self, now: Time, cumulative: Tsn) {
        if self.handshake.phase() != Phase::Done {
            return;
        }
        let channels = &mut self.channels;
        match self.sender.handle_cumulative(now, cumulative, channels) {
            Ok(()) => self.closing.handle_shutdown(),
            Err(violation) => self.fail(violation),
        }
    }

    fn handle_reconfig(&mut self, now: Time, reconfig: &Reconfig<'_>) {
        if self.handshake.phase() != Phase::Done {
            return;
        }
        let (reset, response) = match reconfig {
            Reconfig::Known { reset, response } => (reset, response),
            Reconfig::Other(number) => {
                let response = self.reset.deny(*number);
                return self.answer_reset(response);
            }
        };
        if let Some(response) = response {
            let timeout = self.sender.retransmission_timeout();
            let channels = &mut self.channels;
            let gone = self
                .reset
                .handle_response(now, *response, timeout, channels);
            self.channels_gone(gone);
        }
        if let Some(request) = reset {
            let has_all = self.receiver.has_all_up_to(request.last);
            let channels = &mut self.channels;
            let (answer, gone) = self.reset.handle_request(request, has_all, channels);
            if let Some(answer) = answer {
                self.answer_reset(answer);
            }
            self.channels_gone(gone);
        }
    }

    fn perform_waiting_reset(&mut self) {
        let receiver = &self.receiver;
        let has_all = |last| receiver.has_all_up_to(last);
        let channels = &mut self.channels;
        if let Some((answer, gone)) = self.reset.perform_waiting(has_all, channels) {
            self.answer_reset(answer);
            self.channels_gone(gone);
        }
    }

    fn answer_reset(&mut self, response: ResetResponse) {
        let chunk = response.chunk();
        self.push_control(kind::RECONFIG, chunk[4..].to_vec());
    }

    fn channels_gone(&mut self, gone: Vec<Gone>) {
        for gone in gone {
            self.channel_gone(gone);
        }
    }

    fn handle_unknown(&mut self, chunk: RawChunk<'_>) -> Rest {
        if chunk.wants_a_report() {
            let len = chunk.whole.len().min(ECHO_BYTES_MAX);
            let mut value = cause::UNRECOGNIZED_CHUNK.to_be_bytes().to_vec();
            value.extend((len as u16 + 4).to_be_bytes());
            value.extend(&chunk.whole[..len]);
            self.push_control(kind::ERROR, value);
        }
        if chunk.stops_the_packet() {
            Rest::Drop
        } else {
            Rest::Read
        }
    }
}

/// Returns the text of a user-initiated abort.
fn user_text(causes: &[u8]) -> Option<String> {
    let (_, text) = parameters(causes)
        .take(CHUNKS_PER_PACKET_MAX)
        .find(|(cause, _)| *cause == cause::USER_INITIATED)?;
    let text = &text[..text.len().min(ECHO_BYTES_MAX)];
    Some(String::from_utf8_lossy(text).into_owned())
}
