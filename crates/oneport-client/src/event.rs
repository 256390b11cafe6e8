//! What a client tells its owner.

use std::fmt;
use std::time::Duration;

use oneport_link::CloseReason;
use oneport_wire::frame::{
    Ack, Bye, Gap, HistoryBegin, HistoryEnd, Joined, Left, Limits, MembersPage, Message, Presence,
    Receipt, Rejection,
};
use oneport_wire::{ByeCode, Fault, RequestId, RoomName, SessionLabel};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A new link is due: call [`Client::reconnect`](crate::Client::reconnect) and carry its offer.
    OfferWanted,
    /// The relay has welcomed the session. Rooms are joined again by themselves.
    Connected {
        /// The session's name for logs.
        session: SessionLabel,
        /// Whether this is the session from before.
        resumed: bool,
        /// What the relay grants.
        limits: Limits,
    },
    /// The link is lost. [`Self::OfferWanted`] follows.
    Disconnected {
        /// Why.
        why: Lost,
        /// After how long.
        retry_in: Duration,
    },
    /// It is over. Comes once, and nothing follows.
    Closed(Ended),
    /// The relay says that it ends the link, and why.
    Bye(Bye),
    /// The session is a member of the room, for the first time or again; what is missing then, if
    /// anything, is in [`Joined::recovery`].
    Joined(Joined),
    /// The relay refused the `join`.
    NotJoined {
        /// Which room.
        room: RoomName,
        /// Why.
        rejection: Rejection,
        /// Whether it is tried again by itself; if not, the room is given up.
        is_retried: bool,
    },
    /// The session is no longer a member of the room.
    Left(Left),
    /// A message.
    Message {
        /// It.
        message: Message<'static>,
        /// Whether it is an earlier one, in answer to `history` or to a `join` with some.
        is_history: bool,
    },
    /// Another member of a room came, changed or went.
    Presence(Presence),
    /// Entries that this member does not get.
    Gap(Gap),
    /// The answer to `history`, or the history of a `join`, begins. It has the names of the authors of
    /// the messages that follow, including those that have left.
    HistoryBegin(HistoryBegin),
    /// The answer to `history`, or the history of a `join`, is complete.
    HistoryEnd(HistoryEnd),
    /// The answer to `members`.
    Members(MembersPage),
    /// The relay did what the command with this id asked.
    Ack(Ack),
    /// How far a message came.
    Receipt(Receipt),
    /// The relay did not do what the command with this id asked.
    Rejected(Rejection),
    /// Nobody knows whether the command with this id was carried out, and it is not tried again.
    Unanswered {
        /// Its id; none for a message that was published without one and was certainly not sent.
        id: Option<RequestId>,
        /// Why.
        why: Unanswered,
    },
}

/// Why a link was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// No frame came for 15 s, or none after a [check](crate::Client::check).
    Silent,
    /// The transport ended.
    Link(CloseReason),
    /// The relay closed the framed channel.
    ChannelClosed,
    /// The relay said so.
    Bye(ByeCode),
    /// The relay refused the `hello`.
    Refused(Rejection),
    /// The relay sent what is not a frame. The text says why.
    BadFrame(String),
    /// The owner did not take the events: see [`Config::events_bytes_max`](crate::Config).
    EventsNotTaken,
    /// The owner could not carry the offer, or carried back what is no answer.
    Abandoned,
}

impl Lost {
    /// Whose fault it is; the owner's counts as the client's.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Silent | Self::Link(_) => Fault::Nobody,
            Self::ChannelClosed | Self::BadFrame(_) => Fault::Relay,
            Self::Bye(code) => code.fault(),
            Self::Refused(rejection) => rejection.code.fault(),
            Self::EventsNotTaken | Self::Abandoned => Fault::Client,
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("the relay is silent"),
            Self::Link(reason) => write!(f, "the link ended: {reason}"),
            Self::ChannelClosed => f.write_str("the relay closed the channel"),
            Self::Bye(code) => f.write_str(code.meaning()),
            Self::Refused(rejection) => write!(f, "refused: {}", rejection.message),
            Self::BadFrame(why) => write!(f, "the relay does not keep to the protocol: {why}"),
            Self::EventsNotTaken => f.write_str("events were not taken"),
            Self::Abandoned => f.write_str("no new link could be arranged"),
        }
    }
}

/// Why a client has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its owner closed it.
    ByOwner,
    /// The relay said so, and that coming back is of no use.
    Bye(Bye),
    /// The relay refused the `hello`, and will again.
    Refused(Rejection),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByOwner => f.write_str("closed"),
            Self::Bye(bye) => f.write_str(&bye.message),
            Self::Refused(rejection) => f.write_str(&rejection.message),
        }
    }
}

/// Why nobody knows what became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The link was lost first. Messages are sent again; other commands are not.
    LinkLost,
    /// The session was, and with it the relay's memory of which messages it has.
    SessionLost,
    /// The room has begun anew, and the ids of the members that it was for may be those of others now.
    EpochChanged,
    /// The room was left first.
    RoomLeft,
    /// The client has ended.
    Ended,
}

impl Unanswered {
    /// A word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LinkLost => "link_lost",
            Self::SessionLost => "session_lost",
            Self::EpochChanged => "epoch_changed",
            Self::RoomLeft => "room_left",
            Self::Ended => "ended",
        }
    }
}
