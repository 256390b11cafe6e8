//! A machine on a thread of its own, for an owner that waits for what happens.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use oneport_link::{Input, Machine, Reason, Transmit};

use crate::{CallError, Config, EventLoop, Handle, Sockets};

/// How many events lie between the two threads. More wait in the machine, which knows its bounds.
const EVENTS_MAX: usize = 1024;

/// A [`Machine`] that runs on a thread of its own: its owner commands it and waits for its events,
/// in plain blocking calls. For programs with one machine, such as a bot.
///
/// It ends when the machine is finished. Dropping it does not end it: that is a command's business.
pub struct Running<M: Machine, E> {
    caller: Caller<M, E>,
    events: Receiver<E>,
    thread: JoinHandle<io::Result<M>>,
}

/// What commands a [`Running`] machine from another thread. Cheap to clone.
pub struct Caller<M: Machine, E> {
    handle: Handle<Telling<M, E>>,
    has_more: Arc<AtomicBool>,
}

impl<M, E> Running<M, E>
where
    M: Machine<Command: Send, Reply: Send> + Send + 'static,
    E: Send + 'static,
{
    /// Starts the thread. `poll_event` asks the machine for its next event.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread, or what [`EventLoop::new`] needs.
    pub fn start(
        name: &str,
        sockets: Sockets,
        machine: M,
        poll_event: fn(&mut M) -> Option<E>,
    ) -> io::Result<Self> {
        let (teller, events) = std::sync::mpsc::sync_channel(EVENTS_MAX);
        let has_more = Arc::new(AtomicBool::new(false));
        let telling = Telling {
            machine,
            poll_event,
            teller,
            untold: None,
            has_more: Arc::clone(&has_more),
        };
        let (event_loop, handle) = EventLoop::new(sockets, telling, None, Config::default())?;
        let thread = std::thread::Builder::new().name(name.into());
        // The owner must see the end when it comes, not when it joins: the sender goes here.
        let thread = thread.spawn(move || event_loop.run().map(|telling| telling.machine))?;
        Ok(Self {
            caller: Caller { handle, has_more },
            events,
            thread,
        })
    }

    /// What other threads may command it by.
    pub fn caller(&self) -> Caller<M, E> {
        self.caller.clone()
    }

    /// Has the machine carry out a command.
    ///
    /// # Errors
    ///
    /// As [`Handle::call`].
    pub fn call(&self, command: M::Command) -> Result<M::Reply, CallError> {
        self.caller.call(command)
    }

    /// The next event; `None` if none came in time.
    ///
    /// # Errors
    ///
    /// [`CallError::Stopped`] when the machine has ended and all its events are taken.
    pub fn next_event(&self, timeout: Duration) -> Result<Option<E>, CallError> {
        match self.events.try_recv() {
            Ok(event) => return Ok(Some(event)),
            Err(TryRecvError::Disconnected) => return Err(CallError::Stopped),
            Err(TryRecvError::Empty) => {}
        }
        // The machine tells when something happens to it. What it could not tell, because we were
        // slow, it tells when it is asked.
        if self.caller.has_more.swap(false, Ordering::AcqRel) {
            let _ = self.caller.handle.call(Ask::Tell);
        }
        match self.events.recv_timeout(timeout) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(CallError::Stopped),
        }
    }

    /// Waits for the machine's end, which a command must have brought about.
    ///
    /// # Errors
    ///
    /// As [`EventLoop::run`].
    ///
    /// # Panics
    ///
    /// If the machine has panicked.
    pub fn join(self) -> io::Result<M> {
        // An event that nobody takes any longer must not be waited for.
        drop(self.events);
        let _ = self.caller.handle.call(Ask::Tell);
        match self.thread.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl<M: Machine, E> Caller<M, E> {
    /// Has the machine carry out a command.
    ///
    /// # Errors
    ///
    /// As [`Handle::call`].
    pub fn call(&self, command: M::Command) -> Result<M::Reply, CallError> {
        match self.handle.call(Ask::Command(command))? {
            Some(reply) => Ok(reply),
            None => Err(CallError::Stopped),
        }
    }
}

impl<M: Machine, E> Clone for Caller<M, E> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            has_more: Arc::clone(&self.has_more),
        }
    }
}

/// What the owner's thread asks.
enum Ask<C> {
    Command(C),
    /// There is room for events again.
    Tell,
}

/// A machine whose events go to another thread.
struct Telling<M, E> {
    machine: M,
    poll_event: fn(&mut M) -> Option<E>,
    teller: SyncSender<E>,
    /// The one for which there was no room.
    untold: Option<E>,
    has_more: Arc<AtomicBool>,
}

impl<M, E> Telling<M, E> {
    fn tell(&mut self) {
        while let Some(event) = self
            .untold
            .take()
            .or_else(|| (self.poll_event)(&mut self.machine))
        {
            match self.teller.try_send(event) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => {}
                Err(TrySendError::Full(event)) => {
                    self.untold = Some(event);
                    self.has_more.store(true, Ordering::Release);
                    return;
                }
            }
        }
    }
}

impl<M: Machine, E> Machine for Telling<M, E> {
    type Command = Ask<M::Command>;
    type Reply = Option<M::Reply>;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.machine.handle_input(now, input);
        self.tell();
    }

    fn handle_command(&mut self, now: Instant, ask: Self::Command) -> Self::Reply {
        let reply = match ask {
            Ask::Command(command) => Some(self.machine.handle_command(now, command)),
            Ask::Tell => None,
        };
        self.tell();
        reply
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.machine.poll_transmit()
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.machine.poll_timeout()
    }

    fn is_finished(&self) -> bool {
        self.machine.is_finished() && self.untold.is_none()
    }
}
