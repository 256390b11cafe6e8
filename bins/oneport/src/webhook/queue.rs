//! Events between the relay's thread and that of the webhook.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::happening::Happening;

/// How many events may wait: a minute of a busy relay's joins and leaves.
const EVENTS_MAX: usize = 16 * 1024;

/// How many bytes of events may wait: some of the largest messages, many of usual ones.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// How many events are told at once, at most.
const BATCH_EVENTS_MAX: usize = 100;

/// How many bytes of events are told at once, beyond the first event.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// A bounded queue of events. Whoever puts something in never waits: while the other end takes a batch
/// out, for some microseconds.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Events that were dropped behind the last one that waits.
    dropped_last: u64,
    is_closing: bool,
    has_ended: bool,
    told: u64,
    dropped: u64,
    failed_requests: u64,
}

#[derive(Debug)]
struct Waiting {
    /// How many events before this one were dropped.
    dropped_before: u64,
    event: Happening,
}

/// Events to be told at once.
#[derive(Debug)]
pub(super) struct Batch {
    /// How many events before these were dropped and not told of yet.
    pub(super) dropped: u64,
    pub(super) events: Vec<Happening>,
}

/// What has become of a webhook's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookCounts {
    /// Events that wait to be told.
    pub waiting: usize,
    /// Events that the receiver has taken.
    pub told: u64,
    /// Events that it will never be told: the queue was full, or it did not take them.
    pub dropped: u64,
    /// Requests that the receiver did not take, those that were tried again included.
    pub failed_requests: u64,
}

impl Queue {
    /// Puts an event in, or drops it where there is no room.
    pub(super) fn push(&self, event: Happening) {
        let bytes = event.bytes();
        let mut state = self.lock();
        if state.waiting.len() >= EVENTS_MAX || state.bytes + bytes > BYTES_MAX {
            state.dropped_last += 1;
            state.dropped += 1;
            return;
        }
        let dropped_before = mem::take(&mut state.dropped_last);
        state.bytes += bytes;
        state.waiting.push_back(Waiting {
            dropped_before,
            event,
        });
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until there is something to tell. `None` at the end.
    pub(super) fn next_batch(&self) -> Option<Batch> {
        let is_idle = |state: &mut State| {
            state.waiting.is_empty() && state.dropped_last == 0 && !state.is_closing
        };
        let waited = self.changed.wait_while(self.lock(), is_idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let Some(first) = state.pop() else {
            let dropped = mem::take(&mut state.dropped_last);
            let events = Vec::new();
            return (dropped > 0).then_some(Batch { dropped, events });
        };
        let mut bytes = first.event.bytes();
        let dropped = first.dropped_before;
        let mut events = vec![first.event];
        while events.len() < BATCH_EVENTS_MAX
            && bytes < BATCH_BYTES_MAX
            && state
                .waiting
                .front()
                .is_some_and(|next| next.dropped_before == 0)
            && let Some(next) = state.pop()
        {
            bytes += next.event.bytes();
            events.push(next.event);
        }
        Some(Batch { dropped, events })
    }

    /// A batch was told.
    pub(super) fn told(&self, batch: &Batch) {
        self.lock().told += batch.events.len() as u64;
    }

    /// A batch will not be told: the next one says so.
    pub(super) fn give_up(&self, batch: &Batch) {
        let mut state = self.lock();
        let events = batch.events.len() as u64;
        state.dropped += events;
        let lost = batch.dropped + events;
        match state.waiting.front_mut() {
            Some(next) => next.dropped_before += lost,
            None => state.dropped_last += lost,
        }
    }

    pub(super) fn count_failed_request(&self) {
        self.lock().failed_requests += 1;
    }

    /// Waits for so long, or until there is no time any longer. Answers whether there is.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let is_open = |state: &mut State| !state.is_closing;
        let waited = self.changed.wait_timeout_while(self.lock(), time, is_open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.is_closing
    }

    pub(super) fn is_closing(&self) -> bool {
        self.lock().is_closing
    }

    /// Nothing more comes: waits until the other end is done, at most for so long.
    pub(super) fn close(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        state.is_closing = true;
        self.changed.notify_all();
        while !state.has_ended && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The other end is done.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    pub(super) fn counts(&self) -> WebhookCounts {
        let state = self.lock();
        WebhookCounts {
            waiting: state.waiting.len(),
            told: state.told,
            dropped: state.dropped,
            failed_requests: state.failed_requests,
        }
    }

    /// What is in there is never half done, whoever panicked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pop(&mut self) -> Option<Waiting> {
        let next = self.waiting.pop_front()?;
        self.bytes -= next.event.bytes();
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use oneport_core::hub::Event;
    use oneport_wire::{Epoch, RoomName, UnixMillis};

    use super::*;

    fn event() -> Happening {
        let room: RoomName = "lobby".parse().expect("a name");
        let (epoch, time) = (Epoch::from_random([1; 8]), UnixMillis::from(1));
        Happening::of(Event::RoomOpened {
            room: &room,
            epoch,
            time,
        })
    }

    /// Where events are missing, a batch ends, and the next one says how many.
    #[test]
    fn what_is_dropped_is_told_in_its_place() {
        let queue = Queue::default();
        (0..EVENTS_MAX + 3).for_each(|_| queue.push(event()));
        let first = queue.next_batch().expect("a batch");
        assert_eq!((first.dropped, first.events.len()), (0, BATCH_EVENTS_MAX));
        queue.push(event());
        let mut events = first.events.len();
        let after = loop {
            let batch = queue.next_batch().expect("a batch");
            events += batch.events.len();
            if batch.dropped > 0 {
                break batch;
            }
        };
        assert_eq!((after.dropped, after.events.len()), (3, 1));
        assert_eq!(events, EVENTS_MAX + 1);
        assert_eq!((queue.counts().dropped, queue.counts().waiting), (3, 0));
    }

    #[test]
    fn what_nobody_took_is_told_next_even_alone() {
        let queue = Queue::default();
        queue.push(event());
        queue.push(event());
        let batch = queue.next_batch().expect("a batch");
        queue.give_up(&batch);
        let next = queue.next_batch().expect("a batch");
        assert_eq!((next.dropped, next.events.len()), (2, 0));
        queue.give_up(&next);
        queue.push(event());
        let next = queue.next_batch().expect("a batch");
        assert_eq!((next.dropped, next.events.len()), (2, 1));
        queue.told(&next);
        queue.close(Duration::ZERO);
        assert!(queue.next_batch().is_none());
        let counts = queue.counts();
        assert_eq!((counts.told, counts.dropped), (1, 2));
    }
}
