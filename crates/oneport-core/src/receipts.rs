//! Receipts: how many members' connections have acknowledged a message.

use std::collections::{BTreeMap, HashMap};
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

/// A receipt that somebody waits for. Never given again: what was acknowledged of a message in one epoch of
/// a room is nothing to one with the same offset in the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReceiptId(u64);

/// A receipt that is not complete yet.
#[derive(Debug)]
struct Pending {
    session: SessionKey,
    receipt: Receipt,
}

/// All receipts that are not complete yet.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    pending: BTreeMap<ReceiptId, Pending>,
    /// By the message that each is about.
    by_message: HashMap<(RoomName, Offset), ReceiptId>,
    last: u64,
}

impl Receipts {
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.by_message.is_empty()
    }

    /// The receipt that somebody waits for about this message, if somebody does.
    pub(crate) fn about(&self, room: &RoomName, offset: Offset) -> Option<ReceiptId> {
        if self.by_message.is_empty() {
            return None;
        }
        self.by_message.get(&(room.clone(), offset)).copied()
    }

    fn insert(&mut self, pending: Pending) -> ReceiptId {
        self.last += 1;
        let id = ReceiptId(self.last);
        let message = (pending.receipt.room.clone(), pending.receipt.offset);
        self.by_message.insert(message, id);
        self.pending.insert(id, pending);
        id
    }

    fn remove(&mut self, id: ReceiptId) -> Option<Pending> {
        let pending = self.pending.remove(&id)?;
        let message = (pending.receipt.room.clone(), pending.receipt.offset);
        self.by_message.remove(&message);
        Some(pending)
    }
}

impl Relay {
    /// The publisher of a message for `of` members wants to know who has it.
    pub(crate) fn want_receipt(
        &mut self,
        key: SessionKey,
        id: Option<RequestId>,
        (room, offset): (RoomName, Offset),
        of: usize,
    ) {
        let receipt = Receipt {
            id,
            room,
            offset,
            delivered: 0,
            of: u32::try_from(of).unwrap_or(u32::MAX),
        };
        let session = key;
        let id = self.receipts.insert(Pending { session, receipt });
        if of == 0 {
            return self.finish_receipt(id);
        }
        let deadline = self.now + RECEIPT_TIMEOUT;
        let mut oldest = None;
        if let Some(session) = self.sessions.get_mut(key) {
            if session.receipts.len() >= RECEIPTS_MAX {
                oldest = session.receipts.pop_front();
            }
            session.receipts.push_back((deadline, id));
        }
        if let Some((_, id)) = oldest {
            self.finish_receipt(id);
        }
    }

    /// A link's peer may have acknowledged what receipts wait for.
    pub(crate) fn collect_receipts(&mut self, id: LinkId) {
        let client = &mut self.links[id];
        while let Some((channel, end, _)) = client.unacknowledged.front()
            && client.link.acknowledged(*channel) >= *end
            && let Some((_, _, receipt)) = client.unacknowledged.pop_front()
        {
            let Some(pending) = self.receipts.pending.get_mut(&receipt) else {
                continue;
            };
            pending.receipt.delivered += 1;
            if pending.receipt.delivered >= pending.receipt.of {
                self.finish_receipt(receipt);
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
            && let Some((_, receipt)) = session.receipts.pop_front()
        {
            self.finish_receipt(receipt);
        }
    }

    /// A room has ended: what is known of its messages is told now, for more will not come.
    pub(crate) fn finish_receipts_in(&mut self, room: &RoomName) {
        let pending = self.receipts.pending.iter();
        let over = pending.filter(|(_, pending)| pending.receipt.room == *room);
        let over: Vec<_> = over.map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| self.finish_receipt(id));
    }

    /// Tells all publishers what is known: nothing more will be.
    pub(crate) fn finish_all_receipts(&mut self) {
        let all: Vec<_> = self.receipts.pending.keys().copied().collect();
        all.into_iter().for_each(|id| self.finish_receipt(id));
    }

    /// Tells the publisher what is known. Whoever has gone does not need it.
    fn finish_receipt(&mut self, id: ReceiptId) {
        let Some(Pending { session, receipt }) = self.receipts.remove(id) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(session) {
            session.receipts.retain(|(_, other)| *other != id);
            session.outbox.push(receipt);
            self.hub.wake(session.owner);
        }
    }

    /// A session has ended: nobody waits for its receipts.
    pub(crate) fn forget_receipts(
        &mut self,
        waiting: impl IntoIterator<Item = (Instant, ReceiptId)>,
    ) {
        for (_, id) in waiting {
            self.receipts.remove(id);
        }
    }
}
