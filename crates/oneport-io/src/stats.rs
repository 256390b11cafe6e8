//! What an event loop counts.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oneport_link::Durations;

/// What an event loop has counted since its start. Numbers only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Turns of the loop: one for each wake-up.
    pub turns: u64,
    /// The longest turn, without the waiting before it.
    pub turn_max: Duration,
    /// How long turns took, without the waiting before them: for as long as one takes, what arrives has
    /// to wait.
    pub turn_time: Durations,
    /// Turns in which a machine's timeout was due and nothing at all came of it, beyond the number
    /// that is tolerated: a bug of the machine.
    pub turns_spun: u64,
    /// Timeouts fed to the machine.
    pub timeouts: u64,

    /// Datagrams received and fed to the machine.
    pub datagrams_in: u64,
    /// Their payload in bytes.
    pub bytes_in: u64,
    /// Receive calls that brought datagrams.
    pub batches_in: u64,
    /// Receive calls that failed.
    pub recv_errors: u64,
    /// Datagrams ignored because no answer could be sent: source port 0, or a multicast or unknown
    /// destination.
    pub datagrams_unanswerable: u64,

    /// Datagrams that the kernel took.
    pub datagrams_out: u64,
    /// Their payload in bytes.
    pub bytes_out: u64,
    /// Send calls that the kernel took: each was one datagram or one train.
    pub batches_out: u64,
    /// Send calls that found the kernel's buffer full.
    pub sends_blocked: u64,
    /// Datagrams dropped because too many waited for the kernel.
    pub send_drops: u64,
    /// Datagrams that the kernel refused, or for whose local address there is no socket.
    pub send_errors: u64,
    /// Trains that the kernel refused and that were sent again as single datagrams.
    pub trains_refused: u64,

    /// Commands carried out.
    pub commands: u64,
    /// Commands not carried out because their caller had given up waiting.
    pub commands_expired: u64,

    /// TCP connections accepted.
    pub tcp_accepted: u64,
    /// Failures to accept a TCP connection.
    pub tcp_accept_errors: u64,
    /// TCP connections handed over to the callback.
    pub tcp_handed_over: u64,
    /// TCP connections closed because they said nothing in time, or ended before they said anything.
    pub tcp_silent: u64,
    /// TCP connections closed because their first byte is nothing that is spoken here.
    pub tcp_unknown: u64,
    /// Silent TCP connections closed early to make room for a new one.
    pub tcp_evicted: u64,

    /// TCP connections that carry datagrams, accepted or made.
    pub tcp_framed: u64,
    /// Read calls on them.
    pub frame_reads: u64,
    /// Datagrams received on them and fed to the machine.
    pub frames_in: u64,
    /// Their bytes, without framing.
    pub frame_bytes_in: u64,
    /// Datagrams queued on them.
    pub frames_out: u64,
    /// The bytes that the kernel took, with framing.
    pub frame_bytes_out: u64,
    /// Datagrams dropped because too many waited for the peer, or the connection was gone.
    pub frames_dropped: u64,
    /// Such connections that ended by their peer, or by the network.
    pub framed_ended: u64,
    /// Such connections closed because what came were no frames.
    pub framed_malformed: u64,
    /// Such connections closed because the machine did not answer, at all or any longer.
    pub framed_unanswered: u64,
    /// Such connections closed because their peer took nothing for too long.
    pub framed_stalled: u64,
    /// Such connections closed because there were too many: the new one, or one that was never answered.
    pub framed_refused: u64,
}

impl Stats {
    /// How much has happened to the loop from outside.
    pub(crate) fn inputs(&self) -> u64 {
        self.batches_in
            + self.recv_errors
            + self.commands
            + self.commands_expired
            + self.tcp_accepted
            + self.tcp_accept_errors
            + self.tcp_handed_over
            + self.tcp_silent
            + self.tcp_unknown
            + self.frame_reads
            + self.framed_unanswered
            + self.framed_stalled
            + self.framed_refused
    }
}

/// The latest [`Stats`], for other threads.
///
/// The loop counts in a `Stats` of its own and publishes it once a turn: one uncontended lock for
/// some twenty counters, held for as long as it takes to copy them.
#[derive(Debug, Default)]
pub(crate) struct PublishedStats(Mutex<Stats>);

impl PublishedStats {
    pub(crate) fn publish(&self, stats: &Stats) {
        *self.lock() = *stats;
    }

    pub(crate) fn read(&self) -> Stats {
        *self.lock()
    }

    /// A copy cannot be left half done by a panic, so a poisoned lock means nothing here.
    fn lock(&self) -> MutexGuard<'_, Stats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
