//! One channel: its two directions, and what waits to be sent on it.

use std::collections::VecDeque;

use crate::event::{Acknowledged, ChannelOptions, Reliability};
use crate::payload::Payload;
use crate::types::{MessageSeq, Span, Time};

/// How often and until when a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The most transmissions of each fragment.
    pub(crate) transmissions: u32,
    pub(crate) expires: Time,
}

/// A message that waits for its first transmission.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) payload: Payload,
    pub(crate) protocol: u32,
    pub(crate) is_unordered: bool,
    pub(crate) limit: Limit,
}

/// How far the message that is being sent has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// Its number among the messages in flight.
    pub(crate) serial: u64,
    pub(crate) offset: u32,
    pub(crate) fragment: u32,
}

/// The sending direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outgoing {
    /// OPEN was sent and not answered: everything is sent in order (RFC 8832 section 6).
    Opening,
    Open,
    /// No new messages; what was accepted is sent.
    Draining,
    /// The peer was asked to reset the stream.
    Requested,
    Reset,
}

#[derive(Debug)]
pub(crate) struct Channel {
    outgoing: Outgoing,
    is_incoming_reset: bool,
    /// Tells this channel from an earlier one with the same number.
    generation: u32,
    /// Whether it waits in the schedule.
    pub(super) is_scheduled: bool,
    unordered: bool,
    reliability: Reliability,
    /// Until the peer has accepted the channel.
    opening: Option<Box<ChannelOptions>>,
    queue: VecDeque<Queued>,
    progress: Option<Progress>,
    next_ordered: MessageSeq,
    /// Unordered messages have numbers of their own, with interleaving (RFC 8260 section 2.1).
    next_unordered: MessageSeq,
    next_incoming: MessageSeq,
    queued_bytes: usize,
    acknowledged: Acknowledged,
    unreleased: usize,
}

impl Channel {
    /// Returns a channel that this end opens, or that is negotiated.
    pub(super) fn opened_here(options: ChannelOptions, generation: u32) -> Self {
        let outgoing = match options.negotiated {
            Some(_) => Outgoing::Open,
            None => Outgoing::Opening,
        };
        let mut channel = Self::new(&options, generation, outgoing);
        channel.opening = Some(Box::new(options));
        channel
    }

    /// Returns a channel whose OPEN came in the stream's message before `next_incoming`.
    pub(super) fn opened_by_peer(
        options: &ChannelOptions,
        generation: u32,
        next_incoming: MessageSeq,
    ) -> Self {
        let mut channel = Self::new(options, generation, Outgoing::Open);
        channel.next_incoming = next_incoming;
        channel
    }

    fn new(options: &ChannelOptions, generation: u32, outgoing: Outgoing) -> Self {
        Self {
            outgoing,
            is_incoming_reset: false,
            generation,
            is_scheduled: false,
            unordered: options.unordered,
            reliability: options.reliability,
            opening: None,
            queue: VecDeque::new(),
            progress: None,
            next_ordered: MessageSeq::FIRST,
            next_unordered: MessageSeq::FIRST,
            next_incoming: MessageSeq::FIRST,
            queued_bytes: 0,
            acknowledged: Acknowledged::default(),
            unreleased: 0,
        }
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) fn accepts_messages(&self) -> bool {
        matches!(self.outgoing, Outgoing::Opening | Outgoing::Open) && !self.is_incoming_reset
    }

    /// Returns true if the peer's messages still belong to this channel.
    pub(crate) fn delivers_messages(&self) -> bool {
        !self.is_incoming_reset
    }

    /// Notes that the peer has the channel. Returns its options the first time.
    pub(crate) fn confirm(&mut self) -> Option<Box<ChannelOptions>> {
        if self.outgoing == Outgoing::Opening {
            self.outgoing = Outgoing::Open;
        }
        self.opening.take()
    }

    /// Puts a message of the application at the end of the queue.
    pub(super) fn push(&mut self, now: Time, payload: Payload, protocol: u32) {
        let unlimited = Limit::NONE;
        let limit = match self.reliability {
            Reliability::Reliable => unlimited,
            Reliability::Retransmits(count) => Limit {
                transmissions: u32::from(count) + 1,
                ..unlimited
            },
            Reliability::Lifetime(life) => Limit {
                expires: now.plus(Span::from_duration(life)),
                ..unlimited
            },
        };
        let is_unordered = self.unordered && self.outgoing != Outgoing::Opening;
        self.push_queued(Queued {
            payload,
            protocol,
            is_unordered,
            limit,
        });
    }

    /// Puts a message of the establishment protocol at the end of the queue: ordered and reliable.
    pub(super) fn push_control(&mut self, bytes: Vec<u8>, protocol: u32) {
        self.push_queued(Queued {
            payload: bytes.into(),
            protocol,
            is_unordered: false,
            limit: Limit::NONE,
        });
    }

    fn push_queued(&mut self, message: Queued) {
        self.queued_bytes += message.payload.len();
        self.queue.push_back(message);
    }

    /// Takes the next message and gives it its number. Those that have expired are dropped and counted
    /// in `expired`, with their bytes.
    pub(super) fn take(
        &mut self,
        now: Time,
        is_interleaved: bool,
        expired: &mut (u64, usize),
    ) -> Option<(Queued, MessageSeq)> {
        loop {
            let message = self.queue.pop_front()?;
            if now > message.limit.expires {
                self.queued_bytes -= message.payload.len();
                expired.0 += 1;
                expired.1 += message.payload.len();
                continue;
            }
            if self.queue.is_empty() && self.queue.capacity() > QUEUE_KEPT {
                self.queue = VecDeque::new();
            }
            let next = match message.is_unordered {
                false => &mut self.next_ordered,
                true => &mut self.next_unordered,
            };
            let sequence = *next;
            *next = next.next(is_interleaved);
            return Some((message, sequence));
        }
    }

    pub(crate) fn progress(&self) -> Option<Progress> {
        self.progress
    }

    pub(crate) fn set_progress(&mut self, progress: Option<Progress>) {
        self.progress = progress;
    }

    /// Returns the bytes of the message that is next, if none is being sent.
    pub(crate) fn next_len(&self) -> Option<usize> {
        self.queue.front().map(|message| message.payload.len())
    }

    pub(super) fn note_sent(&mut self, bytes: usize) {
        self.queued_bytes -= bytes;
    }

    pub(crate) fn has_more(&self) -> bool {
        self.progress.is_some() || !self.queue.is_empty()
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    pub(crate) fn acknowledged(&self) -> Acknowledged {
        self.acknowledged
    }

    pub(crate) fn note_acknowledged(&mut self, bytes: u64, is_end: bool) {
        self.acknowledged.bytes += bytes;
        self.acknowledged.messages += u64::from(is_end);
    }

    pub(crate) fn next_incoming(&self) -> MessageSeq {
        self.next_incoming
    }

    pub(crate) fn set_next_incoming(&mut self, next: MessageSeq) {
        self.next_incoming = next;
    }

    pub(crate) fn note_delivered(&mut self, bytes: usize) {
        self.unreleased += bytes;
    }

    /// Returns how many of `bytes` are this channel's to release.
    pub(crate) fn release(&mut self, bytes: usize) -> usize {
        let released = bytes.min(self.unreleased);
        self.unreleased -= released;
        released
    }

    pub(crate) fn unreleased(&self) -> usize {
        self.unreleased
    }

    /// Ends the sending direction once everything is sent. Returns false if it is ending already.
    pub(super) fn drain(&mut self) -> bool {
        let is_open = matches!(self.outgoing, Outgoing::Opening | Outgoing::Open);
        if is_open {
            self.outgoing = Outgoing::Draining;
        }
        is_open
    }

    pub(super) fn is_drained(&self) -> bool {
        self.outgoing == Outgoing::Draining && !self.has_more()
    }

    pub(super) fn set_requested(&mut self) {
        self.outgoing = Outgoing::Requested;
    }

    pub(super) fn is_requested(&self) -> bool {
        self.outgoing == Outgoing::Requested
    }

    pub(super) fn set_outgoing_reset(&mut self) {
        self.outgoing = Outgoing::Reset;
    }

    /// The peer has reset its direction and does not read ours any more. What was not begun is dropped;
    /// returns its bytes.
    pub(super) fn reset_incoming(&mut self) -> usize {
        self.is_incoming_reset = true;
        self.next_incoming = MessageSeq::FIRST;
        let dropped = self.queue.drain(..).map(|message| message.payload.len());
        let dropped = dropped.sum();
        self.queued_bytes -= dropped;
        dropped
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_incoming_reset && self.outgoing == Outgoing::Reset
    }
}

/// A queue of more entries is freed when it is empty.
const QUEUE_KEPT: usize = 16;

impl Limit {
    pub(crate) const NONE: Self = Self {
        transmissions: u32::MAX,
        expires: Time::NEVER,
    };
}
