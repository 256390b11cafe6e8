//! A loop as other threads see it.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use mio::Waker;
use oneport_link::Machine;

use crate::command_queue::Call;
use crate::stats::{PublishedStats, Stats};

/// A running [`EventLoop`](crate::EventLoop) as other threads see it. Cheap to clone.
pub struct Handle<M: Machine> {
    calls: SyncSender<Call<M>>,
    waker: Arc<Waker>,
    stats: Arc<PublishedStats>,
    call_timeout: Duration,
}

impl<M: Machine> Handle<M> {
    pub(crate) fn new(
        calls: SyncSender<Call<M>>,
        waker: Arc<Waker>,
        stats: Arc<PublishedStats>,
        call_timeout: Duration,
    ) -> Self {
        Self {
            calls,
            waker,
            stats,
            call_timeout,
        }
    }

    /// Has the machine carry out a command and waits for its reply, at most for
    /// [`Config::call_timeout`](crate::Config::call_timeout).
    ///
    /// Not for the loop's own thread (the machine, the callback for TCP streams): it would wait for
    /// itself until the time is up.
    ///
    /// # Errors
    ///
    /// [`CallError`] says why there is no reply, and whether the command may have been carried out.
    pub fn call(&self, command: M::Command) -> Result<M::Reply, CallError> {
        let (reply, replies) = sync_channel(1);
        let expires = Instant::now() + self.call_timeout;
        let call = Call {
            command,
            reply,
            expires,
        };
        self.calls.try_send(call).map_err(|error| match error {
            TrySendError::Full(_) => CallError::Busy,
            TrySendError::Disconnected(_) => CallError::Stopped,
        })?;
        if let Err(error) = self.waker.wake() {
            // It is in the queue, and the loop looks there whenever anything else wakes it.
            log::warn!("cannot wake the event loop: {error}");
        }
        replies
            .recv_timeout(self.call_timeout)
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => CallError::Timeout,
                // The loop drops a call when it ends, and when it finds it expired.
                RecvTimeoutError::Disconnected if expires <= Instant::now() => CallError::Timeout,
                RecvTimeoutError::Disconnected => CallError::Stopped,
            })
    }

    /// What the loop has counted up to the end of its latest turn. Works after its end as well.
    pub fn stats(&self) -> Stats {
        self.stats.read()
    }
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self {
            calls: self.calls.clone(),
            waker: Arc::clone(&self.waker),
            stats: Arc::clone(&self.stats),
            call_timeout: self.call_timeout,
        }
    }
}

impl<M: Machine> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("call_timeout", &self.call_timeout)
            .finish_non_exhaustive()
    }
}

/// Why a [`Handle::call`] has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError {
    /// Too many commands wait already. It was not carried out; later it may be.
    Busy,
    /// The loop has ended, by its machine or by a panic. It was not carried out, unless it was
    /// what the machine panicked over.
    Stopped,
    /// There was no reply in time. It may have been carried out, if the machine was just at it.
    Timeout,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "the event loop is busy: too many commands are waiting",
            Self::Stopped => "the event loop has stopped",
            Self::Timeout => "the event loop did not reply in time",
        })
    }
}

impl std::error::Error for CallError {}
