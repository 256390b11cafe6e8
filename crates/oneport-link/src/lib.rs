//! One peer connection, and the contract between a sans-IO state machine and its driver.
//!
//! [`Link`] is the only code of oneport that touches [`str0m::Rtc`]. str0m has rules (drain after
//! every change, never write an empty message, feed the time before writing to an idle connection,
//! send where the peer is now and not where it was 15 s ago, not faster than a browser's socket
//! takes it); `Link` keeps them all, so that nobody above has to know them. It can answer an offer,
//! as the relay does, or make one, as a client does.
//!
//! [`Machine`] is what drivers run: the relay, the native client, and whatever else speaks through
//! one socket.
//!
//! What it is not: it knows no rooms, no members, no other links, no sockets and no clock. Layer 0:
//! it uses no other crate of oneport.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//! use oneport_link::{Certificate, ChannelConfig, Credentials, Link, LinkConfig, Offer};
//!
//! let now = Instant::now();
//! let credentials = |ufrag: &str| Credentials {
//!     ufrag: ufrag.into(),
//!     password: "not/secret/in/an/example".into(),
//! };
//! let at = |port| {
//!     Arc::new(LinkConfig::new(Certificate::generate(), vec![([127, 0, 0, 1], port).into()]))
//! };
//!
//! let (mut client, offer) =
//!     Link::offer(now, at(4000), credentials("ours"), vec![ChannelConfig::new("chat")]);
//! let offer = Offer::parse(&offer)?;
//! let (mut server, answer) = Link::answer(now, at(3478), credentials("theirs"), &offer)?;
//! client.accept_answer(now, &answer)?;
//!
//! // From here on, carry datagrams: the client begins with a connectivity check.
//! let check = client.poll_transmit().expect("a STUN binding request");
//! server.handle_datagram(now, check.route.reversed(), &check.contents);
//! assert!(server.poll_transmit().is_some(), "a binding response");
//! # Ok::<(), oneport_link::OfferError>(())
//! ```

mod batch;
mod certificate;
mod channel;
mod channels;
mod close;
mod config;
mod datagram;
mod description;
mod durations;
mod egress;
mod event;
mod flight;
mod link;
mod machine;
mod negotiation;
mod offer;
mod paths;
mod record_numbers;
mod restart;
mod route;
mod routing;
mod rtc;
mod unseen;

pub use batch::Batch;
pub use certificate::Certificate;
pub use channel::{ChannelConfig, ChannelId, Kind, Reliability, Write};
pub use channels::Rejection;
pub use close::CloseReason;
pub use config::{LinkConfig, STREAM_BYTES_MAX};
pub use datagram::Datagram;
pub use description::passive_candidates;
pub use durations::Durations;
pub use event::LinkEvent;
pub use link::Link;
pub use machine::{Input, Machine, Reason, Transmit};
pub use offer::{Offer, OfferError};
pub use route::{Route, Transport};
pub use rtc::Credentials;
