//! What oneport's parts and its clients say to each other, as types: the names of rooms and
//! sessions, the limits that both sides must know, the reasons for refusing, and the JSON bodies
//! of signaling.
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

mod refusal;
mod room_name;
mod session_id;
pub mod signaling;

pub use refusal::Refusal;
pub use room_name::{RoomName, RoomNameError};
pub use session_id::{SessionId, SessionIdError};

/// The largest data channel message that the relay forwards, in bytes: 256 KiB, which is what
/// Chromium and Safari advertise and therefore all that every browser can receive.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// The largest SDP offer (or any other request body) that signaling reads, in bytes. A browser's
/// data-only offer has about 500 bytes and grows by about 100 for each candidate.
pub const OFFER_BYTES_MAX: usize = 64 * 1024;
