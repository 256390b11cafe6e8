//! The relay's frames as bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::codes::ErrorCode;
use crate::names::RequestId;
use crate::payload::Kind;
use crate::text::Text;

use super::fields::Fields;
use super::message::Message;
use super::server::ServerFrame;
use super::{Rejection, binary, json};

#[derive(Serialize, Deserialize)]
struct PingPong {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<RequestId>,
    n: u32,
}

impl<'a> ServerFrame<'a> {
    /// Appends the frame, and says as which kind of message it must be sent.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Kind {
        match self {
            Self::Message(body) => return body.encode_into(out),
            Self::Welcome(body) => json::write("welcome", None, body, out),
            Self::Joined(body) => json::write("joined", None, body, out),
            Self::Presence(body) => json::write("presence", None, body, out),
            Self::Ack(body) => json::write("ack", None, body, out),
            Self::Receipt(body) => json::write("receipt", None, body, out),
            Self::HistoryBegin(body) => json::write("history_begin", None, body, out),
            Self::HistoryEnd(body) => json::write("history_end", None, body, out),
            Self::Members(body) => json::write("members", None, body, out),
            Self::Gap(body) => json::write("gap", None, body, out),
            Self::Left(body) => json::write("left", None, body, out),
            Self::Rejection(body) => json::write("err", None, body, out),
            Self::Bye(body) => json::write("bye", None, body, out),
            Self::Ping { n } => json::write("ping", None, &PingPong { id: None, n: *n }, out),
            Self::Pong { id, n } => {
                let body = PingPong { id: None, n: *n };
                json::write("pong", id.as_ref(), &body, out);
            }
        }
        Kind::Text
    }

    /// Reads one data channel message. The payload of a `msg` is borrowed where it can be.
    ///
    /// # Errors
    ///
    /// [`ServerFrameError`]: the frame is to be ignored, or the relay is broken.
    pub fn decode(kind: Kind, bytes: &'a [u8]) -> Result<Self, ServerFrameError> {
        if kind == Kind::Binary {
            return Ok(Self::Message(binary::decode_message(bytes)?));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Rejection::bad_frame("a text frame is not UTF-8"))?;
        let t: Text<'a> = Fields::read(text, &["t"])?.required("t", "a string")?;
        let frame = match &*t.0 {
            "msg" => Message::from_json(text).map(Self::Message),
            "presence" => read(text, Self::Presence),
            "ack" => read(text, Self::Ack),
            "welcome" => read(text, Self::Welcome),
            "joined" => read(text, Self::Joined),
            "receipt" => read(text, Self::Receipt),
            "history_begin" => read(text, Self::HistoryBegin),
            "history_end" => read(text, Self::HistoryEnd),
            "members" => read(text, Self::Members),
            "gap" => read(text, Self::Gap),
            "left" => read(text, Self::Left),
            "err" => read(text, Self::Rejection),
            "bye" => read(text, Self::Bye),
            "ping" => read(text, |PingPong { n, .. }| Self::Ping { n }),
            "pong" => read(text, |PingPong { id, n }| Self::Pong { id, n }),
            _ => return Err(ServerFrameError::UnknownType),
        };
        frame.map_err(|error| ServerFrameError::BadFrame(error.to_string()))
    }
}

fn read<'a, T: Deserialize<'a>, F>(
    text: &'a str,
    frame: impl FnOnce(T) -> F,
) -> Result<F, serde_json::Error> {
    serde_json::from_str(text).map(frame)
}

/// Why a message from the relay is no [`ServerFrame`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerFrameError {
    /// It is a frame of a type that this crate does not know: a client ignores it.
    UnknownType,
    /// It is not a frame. The text says why, and may quote it.
    BadFrame(String),
}

impl ServerFrameError {
    /// The code that the same fault of a client would have.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownType => ErrorCode::UnknownType,
            Self::BadFrame(_) => ErrorCode::BadFrame,
        }
    }
}

impl From<Rejection> for ServerFrameError {
    fn from(rejection: Rejection) -> Self {
        match rejection.code {
            ErrorCode::UnknownType => Self::UnknownType,
            _ => Self::BadFrame(rejection.message.into_owned()),
        }
    }
}

impl fmt::Display for ServerFrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType => f.write_str("the frame is of an unknown type"),
            Self::BadFrame(why) => write!(f, "not a frame: {why}"),
        }
    }
}

impl std::error::Error for ServerFrameError {}
