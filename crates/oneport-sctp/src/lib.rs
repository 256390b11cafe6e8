//! SCTP for WebRTC data channels.

mod association;
mod channels;
mod closing;
mod config;
mod cookie;
mod dcep;
mod error;
mod event;
mod handshake;
mod heartbeat;
mod payload;
mod pmtu;
mod random;
mod receive;
mod recover;
mod reset;
mod send;
mod stats;
mod types;
mod wire;
mod work;

pub use association::Association;
pub use config::Config;
pub use error::{CloseReason, OpenError, SendError, Violation};
pub use event::{Acknowledged, ChannelOptions, Event, Kind, Reliability, Role, Timer};
pub use payload::Payload;
pub use stats::Stats;
pub use types::StreamId;
