//! What the relay says.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::codes::ByeCode;
use crate::ids::{Epoch, MemberId, Offset, SessionLabel, Span, UnixMillis};
use crate::names::{MemberName, Notice, RequestId};
use crate::secrets::ResumeToken;
use crate::{Meta, RoomName};

use super::client::Version;
use super::json::is_false;
use super::message::Message;
use super::words::{GapReason, LeaveReason, NotRecovered};
use super::{Rejection, json};

/// A frame from the relay to a client.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerFrame<'a> {
    /// `welcome`.
    Welcome(Welcome),
    /// `joined`.
    Joined(Joined),
    /// `msg`.
    Message(Message<'a>),
    /// `presence`.
    Presence(Presence),
    /// `ack`.
    Ack(Ack),
    /// `receipt`.
    Receipt(Receipt),
    /// `history_begin`.
    HistoryBegin(HistoryBegin),
    /// `history_end`.
    HistoryEnd(HistoryEnd),
    /// `members`.
    Members(MembersPage),
    /// `gap`.
    Gap(Gap),
    /// `left`.
    Left(Left),
    /// `err`.
    Rejection(Rejection),
    /// `bye`.
    Bye(Bye),
    /// `ping`: the client answers with a `pong` of the same number.
    Ping {
        /// The number.
        n: u32,
    },
    /// `pong`: the answer to a client's `ping`.
    Pong {
        /// The `id` of that frame.
        id: Option<RequestId>,
        /// That ping's number.
        n: u32,
    },
}

macro_rules! from_bodies {
    ($($body:ty => $variant:ident),+ $(,)?) => {$(
        impl<'a> From<$body> for ServerFrame<'a> {
            fn from(body: $body) -> Self {
                Self::$variant(body)
            }
        }
    )+};
}

from_bodies! {
    Welcome => Welcome,
    Joined => Joined,
    Message<'a> => Message,
    Presence => Presence,
    Ack => Ack,
    Receipt => Receipt,
    HistoryBegin => HistoryBegin,
    HistoryEnd => HistoryEnd,
    MembersPage => Members,
    Gap => Gap,
    Left => Left,
    Rejection => Rejection,
    Bye => Bye,
}

/// `welcome`: the answer to `hello`, and the first frame from the relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The `id` of the `hello`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The version that is spoken.
    pub version: Version,
    /// The session's name for logs.
    pub session: SessionLabel,
    /// What brings the session back on another link.
    pub resume: ResumeToken,
    /// Whether this is the session that the `hello` asked for.
    pub resumed: bool,
    /// After so many milliseconds without a frame from the client, the relay sends a `ping`.
    pub ping_ms: u32,
    /// For so many milliseconds the session outlives its link.
    pub grace_ms: u32,
    /// What the client may do.
    pub limits: Limits,
}

/// The limits that this relay was configured with and that a client can respect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of the largest frame that the relay takes.
    pub frame_bytes: u32,
    /// Rooms that the session may be in at a time.
    pub rooms: u32,
    /// Messages in the answer to one `history`.
    pub history: u32,
    /// How many of the session's latest `pub` ids the relay remembers.
    pub publish_ids: u32,
    /// Frames that the member may send per second, on average.
    pub frames_per_s: u32,
    /// Bytes of frames that the member may send per second, on average.
    pub bytes_per_s: u32,
}

/// `joined`: the answer to `join`. The room's entries follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The `id` of the `join`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which room.
    pub room: RoomName,
    /// Which life of the room.
    pub epoch: Epoch,
    /// Entries from here on are live.
    pub offset: Offset,
    /// The client's own id in the room.
    pub you: MemberId,
    /// Whether what was missed follows.
    #[serde(flatten)]
    pub recovery: Recovery,
    /// How many members the room has, this one included.
    pub total: u32,
    /// The first page of them, as they were at `offset`.
    pub members: Vec<Member>,
}

/// Whether a `join` brings everything back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "RecoveryJson", try_from = "RecoveryJson")]
pub enum Recovery {
    /// It had no `since`: there is nothing to bring back.
    Fresh,
    /// Everything that was missed follows.
    Recovered,
    /// Nothing that was missed follows.
    NotRecovered(NotRecovered),
}

/// What [`Recovery`] is in JSON.
#[derive(Serialize, Deserialize)]
struct RecoveryJson {
    recovered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<NotRecovered>,
}

impl From<Recovery> for RecoveryJson {
    fn from(recovery: Recovery) -> Self {
        let (recovered, reason) = match recovery {
            Recovery::Fresh => (false, None),
            Recovery::Recovered => (true, None),
            Recovery::NotRecovered(reason) => (false, Some(reason)),
        };
        Self { recovered, reason }
    }
}

impl TryFrom<RecoveryJson> for Recovery {
    type Error = &'static str;

    fn try_from(json: RecoveryJson) -> Result<Self, Self::Error> {
        match (json.recovered, json.reason) {
            (false, None) => Ok(Self::Fresh),
            (true, None) => Ok(Self::Recovered),
            (false, Some(reason)) => Ok(Self::NotRecovered(reason)),
            (true, Some(_)) => Err("recovered, and a reason why not"),
        }
    }
}

/// One member of a room, in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// What it calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<MemberName>,
    /// What it says about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Whether its link is lost and the grace time runs.
    #[serde(default, skip_serializing_if = "is_false")]
    pub away: bool,
}

impl Member {
    /// How many members a page has at most: so many, with names and metadata as long as they may
    /// be, fit into one message.
    pub const PAGE_MAX: usize = 100;
}

/// `presence`: an entry of the ring about a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// In which room.
    pub room: RoomName,
    /// Its place in the room's order.
    pub offset: Offset,
    /// When it happened.
    pub time: UnixMillis,
    /// What happened.
    #[serde(flatten)]
    pub change: PresenceChange,
    /// To whom; as it is after the change.
    pub member: Member,
}

/// What happened to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum PresenceChange {
    /// It is new in the room.
    Joined,
    /// It changed its name or metadata.
    Updated,
    /// Its link is lost, and the grace time runs.
    Away,
    /// It is back within the grace time.
    Back,
    /// It is gone.
    Left {
        /// Why.
        reason: LeaveReason,
    },
}

/// `ack`: the relay did what the frame with this id asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The `id` of the frame.
    pub id: RequestId,
    /// In which room.
    pub room: RoomName,
    /// The place of the entry that came of it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<Offset>,
    /// Whether the relay had done it already, when a `pub` with the same id came before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub duplicate: bool,
}

/// `receipt`: how many members' connections have acknowledged a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The `id` of the `pub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// In which room.
    pub room: RoomName,
    /// The message's place in the room's order.
    pub offset: Offset,
    /// How many connections have acknowledged it.
    pub delivered: u32,
    /// Of how many members that it was for.
    pub of: u32,
}

/// `history_begin`: the next messages of this room, up to `history_end`, are earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryBegin {
    /// The `id` of the `history`, or of the `join`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which room.
    pub room: RoomName,
    /// The authors of these messages that have a name, by ascending id.
    #[serde(
        default,
        deserialize_with = "json::list_or_null",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub authors: Vec<Author>,
}

impl HistoryBegin {
    /// The maximum number of authors in one frame, so that they fit into one message.
    pub const AUTHORS_MAX: usize = 1000;
}

/// The author of a message in the history, who may have left the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Its id.
    pub id: MemberId,
    /// Its latest name.
    pub name: MemberName,
}

impl Author {
    /// The maximum size in a frame, in bytes, with a comma: the name can have twice its bytes there,
    /// because quotes and backslashes are escaped.
    pub const BYTES_MAX: usize =
        r#"{"id":4294967295,"name":""},"#.len() + 2 * MemberName::BYTES_MAX;
}

/// `history_end`: that was all of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEnd {
    /// The `id` of the `history`, or of the `join`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which room.
    pub room: RoomName,
    /// All messages for this member with these offsets that the room still has were sent.
    #[serde(flatten)]
    pub span: Span,
    /// Whether the room has earlier ones.
    pub more: bool,
}

/// `members`: a page of a room's members, by ascending id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersPage {
    /// The `id` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Of which room.
    pub room: RoomName,
    /// They are as they were at this place in the room's order.
    pub offset: Offset,
    /// How many members the room has.
    pub total: u32,
    /// The members.
    pub members: Vec<Member>,
    /// Whether there are some with greater ids.
    pub more: bool,
}

/// `gap`: entries that the member does not get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Of which room.
    pub room: RoomName,
    /// Where they were.
    #[serde(flatten)]
    pub span: Span,
    /// Why, and which of them.
    pub reason: GapReason,
}

/// `left`: the session is no longer in this room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The `id` of the `leave`, if that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Which room.
    pub room: RoomName,
    /// Why.
    pub reason: LeaveReason,
    /// What whoever kicked it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Notice>,
}

/// `bye`: the relay ends the link. No frame follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {
    /// Why, for programs. A client that does not know a code reads `internal`.
    #[serde(deserialize_with = "json::bye_code_or_internal")]
    pub code: ByeCode,
    /// Why, for people.
    pub message: Cow<'static, str>,
    /// After so many milliseconds the client may come back and resume; `None` if it should not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}
