//! SCTP for WebRTC data channels, and nothing else.
//!
//! [`Association`] is one end of an association that runs over DTLS (RFC 8261) and carries data channels
//! (RFC 8831, RFC 8832). It does no I/O: packets go in and come out as bytes, and time comes from the
//! caller. It has no clock, no thread, no socket, no source of randomness, and no `unsafe` code. The
//! [calling contract](Association#calling-contract) says how to drive it.
//!
//! It is made for a relay: thousands of associations in one process, most of them idle, that send the
//! same messages to many peers, some of which are hostile or on bad networks. So a message is a shared
//! slice that is copied only into packets; a lost packet is noticed within about a round trip; and what a
//! packet of a peer may cost is bounded.
//!
//! # What is in it
//! | | from |
//! |---|---|
//! | one association between two ends: handshake, DATA, SACK, HEARTBEAT, SHUTDOWN, ABORT, restart | RFC 9260 |
//! | RACK with an adaptive reordering window, tail loss probes | RFC 8985, adapted to TSNs and SACK |
//! | immediate acknowledgements (I bit) | RFC 7053 |
//! | partial reliability in both directions, FORWARD-TSN | RFC 3758 |
//! | stream reset | RFC 6525 |
//! | interleaved messages, I-DATA and I-FORWARD-TSN | RFC 8260 |
//! | packets without a checksum | RFC 9653 |
//! | probing for larger packets, off unless `Config::packet_bytes_max` allows them | RFC 8899, RFC 4820 |
//! | channels, empty messages, establishment and closing | RFC 8831, RFC 8832 |
//!
//! # What is not
//! Several addresses, several ports, authentication (DTLS has it), the socket API, and pacing, which is
//! the business of whoever sends the datagrams.
//!
//! # Worst cases
//! What one packet of a peer can cause, whatever is in it. The tests in `association/tests/bounds.rs`,
//! `send/flight/tests.rs` and `receive` hold these bounds.
//!
//! | input | work | memory |
//! |---|---|---|
//! | any packet | 64 chunks are read, the rest is dropped | 16 control chunks wait to be sent; what is echoed is at most 480 bytes each |
//! | DATA | constant, or logarithmic in what is held | at most the receive window, in which a fragment out of order is charged with 256 bytes besides its own, and at most two windows of unfinished interleaved messages; 16,384 TSNs ahead, as bits; 4,096 events |
//! | DATA of one byte, as fragments | as above | the same; a fragment in order takes its byte |
//! | DATA for no channel | constant | none |
//! | DATA without payload | the packet is dropped | none |
//! | SACK, one in a packet | what is newly acknowledged, and a few steps for each of at most 64 gap blocks | 64 blocks |
//! | FORWARD-TSN, one in a packet | 512 entries, and what they release | none |
//! | RE-CONFIG, one in a packet | the streams that it lists | 4,096 numbers, while it waits for data |
//! | INIT | constant; eight answers in a second | one answer; no state |
//! | COOKIE ECHO | a hash of 47 bytes | none before it is valid |
//! | DATA_CHANNEL_OPEN | constant | `Config::channels_max` channels below `Config::streams_max` |
//!
//! The retransmission timer goes through everything in flight when it runs out, which is every 200 ms at
//! most.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

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
