//! A client's frames as bytes.

use serde::Serialize;

use crate::RoomName;
use crate::codes::ErrorCode;
use crate::ids::Epoch;
use crate::names::{RequestId, Topic};
use crate::payload::{Kind, Payload};
use crate::recipients::{RecipientList, Recipients};
use crate::text::Text;

use super::client::{
    Change, ClientBody, ClientFrame, Delivery, Hello, History, Join, Kick, Members, Publish, Since,
    Update, Version,
};
use super::fields::Fields;
use super::json::is_false;
use super::words::Class;
use super::{Rejection, binary, json};

/// Every member that some frame of a client has; those of the most frequent one first.
const NAMES: [&str; 22] = [
    "t", "id", "room", "topic", "text", "to", "echo", "class", "receipt", "n", "version", "resume",
    "name", "meta", "token", "since", "history", "before", "count", "after", "member", "message",
];

type ClientFields<'a> = Fields<'a, { NAMES.len() }>;

const A_COUNT: &str = "a whole number from 0 to 4294967295";
const AN_OFFSET: &str = "a whole number from 0 to 9007199254740991";
const A_FLAG: &str = "true or false";

pub(super) fn decode_text(text: &str) -> Result<ClientFrame<'_>, Rejection> {
    let fields = Fields::read(text, &NAMES)?;
    let id: Option<RequestId> = fields.text("id")?;
    match body(&fields) {
        Ok(body) => Ok(ClientFrame { id, body }),
        Err(rejection) => Err(Rejection {
            id,
            room: fields.text("room").ok().flatten(),
            ..rejection
        }),
    }
}

fn body<'a>(fields: &ClientFields<'a>) -> Result<ClientBody<'a>, Rejection> {
    let t: Text<'a> = fields.required("t", "the type of the frame, a string")?;
    Ok(match &*t.0 {
        "pub" => ClientBody::Publish(publish(fields)?),
        "ping" => ClientBody::Ping {
            n: fields.required("n", A_COUNT)?,
        },
        "pong" => ClientBody::Pong {
            n: fields.required("n", A_COUNT)?,
        },
        "hello" => ClientBody::Hello(hello(fields)?),
        "join" => ClientBody::Join(join(fields)?),
        "leave" => ClientBody::Leave {
            room: fields.required_text("room")?,
        },
        "history" => ClientBody::History(History {
            room: fields.required_text("room")?,
            before: fields.optional("before", AN_OFFSET)?,
            count: fields.required("count", A_COUNT)?,
        }),
        "members" => ClientBody::Members(Members {
            room: fields.required_text("room")?,
            after: fields.optional("after", A_COUNT)?,
        }),
        "update" => ClientBody::Update(update(fields)?),
        "kick" => ClientBody::Kick(Kick {
            room: fields.required_text("room")?,
            member: fields.required("member", A_COUNT)?,
            message: fields.text("message")?,
        }),
        _ => return Err(Rejection::of(ErrorCode::UnknownType)),
    })
}

fn publish<'a>(fields: &ClientFields<'a>) -> Result<Publish<'a>, Rejection> {
    let room: RoomName = fields.required_text("room")?;
    let class: Option<Class> = fields.optional("class", "\"kept\", \"transient\" or \"lossy\"")?;
    let receipt = fields.optional("receipt", A_FLAG)?.unwrap_or_default();
    let delivery = Delivery::new(class.unwrap_or(Class::Kept), receipt);
    let to: Option<RecipientList> = fields.optional("to", "a list of member ids")?;
    let text: Text<'a> = fields.required("text", "a string of valid Unicode")?;
    Ok(Publish {
        room,
        topic: fields.text("topic")?.unwrap_or_default(),
        to: to.map(Recipients::try_from).transpose()?,
        echo: fields.optional("echo", A_FLAG)?.unwrap_or_default(),
        delivery: delivery.ok_or_else(lossy_receipt)?,
        payload: Payload::Text(text.0),
    })
}

/// What both codecs say about a lossy message with a receipt.
pub(super) fn lossy_receipt() -> Rejection {
    Rejection::bad_frame("a lossy message has no receipt")
}

fn hello(fields: &ClientFields<'_>) -> Result<Hello, Rejection> {
    let version: u32 = fields.required("version", A_COUNT)?;
    Ok(Hello {
        version: Version::try_from(version)
            .map_err(|message| Rejection::new(ErrorCode::BadVersion, message))?,
        resume: fields.text("resume")?,
    })
}

fn join(fields: &ClientFields<'_>) -> Result<Join, Rejection> {
    let since = match fields.raw("since") {
        None | Some("null") => None,
        Some(json) => {
            let since = Fields::read(json, &["epoch", "offset"])?;
            let epoch: Epoch = since.required_text("epoch")?;
            let offset = since.required("offset", AN_OFFSET)?;
            Some(Since { epoch, offset })
        }
    };
    Ok(Join {
        room: fields.required_text("room")?,
        name: fields.text("name")?,
        meta: match fields.raw("meta") {
            None | Some("null") => None,
            Some(json) => Some(json.parse()?),
        },
        token: fields.text("token")?,
        since,
        history: fields.optional("history", A_COUNT)?.unwrap_or_default(),
    })
}

fn update(fields: &ClientFields<'_>) -> Result<Update, Rejection> {
    Ok(Update {
        room: fields.required_text("room")?,
        name: match (fields.raw("name"), fields.text("name")?) {
            (None, _) => Change::Keep,
            (_, None) => Change::Clear,
            (_, Some(name)) => Change::Set(name),
        },
        meta: match fields.raw("meta") {
            None => Change::Keep,
            Some("null") => Change::Clear,
            Some(json) => Change::Set(json.parse()?),
        },
    })
}

/// Appends a frame.
pub(super) fn encode(frame: &ClientFrame<'_>, out: &mut Vec<u8>) -> Kind {
    #[derive(Serialize)]
    struct Room<'a> {
        room: &'a RoomName,
    }
    #[derive(Serialize)]
    struct Number {
        n: u32,
    }
    let id = frame.id.as_ref();
    match &frame.body {
        ClientBody::Publish(body) => match &body.payload {
            Payload::Text(text) => json::write("pub", id, &PublishJson::new(body, text), out),
            Payload::Binary(bytes) => {
                binary::encode_publish(id, body, bytes, out);
                return Kind::Binary;
            }
        },
        ClientBody::Hello(body) => json::write("hello", id, body, out),
        ClientBody::Join(body) => json::write("join", id, body, out),
        ClientBody::Leave { room } => json::write("leave", id, &Room { room }, out),
        ClientBody::History(body) => json::write("history", id, body, out),
        ClientBody::Members(body) => json::write("members", id, body, out),
        ClientBody::Update(body) => json::write("update", id, body, out),
        ClientBody::Kick(body) => json::write("kick", id, body, out),
        ClientBody::Ping { n } => json::write("ping", id, &Number { n: *n }, out),
        ClientBody::Pong { n } => json::write("pong", id, &Number { n: *n }, out),
    }
    Kind::Text
}

/// The members of a `pub` with text, in their order.
#[derive(Serialize)]
struct PublishJson<'a> {
    room: &'a RoomName,
    #[serde(skip_serializing_if = "Topic::is_empty")]
    topic: &'a Topic,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a Recipients>,
    #[serde(skip_serializing_if = "is_false")]
    echo: bool,
    #[serde(skip_serializing_if = "is_kept")]
    class: Class,
    #[serde(skip_serializing_if = "is_false")]
    receipt: bool,
    text: &'a str,
}

fn is_kept(class: &Class) -> bool {
    *class == Class::Kept
}

impl<'a> PublishJson<'a> {
    fn new(publish: &'a Publish<'_>, text: &'a str) -> Self {
        Self {
            room: &publish.room,
            topic: &publish.topic,
            to: publish.to.as_ref(),
            echo: publish.echo,
            class: publish.delivery.class(),
            receipt: publish.delivery.receipt(),
            text,
        }
    }
}
