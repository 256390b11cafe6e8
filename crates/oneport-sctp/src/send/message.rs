//! Messages of which something is in flight.

use std::collections::VecDeque;

use crate::channels::{Limit, Queued};
use crate::payload::Payload;
use crate::types::{MessageSeq, StreamId};

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) payload: Payload,
    pub(crate) stream: StreamId,
    /// Of the channel that sent it.
    pub(crate) generation: u32,
    pub(crate) protocol: u32,
    pub(crate) sequence: MessageSeq,
    pub(crate) limit: Limit,
    /// How many of its chunks are not acknowledged with everything before them.
    pub(super) chunks: u32,
    pub(crate) is_unordered: bool,
    /// Every fragment was sent, or is not going to be.
    is_complete: bool,
    is_abandoned: bool,
}

/// Messages by the order in which they were begun.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    queue: VecDeque<Message>,
    /// The serial number of the first of the queue.
    first: u64,
}

impl Message {
    pub(crate) fn is_abandoned(&self) -> bool {
        self.is_abandoned
    }

    fn is_done(&self) -> bool {
        self.is_complete && self.chunks == 0
    }
}

impl Messages {
    /// Begins to send a message. Returns its serial number.
    pub(crate) fn begin(
        &mut self,
        message: Queued,
        stream: StreamId,
        generation: u32,
        sequence: MessageSeq,
    ) -> u64 {
        self.queue.push_back(Message {
            payload: message.payload,
            stream,
            generation,
            protocol: message.protocol,
            sequence,
            limit: message.limit,
            chunks: 0,
            is_unordered: message.is_unordered,
            is_complete: false,
            is_abandoned: false,
        });
        self.first + self.queue.len() as u64 - 1
    }

    pub(crate) fn get(&self, serial: u64) -> &Message {
        &self.queue[(serial - self.first) as usize]
    }

    pub(super) fn get_mut(&mut self, serial: u64) -> &mut Message {
        &mut self.queue[(serial - self.first) as usize]
    }

    /// Every fragment of it was sent.
    pub(crate) fn complete(&mut self, serial: u64) {
        self.get_mut(serial).is_complete = true;
    }

    /// Nothing of it is sent any more. Its bytes are let go.
    pub(crate) fn abandon(&mut self, serial: u64) {
        let message = self.get_mut(serial);
        message.is_abandoned = true;
        message.is_complete = true;
        message.payload = Payload::default();
    }

    /// Lets go of the bytes of a message that is done, and of all that are done before others.
    pub(super) fn tidy(&mut self, serial: u64) {
        if !self.get(serial).is_done() {
            return;
        }
        self.get_mut(serial).payload = Payload::default();
        while self.queue.front().is_some_and(Message::is_done) {
            self.queue.pop_front();
            self.first += 1;
        }
        if self.queue.is_empty() && self.queue.capacity() > MESSAGES_KEPT {
            self.queue = VecDeque::new();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}

/// A buffer for more messages is freed when it is empty.
const MESSAGES_KEPT: usize = 16;
