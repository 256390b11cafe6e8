//! What a client says.

use serde::{Deserialize, Serialize};

use crate::ids::{Epoch, MemberId, Offset};
use crate::names::{MemberName, Notice, RequestId, Topic};
use crate::payload::{Kind, Payload};
use crate::recipients::Recipients;
use crate::secrets::{AccessToken, ResumeToken};
use crate::{Meta, RoomName};

use super::words::Class;
use super::{Rejection, binary, client_codec};

/// A frame from a client to the relay.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientFrame<'a> {
    /// What the client calls this frame. Its answer, or the `err` about it, has the same.
    pub id: Option<RequestId>,
    /// What it says.
    pub body: ClientBody<'a>,
}

/// What a [`ClientFrame`] says.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientBody<'a> {
    /// `hello`: begins a link; the answer is `welcome`.
    Hello(Hello),
    /// `join`: enters a room; the answer is `joined`.
    Join(Join),
    /// `leave`: leaves a room; the answer is `left`.
    Leave {
        /// Which.
        room: RoomName,
    },
    /// `pub`: publishes a message; the answer is `ack`, if the frame has an id.
    Publish(Publish<'a>),
    /// `history`: asks for earlier messages; the answer stands between `history_begin` and
    /// `history_end`.
    History(History),
    /// `members`: asks for a page of the members; the answer is `members`.
    Members(Members),
    /// `update`: changes one's own name or metadata; the answer is `ack`, if the frame has an id.
    Update(Update),
    /// `kick`: removes another member; the answer is `ack`, if the frame has an id.
    Kick(Kick),
    /// `ping`: asks for a `pong` with the same number.
    Ping {
        /// The number.
        n: u32,
    },
    /// `pong`: the answer to the relay's `ping`.
    Pong {
        /// That ping's number.
        n: u32,
    },
}

impl<'a> ClientFrame<'a> {
    /// Reads one data channel message. The payload of a `pub` is borrowed where it can be.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] to answer with; it has the frame's id and room where they could be read.
    /// The size of the frame is for the caller to check ([`Rejection::too_large`]).
    pub fn decode(kind: Kind, bytes: &'a [u8]) -> Result<Self, Rejection> {
        match kind {
            Kind::Binary => binary::decode_publish(bytes),
            Kind::Text => match std::str::from_utf8(bytes) {
                Ok(text) => client_codec::decode_text(text),
                Err(_) => Err(Rejection::bad_frame("a text frame is not UTF-8")),
            },
        }
    }

    /// Appends the frame, and says as which kind of message it must be sent.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Kind {
        client_codec::encode(self, out)
    }
}

impl<'a> From<ClientBody<'a>> for ClientFrame<'a> {
    /// A frame without an id.
    fn from(body: ClientBody<'a>) -> Self {
        Self { id: None, body }
    }
}

/// The version of the protocol: 1, the only one there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub struct Version;

impl Version {
    /// The number.
    pub const NUMBER: u32 = 1;
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        Version::NUMBER
    }
}

impl TryFrom<u32> for Version {
    type Error = &'static str;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        match number {
            Self::NUMBER => Ok(Self),
            _ => Err("the version of the protocol is 1"),
        }
    }
}

/// `hello`: the first frame of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hello {
    /// The version that the client speaks.
    pub version: Version,
    /// The session to go on with; without it, a new one begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<ResumeToken>,
}

/// `join`: enters a room, or comes back to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Join {
    /// Which.
    pub room: RoomName,
    /// What the member calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<MemberName>,
    /// What it says about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// What gives it the right to be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<AccessToken>,
    /// What it still needs, if it was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// How many earlier messages to send first, unless the join recovers.
    #[serde(skip_serializing_if = "is_zero")]
    pub history: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The position of a member in its room: everything before it has been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Since {
    /// Which life of the room.
    pub epoch: Epoch,
    /// The first offset that is still needed.
    pub offset: Offset,
}

/// `pub`: publishes a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish<'a> {
    /// In which room.
    pub room: RoomName,
    /// What it is about.
    pub topic: Topic,
    /// Whom it is for; `None` for the whole room.
    pub to: Option<Recipients>,
    /// Whether the publisher gets it too.
    pub echo: bool,
    /// How long it lives, and whether the publisher wants to know who has it.
    pub delivery: Delivery,
    /// What it carries.
    pub payload: Payload<'a>,
}

impl<'a> Publish<'a> {
    /// A kept message without a topic, for all others in the room.
    pub fn new(room: RoomName, payload: impl Into<Payload<'a>>) -> Self {
        Self {
            room,
            topic: Topic::default(),
            to: None,
            echo: false,
            delivery: Delivery::Kept { receipt: false },
            payload: payload.into(),
        }
    }
}

/// How a message is delivered: its class, and for those that arrive, whether a receipt is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// [`Class::Kept`].
    Kept {
        /// Whether the relay is to send a `receipt`.
        receipt: bool,
    },
    /// [`Class::Transient`].
    Transient {
        /// Whether the relay is to send a `receipt`.
        receipt: bool,
    },
    /// [`Class::Lossy`].
    Lossy,
}

impl Delivery {
    /// `None` for the receipt of a lossy message: nobody knows whether one arrived.
    pub fn new(class: Class, receipt: bool) -> Option<Self> {
        match class {
            Class::Kept => Some(Self::Kept { receipt }),
            Class::Transient => Some(Self::Transient { receipt }),
            Class::Lossy => (!receipt).then_some(Self::Lossy),
        }
    }

    /// The class.
    pub fn class(self) -> Class {
        match self {
            Self::Kept { .. } => Class::Kept,
            Self::Transient { .. } => Class::Transient,
            Self::Lossy => Class::Lossy,
        }
    }

    /// Whether a receipt is wanted.
    pub fn receipt(self) -> bool {
        matches!(
            self,
            Self::Kept { receipt: true } | Self::Transient { receipt: true }
        )
    }
}

/// `history`: asks for the last messages before a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct History {
    /// Of which room.
    pub room: RoomName,
    /// Only messages before this offset; `None` for the member's position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Offset>,
    /// How many. The relay may send fewer at a time.
    pub count: u32,
}

/// `members`: asks for a page of the members, which are sorted by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Members {
    /// Of which room.
    pub room: RoomName,
    /// Only those with a greater id; `None` for the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<MemberId>,
}

/// `update`: changes one's own name or metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Update {
    /// In which room.
    pub room: RoomName,
    /// The name.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub name: Change<MemberName>,
    /// The metadata.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub meta: Change<Meta>,
}

/// What becomes of something that may be there or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is: the member is absent.
    #[default]
    Keep,
    /// It goes: the member is `null`.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Change<T> {
    /// Whether it stays as it is.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

/// `kick`: removes another member from a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kick {
    /// From which room.
    pub room: RoomName,
    /// Whom.
    pub member: MemberId,
    /// What to tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Notice>,
}
