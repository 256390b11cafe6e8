//! Data channels as a link's owner sees them.

/// A data channel of one link. Ids are not used again within the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub(crate) u32);

/// How a data channel was opened (RFC 8832 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// The name that the opener gave it.
    pub label: String,
    /// The subprotocol, often empty.
    pub protocol: String,
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// How hard the transport tries.
    pub reliability: Reliability,
}

impl ChannelConfig {
    /// An ordered, reliable channel without a subprotocol: what `createDataChannel(label)` opens.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            protocol: String::new(),
            ordered: true,
            reliability: Reliability::Reliable,
        }
    }

    pub(crate) fn from_str0m(config: &str0m::channel::ChannelConfig) -> Self {
        use str0m::channel::Reliability as Theirs;
        Self {
            label: config.label.clone(),
            protocol: config.protocol.clone(),
            ordered: config.ordered,
            reliability: match config.reliability {
                Theirs::Reliable => Reliability::Reliable,
                Theirs::MaxPacketLifetime { lifetime } => Reliability::LifetimeMs(lifetime),
                Theirs::MaxRetransmits { retransmits } => Reliability::Retransmits(retransmits),
            },
        }
    }

    pub(crate) fn into_str0m(self) -> str0m::channel::ChannelConfig {
        use str0m::channel::Reliability as Theirs;
        str0m::channel::ChannelConfig {
            label: self.label,
            ordered: self.ordered,
            reliability: match self.reliability {
                Reliability::Reliable => Theirs::Reliable,
                Reliability::LifetimeMs(lifetime) => Theirs::MaxPacketLifetime { lifetime },
                Reliability::Retransmits(retransmits) => Theirs::MaxRetransmits { retransmits },
            },
            negotiated: None,
            protocol: self.protocol,
        }
    }
}

/// How hard the transport tries to deliver a channel's messages (RFC 8832 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliability {
    /// Until they are acknowledged.
    Reliable,
    /// For that many milliseconds.
    LifetimeMs(u16),
    /// With that many retransmissions at most.
    Retransmits(u16),
}

/// Whether a message was sent as text or as binary data (RFC 8831 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string, in UTF-8.
    Text,
    /// Bytes.
    Binary,
}

/// What became of a [`Batch::write`](crate::Batch::write).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Write {
    /// The message is on its way.
    Accepted,
    /// The link's send buffer is full: try again after the link's next input.
    Full,
    /// The peer said in its SDP that it takes no message that large; it never will.
    TooLarge,
    /// The channel is not open, or the message is empty (which SCTP cannot carry through
    /// sctp-proto 0.10: it would block an ordered channel for good).
    Refused,
}
