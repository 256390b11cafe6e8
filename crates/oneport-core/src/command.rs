//! What other threads or the embedder ask a relay.

use std::net::IpAddr;

use oneport_link::Offer;
use oneport_wire::{IceFragment, Refusal, RestartRefusal, RoomName, SessionId};

use crate::{Grant, Operation, OperatorError, Outcome, Overview, Stats};

/// What a relay can be asked, as one type, for drivers that carry commands between threads. Each is
/// also a method of [`Relay`](crate::Relay).
#[derive(Clone, Debug)]
pub enum Command {
    /// [`Relay::connect`](crate::Relay::connect).
    Connect {
        /// The room of the link's plain channels.
        room: RoomName,
        /// The client's offer.
        offer: Offer,
        /// The client's address as signaling sees it, for the caps.
        client: IpAddr,
        /// What the client may do in the room.
        grant: Grant,
    },
    /// [`Relay::restart_ice`](crate::Relay::restart_ice).
    RestartIce {
        /// The room.
        room: RoomName,
        /// The session.
        session: SessionId,
        /// The ICE sessions of which one must be the latest, if it matters.
        follows: Option<Vec<String>>,
        /// The client's new credentials.
        fragment: IceFragment,
    },
    /// [`Relay::disconnect`](crate::Relay::disconnect).
    Disconnect {
        /// The room.
        room: RoomName,
        /// The session.
        session: SessionId,
    },
    /// What the operator asks.
    Operate(Operation),
    /// [`Relay::stats`](crate::Relay::stats).
    Stats,
    /// [`Relay::overview`](crate::Relay::overview).
    Overview,
    /// [`Relay::shut_down`](crate::Relay::shut_down).
    ShutDown,
}

/// What a relay answers to a [`Command`].
#[derive(Clone, Debug)]
pub enum Reply {
    /// To [`Command::Connect`].
    Connected(Result<Connected, Refusal>),
    /// To [`Command::RestartIce`]; `None` where the client has only told its candidates.
    IceRestarted(Result<Option<Restarted>, RestartRefusal>),
    /// To [`Command::Disconnect`]: whether there was such a session.
    Disconnected(bool),
    /// To [`Command::Operate`].
    Operated(Result<Box<Outcome>, OperatorError>),
    /// To [`Command::Stats`].
    Stats(Box<Stats>),
    /// To [`Command::Overview`].
    Overview(Box<Overview>),
    /// To [`Command::ShutDown`].
    ShuttingDown,
}

/// A client that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The SDP answer.
    pub answer: String,
    /// The id of its session; who knows it may end it.
    pub session: SessionId,
    /// What tells this ICE session from a later one of the same session (RFC 9725 section 4.3.1's
    /// entity tag): our user name fragment.
    pub ice_session: String,
}

/// An ICE session that takes the place of the one before as soon as the client uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restarted {
    /// The fragment with our new credentials and our candidates.
    pub answer: String,
    /// As [`Connected::ice_session`], which this takes the place of.
    pub ice_session: String,
}
