//! The frames of `oneport.v1`: what travels on a framed channel. `PROTOCOL.md` beside this crate's
//! manifest is their specification; the types here are the same in Rust.
//!
//! A frame is one data channel message: a JSON object, or, for a message with a binary payload, the
//! compact [binary](Kind::Binary) layout. The relay decodes [`ClientFrame`] and encodes
//! [`ServerFrame`]; a native client does it the other way round. Decoding takes any bytes. What it
//! makes of a client's frame is either the frame or the [`Rejection`] that is its answer.
//!
//! ```
//! use oneport_wire::frame::{ClientBody, ClientFrame, Message, ServerFrame};
//! use oneport_wire::{Kind, MemberId, Offset, UnixMillis};
//!
//! let text = r#"{"t":"pub","room":"lobby","text":"hi"}"#;
//! let frame = ClientFrame::decode(Kind::Text, text.as_bytes()).expect("a frame");
//! let ClientBody::Publish(publish) = frame.body else { unreachable!() };
//!
//! let message = ServerFrame::from(Message {
//!     room: publish.room,
//!     offset: Some(Offset::from(7)),
//!     from: MemberId::new(3),
//!     time: UnixMillis::from(1000),
//!     topic: publish.topic,
//!     to: publish.to,
//!     payload: publish.payload,
//! });
//! let mut bytes = Vec::new();
//! assert_eq!(message.encode_into(&mut bytes), Kind::Text);
//! let expected = r#"{"t":"msg","room":"lobby","offset":7,"from":3,"time":1000,"text":"hi"}"#;
//! assert_eq!(bytes, expected.as_bytes());
//! # assert_eq!(ServerFrame::decode(Kind::Text, &bytes), Ok(message));
//! ```

mod binary;
mod client;
mod client_codec;
mod fields;
mod json;
mod message;
mod rejection;
mod server;
mod server_codec;
mod varint;
mod words;

pub use client::{
    Change, ClientBody, ClientFrame, Delivery, Hello, History, Join, Kick, Members, Publish, Since,
    Update, Version,
};
pub use message::{MESSAGE_GROWTH_BYTES_MAX, Message};
pub use rejection::Rejection;
pub use server::{
    Ack, Author, Bye, Gap, HistoryBegin, HistoryEnd, Joined, Left, Limits, Member, MembersPage,
    Presence, PresenceChange, Receipt, Recovery, ServerFrame, Welcome,
};
pub use server_codec::ServerFrameError;
pub use words::{Class, GapReason, LeaveReason, NotRecovered};

#[cfg(doc)]
use crate::Kind;
