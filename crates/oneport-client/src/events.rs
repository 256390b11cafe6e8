//! The queue of what the owner has not taken yet.

use std::collections::VecDeque;

use oneport_wire::frame::Author;

use crate::Event;

/// What an event counts for, beyond what it carries.
const EVENT_BYTES: usize = 512;

/// Events in order, with what they weigh.
#[derive(Debug)]
pub(crate) struct Events {
    queue: VecDeque<Event>,
    bytes: usize,
    bytes_max: usize,
}

impl Events {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// Whether nothing more may be taken from the relay. What the client itself has to say is
    /// little and goes in always.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.bytes += weight(&event);
        self.queue.push_back(event);
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        self.bytes -= weight(&event);
        Some(event)
    }
}

fn weight(event: &Event) -> usize {
    /// A member with a name, and metadata as they often are.
    const MEMBER_BYTES: usize = 256;
    let carried = match event {
        Event::Message { message, .. } => message.payload.as_bytes().len(),
        Event::Joined(joined) => joined.members.len() * MEMBER_BYTES,
        Event::Members(page) => page.members.len() * MEMBER_BYTES,
        Event::HistoryBegin(begin) => begin.authors.len() * Author::BYTES_MAX,
        _ => 0,
    };
    EVENT_BYTES + carried
}
