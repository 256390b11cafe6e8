//! The receiving side: from chunks to messages, and what is acknowledged.

mod acknowledge;
mod assembly;
mod window;

pub(crate) use assembly::Received;

use crate::channels::Channels;
use crate::config::{Config, HELD_CHUNK_OVERHEAD};
use crate::error::Violation;
use crate::types::{LongTsn, MessageSeq, Span, StreamId, Time, Tsn};
use crate::wire::{Data, ForwardTsn};
use acknowledge::Acknowledging;
use assembly::{Assembly, Whole};
use window::{Arrival, TsnWindow};

/// Everything about data that was or will be received.
#[derive(Debug)]
pub(crate) struct Receiver {
    arrived: TsnWindow,
    assembly: Assembly,
    acknowledging: Acknowledging,
    window_bytes: usize,
    /// Delivered, and not released.
    unreleased: usize,
    /// The window that the peer was told last.
    announced: usize,
    is_interleaved: bool,
    counts: Counts,
}

/// What [`Stats`](crate::Stats) reports of receiving.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) chunks: u64,
    pub(crate) duplicates: u64,
    pub(crate) refused: u64,
}

/// The most that incomplete messages take up, in receive windows. A peer that respects the window sends
/// single chunks beyond one window.
const UNFINISHED_WINDOWS_MAX: usize = 2;

impl Receiver {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            arrived: TsnWindow::new(Tsn(0)),
            assembly: Assembly::new(config.message_bytes_max),
            acknowledging: Acknowledging::new(Span::from_duration(config.ack_delay)),
            window_bytes: config.receive_window(),
            unreleased: 0,
            announced: config.receive_window(),
            is_interleaved: false,
            counts: Counts::default(),
        }
    }

    /// The handshake has told where the peer begins.
    pub(crate) fn establish(&mut self, first: Tsn, is_interleaved: bool) {
        self.arrived = TsnWindow::new(first);
        self.is_interleaved = is_interleaved;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns the bytes that there is space for.
    pub(crate) fn window(&self) -> usize {
        let used = self.assembly.charge() + self.unreleased;
        self.window_bytes.saturating_sub(used)
    }

    pub(crate) fn cumulative(&self) -> Tsn {
        self.arrived.cumulative().wire()
    }

    /// Returns true if everything up to `tsn` has arrived.
    pub(crate) fn has_all_up_to(&self, tsn: Tsn) -> bool {
        let cumulative = self.arrived.cumulative();
        cumulative.nearest(tsn) <= cumulative
    }

    /// Takes in a chunk. Returns the message that it brings, if it is its turn. The caller then asks
    /// for those that follow.
    ///
    /// `is_full` says that nothing more can be taken at all.
    pub(crate) fn handle_data(
        &mut self,
        data: &Data<'_>,
        channels: &Channels,
        is_full: bool,
    ) -> Result<Option<Received>, Violation> {
        if data.is_interleaved != self.is_interleaved {
            return Err(Violation::WrongDataChunk);
        }
        let header = &data.header;
        let tsn = self.arrived.cumulative().nearest(header.tsn);
        self.acknowledging.note_data(header.is_immediate());
        if self.arrived.has(tsn) {
            self.counts.duplicates += 1;
            self.acknowledging.note_duplicate(header.tsn);
            return Ok(None);
        }
        if is_full || !self.has_space(tsn, data.payload.len()) {
            return Ok(self.refuse());
        }
        if self.arrived.insert(tsn) != Arrival::New {
            return Ok(self.refuse());
        }
        self.counts.chunks += 1;
        let whole = if header.is_whole() {
            let message = Received {
                stream: header.stream,
                sequence: header.sequence,
                protocol: header.protocol,
                is_unordered: header.is_unordered(),
                bytes: data.payload.to_vec(),
            };
            Some((message, tsn))
        } else {
            self.assembly.insert(data, tsn)?
        };
        // Chunks in order are accepted beyond the window, so that a gap can close and a message can end.
        // Interleaved fragments close no gap: without this bound, messages that never end are kept.
        if self.assembly.charge() > self.window_bytes.saturating_mul(UNFINISHED_WINDOWS_MAX) {
            return Err(Violation::TooMuchUnfinished);
        }
        let due = whole.and_then(|whole| self.deliver_or_wait(whole, channels));
        if self.assembly.charge() > 0 {
            self.assembly.drop_orphans(self.arrived.cumulative());
        }
        Ok(due)
    }

    fn refuse(&mut self) -> Option<Received> {
        self.counts.refused += 1;
        self.acknowledging.demand();
        None
    }

    /// The next chunk in order is taken unless the application is behind: it may free what is held.
    fn has_space(&self, tsn: LongTsn, bytes: usize) -> bool {
        if tsn == self.arrived.cumulative().next() {
            return self.unreleased < self.window_bytes;
        }
        bytes + 2 * HELD_CHUNK_OVERHEAD <= self.window()
    }

    /// A message is delivered if it is not ordered, or its stream's next, or nothing before it is
    /// missing.
    fn deliver_or_wait(&mut self, whole: Whole, channels: &Channels) -> Option<Received> {
        let (message, last_tsn) = &whole;
        let is_due = message.is_unordered
            || *last_tsn <= self.arrived.cumulative()
            || message.sequence == next_of(message.stream, channels);
        if is_due {
            return Some(whole.0);
        }
        self.assembly.wait(whole);
        None
    }

    /// Returns a message that can be delivered after another of `stream` was.
    pub(crate) fn next_message(
        &mut self,
        stream: StreamId,
        channels: &Channels,
    ) -> Option<Received> {
        if self.assembly.charge() == 0 {
            return None;
        }
        self.assembly
            .take_waiting(stream, next_of(stream, channels))
            .or_else(|| self.next_overdue())
    }

    /// Returns a message that nothing sent before holds back any more.
    pub(crate) fn next_overdue(&mut self) -> Option<Received> {
        self.assembly.take_overdue(self.arrived.cumulative())
    }

    /// Takes in FORWARD-TSN. Returns false if it says nothing new. The caller then asks for overdue
    /// messages, skips those listed, and asks for messages of these streams.
    pub(crate) fn handle_forward(&mut self, forward: &ForwardTsn<'_>) -> bool {
        let cumulative = self.arrived.cumulative();
        let point = cumulative.nearest(forward.cumulative);
        self.acknowledging.demand();
        if point <= cumulative || forward.is_interleaved != self.is_interleaved {
            return false;
        }
        self.arrived.forward(point);
        self.assembly.drop_orphans(self.arrived.cumulative());
        true
    }

    /// Drops what was given up of an interleaved stream.
    pub(crate) fn skip_messages(&mut self, skip: &crate::wire::Skip) {
        self.assembly.skip_messages(skip);
    }

    /// Notes that so many bytes were delivered to the application.
    pub(crate) fn note_delivered(&mut self, bytes: usize) {
        self.unreleased += bytes;
    }

    /// Notes that the application has taken so many bytes. Tells the peer once that is much.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.unreleased -= bytes;
        let window = self.window();
        let was_small = self.announced < self.window_bytes / 2;
        if was_small && window >= self.announced + self.window_bytes / 4 {
            self.acknowledging.demand();
        }
    }
}

fn next_of(stream: StreamId, channels: &Channels) -> MessageSeq {
    let channel = channels.get(stream);
    channel.map_or(MessageSeq::FIRST, |channel| channel.next_incoming())
}

/// Acknowledging.
impl Receiver {
    /// Ends a packet. If it had data, it is acknowledged soon.
    pub(crate) fn end_packet(&mut self, now: Time) {
        let has_gaps = self.arrived.has_gaps();
        self.acknowledging.end_packet(now, has_gaps);
    }

    pub(crate) fn is_acknowledgement_due(&self) -> bool {
        self.acknowledging.is_due()
    }

    /// Returns true if something is not acknowledged yet.
    pub(crate) fn is_acknowledgement_pending(&self) -> bool {
        self.acknowledging.is_pending()
    }

    pub(crate) fn acknowledgement_timeout(&self) -> Time {
        self.acknowledging.timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        if self.acknowledging.timeout() <= now {
            self.acknowledging.demand();
        }
    }

    /// Asks for an acknowledgement with the next packet.
    pub(crate) fn demand_acknowledgement(&mut self) {
        self.acknowledging.demand();
    }

    /// Appends a SACK of at most `room` bytes.
    pub(crate) fn write_sack(&mut self, room: usize, out: &mut Vec<u8>) {
        let window = self.window();
        self.announced = window;
        self.acknowledging.write(&self.arrived, window, room, out);
    }
}
