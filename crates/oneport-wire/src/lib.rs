//! What oneport's parts and its clients say to each other, as types: the names of rooms and
//! sessions, the limits that both sides must know, the reasons for refusing, the JSON bodies of
//! signaling, the [frames](frame) of the protocol `oneport.v1`, and how [datagrams travel on a
//! stream](rfc4571).
//!
//! This is a pure codec. It knows no socket, no clock and no WebRTC; it parses and prints, and
//! every type here can only hold what is valid ("parse, don't validate"). Layer 0: it uses no
//! other crate of oneport.
//!
//! ```
//! use oneport_wire::RoomName;
//!
//! let room: RoomName = "lobby".parse()?;
//! assert_eq!(room.as_str(), "lobby");
//! assert!("no spaces, please".parse::<RoomName>().is_err());
//! # Ok::<(), oneport_wire::RoomNameError>(())
//! ```

mod codes;
pub mod frame;
mod hex;
mod ice_fragment;
mod ids;
mod meta;
mod names;
mod network;
mod payload;
mod recipients;
mod refusal;
mod restart_refusal;
pub mod rfc4571;
mod room_name;
mod room_pattern;
mod secrets;
mod session_id;
pub mod signaling;
mod text;

pub use codes::{ByeCode, ErrorCode, Fault};
pub use ice_fragment::{IceFragment, IceFragmentError};
pub use ids::{
    Epoch, MemberId, NotHex, Offset, SAFE_INTEGER_MAX, SessionLabel, Span, UnixMillis,
    UnsafeInteger,
};
pub use meta::{Meta, MetaError};
pub use names::{MemberName, Notice, RequestId, TextError, Topic};
pub use network::Network;
pub use payload::{Kind, Payload};
pub use recipients::{Recipients, RecipientsError};
pub use refusal::Refusal;
pub use restart_refusal::RestartRefusal;
pub use room_name::{RoomName, RoomNameError};
pub use room_pattern::RoomPattern;
pub use secrets::{AccessToken, AccessTokenError, ResumeToken};
pub use session_id::{SessionId, SessionIdError};
pub use text::UnknownWord;

/// The DCEP protocol (RFC 8832 section 5.1) of a framed channel.
pub const PROTOCOL: &str = "oneport.v1";

/// The largest data channel message that the relay forwards, in bytes: 256 KiB, which is what
/// Chromium and Safari advertise and therefore all that every browser can receive.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// The largest SDP offer (or any other request body) that signaling reads, in bytes. A browser's
/// data-only offer has about 500 bytes and grows by about 100 for each candidate.
pub const OFFER_BYTES_MAX: usize = 64 * 1024;

/// The largest fragment that an ICE restart may bring, in bytes: two lines, and about 100 for each of
/// a browser's candidates.
pub const FRAGMENT_BYTES_MAX: usize = 16 * 1024;

/// The largest frame that a client may send, in bytes: 255 KiB. The rest up to
/// [`MESSAGE_BYTES_MAX`] is more than [`frame::MESSAGE_GROWTH_BYTES_MAX`], so that the `msg` that
/// becomes of a `pub` always fits a data channel message.
pub const CLIENT_FRAME_BYTES_MAX: usize = 255 * 1024;

/// A link from which nothing came for so many milliseconds is dead, to the relay and to the client:
/// three of the relay's usual ping intervals.
pub const SILENCE_MS_MAX: u32 = 15_000;
