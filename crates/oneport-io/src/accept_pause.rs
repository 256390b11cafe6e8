//! When to leave the TCP backlog alone.

use std::io;
use std::time::{Duration, Instant};

/// How long nothing is accepted after the process ran out of something, such as file descriptors:
/// the connection stays in the backlog, and trying again at once would only burn the processor.
const PAUSE: Duration = Duration::from_millis(100);

/// How long after one warning about it the next may follow.
const WARNING_INTERVAL: Duration = Duration::from_secs(5);

/// Decides when nothing is accepted after a failure.
#[derive(Debug, Default)]
pub(crate) struct AcceptPause {
    until: Option<Instant>,
    warned_at: Option<Instant>,
}

impl AcceptPause {
    /// Takes note of a failed accept, and pauses.
    ///
    /// Some failures are those of one connection, which is gone: the next may be accepted at once.
    pub(crate) fn failed(&mut self, now: Instant, error: &io::Error) {
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::Interrupted
        ) {
            log::debug!("a TCP connection ended before it was accepted: {error}");
            return;
        }
        let due = |warned_at| now.saturating_duration_since(warned_at) >= WARNING_INTERVAL;
        if self.warned_at.is_none_or(due) {
            self.warned_at = Some(now);
            log::warn!("cannot accept TCP connections for now: {error}");
        }
        self.until = Some(now + PAUSE);
    }

    /// Ends the pause if it has been long enough.
    pub(crate) fn end_if_due(&mut self, now: Instant) {
        if self.until.is_some_and(|until| until <= now) {
            self.end();
        }
    }

    /// Ends the pause: what was missing is there again.
    pub(crate) fn end(&mut self) {
        self.until = None;
    }

    /// Whether nothing should be accepted.
    pub(crate) fn is_paused(&self) -> bool {
        self.until.is_some()
    }

    /// When to try again.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_out_pauses_for_a_while() {
        let now = Instant::now();
        let mut pause = AcceptPause::default();
        pause.failed(now, &io::Error::other("too many open files"));
        pause.end_if_due(now);
        assert!(pause.is_paused());
        assert_eq!(pause.until(), Some(now + PAUSE));
        pause.end_if_due(now + PAUSE);
        assert!(!pause.is_paused());
    }

    #[test]
    fn one_lost_connection_does_not() {
        let mut pause = AcceptPause::default();
        pause.failed(Instant::now(), &io::ErrorKind::ConnectionAborted.into());
        assert!(!pause.is_paused());
    }

    #[test]
    fn warnings_keep_their_distance() {
        let now = Instant::now();
        let error = io::Error::other("too many open files");
        let mut pause = AcceptPause::default();
        pause.failed(now, &error);
        pause.failed(now + PAUSE, &error);
        assert_eq!(pause.warned_at, Some(now));
        pause.failed(now + WARNING_INTERVAL, &error);
        assert_eq!(pause.warned_at, Some(now + WARNING_INTERVAL));
    }
}
