//! `msg`: a message as its receivers see it. The one frame whose cost counts.

use serde::{Deserialize, Serialize};

use crate::RoomName;
use crate::ids::{MemberId, Offset, UnixMillis};
use crate::names::Topic;
use crate::payload::{Kind, Payload};
use crate::recipients::Recipients;
use crate::text::Text;

use super::{binary, json};

/// By how many bytes a `msg` can be longer than the `pub` that it was: the offset, the sender and the
/// time with their names. Everything else is as long as the client wrote it, or shorter.
pub const MESSAGE_GROWTH_BYTES_MAX: usize =
    r#""offset":9007199254740991,"from":4294967295,"time":9007199254740991,"#.len();

/// `msg`: a message of a room. Nothing in it depends on who receives it, so that it is encoded once.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// In which room.
    pub room: RoomName,
    /// Its place in the room's order; a lossy one has none.
    pub offset: Option<Offset>,
    /// Who published it.
    pub from: MemberId,
    /// When the relay took it.
    pub time: UnixMillis,
    /// What it is about.
    pub topic: Topic,
    /// Whom it is for, if not for the whole room.
    pub to: Option<Recipients>,
    /// What it carries.
    pub payload: Payload<'a>,
}

/// The members of a `msg` with text, in their order.
#[derive(Serialize)]
struct MessageJson<'a> {
    room: &'a RoomName,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<Offset>,
    from: MemberId,
    time: UnixMillis,
    #[serde(skip_serializing_if = "Topic::is_empty")]
    topic: &'a Topic,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a Recipients>,
    text: &'a str,
}

/// What [`MessageJson`] is read into.
#[derive(Deserialize)]
struct MessageOwned<'a> {
    room: RoomName,
    offset: Option<Offset>,
    from: MemberId,
    time: UnixMillis,
    #[serde(default)]
    topic: Topic,
    to: Option<Recipients>,
    #[serde(borrow)]
    text: Text<'a>,
}

impl<'a> Message<'a> {
    /// The same, without the input that it may have been borrowed from.
    pub fn into_owned(self) -> Message<'static> {
        Message {
            room: self.room,
            offset: self.offset,
            from: self.from,
            time: self.time,
            topic: self.topic,
            to: self.to,
            payload: self.payload.into_owned(),
        }
    }

    pub(super) fn from_json(text: &'a str) -> Result<Self, serde_json::Error> {
        let message: MessageOwned<'a> = serde_json::from_str(text)?;
        Ok(Self {
            room: message.room,
            offset: message.offset,
            from: message.from,
            time: message.time,
            topic: message.topic,
            to: message.to,
            payload: Payload::Text(message.text.0),
        })
    }

    /// Appends the frame without allocating anything, and says as which kind of message it must be
    /// sent.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Kind {
        match &self.payload {
            Payload::Text(text) => {
                let body = MessageJson {
                    room: &self.room,
                    offset: self.offset,
                    from: self.from,
                    time: self.time,
                    topic: &self.topic,
                    to: self.to.as_ref(),
                    text,
                };
                json::write("msg", None, &body, out);
            }
            Payload::Binary(bytes) => binary::encode_message(self, bytes, out),
        }
        self.payload.kind()
    }
}
