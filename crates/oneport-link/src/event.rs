//! What a link tells its owner.

#[cfg(doc)]
use crate::LinkConfig;
use crate::{ChannelConfig, ChannelId, CloseReason, Kind, Rejection, Route};

/// What a link tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// The peer has proven, again or for the first time, that it can be reached on this path: its
    /// datagrams belong to this link.
    PathProven(Route),
    /// The link does not know this path any longer.
    PathForgotten(Route),
    /// The peer has used the credentials of [`Link::restart_ice`](crate::Link::restart_ice); the ones
    /// before are of no use any more.
    IceRestarted,
    /// ICE and DTLS are through.
    Established,
    /// A data channel is open, whoever opened it.
    ChannelOpen(ChannelId, ChannelConfig),
    /// A data channel of the peer was closed again at once.
    ChannelRejected(Rejection),
    /// A data channel is closed.
    ChannelClosed(ChannelId),
    /// A message.
    Message {
        /// Where it arrived.
        channel: ChannelId,
        /// How it was sent.
        kind: Kind,
        /// What it says; UTF-8 if it is text, never empty, at most
        /// [`LinkConfig::message_bytes_max`] long.
        payload: Vec<u8>,
    },
    /// A message that cannot be passed on.
    MessageRejected(ChannelId, Rejection),
    /// The link has ended. Comes once, last; what is queued for sending still wants to be sent.
    Closed(CloseReason),
}
