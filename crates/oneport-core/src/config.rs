//! What a relay may use.

use std::time::Duration;

use oneport_link::LinkConfig;
use oneport_wire::Meta;

use crate::hub::HubLimits;
use crate::published::ids_max;
use crate::receipts::RECEIPTS_MAX;
use crate::sessions::Outbox;
use crate::{Rate, SlowPolicies};

/// What a [`Relay`](crate::Relay) is made of and how much it may use.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// The certificate, the addresses and the limits of each link.
    pub link: LinkConfig,
    /// The limits of rooms.
    pub hub: HubLimits,
    /// How many links there may be. Each may hold [`LinkConfig::link_bytes_max`].
    pub links_max: usize,
    /// How many links one client address (IPv6: one /64) may have. Behind one there may be a company,
    /// or one person who wants all places.
    pub links_per_address_max: usize,
    /// How many links may be in their handshake: an offer costs its sender nothing, and us a link. One
    /// more takes the place of the one that has been silent the longest.
    pub handshakes_max: usize,
    /// How many links from one client address (IPv6: from one /64) may be in their handshake. Many
    /// people may share an address, but they seldom arrive in the same second.
    pub handshakes_per_address_max: usize,
    /// The time at the start, since 1970 (UTC): what entries are stamped with counts from here.
    pub unix_time: Duration,
    /// How long a framed client may be silent before it is asked whether it is still there.
    pub ping_interval: Duration,
    /// How long a session outlives its link.
    pub grace: Duration,
    /// How many sessions there may be, those in their grace time included.
    pub sessions_max: usize,
    /// How many rooms a session may be in.
    pub rooms_per_session_max: usize,
    /// How fast a framed client may send. A frame beyond it is refused with the time to wait.
    pub rate: Rate,
    /// How many messages with an id a client may send for the first time from its oldest one without an
    /// answer on. The relay remembers twice as many ids, to recognise a retry.
    pub publish_ids_max: usize,
    /// What becomes of framed clients that are too slow, room by room.
    pub slow_policies: SlowPolicies,
    /// How many messages one request for history brings at most.
    pub history_max: usize,
    /// How much memory links, sessions and rooms may take together, in bytes. Each counts with the most
    /// that it may hold; who would come beyond that is refused. `None` is as much as their numbers
    /// allow: [`Self::bytes_max`].
    pub memory_bytes_max: Option<usize>,
    /// How long a relay that shuts down gives its clients to take what they are owed.
    pub drain_timeout: Duration,
    /// How long a relay that shuts down waits for its last datagrams to leave.
    pub shutdown_timeout: Duration,
}

impl RelayConfig {
    /// The defaults, with these links.
    pub fn new(link: LinkConfig) -> Self {
        Self {
            link,
            hub: HubLimits::default(),
            links_max: 1000,
            links_per_address_max: 250,
            handshakes_max: 500,
            handshakes_per_address_max: 64,
            unix_time: Duration::ZERO,
            ping_interval: Duration::from_secs(5),
            grace: Duration::from_secs(30),
            sessions_max: 2000,
            rooms_per_session_max: 32,
            rate: Rate::default(),
            publish_ids_max: 256,
            slow_policies: SlowPolicies::default(),
            history_max: 500,
            memory_bytes_max: None,
            drain_timeout: Duration::from_secs(2),
            shutdown_timeout: Duration::from_secs(1),
        }
    }

    /// What one client may hold in memory, in bytes: its link, and answers that wait for it.
    pub fn client_bytes_max(&self) -> usize {
        self.link.link_bytes_max() + Outbox::BYTES_MAX + self.link.message_bytes_max
    }

    /// What a session may hold in memory, in bytes: what it says of itself in each room, and what is
    /// remembered of its last messages, to recognise a retry and for receipts.
    pub fn session_bytes_max(&self) -> usize {
        /// The session itself.
        const STATE_BYTES: usize = 4 * 1024;
        /// A stay, a seat and a reader, with a name and metadata of the longest.
        const ROOM_BYTES: usize = 1024 + Meta::BYTES_MAX;
        /// An id, once as text and twice in an index; about the same for a receipt.
        const ID_BYTES: usize = 192;
        STATE_BYTES
            + self.rooms_per_session_max * ROOM_BYTES
            + (ids_max(self.publish_ids_max) + RECEIPTS_MAX) * ID_BYTES
    }

    /// The least that [`Self::memory_bytes_max`] may be: one client with a session in one room.
    pub fn memory_bytes_min(&self) -> usize {
        self.client_bytes_max() + self.session_bytes_max() + self.hub.ring_bytes_max
    }

    /// The memory that the numbers of clients, sessions and rooms together allow, in bytes, whatever
    /// [`Self::memory_bytes_max`] says. What is really used is far less: a client that is idle holds
    /// about 50 KiB.
    pub fn bytes_max(&self) -> usize {
        self.links_max * self.client_bytes_max()
            + self.sessions_max * self.session_bytes_max()
            + self.hub.bytes_max()
    }
}
