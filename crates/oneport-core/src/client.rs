//! One client's link, and what the relay knows of it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use oneport_link::{ChannelId, Link};
use oneport_wire::{RoomName, SessionId, SessionLabel, Topic};

use crate::Grant;
use crate::hub::{OwnerId, ReaderId, SeatId};
use crate::receipts::ReceiptId;
use crate::restart::Restarting;
use crate::sessions::SessionKey;

/// One client's link, and what the relay knows of it.
pub(crate) struct Client {
    pub(crate) link: Link,
    /// For the log, where a session's id does not belong.
    pub(crate) number: u64,
    /// The name of its URL.
    pub(crate) session_id: SessionId,
    /// Our user name fragment, by which its checks are known.
    pub(crate) ufrag: String,
    /// What it was answered when it wished to restart ICE, until it has.
    pub(crate) restarting: Option<Box<Restarting>>,
    /// Where the offer came from.
    pub(crate) address: IpAddr,
    /// The room of its plain channels.
    pub(crate) room: RoomName,
    /// What it may do there.
    pub(crate) grant: Grant,
    /// Who carries what its plain channels read.
    pub(crate) owner: OwnerId,
    /// Its place in that room, as soon as it has a plain channel.
    pub(crate) seat: Option<SeatId>,
    /// The session that its framed channel speaks for.
    pub(crate) session: Option<SessionKey>,
    /// The last session that it spoke for, for the operator.
    pub(crate) label: Option<SessionLabel>,
    /// When it opened a framed channel.
    pub(crate) framed_since: Option<Instant>,
    pub(crate) channels: Vec<Channel>,
    /// The ends of messages that receipts wait for, by channel, in the order in which they were
    /// written.
    pub(crate) unacknowledged: VecDeque<(ChannelId, u64, ReceiptId)>,
    /// Whether it still counts as a handshake.
    pub(crate) in_handshake: bool,
    /// Whether messages wait because the link was full.
    pub(crate) is_full: bool,
    /// Who has found it full whenever something was to be written, and since when.
    pub(crate) full_since: Option<(OwnerId, Instant)>,
    pub(crate) is_fed: bool,
    pub(crate) is_sending: bool,
}

/// An open data channel.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) role: Role,
}

/// What a data channel is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Its messages go verbatim to the channels of the same label.
    Plain {
        /// What it gets.
        reader: ReaderId,
        /// Its label.
        topic: Topic,
        /// Whether what it publishes stays for history: not what a channel sends that does not
        /// insist on arriving.
        is_kept: bool,
    },
    /// It speaks `oneport.v1`.
    Framed,
    /// It carries the lossy messages of `oneport.v1`.
    Lossy,
}

impl Client {
    pub(crate) fn role(&self, id: ChannelId) -> Option<&Role> {
        let found = self.channels.iter().find(|open| open.id == id);
        found.map(|open| &open.role)
    }

    pub(crate) fn channel_with(&self, role: &Role) -> Option<ChannelId> {
        let found = self.channels.iter().find(|open| open.role == *role);
        found.map(|open| open.id)
    }
}

/// The channel that an entry for this reader goes to.
pub(crate) fn plain_channel(channels: &[Channel], of: ReaderId) -> Option<ChannelId> {
    let is_it = |open: &&Channel| matches!(open.role, Role::Plain { reader, .. } if reader == of);
    channels.iter().find(is_it).map(|open| open.id)
}
