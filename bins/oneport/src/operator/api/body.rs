//! What a backend has the relay say.

use data_encoding::BASE64;
use oneport_core::Announcement;
use oneport_signal::{OperatorRequest, Problem};
use oneport_wire::frame::Class;
use oneport_wire::{Payload, Recipients, RequestId, Topic};
use serde::Deserialize;

/// A `pub` frame without what the path says; a binary payload is in base64.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnnouncementJson {
    id: Option<RequestId>,
    #[serde(default)]
    topic: Topic,
    to: Option<Recipients>,
    class: Option<Class>,
    text: Option<String>,
    binary: Option<String>,
}

/// The message in a request's body.
///
/// # Errors
///
/// `unsupported_media_type`, or `bad_request` with what is wrong.
pub(super) fn announcement(
    request: &OperatorRequest,
    body: &[u8],
) -> Result<Announcement, Problem> {
    if request.content_type.as_deref() != Some("application/json") {
        let detail = "the message's Content-Type must be application/json";
        let problem = Problem::new(415, "unsupported_media_type", detail);
        return Err(problem.header("Accept-Post", "application/json"));
    }
    let message: AnnouncementJson =
        serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let payload = match (message.text, message.binary) {
        (Some(text), None) => Payload::Text(text.into()),
        (None, Some(binary)) => {
            let bytes = BASE64.decode(binary.as_bytes());
            let bytes = bytes.map_err(|error| bad(format!("binary is not base64: {error}")))?;
            Payload::Binary(bytes.into())
        }
        _ => return Err(bad("a message has either text or binary")),
    };
    Ok(Announcement {
        id: message.id,
        topic: message.topic,
        to: message.to,
        is_kept: match message.class {
            None | Some(Class::Kept) => true,
            Some(Class::Transient) => false,
            Some(Class::Lossy) => return Err(bad("the relay itself says nothing lossy")),
        },
        payload,
    })
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(400, "bad_request", detail.into())
}
