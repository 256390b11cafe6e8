//! What a relay may use.

use std::time::Duration;

use oneport_link::LinkConfig;

use crate::hub::HubLimits;

/// What a [`Relay`](crate::Relay) is made of and how much it may use.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// The certificate, the addresses and the limits of each link.
    pub link: LinkConfig,
    /// The limits of rooms.
    pub hub: HubLimits,
    /// How many links there may be. Each may hold [`LinkConfig::link_bytes_max`].
    pub links_max: usize,
    /// How many links may be in their handshake: an offer costs its sender nothing, and us a link.
    pub handshakes_max: usize,
    /// How many links from one client address (IPv6: from one /64) may be in their handshake. Many
    /// people may share an address, but they seldom arrive in the same second.
    pub handshakes_per_address_max: usize,
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
            handshakes_max: 500,
            handshakes_per_address_max: 64,
            shutdown_timeout: Duration::from_secs(1),
        }
    }

    /// The memory that all limits together allow, in bytes: links and rooms. What is really used is
    /// far less: a link that is idle holds about 50 KiB and a room whose members keep up nothing.
    pub fn bytes_max(&self) -> usize {
        self.links_max * self.link.link_bytes_max() + self.hub.bytes_max()
    }
}
