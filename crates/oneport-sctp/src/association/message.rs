//! What messages of the peer bring: events, and the establishment of channels.

use super::Association;
use crate::dcep::{Dcep, kind_of, protocol};
use crate::event::{ChannelOptions, Event};
use crate::receive::Received;
use crate::types::StreamId;

impl Association {
    /// Takes in a message and those that it makes deliverable.
    pub(super) fn take_messages(&mut self, first: Received) {
        let mut next = Some(first);
        while let Some(message) = next {
            let stream = message.stream;
            self.take_message(message);
            next = self.receiver.next_message(stream, &self.channels);
        }
    }

    fn take_message(&mut self, message: Received) {
        let id = message.stream;
        if message.protocol == protocol::DCEP {
            self.take_control(&message);
        } else {
            self.deliver(message);
            return;
        }
        // An OPEN may have made a channel, which begins after it.
        if let Some(channel) = self.channels.get_mut(id)
            && !message.is_unordered
        {
            let next = message.sequence.next(self.supported.interleaving);
            channel.set_next_incoming(next);
        }
    }

    /// A message for no channel is dropped: nobody would take it.
    fn deliver(&mut self, message: Received) {
        let id = message.stream;
        let next = message.sequence.next(self.supported.interleaving);
        let Some(channel) = self.channels.get_mut(id) else {
            self.messages_unclaimed += 1;
            return;
        };
        if !message.is_unordered {
            channel.set_next_incoming(next);
        }
        let Some(kind) = kind_of(message.protocol).filter(|_| channel.delivers_messages()) else {
            self.messages_unclaimed += 1;
            return;
        };
        let mut bytes = message.bytes;
        if protocol::is_empty(message.protocol) {
            bytes.clear();
        }
        channel.note_delivered(bytes.len());
        // Any message says that the peer has the channel (RFC 8832 section 6).
        let opened = channel.confirm();
        self.receiver.note_delivered(bytes.len());
        self.report_open(id, opened);
        self.events.push_back(Event::Message { id, kind, bytes });
    }

    fn report_open(&mut self, id: StreamId, options: Option<Box<ChannelOptions>>) {
        if let Some(options) = options {
            self.events.push_back(Event::ChannelOpen(id, options));
        }
    }

    fn take_control(&mut self, message: &Received) {
        let id = message.stream;
        match Dcep::parse(&message.bytes) {
            Some(Dcep::Ack) => {
                let channel = self.channels.get_mut(id);
                let opened = channel.and_then(|channel| channel.confirm());
                self.report_open(id, opened);
            }
            Some(Dcep::Open(options)) => self.take_open(id, options, message),
            None => {}
        }
    }

    fn take_open(&mut self, id: StreamId, options: Box<ChannelOptions>, message: &Received) {
        let is_reused = self
            .channels
            .get(id)
            .is_some_and(|channel| !channel.delivers_messages());
        if is_reused {
            // The peer uses the number again, so it has done what we asked; its answer is late.
            if let Some(unreleased) = self.channels.reset_outgoing(id) {
                self.channel_gone((id, unreleased));
            }
        }
        let next = message.sequence.next(self.supported.interleaving);
        if self.channels.accept(id, &options, next) {
            self.report_open(id, Some(options));
        } else {
            log::debug!("channel {id} is not accepted");
        }
    }
}
