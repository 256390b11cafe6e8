//! The channels of an association, by number, and the order in which they send.
//!
//! A channel exists from its opening until both directions are reset. No other stream has state.

mod channel;

use std::collections::VecDeque;

pub(crate) use channel::{Channel, Limit, Progress, Queued};

use crate::config::{Config, LABEL_BYTES_MAX};
use crate::dcep::{Dcep, protocol};
use crate::error::{OpenError, SendError};
use crate::event::{ChannelOptions, Role};
use crate::payload::Payload;
use crate::types::{MessageSeq, StreamId, Time};

#[derive(Debug)]
pub(crate) struct Channels {
    /// By number, as far as the highest that was used.
    table: Vec<Option<Box<Channel>>>,
    count: usize,
    count_max: usize,
    /// The number of streams that both ends allow.
    streams_max: u16,
    role: Role,
    generation: u32,
    /// No number of ours below is free.
    free_from: u16,
    /// Those that have something to send, the next one first.
    schedule: VecDeque<StreamId>,
    /// Those that are to be reset once they have sent everything.
    draining: Vec<StreamId>,
    queued_bytes: usize,
    abandoned: u64,
}

impl Channels {
    pub(crate) fn new(config: &Config, role: Role) -> Self {
        Self {
            table: Vec::new(),
            count: 0,
            count_max: config.channels_max,
            streams_max: config.streams_max(),
            role,
            generation: 0,
            free_from: match role {
                Role::Client => 0,
                Role::Server => 1,
            },
            schedule: VecDeque::new(),
            draining: Vec::new(),
            queued_bytes: 0,
            abandoned: 0,
        }
    }

    /// The peer has announced how many streams it takes.
    pub(crate) fn limit_streams(&mut self, streams_max: u16) {
        self.streams_max = self.streams_max.min(streams_max);
    }

    #[inline]
    pub(crate) fn get(&self, id: StreamId) -> Option<&Channel> {
        self.table.get(usize::from(id.get()))?.as_deref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut Channel> {
        self.table.get_mut(usize::from(id.get()))?.as_deref_mut()
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the numbers in use.
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        let used = self.table.iter().enumerate();
        used.filter(|(_, channel)| channel.is_some())
            .filter_map(|(id, _)| u16::try_from(id).ok().map(StreamId::new))
            .collect()
    }

    /// Opens a channel from this end. Its OPEN is queued.
    pub(crate) fn open(&mut self, options: ChannelOptions) -> Result<StreamId, OpenError> {
        let is_long = |text: &str| text.len() > usize::from(u16::MAX);
        if is_long(&options.label)
            || is_long(&options.protocol)
            || options.label.len() + options.protocol.len() > LABEL_BYTES_MAX
        {
            return Err(OpenError::LabelTooLong);
        }
        if self.count >= self.count_max {
            return Err(OpenError::TooMany);
        }
        let id = match options.negotiated {
            Some(id) if id.get() < self.streams_max && self.get(id).is_none() => id,
            Some(_) => return Err(OpenError::Unavailable),
            None => self.free_id().ok_or(OpenError::TooMany)?,
        };
        let open =
            (options.negotiated.is_none()).then(|| Dcep::Open(Box::new(options.clone())).write());
        let generation = self.next_generation();
        self.insert(id, Channel::opened_here(options, generation));
        if let Some(open) = open {
            self.push_control(id, open);
        }
        Ok(id)
    }

    /// Adds a channel that the peer has opened, if there is space. Its ACK is queued.
    pub(crate) fn accept(
        &mut self,
        id: StreamId,
        options: &ChannelOptions,
        next_incoming: MessageSeq,
    ) -> bool {
        let is_possible =
            id.get() < self.streams_max && self.count < self.count_max && self.get(id).is_none();
        if is_possible {
            let generation = self.next_generation();
            self.insert(
                id,
                Channel::opened_by_peer(options, generation, next_incoming),
            );
            self.push_control(id, Dcep::Ack.write());
        }
        is_possible
    }

    /// Queues a message of the application.
    pub(crate) fn send(
        &mut self,
        now: Time,
        id: StreamId,
        payload: Payload,
        protocol: u32,
    ) -> Result<(), SendError> {
        let channel = self
            .get_mut(id)
            .filter(|channel| channel.accepts_messages());
        let channel = channel.ok_or(SendError::NoChannel)?;
        let len = payload.len();
        channel.push(now, payload, protocol);
        self.queued_bytes += len;
        self.set_scheduled(id);
        Ok(())
    }

    fn push_control(&mut self, id: StreamId, bytes: Vec<u8>) {
        let len = bytes.len();
        if let Some(channel) = self.get_mut(id) {
            channel.push_control(bytes, protocol::DCEP);
            self.queued_bytes += len;
            self.set_scheduled(id);
        }
    }

    fn set_scheduled(&mut self, id: StreamId) {
        if let Some(channel) = self.get_mut(id)
            && !channel.is_scheduled
        {
            channel.is_scheduled = true;
            self.schedule.push_back(id);
        }
    }

    fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }

    fn free_id(&mut self) -> Option<StreamId> {
        let free = (self.free_from..self.streams_max)
            .step_by(2)
            .find(|id| self.get(StreamId::new(*id)).is_none())?;
        self.free_from = free;
        Some(StreamId::new(free))
    }

    fn insert(&mut self, id: StreamId, channel: Channel) {
        let at = usize::from(id.get());
        if self.table.len() <= at {
            self.table.resize_with(at + 1, || None);
        }
        self.table[at] = Some(Box::new(channel));
        self.count += 1;
    }

    fn remove(&mut self, id: StreamId) {
        self.table[usize::from(id.get())] = None;
        self.count -= 1;
        let is_ours = (id.get() % 2 == 1) == (self.role == Role::Server);
        if is_ours {
            self.free_from = self.free_from.min(id.get());
        }
    }
}

/// The schedule: channels take turns. A turn is a message; or, with interleaving, at most a packet of
/// one.
impl Channels {
    pub(crate) fn has_scheduled(&self) -> bool {
        !self.schedule.is_empty()
    }

    /// Returns the channel whose turn it is.
    pub(crate) fn scheduled(&mut self) -> Option<(StreamId, &mut Channel)> {
        let id = *self.schedule.front()?;
        let channel = self.table.get_mut(usize::from(id.get()))?.as_deref_mut()?;
        Some((id, channel))
    }

    /// Takes the next message of the channel whose turn it is.
    pub(crate) fn take_scheduled(
        &mut self,
        now: Time,
        is_interleaved: bool,
    ) -> Option<(Queued, MessageSeq)> {
        let mut expired = (0, 0);
        let (_, channel) = self.scheduled()?;
        let taken = channel.take(now, is_interleaved, &mut expired);
        self.abandoned += expired.0;
        self.queued_bytes -= expired.1;
        taken
    }

    /// Notes the first transmission of a part of the message of the channel whose turn it is.
    pub(crate) fn note_sent(&mut self, bytes: usize) {
        if let Some((_, channel)) = self.scheduled() {
            channel.note_sent(bytes);
            self.queued_bytes -= bytes;
        }
    }

    /// Ends a turn. The channel waits for its next one if it has more to send.
    pub(crate) fn end_turn(&mut self) {
        let Some(id) = self.schedule.pop_front() else {
            return;
        };
        if let Some(channel) = self.get_mut(id) {
            channel.is_scheduled = channel.has_more();
            if channel.is_scheduled {
                self.schedule.push_back(id);
            }
        }
    }

    /// Gives up a message of `len` bytes: if the channel is sending it, the rest is not sent.
    pub(crate) fn cancel_sending(&mut self, id: StreamId, serial: u64, len: usize) {
        let Some(channel) = self.get_mut(id) else {
            return;
        };
        let progress = channel.progress();
        if let Some(progress) = progress.filter(|progress| progress.serial == serial) {
            let rest = len - progress.offset as usize;
            channel.set_progress(None);
            channel.note_sent(rest);
            self.queued_bytes -= rest;
        }
    }

    /// Returns the bytes that wait for their first transmission.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Returns how many messages expired before they were sent.
    pub(crate) fn abandoned(&self) -> u64 {
        self.abandoned
    }
}

/// Closing (RFC 8831 section 6.7).
impl Channels {
    /// Begins to close a channel. Returns false if there is none, or it is closing already.
    pub(crate) fn close(&mut self, id: StreamId) -> bool {
        let is_begun = self.get_mut(id).is_some_and(Channel::drain);
        if is_begun {
            self.draining.push(id);
        }
        is_begun
    }

    /// Returns true if a channel waits to be reset.
    pub(crate) fn is_draining(&self) -> bool {
        !self.draining.is_empty()
    }

    /// Takes at most `max` channels that have sent everything and can be reset.
    pub(crate) fn take_drained(&mut self, max: usize) -> Vec<StreamId> {
        let mut taken = Vec::new();
        let mut draining = std::mem::take(&mut self.draining);
        draining.retain(|id| {
            let Some(channel) = self.get_mut(*id) else {
                return false;
            };
            let is_taken = taken.len() < max && channel.is_drained();
            if is_taken {
                channel.set_requested();
                taken.push(*id);
            }
            !is_taken
        });
        self.draining = draining;
        taken
    }

    /// The peer has reset a stream of its own. Returns the bytes that nobody will release, if the
    /// channel is gone by that.
    pub(crate) fn reset_incoming(&mut self, id: StreamId) -> Option<usize> {
        let channel = self.get_mut(id)?;
        let dropped = channel.reset_incoming();
        self.queued_bytes -= dropped;
        self.close(id);
        self.remove_if_gone(id)
    }

    /// The peer has confirmed the reset of a stream of ours. Returns as [`Self::reset_incoming`] does.
    pub(crate) fn reset_outgoing(&mut self, id: StreamId) -> Option<usize> {
        let channel = self.get_mut(id).filter(|channel| channel.is_requested())?;
        channel.set_outgoing_reset();
        self.remove_if_gone(id)
    }

    fn remove_if_gone(&mut self, id: StreamId) -> Option<usize> {
        let channel = self.get(id).filter(|channel| channel.is_gone())?;
        let unreleased = channel.unreleased();
        self.remove(id);
        Some(unreleased)
    }
}

#[cfg(test)]
mod tests;
