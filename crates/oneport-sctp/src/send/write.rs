//! Puts data into packets: what is lost first, then what is new, then a probe.

use super::{Fragment, Sender};
use crate::channels::{Channels, Progress};
use crate::types::{LongTsn, Span, Time};
use crate::wire::{COMMON_HEADER_BYTES, DataHeader, ForwardTsn, PacketWriter, flag};

/// The peer is asked at most so often to acknowledge at once, or once in a round trip: it costs a
/// packet each.
const IMMEDIATE_INTERVAL: Span = Span::from_millis(20);

/// With a window of fewer packets, every last one is acknowledged at once: the sender waits for it.
const SMALL_WINDOW_PACKETS: usize = 4;

/// What was written into a packet.
#[derive(Debug, Default)]
struct Written {
    last: Option<LongTsn>,
    /// Where the last chunk begins in the packet.
    last_at: usize,
    is_first_again: bool,
}

impl Sender {
    /// Returns true if nothing is to be written.
    pub(crate) fn is_quiet(&self, channels: &Channels) -> bool {
        !self.is_forward_due && !self.has_data(channels)
    }

    /// Returns true if there is data to write.
    pub(crate) fn has_data(&self, channels: &Channels) -> bool {
        let in_flight = self.flight.bytes();
        let allows = in_flight == 0 || self.congestion.allows(in_flight);
        let has_new = channels.has_scheduled() && (self.peer_window > 0 || in_flight == 0);
        let has_lost = self.flight.next_lost().is_some();
        self.timers.is_probe_due || (allows && (has_new || has_lost))
    }

    /// Returns the bytes of the chunk that would be written next.
    pub(crate) fn next_chunk_bytes(&self, channels: &mut Channels) -> usize {
        let header = DataHeader::bytes(self.is_interleaved);
        if let Some(tsn) = self.flight.next_lost() {
            return header + usize::from(self.flight.chunk(tsn).len);
        }
        let Some((_, channel)) = channels.scheduled() else {
            return header;
        };
        let rest = match channel.progress() {
            Some(progress) => {
                let message = self.flight.messages().get(progress.serial);
                message.payload.len() - progress.offset as usize
            }
            None => channel.next_len().unwrap_or_default(),
        };
        header + rest.min(self.fragment_bytes)
    }

    /// Appends FORWARD-TSN if it is due.
    pub(crate) fn write_forward(&mut self, now: Time, packet: &mut PacketWriter<'_>) {
        if !self.is_forward_due {
            return;
        }
        let Some((point, skips)) = self.flight.skips(self.is_interleaved) else {
            self.is_forward_due = false;
            return;
        };
        let entry = ForwardTsn::entry_bytes(self.is_interleaved);
        if ForwardTsn::BYTES + skips.len() * entry > packet.room() {
            return;
        }
        self.is_forward_due = false;
        self.forward_sent_at = now;
        packet.with(|out| ForwardTsn::write(point, self.is_interleaved, &skips, out));
        self.timers.note_sent(now, false, &self.path);
    }

    /// Appends chunks of data as far as windows and the packet allow.
    pub(crate) fn write_data(
        &mut self,
        now: Time,
        packet: &mut PacketWriter<'_>,
        channels: &mut Channels,
    ) {
        let number = self.packet.wrapping_add(1);
        let mut written = Written::default();
        self.write_lost(now, number, packet, channels, &mut written);
        if self.flight.next_lost().is_none() {
            self.write_new(now, number, packet, channels, &mut written);
        }
        if self.timers.is_probe_due {
            self.write_probe(now, number, packet, &mut written);
        }
        let Some(last) = written.last else { return };
        self.packet = number;
        if self.wants_answer(now, channels) {
            self.flight.set_immediate(last);
            packet.set_flags(written.last_at, flag::IMMEDIATE);
        }
        self.timers.is_probe_due = false;
        self.timers
            .note_sent(now, written.is_first_again, &self.path);
    }

    /// Decides about the I-bit (RFC 7053): where no further packet follows, the peer would delay its
    /// acknowledgement, and a loss would be noticed late.
    fn wants_answer(&mut self, now: Time, channels: &Channels) -> bool {
        if self.timers.is_probe_due {
            return true;
        }
        let in_flight = self.flight.bytes();
        let is_blocked = !self.congestion.allows(in_flight) || self.peer_window == 0;
        let is_last =
            is_blocked || (!channels.has_scheduled() && self.flight.next_lost().is_none());
        if !is_last {
            return false;
        }
        let is_small = self.congestion.window() < SMALL_WINDOW_PACKETS * self.fragment_bytes;
        let is_due = now >= self.timers.immediate;
        if is_due {
            let interval = self.path.smoothed().unwrap_or(Span::ZERO);
            self.timers.immediate = now.plus(interval.max(IMMEDIATE_INTERVAL));
        }
        is_due || (is_small && is_blocked)
    }

    fn write_lost(
        &mut self,
        now: Time,
        number: u32,
        packet: &mut PacketWriter<'_>,
        channels: &mut Channels,
        written: &mut Written,
    ) {
        while let Some(tsn) = self.flight.next_lost() {
            if let Some(serial) = self.flight.give_up_if_due(now, tsn) {
                self.abandon(serial, channels);
            }
            if self.flight.message_of(tsn).is_abandoned() {
                self.flight.skip_lost(tsn);
                continue;
            }
            let in_flight = self.flight.bytes();
            let is_allowed = in_flight == 0 || self.congestion.allows(in_flight);
            if !is_allowed || !self.write_again(now, number, tsn, packet, written) {
                return;
            }
            self.rack.note_repeated(tsn.wire());
        }
    }

    /// Sends a chunk once more. Returns false if it does not fit.
    fn write_again(
        &mut self,
        now: Time,
        number: u32,
        tsn: LongTsn,
        packet: &mut PacketWriter<'_>,
        written: &mut Written,
    ) -> bool {
        let bytes =
            DataHeader::bytes(self.is_interleaved) + usize::from(self.flight.chunk(tsn).len);
        if bytes > packet.room() {
            if !packet.is_empty() {
                return false;
            }
            // Sent when packets were larger. It cannot be divided now.
            packet.extend_to(COMMON_HEADER_BYTES + bytes);
        }
        self.flight.send_again(now, number, tsn);
        self.counts.retransmitted += 1;
        written.is_first_again |= tsn == self.flight.cumulative().next();
        self.write_chunk(tsn, packet, written);
        true
    }

    fn write_chunk(&mut self, tsn: LongTsn, packet: &mut PacketWriter<'_>, written: &mut Written) {
        let (chunk, message) = (self.flight.chunk(tsn), self.flight.message_of(tsn));
        let unordered = if message.is_unordered {
            flag::UNORDERED
        } else {
            0
        };
        let header = DataHeader {
            tsn: tsn.wire(),
            stream: message.stream,
            sequence: message.sequence,
            fragment: chunk.fragment,
            protocol: message.protocol,
            flags: (chunk.flags & !flag::IMMEDIATE) | unordered,
        };
        written.last = Some(tsn);
        written.last_at = packet.len();
        packet.with(|out| {
            header.write(self.is_interleaved, chunk.len, out);
            let (at, len) = (chunk.offset as usize, usize::from(chunk.len));
            message.payload.write(at, len, out);
        });
        self.counts.chunks += 1;
    }

    fn write_new(
        &mut self,
        now: Time,
        number: u32,
        packet: &mut PacketWriter<'_>,
        channels: &mut Channels,
        written: &mut Written,
    ) {
        let header = DataHeader::bytes(self.is_interleaved);
        while self.may_send_new(written) {
            let Some(room) = packet.room().checked_sub(header + 1) else {
                return;
            };
            let Some(progress) = self.next_progress(now, channels) else {
                if channels.has_scheduled() {
                    channels.end_turn();
                    continue;
                }
                return;
            };
            let message = self.flight.messages().get(progress.serial);
            let rest = message.payload.len() - progress.offset as usize;
            let len = rest.min(self.fragment_bytes);
            let is_probe = len > self.peer_window;
            // Into a window that is closed goes a single chunk (RFC 9260 section 6.1 A).
            if len > room + 1 || (is_probe && self.flight.bytes() > 0) {
                return;
            }
            self.congestion
                .note_sent(now, self.path.retransmission_timeout(), self.flight.bytes());
            let tsn = self.send_fragment(now, number, progress, len, len == rest, channels);
            self.peer_window = self.peer_window.saturating_sub(len);
            if is_probe {
                self.window_probe = Some(tsn);
            }
            self.write_chunk(tsn, packet, written);
        }
    }

    fn may_send_new(&self, written: &Written) -> bool {
        let in_flight = self.flight.bytes();
        let is_probe = self.timers.is_probe_due && written.last.is_none();
        in_flight == 0 || self.congestion.allows(in_flight) || is_probe
    }

    /// Returns where the message of the channel whose turn it is goes on; begins one if none is under
    /// way.
    fn next_progress(&mut self, now: Time, channels: &mut Channels) -> Option<Progress> {
        let is_interleaved = self.is_interleaved;
        let (stream, channel) = channels.scheduled()?;
        if let Some(progress) = channel.progress() {
            return Some(progress);
        }
        let generation = channel.generation();
        let (mut message, sequence) = channels.take_scheduled(now, is_interleaved)?;
        if !self.is_partially_reliable {
            message.limit = crate::channels::Limit::NONE;
        }
        let messages = self.flight.messages_mut();
        let progress = Progress {
            serial: messages.begin(message, stream, generation, sequence),
            offset: 0,
            fragment: 0,
        };
        let (_, channel) = channels.scheduled()?;
        channel.set_progress(Some(progress));
        Some(progress)
    }

    fn send_fragment(
        &mut self,
        now: Time,
        number: u32,
        progress: Progress,
        len: usize,
        is_end: bool,
        channels: &mut Channels,
    ) -> LongTsn {
        let begins = if progress.offset == 0 {
            flag::BEGINS
        } else {
            0
        };
        let ends = if is_end { flag::ENDS } else { 0 };
        let fragment = Fragment {
            message: progress.serial,
            offset: progress.offset,
            fragment: progress.fragment,
            // A fragment is within a packet, which is at most 16 KiB.
            len: len as u16,
            flags: begins | ends,
        };
        let tsn = self.flight.send(now, number, fragment);
        channels.note_sent(len);
        let next = (!is_end).then(|| Progress {
            serial: progress.serial,
            offset: progress.offset + len as u32,
            fragment: progress.fragment + 1,
        });
        if let Some((_, channel)) = channels.scheduled() {
            channel.set_progress(next);
        }
        if is_end {
            self.flight.messages_mut().complete(progress.serial);
        }
        if is_end || self.is_interleaved {
            channels.end_turn();
        }
        tsn
    }

    /// Repeats the newest packet's last chunk if nothing else went into this packet.
    fn write_probe(
        &mut self,
        now: Time,
        number: u32,
        packet: &mut PacketWriter<'_>,
        written: &mut Written,
    ) {
        self.counts.tail_probes += 1;
        let newest = self.flight.newest();
        let repeatable = newest.filter(|tsn| self.flight.may_repeat(now, *tsn));
        match repeatable {
            Some(tsn) if written.last.is_none() => {
                self.write_again(now, number, tsn, packet, written);
            }
            _ if written.last.is_none() => self.timers.is_probe_due = false,
            _ => {}
        }
    }
}
