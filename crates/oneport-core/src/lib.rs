//! The relay of oneport, sans IO: [`Relay`] terminates ICE-lite, DTLS and SCTP for every client and
//! forwards data channel messages between the members of a room, through one UDP port.
//!
//! # Embedding it
//!
//! Bring a UDP socket, a clock, and a way to carry two SDPs; any signaling will do.
//!
//! 1. A client makes an offer with a data channel in it. [Parse](parse_offer) it, give it to
//!    [`Relay::connect`] with the name of a room, and give the client the answer. The client needs no trickle ICE, no STUN and
//!    no TURN server: it is told where you are, and found when it calls.
//! 2. Give every datagram that your socket receives to [`Machine::handle_input`], with the address
//!    it came from and the one of yours that it was sent to.
//! 3. Send what [`Machine::poll_transmit`] yields, until it yields nothing.
//! 4. Wait for the next datagram until [`Machine::poll_timeout`] at most, then feed
//!    [`Input::Timeout`].
//!
//! The numbered rules are at [`Machine`]. `examples/embed.rs` is a whole relay in this manner.
//!
//! ```
//! use std::time::Instant;
//! use oneport_core::{Certificate, LinkConfig, Machine, Relay, RelayConfig, parse_offer};
//!
//! let now = Instant::now();
//! let addresses = vec!["192.0.2.1:3478".parse()?];
//! let config = RelayConfig::new(LinkConfig::new(Certificate::generate(), addresses));
//! let seed = [7; 32]; // in earnest: from the operating system
//! let mut relay = Relay::new(now, config, seed);
//!
//! assert_eq!(parse_offer("hello?").unwrap_err().code(), "bad_offer");
//! assert_eq!(relay.poll_transmit(), None);
//! assert_eq!(relay.poll_timeout(), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a client gets
//!
//! Each message on a data channel goes verbatim, text as text and binary as binary, to the channels
//! of the same label of all others in the room, in one order for everybody, with the reliability
//! that each receiver's own channel was opened with. Messages have 1 byte to 256 KiB.
//!
//! - A message that is empty, larger, or text that is not UTF-8 goes to nobody and is counted. (An
//!   empty one would block an ordered channel for good in sctp-proto 0.10.)
//! - A client that cannot keep up with a reliable channel is closed (`slow`); one whose channel is
//!   unreliable misses what it cannot take. The publisher is never slowed.
//! - A client that takes smaller messages (`a=max-message-size`) than one it is owed finds that
//!   channel closed.
//!
//! # What it is not
//!
//! It has no clock, no socket, no thread, and no randomness but the seed. Layer 1: it uses
//! `oneport-link` and `oneport-wire`. [`hub`] knows nothing of WebRTC and can be used alone.

mod announced;
mod client;
mod command;
mod config;
mod connect;
mod deadlines;
mod demux;
mod drain;
mod framed;
mod gate;
mod holder;
pub mod hub;
mod join;
mod lossy;
mod machine;
mod membership;
mod memory;
mod operation;
mod operator;
mod overview;
mod places;
mod plain;
mod published;
mod pump;
mod rate;
mod receipts;
mod relay;
mod restart;
mod restore;
mod rights;
mod secrets;
mod session_life;
mod sessions;
mod slow;
mod state;
mod stats;

pub use command::{Command, Connected, Reply, Restarted};
pub use config::RelayConfig;
pub use connect::parse_offer;
pub use gate::{Admission, Draft, Gate, Grant, Verdict};
pub use oneport_link::{
    Certificate, Durations, Input, LinkConfig, Machine, Offer, OfferError, Reason, Rejection,
    Route, STREAM_BYTES_MAX, Transmit,
};
pub use oneport_wire::{ErrorCode, IceFragment, Refusal, RestartRefusal, RoomName, SessionId};
pub use operation::{Operation, Outcome};
pub use operator::{
    Announced, Announcement, Excerpt, Guest, GuestsPage, MessagesPage, OperatorError,
    ROOMS_PAGE_MAX, RoomsPage,
};
pub use overview::{Close, Follower, Overview};
pub use rate::Rate;
pub(crate) use relay::LinkId;
pub use relay::Relay;
pub use restore::Restored;
pub use rights::Rights;
pub use slow::{SlowPolicies, SlowPolicy, UnknownSlowPolicy};
pub use state::{State, StateError};
pub use stats::Stats;
