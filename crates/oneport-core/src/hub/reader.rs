//! Somebody who takes a room's entries.

use oneport_wire::{Offset, Topic};

use super::{OwnerId, SeatId};

/// Which entries of a room a reader takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All that are for its member: a framed channel.
    Everything,
    /// The messages of one topic by others: a plain channel.
    Topic(Topic),
    /// None: a member that may only publish.
    Nothing,
}

/// What happens when entries leave the ring before a reader has taken them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// It is too slow: [`Next::Slow`](super::Next::Slow).
    Disconnect,
    /// It is told which it has lost: [`Next::Gap`](super::Next::Gap).
    Gap,
    /// It goes on: its channel promises nothing.
    Skip,
}

/// A cursor into a room's ring.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) seat: SeatId,
    pub(super) owner: OwnerId,
    pub(super) filter: Filter,
    pub(super) lag: Lag,
    /// From here on, it is owed everything that is for its member; before, only what was kept.
    pub(super) live_from: Offset,
    /// The next entry to take, if there is one.
    pub(super) cursor: Option<Offset>,
}
