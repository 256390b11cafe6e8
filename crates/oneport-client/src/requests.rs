//! What was asked of the relay over this link and is not answered yet.

use std::collections::BTreeMap;

use oneport_wire::frame::Update;
use oneport_wire::{RequestId, RoomName};

/// How many questions may wait for their answers, beside messages.
const REQUESTS_MAX: usize = 256;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Hello,
    Join(RoomName),
    Leave(RoomName),
    Update(Update),
    /// A message whose room was left: the owner knows that nobody knows what became of it.
    Abandoned,
    /// Its answer is the owner's business alone.
    Other,
}

/// The questions and the names under which their answers come.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    waiting: BTreeMap<RequestId, Request>,
    number: u64,
}

impl Requests {
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= REQUESTS_MAX
    }

    pub(crate) fn contains(&self, id: &RequestId) -> bool {
        self.waiting.contains_key(id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Notes a question under its name; if it has none, under one that is not taken.
    pub(crate) fn add(
        &mut self,
        named: Option<RequestId>,
        request: Request,
        is_taken: impl Fn(&RequestId) -> bool,
    ) -> RequestId {
        if let Some(id) = named {
            self.waiting.insert(id.clone(), request);
            return id;
        }
        loop {
            self.number += 1;
            let id = format!("client-{}", self.number);
            let id: RequestId = id.parse().expect("a word and a number");
            if !is_taken(&id) && !self.contains(&id) {
                self.waiting.insert(id.clone(), request);
                return id;
            }
        }
    }

    /// An answer is still to come that the owner must not be told. There are no more of these than
    /// messages that may be without an answer.
    pub(crate) fn abandon(&mut self, id: RequestId) {
        self.waiting.insert(id, Request::Abandoned);
    }

    pub(crate) fn answered(&mut self, id: Option<&RequestId>) -> Option<Request> {
        self.waiting.remove(id?)
    }

    /// The link is lost. Those are named whose fate the owner must be told.
    pub(crate) fn link_lost(&mut self) -> Vec<RequestId> {
        let waiting = std::mem::take(&mut self.waiting);
        let matters = |request: &Request| matches!(request, Request::Update(_) | Request::Other);
        let lost = waiting.into_iter().filter(|(_, request)| matters(request));
        lost.map(|(id, _)| id).collect()
    }
}
