//! What came of an operation, as JSON.

use data_encoding::BASE64;
use oneport_core::hub::RoomSummary;
use oneport_core::{Announced, Guest, GuestsPage, MessagesPage, OperatorError, Outcome, RoomsPage};
use oneport_signal::{OperatorResponse, Problem};
use oneport_wire::frame::{Member, Message};
use oneport_wire::{
    Epoch, MemberId, MemberName, Offset, Payload, Recipients, RoomName, SessionLabel, Topic,
    UnixMillis,
};
use serde::Serialize;

/// The response to a request that was carried out.
pub(super) fn of(outcome: Outcome) -> OperatorResponse {
    match outcome {
        Outcome::Rooms(page) => json(200, &rooms(&page)),
        Outcome::Room(room) => json(200, &RoomJson::from(&room)),
        Outcome::Guests(page) => json(200, &guests(page)),
        Outcome::Announced(announced) => announced_json(announced),
        Outcome::KickedOut => OperatorResponse::new(204),
        Outcome::Closed { members } => json(200, &ClosedJson { members }),
        Outcome::Messages(page) => json(200, &messages(&page)),
    }
}

/// The response to one that was not.
pub(super) fn problem(error: &OperatorError) -> Problem {
    let status = match error {
        OperatorError::NoSuchRoom | OperatorError::NoSuchMember => 404,
        OperatorError::EpochChanged => 409,
        OperatorError::TooLarge { .. } => 413,
        OperatorError::ShuttingDown => 503,
    };
    let problem = Problem::new(status, error.code(), error.to_string());
    match error {
        OperatorError::ShuttingDown => problem.header("Retry-After", "5"),
        _ => problem,
    }
}

/// With a line end, for terminals.
fn json(status: u16, body: &impl Serialize) -> OperatorResponse {
    let mut text = serde_json::to_vec(body).expect("no map here has keys that are no strings");
    text.push(b'\n');
    OperatorResponse::new(status).body("application/json", text)
}

#[derive(Serialize)]
struct RoomJson<'a> {
    room: &'a RoomName,
    epoch: Epoch,
    offset: Offset,
    members: usize,
    ring_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    empty_since: Option<UnixMillis>,
}

impl<'a> From<&'a RoomSummary> for RoomJson<'a> {
    fn from(room: &'a RoomSummary) -> Self {
        Self {
            room: &room.room,
            epoch: room.epoch,
            offset: room.offset,
            members: room.members,
            ring_bytes: room.ring_bytes,
            empty_since: room.empty_since,
        }
    }
}

#[derive(Serialize)]
struct RoomsJson<'a> {
    rooms: Vec<RoomJson<'a>>,
    more: bool,
}

fn rooms(page: &RoomsPage) -> RoomsJson<'_> {
    RoomsJson {
        rooms: page.rooms.iter().map(RoomJson::from).collect(),
        more: page.more,
    }
}

#[derive(Serialize)]
struct GuestsJson {
    room: RoomName,
    epoch: Epoch,
    offset: Offset,
    total: usize,
    members: Vec<GuestJson>,
    more: bool,
}

#[derive(Serialize)]
struct GuestJson {
    #[serde(flatten)]
    member: Member,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionLabel>,
}

fn guests(page: GuestsPage) -> GuestsJson {
    let guest = |Guest { member, session }| GuestJson { member, session };
    GuestsJson {
        room: page.room.room,
        epoch: page.room.epoch,
        offset: page.room.offset,
        total: page.room.members,
        members: page.members.into_iter().map(guest).collect(),
        more: page.more,
    }
}

#[derive(Serialize)]
struct AnnouncedJson {
    epoch: Epoch,
    offset: Offset,
    duplicate: bool,
}

/// `200` for what was created by an earlier request.
fn announced_json(announced: Announced) -> OperatorResponse {
    let Announced {
        epoch,
        offset,
        duplicate,
    } = announced;
    let status = if duplicate { 200 } else { 201 };
    let body = AnnouncedJson {
        epoch,
        offset,
        duplicate,
    };
    json(status, &body)
}

#[derive(Serialize)]
struct ClosedJson {
    members: usize,
}

#[derive(Serialize)]
struct MessagesJson<'a> {
    room: &'a RoomName,
    epoch: Epoch,
    from: Offset,
    to: Offset,
    more: bool,
    messages: Vec<MessageJson<'a>>,
}

/// A `msg` without its room, with the name of its author.
#[derive(Serialize)]
struct MessageJson<'a> {
    offset: Option<Offset>,
    from: MemberId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a MemberName>,
    time: UnixMillis,
    #[serde(skip_serializing_if = "Topic::is_empty")]
    topic: &'a Topic,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a Recipients>,
    #[serde(flatten)]
    payload: PayloadJson<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum PayloadJson<'a> {
    Text(&'a str),
    Binary(String),
}

impl<'a> MessageJson<'a> {
    fn new(message: &'a Message<'_>, name: Option<&'a MemberName>) -> Self {
        Self {
            offset: message.offset,
            from: message.from,
            name,
            time: message.time,
            topic: &message.topic,
            to: message.to.as_ref(),
            payload: match &message.payload {
                Payload::Text(text) => PayloadJson::Text(text),
                Payload::Binary(bytes) => PayloadJson::Binary(BASE64.encode(bytes)),
            },
        }
    }
}

fn messages(page: &MessagesPage) -> MessagesJson<'_> {
    let message = |message| MessageJson::new(message, page.authors.get(&message.from));
    MessagesJson {
        room: &page.room.room,
        epoch: page.room.epoch,
        from: page.from,
        to: page.to,
        more: page.more,
        messages: page.messages.iter().map(message).collect(),
    }
}
