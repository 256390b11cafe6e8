//! The end of an association: SHUTDOWN (RFC 9260 section 9.2) and ABORT (section 9.1).

use crate::error::CloseReason;
use crate::types::{Span, Time, Tsn};
use crate::wire::{PacketWriter, kind};

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Open,
    /// SHUTDOWN follows when everything is acknowledged.
    ShutdownPending,
    ShutdownSent,
    /// SHUTDOWN ACK follows when everything is acknowledged.
    ShutdownReceived,
    ShutdownAckSent,
    Ended,
}

#[derive(Debug)]
pub(crate) struct Closing {
    life: Life,
    is_due: bool,
    /// T2-shutdown.
    timeout: Time,
    attempts: u32,
    /// The last chunk of an association that has ended: kind and value.
    farewell: Option<(u8, Vec<u8>)>,
}

/// SHUTDOWN is repeated so often (Association.Max.Retrans, RFC 9260 section 16).
const ATTEMPTS_MAX: u32 = 10;

/// Error causes (RFC 9260 section 3.3.10).
pub(crate) mod cause {
    pub(crate) const STALE_COOKIE: u16 = 3;
    pub(crate) const UNRECOGNIZED_CHUNK: u16 = 6;
    pub(crate) const USER_INITIATED: u16 = 12;
    pub(crate) const PROTOCOL_VIOLATION: u16 = 13;
}

impl Closing {
    pub(crate) fn new() -> Self {
        Self {
            life: Life::Open,
            is_due: false,
            timeout: Time::NEVER,
            attempts: 0,
            farewell: None,
        }
    }

    pub(crate) fn life(&self) -> Life {
        self.life
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.life == Life::Ended
    }

    pub(crate) fn timeout(&self) -> Time {
        self.timeout
    }

    pub(crate) fn is_due(&self) -> bool {
        self.is_due
    }

    /// This end wants to shut down.
    pub(crate) fn begin(&mut self) {
        if self.life == Life::Open {
            self.life = Life::ShutdownPending;
        }
    }

    /// The peer has sent SHUTDOWN.
    pub(crate) fn handle_shutdown(&mut self) {
        match self.life {
            Life::Open | Life::ShutdownPending => self.life = Life::ShutdownReceived,
            // Both at once (RFC 9260 section 9.2).
            Life::ShutdownSent => self.enter(Life::ShutdownAckSent),
            Life::ShutdownAckSent => self.is_due = true,
            Life::ShutdownReceived | Life::Ended => {}
        }
    }

    /// The peer has sent SHUTDOWN ACK. Returns why the association ends, if it does.
    pub(crate) fn handle_shutdown_ack(&mut self) -> Option<CloseReason> {
        let reason = match self.life {
            Life::ShutdownSent => CloseReason::Shutdown,
            Life::ShutdownAckSent => CloseReason::PeerShutdown,
            _ => return None,
        };
        self.farewell = Some((kind::SHUTDOWN_COMPLETE, Vec::new()));
        Some(reason)
    }

    /// Everything is acknowledged: the next step follows.
    pub(crate) fn note_idle(&mut self) {
        match self.life {
            Life::ShutdownPending => self.enter(Life::ShutdownSent),
            Life::ShutdownReceived => self.enter(Life::ShutdownAckSent),
            _ => {}
        }
    }

    fn enter(&mut self, life: Life) {
        self.life = life;
        self.is_due = true;
        self.attempts = 0;
    }

    /// Data came after SHUTDOWN: the peer has not seen it (RFC 9260 section 9.2).
    pub(crate) fn note_data(&mut self) {
        if self.life == Life::ShutdownSent {
            self.is_due = true;
            // The peer is there: only silence counts.
            self.attempts = 0;
        }
    }

    /// Returns false if the peer was asked often enough.
    pub(crate) fn handle_timeout(&mut self, now: Time) -> bool {
        if self.timeout > now {
            return true;
        }
        self.timeout = Time::NEVER;
        self.is_due = true;
        self.attempts <= ATTEMPTS_MAX
    }

    pub(crate) fn end(&mut self) {
        self.life = Life::Ended;
        self.timeout = Time::NEVER;
        self.is_due = false;
    }

    /// The last packet says why.
    pub(crate) fn abort(&mut self, cause: u16, text: &str) {
        // Bounded, as it is within one packet.
        let text = &text.as_bytes()[..text.len().min(TEXT_BYTES_MAX)];
        let mut value = cause.to_be_bytes().to_vec();
        value.extend((text.len() as u16 + 4).to_be_bytes());
        value.extend(text);
        self.farewell = Some((kind::ABORT, value));
    }

    pub(crate) fn take_farewell(&mut self) -> Option<(u8, Vec<u8>)> {
        self.farewell.take()
    }

    /// Appends SHUTDOWN or SHUTDOWN ACK if it is due.
    pub(crate) fn write(
        &mut self,
        now: Time,
        timeout: Span,
        cumulative: Tsn,
        packet: &mut PacketWriter<'_>,
    ) {
        if !self.is_due || packet.room() < 8 {
            return;
        }
        match self.life {
            Life::ShutdownSent => packet.chunk(kind::SHUTDOWN, 0, &cumulative.0.to_be_bytes()),
            Life::ShutdownAckSent => packet.chunk(kind::SHUTDOWN_ACK, 0, &[]),
            _ => return,
        }
        self.is_due = false;
        self.timeout = now.plus(timeout.times(1 << self.attempts.min(4)));
        self.attempts += 1;
    }
}

/// The longest text of an ABORT.
const TEXT_BYTES_MAX: usize = 200;
