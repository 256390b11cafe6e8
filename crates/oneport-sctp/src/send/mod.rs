//! The sending side: from queued messages to chunks in packets, and from acknowledgements to space.

mod flight;
mod line;
mod message;
mod timers;
mod write;

pub(crate) use flight::{Chunk, Delivered, Flight, Fragment, Newly, is_later};

use crate::channels::Channels;
use crate::config::{Config, GAP_BLOCKS_MAX, fragment_bytes};
use crate::dcep::protocol;
use crate::error::Violation;
use crate::recover::{Congestion, Rack, RoundTrip, Verdict};
use crate::types::{LongTsn, Span, Time, Tsn};
use crate::wire::{GapBlock, Sack, Supported};
use timers::Timers;

/// Everything about data that was or will be sent.
#[derive(Debug)]
pub(crate) struct Sender {
    flight: Flight,
    congestion: Congestion,
    path: RoundTrip,
    rack: Rack,
    timers: Timers,
    /// What the peer has space for besides what is in flight.
    peer_window: usize,
    /// Sent although the peer had no space, to hear when it has.
    window_probe: Option<LongTsn>,
    fragment_bytes: usize,
    is_interleaved: bool,
    is_partially_reliable: bool,
    /// The number of the last packet with data.
    packet: u32,
    /// The gap blocks of the latest SACK.
    gaps: Vec<GapBlock>,
    /// FORWARD-TSN is to be sent.
    is_forward_due: bool,
    forward_sent_at: Time,
    counts: Counts,
}

/// What [`Stats`](crate::Stats) reports of sending.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) chunks: u64,
    pub(crate) retransmitted: u64,
    pub(crate) abandoned: u64,
    pub(crate) timeouts: u64,
    pub(crate) tail_probes: u64,
    pub(crate) recoveries: u64,
}

/// Duplicates beyond these are not looked at.
const DUPLICATES_READ_MAX: usize = 32;

impl Sender {
    pub(crate) fn new(config: &Config, first: Tsn) -> Self {
        Self {
            flight: Flight::new(first),
            congestion: Congestion::new(config),
            path: RoundTrip::new(config),
            rack: Rack::default(),
            timers: Timers::default(),
            peer_window: 0,
            window_probe: None,
            fragment_bytes: fragment_bytes(config.packet_bytes_base(), false),
            is_interleaved: false,
            is_partially_reliable: false,
            packet: 0,
            gaps: Vec::new(),
            is_forward_due: false,
            forward_sent_at: Time::START,
            counts: Counts::default(),
        }
    }

    /// The handshake has told what the peer can and takes.
    pub(crate) fn establish(&mut self, supported: Supported, window: u32, packet_bytes: usize) {
        self.is_interleaved = supported.interleaving;
        self.is_partially_reliable = supported.forward_tsn;
        self.peer_window = window as usize;
        self.set_packet_bytes(packet_bytes);
    }

    pub(crate) fn set_packet_bytes(&mut self, packet_bytes: usize) {
        self.fragment_bytes = fragment_bytes(packet_bytes, self.is_interleaved);
        self.congestion.set_packet(packet_bytes);
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) fn round_trip(&self) -> Option<Span> {
        self.path.smoothed()
    }

    pub(crate) fn retransmission_timeout(&self) -> Span {
        self.path.retransmission_timeout()
    }

    pub(crate) fn congestion_window(&self) -> usize {
        self.congestion.window()
    }

    pub(crate) fn peer_window(&self) -> usize {
        self.peer_window
    }

    pub(crate) fn bytes_in_flight(&self) -> usize {
        self.flight.bytes()
    }

    /// Returns the bytes that are kept because they may have to be sent again.
    pub(crate) fn bytes_kept(&self) -> usize {
        self.flight.bytes_kept()
    }

    /// Returns true if everything that was sent is acknowledged.
    pub(crate) fn is_idle(&self) -> bool {
        self.flight.is_empty()
    }

    /// Returns the last TSN that was sent.
    pub(crate) fn last_sent(&self) -> Tsn {
        self.flight.last().wire()
    }

    /// A HEARTBEAT came back.
    pub(crate) fn note_round_trip(&mut self, sample: Span) {
        self.path.measure(sample);
        self.timers.timeouts_in_a_row = 0;
    }

    /// Takes in a SACK, or the cumulative TSN of a SHUTDOWN.
    pub(crate) fn handle_cumulative(
        &mut self,
        now: Time,
        cumulative: Tsn,
        channels: &mut Channels,
    ) -> Result<(), Violation> {
        let mut newly = Newly::default();
        if let Some(has_advanced) = self.acknowledge_up_to(cumulative, &mut newly, channels)? {
            self.settle(now, has_advanced, newly, self.flight.bytes(), channels);
        }
        Ok(())
    }

    /// Takes in a SACK. An old one says nothing.
    pub(crate) fn handle_sack(
        &mut self,
        now: Time,
        sack: &Sack<'_>,
        channels: &mut Channels,
    ) -> Result<(), Violation> {
        let in_flight_before = self.flight.bytes();
        let mut newly = Newly::default();
        let Some(has_advanced) = self.acknowledge_up_to(sack.cumulative, &mut newly, channels)?
        else {
            return Ok(());
        };
        self.gaps.clear();
        if sack.has_gaps() {
            self.acknowledge_gaps(sack, &mut newly);
        }
        let (cumulative, last) = (self.flight.cumulative(), self.flight.last());
        self.rack.note_duplicates(
            sack.duplicates().take(DUPLICATES_READ_MAX),
            cumulative,
            last,
        );
        let window = sack.window as usize;
        self.peer_window = window.saturating_sub(self.flight.bytes());
        self.settle_window_probe(now, window, channels);
        self.settle(now, has_advanced, newly, in_flight_before, channels);
        Ok(())
    }

    /// Returns whether the point advanced, or `None` if it is an old one.
    fn acknowledge_up_to(
        &mut self,
        cumulative: Tsn,
        newly: &mut Newly,
        channels: &mut Channels,
    ) -> Result<Option<bool>, Violation> {
        let before = self.flight.cumulative();
        let cumulative = before.nearest(cumulative);
        if cumulative < before {
            return Ok(None);
        }
        if cumulative > self.flight.last() {
            return Err(Violation::AcknowledgedUnsent);
        }
        self.flight
            .acknowledge_up_to(cumulative, newly, |message, chunk, is_delivered| {
                if !is_delivered || message.protocol == protocol::DCEP {
                    return;
                }
                let channel = channels.get_mut(message.stream);
                let same = |channel: &&mut crate::channels::Channel| {
                    channel.generation() == message.generation
                };
                if let Some(channel) = channel.filter(same) {
                    let is_empty = protocol::is_empty(message.protocol);
                    let bytes = if is_empty { 0 } else { u64::from(chunk.len) };
                    let is_end = chunk.flags & crate::wire::flag::ENDS != 0;
                    channel.note_acknowledged(bytes, is_end);
                }
            });
        Ok(Some(cumulative > before))
    }

    /// Blocks are in order and apart; the first that is not ends them.
    fn acknowledge_gaps(&mut self, sack: &Sack<'_>, newly: &mut Newly) {
        let mut end_before = 0;
        for block in sack.gaps().take(GAP_BLOCKS_MAX) {
            // A block next to the cumulative TSN would be part of it.
            if block.start < 2 || block.start <= end_before || block.end < block.start {
                break;
            }
            end_before = block.end;
            self.flight.acknowledge_gap(block, newly);
            self.gaps.push(block);
        }
    }

    /// A chunk that was sent into a closed window was dropped if the window is open now.
    fn settle_window_probe(&mut self, now: Time, window: usize, channels: &mut Channels) {
        let Some(probe) = self.window_probe else {
            return;
        };
        if probe <= self.flight.cumulative() {
            self.window_probe = None;
            return;
        }
        let is_open = window >= usize::from(self.flight.chunk(probe).len);
        let is_oldest = self.flight.oldest().is_some_and(|(tsn, _)| tsn == probe);
        if is_open && is_oldest {
            self.window_probe = None;
            self.path.reset_backoff();
            self.lose_oldest(now, channels);
        }
    }

    /// Draws the conclusions from an acknowledgement.
    fn settle(
        &mut self,
        now: Time,
        has_advanced: bool,
        newly: Newly,
        in_flight_before: usize,
        channels: &mut Channels,
    ) {
        self.timers.timeouts_in_a_row = 0;
        if let Some(latest) = newly.latest {
            // An acknowledgement that may have been delayed says little.
            let is_prompt = latest.was_immediate || newly.is_several_packets;
            if !latest.is_ambiguous && (is_prompt || self.path.smoothed().is_none()) {
                self.path.measure(now.since(latest.sent_at));
            }
            self.rack.note_acknowledged(now, &newly, &self.path);
        }
        if has_advanced {
            let cumulative = self.flight.cumulative();
            self.congestion
                .note_acknowledged(newly.bytes, in_flight_before, cumulative);
        }
        self.detect_losses(now, channels);
        self.settle_forward(now);
        self.timers.note_acknowledged(
            now,
            has_advanced,
            newly.bytes > 0,
            self.flight.is_empty(),
            &self.path,
        );
    }

    /// Counts what others overtook as lost.
    fn detect_losses(&mut self, now: Time, channels: &mut Channels) {
        self.timers.reordering = Time::NEVER;
        let mut has_lost = false;
        while let Some((_, chunk)) = self.flight.oldest() {
            match self.rack.judge(now, chunk, &self.path) {
                Verdict::Lost => {
                    self.lose_oldest(now, channels);
                    has_lost = true;
                }
                Verdict::LostAt(due) => {
                    self.timers.reordering = due;
                    break;
                }
                Verdict::Unknown => break,
            }
        }
        if has_lost && self.congestion.note_loss(self.flight.last()) {
            self.counts.recoveries += 1;
            self.rack.note_recovery();
        }
    }

    fn lose_oldest(&mut self, now: Time, channels: &mut Channels) {
        if let Some(serial) = self.flight.lose_oldest(now) {
            self.abandon(serial, channels);
        }
    }

    /// Gives up a message (RFC 3758 section 3.5).
    fn abandon(&mut self, serial: u64, channels: &mut Channels) {
        let message = self.flight.messages().get(serial);
        channels.cancel_sending(message.stream, serial, message.payload.len());
        self.flight.messages_mut().abandon(serial);
        self.counts.abandoned += 1;
        self.is_forward_due |= self.flight.advance();
    }

    /// FORWARD-TSN is repeated after a round trip without effect.
    fn settle_forward(&mut self, now: Time) {
        if !self.is_partially_reliable || self.is_forward_due || self.flight.is_empty() {
            return;
        }
        let patience = self
            .path
            .smoothed()
            .unwrap_or(self.retransmission_timeout());
        self.is_forward_due = self.flight.advance() && now >= self.forward_sent_at.plus(patience);
    }
}
