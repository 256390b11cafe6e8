//! HEARTBEAT of ours (RFC 9260 section 8.3): whether an idle peer is there, and how far away.

use crate::types::{Span, Time};

#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval: Option<Span>,
    next: Time,
    /// What was sent and has not come back.
    awaited: Option<(u64, Time)>,
    unanswered: u32,
    is_due: bool,
}

/// The parameter that a HEARTBEAT carries (RFC 9260 section 3.3.6).
const INFO: u16 = 1;
const INFO_BYTES: usize = 12;

impl Heartbeat {
    pub(crate) fn new(interval: Option<Span>) -> Self {
        Self {
            interval,
            next: Time::NEVER,
            awaited: None,
            unanswered: 0,
            is_due: false,
        }
    }

    pub(crate) fn timeout(&self) -> Time {
        self.next
    }

    pub(crate) fn is_due(&self) -> bool {
        self.is_due
    }

    /// The peer was heard: the next one is due an interval later.
    pub(crate) fn note_alive(&mut self, now: Time) {
        if let Some(interval) = self.interval {
            self.next = now.plus(interval);
            self.unanswered = 0;
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        if let Some(interval) = self.interval.filter(|_| self.next <= now) {
            self.next = now.plus(interval);
            self.unanswered += u32::from(self.awaited.is_some());
            self.is_due = true;
        }
    }

    /// Returns how many in a row were not answered.
    pub(crate) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// Returns the value of the chunk if one is due.
    pub(crate) fn take(&mut self, now: Time, nonce: impl FnOnce() -> u64) -> Option<Vec<u8>> {
        if !self.is_due {
            return None;
        }
        self.is_due = false;
        let nonce = nonce();
        self.awaited = Some((nonce, now));
        Some(info(nonce))
    }

    /// Takes in what came back. Returns the round trip if it is ours.
    pub(crate) fn handle_ack(&mut self, now: Time, value: &[u8]) -> Option<Span> {
        let (nonce, sent_at) = self.awaited?;
        (value == info(nonce)).then(|| {
            self.awaited = None;
            self.unanswered = 0;
            now.since(sent_at)
        })
    }
}

/// Returns the parameter with this number in it.
pub(crate) fn info(nonce: u64) -> Vec<u8> {
    let mut value = Vec::with_capacity(INFO_BYTES);
    value.extend(INFO.to_be_bytes());
    value.extend((INFO_BYTES as u16).to_be_bytes());
    value.extend(nonce.to_be_bytes());
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Span = Span::from_millis(1_000);

    fn at(seconds: u64) -> Time {
        Time::START.plus(SECOND.times(seconds))
    }

    #[test]
    fn it_comes_after_silence_and_measures() {
        let mut heartbeat = Heartbeat::new(Some(SECOND.times(10)));
        heartbeat.note_alive(at(1));
        heartbeat.handle_timeout(at(10));
        assert_eq!(heartbeat.take(at(10), || 7), None);
        heartbeat.handle_timeout(at(11));
        let value = heartbeat.take(at(11), || 7).expect("due");
        assert_eq!(heartbeat.handle_ack(at(12), &info(8)), None);
        assert_eq!(heartbeat.handle_ack(at(12), &value), Some(SECOND));
        assert_eq!(heartbeat.handle_ack(at(12), &value), None);
    }

    #[test]
    fn the_unanswered_are_counted() {
        let mut heartbeat = Heartbeat::new(Some(SECOND));
        heartbeat.note_alive(at(0));
        for n in 1..=4 {
            heartbeat.handle_timeout(at(n));
            heartbeat.take(at(n), || n);
        }
        assert_eq!(heartbeat.unanswered(), 3);
        heartbeat.note_alive(at(5));
        assert_eq!(heartbeat.unanswered(), 0);
    }

    #[test]
    fn without_an_interval_there_is_none() {
        let mut heartbeat = Heartbeat::new(None);
        heartbeat.note_alive(at(0));
        assert_eq!(heartbeat.timeout(), Time::NEVER);
        heartbeat.handle_timeout(at(1_000));
        assert_eq!(heartbeat.take(at(1_000), || 1), None);
    }
}
