//! What goes wrong, by whose fault: errors of calls are the caller's, close reasons are the peer's or
//! the path's.

use std::fmt;

/// Why an association ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// This end shut it down, and the peer confirmed.
    Shutdown,
    /// The peer shut it down.
    PeerShutdown,
    /// This end aborted it.
    Aborted,
    /// The peer aborted it; the text of its user-initiated abort, if there is one.
    PeerAborted(Option<String>),
    /// The peer did not answer.
    TimedOut,
    /// The peer sent what no peer may send.
    ProtocolViolation(Violation),
}

/// What a peer did against the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// It acknowledged what was never sent.
    AcknowledgedUnsent,
    /// Its message is larger than this end announced.
    MessageTooLarge,
    /// It began more messages than there is space for, and ended none.
    TooMuchUnfinished,
    /// It used DATA where I-DATA was negotiated, or the other way round.
    WrongDataChunk,
}

/// Why a channel cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// All numbers that this end may choose are in use, or as many channels as the settings allow.
    TooMany,
    /// The number of a negotiated channel is in use or too large.
    Unavailable,
    /// Label and protocol are too long.
    LabelTooLong,
    /// The association has ended or is about to.
    Closed,
}

/// Why a message is not accepted for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// There is no such channel, or it is closing.
    NoChannel,
    /// The peer does not accept messages of this size.
    TooLarge,
    /// The send buffer is full. Space follows acknowledgements.
    Full,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("shut down"),
            Self::PeerShutdown => f.write_str("shut down by the peer"),
            Self::Aborted => f.write_str("aborted"),
            Self::PeerAborted(None) => f.write_str("aborted by the peer"),
            Self::PeerAborted(Some(why)) => {
                write!(f, "aborted by the peer: {}", why.escape_debug())
            }
            Self::TimedOut => f.write_str("the peer does not answer"),
            Self::ProtocolViolation(violation) => write!(f, "protocol violation: {violation}"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AcknowledgedUnsent => "acknowledgement of what was not sent",
            Self::MessageTooLarge => "message larger than announced",
            Self::TooMuchUnfinished => "more unfinished messages than there is space for",
            Self::WrongDataChunk => "DATA and I-DATA mixed",
        })
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "too many channels",
            Self::Unavailable => "the channel number is not available",
            Self::LabelTooLong => "label and protocol are too long",
            Self::Closed => "the association is closed",
        })
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoChannel => "the channel is not open",
            Self::TooLarge => "the message is too large for the peer",
            Self::Full => "the send buffer is full",
        })
    }
}

impl std::error::Error for CloseReason {}
impl std::error::Error for OpenError {}
impl std::error::Error for SendError {}
