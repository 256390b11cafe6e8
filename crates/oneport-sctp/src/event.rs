//! What an association reports to its owner.

use std::time::Duration;

use crate::error::CloseReason;
use crate::types::StreamId;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is done.
    Established,
    /// The peer has started again: all channels are gone, each was reported as closed, and the
    /// association is established anew.
    Restarted,
    /// The peer opened a channel, or accepted one that this end opened.
    ChannelOpen(StreamId, Box<ChannelOptions>),
    /// A channel is gone in both directions. Its number may be used again.
    ChannelClosed(StreamId),
    /// A message arrived.
    Message {
        /// The channel.
        id: StreamId,
        /// Text or bytes.
        kind: Kind,
        /// What the peer sent. Text is not checked to be UTF-8.
        bytes: Vec<u8>,
    },
    /// The association has ended; nothing follows.
    Closed(CloseReason),
}

/// What the bytes of a message mean (RFC 8831 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A string in UTF-8.
    Text,
    /// Bytes.
    Binary,
}

/// Which end of the DTLS connection this is: it decides who chooses even stream numbers, and who odd
/// ones (RFC 8832 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The DTLS client; even numbers.
    Client,
    /// The DTLS server; odd numbers.
    Server,
}

/// How often and how long a message is repeated (RFC 8831 section 6.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliability {
    /// Until it arrives.
    #[default]
    Reliable,
    /// At most so many times after the first; 0 is one attempt.
    Retransmits(u16),
    /// Not after this time since it was handed over; 0 is one attempt at once.
    Lifetime(Duration),
}

/// The properties of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelOptions {
    /// The name.
    pub label: String,
    /// The subprotocol, if any.
    pub protocol: String,
    /// Messages may be delivered in another order than they were sent.
    pub unordered: bool,
    /// How often and how long messages are repeated.
    pub reliability: Reliability,
    /// Both ends know of the channel and its number from elsewhere: no opening handshake.
    pub negotiated: Option<StreamId>,
}

/// Which timer runs out next, as [`poll_timeout`](crate::Association::poll_timeout) returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timer {
    /// INIT or COOKIE ECHO is repeated.
    Handshake,
    /// Everything in flight counts as lost.
    Retransmission,
    /// The last packet is repeated to have it acknowledged.
    TailProbe,
    /// A packet that others overtook counts as lost.
    Reordering,
    /// A packet is acknowledged.
    Acknowledgement,
    /// A request to reset streams is repeated.
    Reset,
    /// SHUTDOWN or SHUTDOWN ACK is repeated.
    Shutdown,
    /// The peer is sent a HEARTBEAT.
    Heartbeat,
    /// The path is probed with a larger packet, or the probe is lost.
    PathProbe,
}

/// What the peer has acknowledged of a channel, counted from its opening. In the order of sending:
/// everything before has been acknowledged or given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// Messages of which all was acknowledged.
    pub messages: u64,
    /// Their bytes, and those of the acknowledged part of the next.
    pub bytes: u64,
}
