//! Why a link ends.

use std::fmt;

/// Why a link was closed, sorted by whose doing it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer closed it.
    ByPeer,
    /// The peer gave no sign of life for 15 s (ICE consent, RFC 7675).
    Lost,
    /// No DTLS handshake and no data channel within the time for them.
    HandshakeTimeout,
    /// The peer did what the protocols forbid; the text says what.
    Faulty(String),
    /// The owner closed it; the word says why.
    ByOwner(&'static str),
    /// The library under this link panicked. The link is lost, nothing else is.
    Panicked,
}

impl CloseReason {
    /// A word for counters and programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ByPeer => "left",
            Self::Lost => "lost",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::Faulty(_) => "faulty",
            Self::ByOwner(why) => why,
            Self::Panicked => "panicked",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByPeer => f.write_str("left"),
            Self::Lost => f.write_str("lost (no sign of life)"),
            Self::HandshakeTimeout => f.write_str("no handshake in time"),
            Self::Faulty(what) => write!(f, "faulty ({what})"),
            Self::ByOwner(why) => f.write_str(why),
            Self::Panicked => f.write_str("panicked"),
        }
    }
}
