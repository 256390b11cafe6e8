//! Receipts: how many members' connections have acknowledged a message.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use oneport_wire::frame::Receipt;
use oneport_wire::{Offset, RequestId, RoomName};

use crate::sessions::SessionKey;
use crate::{LinkId, Relay};

/// How long a receipt waits for those who have not acknowledged yet. Longer would tell nothing: they
/// are away, or about to be.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many receipts a session may wait for at a time; a `pub` beyond that is published, and what is
/// known of the oldest is told at once.
pub(crate) const RECEIPTS_MAX: usize = 256;

/// The message that a receipt is about.
pub(crate) type Subject = (RoomName, Offset);

/// A receipt that is not complete yet.
#[derive(Debug)]
struct Pending {
    session: SessionKey,
    receipt: Receipt,
}

/// All receipts that are not complete yet.
#[derive(Debug, Default)]
pub(crate) struct Receipts(HashMap<Subject, Pending>);

impl Receipts {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The subject of the receipt that somebody waits for about this message, if somebody does.
    pub(crate) fn subject(&self, room: &RoomName, offset: Offset) -> Option<Subject> {
        if self.0.is_empty() {
            return None;
        }
        let subject = (room.clone(), offset);
        self.0.contains_key(&subject).then_some(subject)
    }
}

impl Relay {
    /// The publisher of a message for `of` members wants to know who has it.
    pub(crate) fn want_receipt(
        &mut self,
        session: SessionKey,
        id: Option<RequestId>,
        subject: Subject,
        of: usize,
    ) {
        let (room, offset) = subject.clone();
        let receipt = Receipt {
            id,
            room,
            offset,
            delivered: 0,
            of: u32::try_from(of).unwrap_or(u32::MAX),
        };
        self.receipts
            .0
            .insert(subject.clone(), Pending { session, receipt });
        if of == 0 {
            return self.finish_receipt(&subject);
        }
        let deadline = self.now + RECEIPT_TIMEOUT;
        let mut oldest = None;
        if let Some(session) = self.sessions.get_mut(session) {
            if session.receipts.len() >= RECEIPTS_MAX {
                oldest = session.receipts.pop_front();
            }
            session.receipts.push_back((deadline, subject));
        }
        if let Some((_, subject)) = oldest {
            self.finish_receipt(&subject);
        }
    }

    /// A link's peer may have acknowledged what receipts wait for.
    pub(crate) fn collect_receipts(&mut self, id: LinkId) {
        let client = &mut self.links[id];
        while let Some((channel, end, _)) = client.unacknowledged.front()
            && client.link.acknowledged(*channel) >= *end
            && let Some((_, _, subject)) = client.unacknowledged.pop_front()
        {
            let Some(pending) = self.receipts.0.get_mut(&subject) else {
                continue;
            };
            pending.receipt.delivered += 1;
            if pending.receipt.delivered >= pending.receipt.of {
                self.finish_receipt(&subject);
                return self.collect_receipts(id);
            }
        }
    }

    /// The receipts of a session that have waited long enough.
    pub(crate) fn finish_due_receipts(&mut self, key: SessionKey) {
        while let Some(session) = self.sessions.get_mut(key)
            && session
                .receipts
                .front()
                .is_some_and(|(at, _)| *at <= self.now)
            && let Some((_, subject)) = session.receipts.pop_front()
        {
            self.finish_receipt(&subject);
        }
    }

    /// A room has ended: what is known of this session's messages in it is told now, for more will not
    /// come.
    pub(crate) fn finish_receipts_of(&mut self, key: SessionKey, room: &RoomName) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let waiting = session.receipts.iter().map(|(_, subject)| subject);
        let over: Vec<_> = waiting.filter(|(of, _)| of == room).cloned().collect();
        over.iter().for_each(|subject| self.finish_receipt(subject));
    }

    /// Tells all publishers what is known: nothing more will be.
    pub(crate) fn finish_all_receipts(&mut self) {
        let mut subjects: Vec<_> = self.receipts.0.keys().cloned().collect();
        subjects.sort_unstable();
        for subject in &subjects {
            self.finish_receipt(subject);
        }
    }

    /// Tells the publisher what is known. Whoever has gone does not need it.
    fn finish_receipt(&mut self, subject: &Subject) {
        let Some(Pending { session, receipt }) = self.receipts.0.remove(subject) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(session) {
            session.receipts.retain(|(_, other)| other != subject);
            session.outbox.push(receipt);
            self.hub.wake(session.owner);
        }
    }

    /// A session has ended: nobody waits for its receipts.
    pub(crate) fn forget_receipts(
        &mut self,
        waiting: impl IntoIterator<Item = (Instant, Subject)>,
    ) {
        for (_, subject) in waiting {
            self.receipts.0.remove(&subject);
        }
    }
}
