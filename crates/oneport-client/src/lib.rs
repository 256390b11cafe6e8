//! A native client of `oneport.v1`, sans IO: for bots, terminals, load generators and simulations.
//!
//! [`Client`] is a [`Machine`], like the relay: give it datagrams and the time, send what it wants
//! sent. It holds one session over as many links as that takes. When a link is lost it says when it
//! wants the next one, resumes the session on it, joins its rooms again, sends again what was not
//! acknowledged, and tells its owner every message once.
//!
//! What it is not: it knows no socket, no clock and no HTTP. Its owner carries the two SDPs, by
//! whatever signaling there is, and the datagrams. It keeps no list of members and no messages;
//! both are told and then forgotten.
//!
//! Layer 1: it uses `oneport-wire` and `oneport-link`.
//!
//! ```
//! use std::time::Instant;
//! use oneport_client::{Certificate, Client, Config, LinkConfig, Machine, Publish, join};
//!
//! let now = Instant::now();
//! let address = "192.0.2.7:50000".parse()?; // of the owner's socket
//! let config = Config::new(LinkConfig::new(Certificate::generate(), vec![address]));
//! let seed = [7; 32]; // in earnest: from the operating system
//! let (mut client, offer) = Client::new(now, config, seed);
//! assert!(offer.starts_with("v=0"));
//!
//! // Both wait until there is a link: POST the offer to the relay, then `accept_answer`.
//! client.join(now, join("lobby".parse()?))?;
//! let hello = Publish::new("lobby".parse()?, "hello");
//! client.publish(now, Some("m-1".parse()?), hello)?;
//!
//! // Then carry datagrams until each wake-up, and take what happened.
//! while let Some(transmit) = client.poll_transmit() {
//!     println!("to {}: {} bytes", transmit.route.peer, transmit.contents.len());
//! }
//! let (deadline, _) = client.poll_timeout().expect("the handshake does not wait for ever");
//! assert!(deadline > now);
//! assert!(client.poll_event().is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backoff;
mod client;
mod command;
mod config;
mod event;
mod events;
mod frames;
mod heartbeat;
mod owner;
mod pace;
mod pending;
mod pump;
mod requests;
mod room;
mod secrets;
mod upkeep;

pub use client::Client;
pub use command::{Command, CommandError, Done};
pub use config::Config;
pub use event::{Ended, Event, Lost, Unanswered};
pub use room::join;

pub use oneport_link::{
    Certificate, Input, LinkConfig, Machine, OfferError, Reason, Route, Transmit,
    passive_candidates,
};
pub use oneport_wire::frame::{
    Change, Delivery, History, Join, Kick, Members, Message, Publish, Since, Update,
};
pub use oneport_wire::{Kind, Payload};
