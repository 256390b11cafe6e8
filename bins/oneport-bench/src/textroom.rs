//! What a client and Janus's TextRoom plugin say to each other over their data channel: JSON, and in it
//! the messages, which must be text.

use serde::Deserialize;
use serde_json::json;

use crate::room::Room;

/// The label that Janus looks for when it has something to say.
pub(crate) const LABEL: &str = "JanusDataChannel";

/// What our requests are called. Only the answer to the first one is waited for.
const JOIN: &str = "join";
const MESSAGE: &str = "message";

/// How one member of a room speaks.
#[derive(Clone, Debug)]
pub(crate) struct TextRoom {
    room: Room,
    username: String,
    /// What comes before each message's text. After it come a quote and a brace.
    head: String,
    /// The last message, for its memory.
    buffer: Vec<u8>,
}

/// What was heard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// We are in the room.
    Joined,
    /// We could not do that; or this is nothing that Janus says.
    Strange,
    /// What a member has said.
    Message(&'a [u8]),
    /// A message of our own: TextRoom sends it back.
    Echo,
    /// What does not matter here: who comes and goes.
    Other,
}

/// What Janus says, as far as it matters. Nothing is copied: neither names nor messages of ours have
/// anything in them that JSON would have to escape.
#[derive(Deserialize)]
struct Frame<'a> {
    textroom: &'a str,
    transaction: Option<&'a str>,
    from: Option<&'a str>,
    text: Option<&'a str>,
}

impl TextRoom {
    /// The client with this number, in this room.
    pub(crate) fn new(number: u32, room: Room) -> Self {
        let room_number = room.janus_number();
        let head = format!(
            r#"{{"textroom":"message","transaction":"{MESSAGE}","room":{room_number},"ack":false,"text":""#
        );
        Self {
            room,
            username: number.to_string(),
            head,
            buffer: Vec::new(),
        }
    }

    /// What makes us a member.
    pub(crate) fn join(&self) -> String {
        json!({
            "textroom": "join",
            "transaction": JOIN,
            "room": self.room.janus_number(),
            "username": self.username,
        })
        .to_string()
    }

    /// A message to all. The text must be such that JSON does not escape any of it.
    pub(crate) fn message(&mut self, text: &[u8]) -> &[u8] {
        self.buffer.clear();
        self.buffer.extend_from_slice(self.head.as_bytes());
        self.buffer.extend_from_slice(text);
        self.buffer.extend_from_slice(br#""}"#);
        &self.buffer
    }

    /// Understands what came.
    pub(crate) fn hear<'a>(&self, bytes: &'a [u8]) -> Heard<'a> {
        let Ok(frame) = serde_json::from_slice::<Frame<'a>>(bytes) else {
            return Heard::Strange;
        };
        match (frame.textroom, frame.transaction, frame.from, frame.text) {
            ("message", _, Some(from), Some(_)) if from == self.username => Heard::Echo,
            ("message", _, Some(_), Some(text)) => Heard::Message(text.as_bytes()),
            ("success", Some(JOIN), ..) => Heard::Joined,
            ("success" | "join" | "leave", ..) => Heard::Other,
            _ => Heard::Strange,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::payload::{Form, Payload};

    #[test]
    fn what_is_said_is_json() {
        let mut member = TextRoom::new(7, Room(1));
        let join: Value = serde_json::from_str(&member.join()).expect("it is JSON");
        assert_eq!(
            join,
            json!({
                "textroom": "join", "transaction": "join", "room": 1_700_000_001, "username": "7"
            })
        );
        let payload = Payload {
            sender: 7,
            number: 3,
            due_ns: 99,
        };
        let mut text = Vec::new();
        payload.write(60, Form::Text, &mut text);
        for _ in 0..2 {
            let message: Value = serde_json::from_slice(member.message(&text)).expect("it is JSON");
            assert_eq!(message["room"], 1_700_000_001);
            assert_eq!(message["ack"], false);
            let said = message["text"].as_str().expect("text").as_bytes();
            assert_eq!((said.len(), Payload::read(said)), (60, Some(payload)));
        }
    }

    #[test]
    fn what_is_heard() {
        let member = TextRoom::new(7, Room(0));
        for (said, heard) in [
            (
                r#"{"textroom":"success","transaction":"join","participants":[{"username":"3"}]}"#,
                Heard::Joined,
            ),
            (
                r#"{"textroom":"message","room":1,"from":"3","date":"now","text":"hello"}"#,
                Heard::Message(b"hello"),
            ),
            (
                r#"{"textroom":"message","room":1,"from":"7","date":"now","text":"hello"}"#,
                Heard::Echo,
            ),
            (
                r#"{"textroom":"join","room":1,"username":"8"}"#,
                Heard::Other,
            ),
            (
                r#"{"textroom":"success","transaction":"message"}"#,
                Heard::Other,
            ),
            (
                r#"{"textroom":"error","error_code":417,"error":"No such room"}"#,
                Heard::Strange,
            ),
            ("hello", Heard::Strange),
        ] {
            assert_eq!(member.hear(said.as_bytes()), heard, "{said}");
        }
    }
}
