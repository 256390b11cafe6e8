//! The compact layout of `pub` and `msg` with a binary payload.

use std::str::FromStr;

use crate::codes::ErrorCode;
use crate::ids::{MemberId, Offset, UnixMillis};
use crate::names::{RequestId, Topic};
use crate::payload::Payload;
use crate::recipients::Recipients;

use super::Rejection;
use super::client::{ClientBody, ClientFrame, Delivery, Publish};
use super::client_codec::lossy_receipt;
use super::message::Message;
use super::varint::VarInt;
use super::words::Class;

const TYPE_PUB: u8 = 0x01;
const TYPE_MSG: u8 = 0x02;

const PUB_HAS_ID: u8 = 0x01;
const PUB_HAS_TO: u8 = 0x02;
const PUB_ECHO: u8 = 0x04;
const PUB_RECEIPT: u8 = 0x08;
/// Two bits: the class.
const PUB_CLASS_SHIFT: u8 = 4;
const PUB_FLAGS: u8 = 0x3f;

const MSG_HAS_OFFSET: u8 = 0x01;
const MSG_HAS_TO: u8 = 0x02;
const MSG_FLAGS: u8 = 0x03;

/// What the two bits of the class mean; 3 is not a class.
const CLASSES: [Class; 3] = [Class::Kept, Class::Transient, Class::Lossy];

/// Appends a `pub` with this payload.
pub(super) fn encode_publish(
    id: Option<&RequestId>,
    publish: &Publish<'_>,
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    let class: u8 = match publish.delivery.class() {
        Class::Kept => 0,
        Class::Transient => 1,
        Class::Lossy => 2,
    };
    let flags = flag(PUB_HAS_ID, id.is_some())
        | flag(PUB_HAS_TO, publish.to.is_some())
        | flag(PUB_ECHO, publish.echo)
        | flag(PUB_RECEIPT, publish.delivery.receipt())
        | class << PUB_CLASS_SHIFT;
    out.extend_from_slice(&[TYPE_PUB, flags]);
    put_text(publish.room.as_str(), out);
    if let Some(id) = id {
        put_text(id.as_str(), out);
    }
    put_text(publish.topic.as_str(), out);
    put_recipients(publish.to.as_ref(), out);
    out.extend_from_slice(payload);
}

/// Reads a binary message from a client, which is a `pub`.
pub(super) fn decode_publish(bytes: &[u8]) -> Result<ClientFrame<'_>, Rejection> {
    let mut input = Input(bytes);
    let flags = input.head(TYPE_PUB, PUB_FLAGS)?;
    let room = input.text("room")?;
    let id = match flags & PUB_HAS_ID {
        0 => None,
        _ => Some(input.text("id")?),
    };
    match publish(flags, &mut input) {
        Ok((topic, to, delivery)) => Ok(ClientFrame {
            id,
            body: ClientBody::Publish(Publish {
                room,
                topic,
                to,
                echo: flags & PUB_ECHO != 0,
                delivery,
                payload: Payload::Binary(input.0.into()),
            }),
        }),
        Err(rejection) => Err(Rejection {
            id,
            room: Some(room),
            ..rejection
        }),
    }
}

/// What a `pub` has between its id and its payload, and the flags that can be wrong.
fn publish(
    flags: u8,
    input: &mut Input<'_>,
) -> Result<(Topic, Option<Recipients>, Delivery), Rejection> {
    let topic = input.text("topic")?;
    let to = input.recipients(flags & PUB_HAS_TO != 0)?;
    let class = CLASSES
        .get(usize::from(flags >> PUB_CLASS_SHIFT))
        .ok_or_else(|| Rejection::bad_frame("3 is not a class"))?;
    let delivery = Delivery::new(*class, flags & PUB_RECEIPT != 0);
    Ok((topic, to, delivery.ok_or_else(lossy_receipt)?))
}

/// Appends a `msg` with this payload.
pub(super) fn encode_message(message: &Message<'_>, payload: &[u8], out: &mut Vec<u8>) {
    let flags =
        flag(MSG_HAS_OFFSET, message.offset.is_some()) | flag(MSG_HAS_TO, message.to.is_some());
    out.extend_from_slice(&[TYPE_MSG, flags]);
    put_text(message.room.as_str(), out);
    if let Some(offset) = message.offset {
        VarInt::from(offset).encode_into(out);
    }
    VarInt::from(message.from.get()).encode_into(out);
    VarInt::from(message.time).encode_into(out);
    put_text(message.topic.as_str(), out);
    put_recipients(message.to.as_ref(), out);
    out.extend_from_slice(payload);
}

/// Reads a binary message from the relay, which is a `msg`.
pub(super) fn decode_message(bytes: &[u8]) -> Result<Message<'_>, Rejection> {
    let mut input = Input(bytes);
    let flags = input.head(TYPE_MSG, MSG_FLAGS)?;
    Ok(Message {
        room: input.text("room")?,
        offset: match flags & MSG_HAS_OFFSET {
            0 => None,
            _ => Some(Offset::new(input.number()?).ok_or_else(unsafe_integer)?),
        },
        from: input.member()?,
        time: UnixMillis::new(input.number()?).ok_or_else(unsafe_integer)?,
        topic: input.text("topic")?,
        to: input.recipients(flags & MSG_HAS_TO != 0)?,
        payload: Payload::Binary(input.0.into()),
    })
}

fn flag(bit: u8, is_set: bool) -> u8 {
    if is_set { bit } else { 0 }
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    let length = u32::try_from(length).expect("texts and lists with a length are all short");
    VarInt::from(length).encode_into(out);
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put_length(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn put_recipients(to: Option<&Recipients>, out: &mut Vec<u8>) {
    let Some(to) = to else { return };
    put_length(to.as_slice().len(), out);
    for member in to.as_slice() {
        VarInt::from(member.get()).encode_into(out);
    }
}

/// What is still to be read.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    /// The type, which must be this, and the flags, of which only these may be set.
    fn head(&mut self, t: u8, known_flags: u8) -> Result<u8, Rejection> {
        match *self.0 {
            [] => Err(Rejection::bad_frame("a binary frame is not empty")),
            [other, ..] if other != t => Err(Rejection::of(ErrorCode::UnknownType)),
            [_, flags, ref rest @ ..] if flags & !known_flags == 0 => {
                self.0 = rest;
                Ok(flags)
            }
            [_, _, ..] => Err(Rejection::bad_frame("an unknown flag is set")),
            [_] => Err(cut_short()),
        }
    }

    fn number(&mut self) -> Result<u64, Rejection> {
        let number = VarInt::take(&mut self.0).ok_or_else(cut_short)?;
        Ok(number.get())
    }

    fn member(&mut self) -> Result<MemberId, Rejection> {
        let number = u32::try_from(self.number()?);
        number
            .map(MemberId::new)
            .map_err(|_| Rejection::bad_frame("a member id is greater than 4294967295"))
    }

    fn text<T>(&mut self, noun: &str) -> Result<T, Rejection>
    where
        T: FromStr<Err: Into<Rejection>>,
    {
        let length = usize::try_from(self.number()?).map_err(|_| cut_short())?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(cut_short)?;
        self.0 = rest;
        std::str::from_utf8(bytes)
            .map_err(|_| Rejection::bad_frame(format!("the {noun} is not UTF-8")))?
            .parse()
            .map_err(Into::into)
    }

    fn recipients(&mut self, are_there: bool) -> Result<Option<Recipients>, Rejection> {
        if !are_there {
            return Ok(None);
        }
        let count = self.number()?;
        if count > Recipients::COUNT_MAX as u64 {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            return Err(crate::RecipientsError::TooMany { count }.into());
        }
        let members: Result<Vec<_>, _> = (0..count).map(|_| self.member()).collect();
        Ok(Some(Recipients::new(members?)?))
    }
}

fn cut_short() -> Rejection {
    Rejection::bad_frame("the frame ends before it should")
}

fn unsafe_integer() -> Rejection {
    Rejection::bad_frame("a number is greater than 9007199254740991")
}
