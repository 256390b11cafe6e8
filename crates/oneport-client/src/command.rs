//! What a client's owner asks.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use oneport_link::OfferError;
use oneport_wire::frame::{History, Join, Kick, Members, Publish, Update};
use oneport_wire::{Fault, RequestId, RoomName};

use crate::Client;

/// What a client can be asked, as one type, for drivers that carry commands between threads. Each
/// is also a method of [`Client`].
#[derive(Clone, Debug)]
pub enum Command {
    /// [`Client::accept_answer`].
    AcceptAnswer(String),
    /// [`Client::reconnect`], from these addresses if the socket has others now.
    Reconnect(Option<Vec<SocketAddr>>),
    /// [`Client::abandon_offer`].
    AbandonOffer {
        /// After how long the next attempt may succeed, if the relay has said so.
        retry_after: Option<Duration>,
    },
    /// [`Client::join`].
    Join(Join),
    /// [`Client::leave`].
    Leave(RoomName),
    /// [`Client::publish`].
    Publish {
        /// What the acknowledgement will name.
        id: Option<RequestId>,
        /// The message.
        publish: Publish<'static>,
    },
    /// [`Client::history`].
    History(Option<RequestId>, History),
    /// [`Client::members`].
    Members(Option<RequestId>, Members),
    /// [`Client::update`].
    Update(Option<RequestId>, Update),
    /// [`Client::kick`].
    Kick(Option<RequestId>, Kick),
    /// [`Client::check`].
    Check,
    /// [`Client::finish`].
    Finish,
    /// [`Client::close`].
    Close,
}

/// A [`Command`] was carried out, or is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// There is nothing more to say.
    Done,
    /// The relay was asked; its answer will have this id.
    Asked(RequestId),
    /// This offer is to be carried to the relay.
    Offer(String),
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// The answer is none to the offer: the fault of the relay, or of who carried it.
    BadAnswer(OfferError),
    /// The session is not in this room, and is not about to be.
    NotInRoom,
    /// The session is in this room already, or about to be.
    AlreadyInRoom,
    /// There is no link now, or it is not yet in the room: ask again later.
    NotNow,
    /// As much waits as may: ask again when some of it was answered.
    Full,
    /// The frame would be too long.
    TooLarge {
        /// How many bytes it may have.
        bytes_max: usize,
    },
    /// Another command is waiting for its answer under the same id.
    IdInUse,
    /// The client has ended.
    Ended,
}

impl CommandError {
    /// Whose fault it is; the owner's counts as the client's.
    pub fn fault(&self) -> Fault {
        match self {
            Self::BadAnswer(_) => Fault::Relay,
            Self::NotNow | Self::Full | Self::Ended => Fault::Nobody,
            Self::NotInRoom | Self::AlreadyInRoom | Self::TooLarge { .. } | Self::IdInUse => {
                Fault::Client
            }
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadAnswer(error) => write!(f, "the answer cannot be used: {error}"),
            Self::NotInRoom => f.write_str("the room was not joined"),
            Self::AlreadyInRoom => f.write_str("the room was joined already"),
            Self::NotNow => f.write_str("there is no connection to the room at this moment"),
            Self::Full => f.write_str("too much waits to be sent or answered"),
            Self::TooLarge { bytes_max } => {
                write!(f, "the message has more than {bytes_max} bytes as a frame")
            }
            Self::IdInUse => f.write_str("the id is in use for something unanswered"),
            Self::Ended => f.write_str("the client has ended"),
        }
    }
}

impl std::error::Error for CommandError {}

pub(crate) fn carry_out(
    client: &mut Client,
    now: Instant,
    command: Command,
) -> Result<Done, CommandError> {
    let done = |()| Done::Done;
    match command {
        Command::AcceptAnswer(answer) => client.accept_answer(now, &answer).map(done),
        Command::Reconnect(addresses) => {
            if let Some(addresses) = addresses {
                client.move_to(addresses);
            }
            client.reconnect(now).map(Done::Offer)
        }
        Command::AbandonOffer { retry_after } => {
            client.abandon_offer(now, retry_after);
            Ok(Done::Done)
        }
        Command::Join(join) => client.join(now, join).map(done),
        Command::Leave(room) => client.leave(now, &room).map(done),
        Command::Publish { id, publish } => client.publish(now, id, publish).map(done),
        Command::History(id, ask) => client.history(now, id, ask).map(Done::Asked),
        Command::Members(id, ask) => client.members(now, id, ask).map(Done::Asked),
        Command::Update(id, update) => client.update(now, id, update).map(Done::Asked),
        Command::Kick(id, kick) => client.kick(now, id, kick).map(Done::Asked),
        Command::Check => {
            client.check(now);
            Ok(Done::Done)
        }
        Command::Finish => {
            client.finish(now);
            Ok(Done::Done)
        }
        Command::Close => {
            client.close(now);
            Ok(Done::Done)
        }
    }
}
