//! `vectors.json`, which any implementation can run.

use std::collections::BTreeSet;

use oneport_wire::frame::{ClientFrame, Rejection, ServerFrame, ServerFrameError};
use oneport_wire::{ErrorCode, Kind};
use serde::Deserialize;
use serde_json::Value;

use crate::model::{Frame, unhex};

#[derive(Deserialize)]
pub(crate) struct Vectors {
    pub(crate) client: Direction,
    pub(crate) server: Direction,
}

#[derive(Deserialize)]
pub(crate) struct Direction {
    pub(crate) valid: Vec<Valid>,
    pub(crate) invalid: Vec<Invalid>,
}

/// A message that is this frame.
#[derive(Deserialize)]
pub(crate) struct Valid {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) message: Message,
    pub(crate) frame: Value,
    /// The message is exactly what the frame is encoded to.
    #[serde(default)]
    pub(crate) canonical: bool,
}

/// A message that is no frame.
#[derive(Deserialize)]
pub(crate) struct Invalid {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) message: Message,
    pub(crate) code: String,
    pub(crate) id: Option<String>,
    pub(crate) room: Option<String>,
    pub(crate) limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    Text(String),
    /// Text that is not UTF-8, in hexadecimal digits.
    TextHex(String),
    Binary(String),
}

impl Message {
    pub(crate) fn bytes(&self) -> (Kind, Vec<u8>) {
        match self {
            Self::Text(text) => (Kind::Text, text.clone().into_bytes()),
            Self::TextHex(digits) => (Kind::Text, unhex(digits)),
            Self::Binary(digits) => (Kind::Binary, unhex(digits)),
        }
    }
}

pub(crate) fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../vectors.json")).expect("the vectors are JSON")
}

fn is_encoded_as_written<F: Frame>(vector: &Valid, frame: F) {
    let name = &vector.name;
    let (kind, bytes) = vector.message.bytes();
    let (encoded_kind, encoded) = frame.encode();
    assert_eq!(encoded_kind, kind, "{name}");
    assert_eq!(vector.canonical, encoded == bytes, "{name}: canonical?");
    assert_eq!(frame.model(), vector.frame, "{name}");
}

#[test]
fn valid_frames_of_clients() {
    for vector in vectors().client.valid {
        let (kind, bytes) = vector.message.bytes();
        let frame = ClientFrame::decode(kind, &bytes);
        is_encoded_as_written(&vector, frame.expect(&vector.name));
    }
}

#[test]
fn valid_frames_of_the_relay() {
    for vector in vectors().server.valid {
        let (kind, bytes) = vector.message.bytes();
        let frame = ServerFrame::decode(kind, &bytes);
        is_encoded_as_written(&vector, frame.expect(&vector.name));
    }
}

#[test]
fn invalid_frames_of_clients() {
    for vector in vectors().client.invalid {
        let (kind, bytes) = vector.message.bytes();
        let rejection: Rejection = ClientFrame::decode(kind, &bytes).expect_err(&vector.name);
        let told = (
            rejection.code.as_str(),
            rejection.id.as_ref().map(|id| id.as_str()),
            rejection.room.as_ref().map(|room| room.as_str()),
            rejection.limit,
        );
        let expected = (
            vector.code.as_str(),
            vector.id.as_deref(),
            vector.room.as_deref(),
            vector.limit,
        );
        assert_eq!(told, expected, "{}: {}", vector.name, rejection.message);
        assert!(rejection.message.len() <= 200, "{}", vector.name);
    }
}

#[test]
fn invalid_frames_of_the_relay() {
    for vector in vectors().server.invalid {
        let (kind, bytes) = vector.message.bytes();
        let error: ServerFrameError = ServerFrame::decode(kind, &bytes).expect_err(&vector.name);
        assert_eq!(error.code().as_str(), vector.code, "{}", vector.name);
    }
}

/// The types of the frames that the vectors of a direction have.
pub(crate) fn types<'a>(direction: &'a Direction) -> BTreeSet<&'a str> {
    let t = |vector: &'a Valid| vector.frame["t"].as_str().expect("a type");
    direction.valid.iter().map(t).collect()
}

/// What cannot be seen in a frame alone is the relay's to say.
const CODES_OF_THE_RELAY: [ErrorCode; 18] = [
    ErrorCode::TooLarge,
    ErrorCode::WrongChannel,
    ErrorCode::HelloFirst,
    ErrorCode::DuplicateHello,
    ErrorCode::NotInRoom,
    ErrorCode::AlreadyInRoom,
    ErrorCode::NoSuchMember,
    ErrorCode::TooManyRooms,
    ErrorCode::TooManyRoomsSession,
    ErrorCode::RoomFull,
    ErrorCode::Rate,
    ErrorCode::Forbidden,
    ErrorCode::Refused,
    ErrorCode::TokenMissing,
    ErrorCode::TokenExpired,
    ErrorCode::Memory,
    ErrorCode::ShuttingDown,
    ErrorCode::Internal,
];

#[test]
fn every_code_of_the_codec_has_a_vector() {
    let vectors = vectors();
    let seen: BTreeSet<&str> = vectors.client.invalid.iter().map(|v| &*v.code).collect();
    let expected: BTreeSet<&str> = ErrorCode::ALL
        .iter()
        .filter(|code| !CODES_OF_THE_RELAY.contains(code))
        .map(|code| code.as_str())
        .collect();
    assert_eq!(seen, expected);
}
