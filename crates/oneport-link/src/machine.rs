//! The contract between a sans-IO state machine and whatever drives it.

use std::time::Instant;

use crate::Route;

/// What happens to a [`Machine`].
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A datagram arrived.
    Datagram {
        /// The path that it took.
        route: Route,
        /// Its payload.
        bytes: &'a [u8],
    },
    /// A path has ended: its TCP connection is closed, by whomever. What is sent there is lost from now on.
    Closed {
        /// The path.
        route: Route,
    },
    /// Time passed; normally because [`Machine::poll_timeout`] asked for it.
    Timeout,
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The path that it takes.
    pub route: Route,
    /// Its payload.
    pub contents: Vec<u8>,
}

/// Why a [`Machine`] wants to be woken. A driver that spins can say it in one log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Something is queued: [`Machine::poll_transmit`] was not drained.
    Queued,
    /// A link's DTLS handshake retransmits.
    Dtls,
    /// A link's ICE agent checks who is still there.
    Ice,
    /// A link's SCTP association retransmits or acknowledges.
    Sctp,
    /// Another of str0m's timers.
    Rtc,
    /// A link's egress is paced: the next datagrams may leave then.
    Pacing,
    /// A link's handshake must be through by then.
    Handshake,
    /// A session must be asked whether it is still there, or its grace time ends.
    Session,
    /// What is too old is forgotten.
    Expiry,
    /// A link or the whole machine that is closing is given up then.
    Close,
}

/// A state machine without clock, socket or thread: the relay, the native client, or yours.
///
/// # Contract
///
/// 1. `now` never decreases from one call to the next.
/// 2. After any number of inputs and commands, call [`poll_transmit`](Self::poll_transmit) until it
///    returns `None`, then read [`poll_timeout`](Self::poll_timeout). Feeding a whole batch of
///    datagrams before draining is not only allowed but better: messages of one batch share packets.
/// 3. `poll_timeout` is stable until the next call that takes `&mut self`. Once drained, it lies
///    after the last `now`; it is not after it while anything is still queued.
/// 4. An early [`Input::Timeout`] is harmless, a late one only delays.
/// 5. Nothing that comes from the network makes a call fail or panic: a faulty peer is closed, with
///    a typed reason, and counted.
/// 6. The work of one call is bounded.
pub trait Machine {
    /// What other threads or the embedder ask.
    type Command;
    /// What is answered.
    type Reply;

    /// Takes a datagram, or the news that a path has ended or time has passed.
    fn handle_input(&mut self, now: Instant, input: Input<'_>);

    /// Carries out a command and answers it at once.
    fn handle_command(&mut self, now: Instant, command: Self::Command) -> Self::Reply;

    /// The next datagram to send, or `None` when all are taken.
    fn poll_transmit(&mut self) -> Option<Transmit>;

    /// When [`Input::Timeout`] is due next, and why; `None` if nothing is waited for.
    fn poll_timeout(&self) -> Option<(Instant, Reason)>;

    /// Whether it has come to its end and the driver may stop. Only a command can bring that about.
    fn is_finished(&self) -> bool;
}
