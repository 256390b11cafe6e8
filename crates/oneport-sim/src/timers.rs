//! Who is to be woken when.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::world::Node;

/// When each node is to be woken.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Instant, Node)>,
    relay: Option<Instant>,
    members: Vec<Option<Instant>>,
    guests: Vec<Option<Instant>>,
}

impl Timers {
    pub(crate) fn set(&mut self, node: Node, at: Option<Instant>) {
        let slot = match node {
            Node::Relay => &mut self.relay,
            Node::Member(index) => slot(&mut self.members, index),
            Node::Guest(index) => slot(&mut self.guests, index),
        };
        if *slot == at {
            return;
        }
        if let Some(old) = slot.take() {
            self.queue.remove(&(old, node));
        }
        *slot = at;
        self.queue.extend(at.map(|at| (at, node)));
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Somebody who is due, each once.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Node> {
        let (at, node) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.set(node, None);
        Some(node)
    }
}

fn slot(slots: &mut Vec<Option<Instant>>, index: usize) -> &mut Option<Instant> {
    if slots.len() <= index {
        slots.resize(index + 1, None);
    }
    &mut slots[index]
}
