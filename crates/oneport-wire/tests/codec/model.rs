//! Frames as the vectors describe them: the JSON object that they are, or would be if they were text.

use oneport_wire::Kind;
use oneport_wire::Payload;
use oneport_wire::frame::{ClientBody, ClientFrame, ServerFrame};
use serde_json::Value;

/// Either direction.
pub(crate) trait Frame: Sized {
    fn encode(&self) -> (Kind, Vec<u8>);

    /// The binary payload, if the frame has one; it leaves the frame, and an empty text takes its
    /// place.
    fn take_binary(&mut self) -> Option<Vec<u8>>;

    /// The frame in the words of `vectors.json`.
    fn model(mut self) -> Value {
        let binary = self.take_binary();
        let (kind, json) = self.encode();
        assert_eq!(kind, Kind::Text);
        let mut model: Value = serde_json::from_slice(&json).expect("JSON");
        if let Some(bytes) = binary {
            let members = model.as_object_mut().expect("an object");
            members.remove("text");
            members.insert("binary".into(), hex(&bytes).into());
        }
        model
    }
}

impl Frame for ClientFrame<'_> {
    fn encode(&self) -> (Kind, Vec<u8>) {
        let mut out = Vec::new();
        (self.encode_into(&mut out), out)
    }

    fn take_binary(&mut self) -> Option<Vec<u8>> {
        match &mut self.body {
            ClientBody::Publish(publish) => take(&mut publish.payload),
            _ => None,
        }
    }
}

impl Frame for ServerFrame<'_> {
    fn encode(&self) -> (Kind, Vec<u8>) {
        let mut out = Vec::new();
        (self.encode_into(&mut out), out)
    }

    fn take_binary(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Message(message) => take(&mut message.payload),
            _ => None,
        }
    }
}

fn take(payload: &mut Payload<'_>) -> Option<Vec<u8>> {
    let Payload::Binary(bytes) = payload else {
        return None;
    };
    let bytes = bytes.to_vec();
    *payload = "".into();
    Some(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(digits: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
    (0..digits.len()).step_by(2).map(pair).collect()
}
