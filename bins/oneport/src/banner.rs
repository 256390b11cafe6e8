//! What is printed when the relay has started.

use std::fmt;
use std::net::SocketAddr;

use oneport_core::{RelayConfig, SlowPolicies};
use oneport_wire::RoomName;

use crate::bytes::Bytes;

/// What is printed when the relay has started: where the page is, what a firewall must open, and
/// how much may be used.
pub struct Banner<'a> {
    /// Where it listens.
    pub listen: &'a [SocketAddr],
    /// What it was configured with.
    pub config: &'a RelayConfig,
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RelayConfig { link, hub, .. } = self.config;
        writeln!(f, "oneport {}", env!("CARGO_PKG_VERSION"))?;
        for candidate in &link.candidates {
            writeln!(f, "page    http://{candidate}/")?;
        }
        self.firewall(f)?;
        writeln!(
            f,
            "limits  {} clients; {} rooms of {} clients; messages of {}; {} channels per client; \
             names of {} bytes",
            self.config.links_max,
            hub.rooms_max,
            hub.members_per_room_max,
            Bytes(link.message_bytes_max),
            link.channels_max,
            RoomName::BYTES_MAX,
        )?;
        let without_limit = Bytes(self.config.bytes_max());
        match self.config.memory_bytes_max.map(Bytes) {
            Some(limit) => write!(
                f,
                "memory  limited to {limit}, without that {without_limit}"
            )?,
            None => write!(f, "memory  at most {without_limit}")?,
        }
        writeln!(
            f,
            ": {} for each client, {} for each room; an idle client takes about 50 KiB",
            Bytes(self.config.client_bytes_max()),
            Bytes(hub.ring_bytes_max),
        )?;
        if self.config.slow_policies != SlowPolicies::default() {
            writeln!(f, "slow    {}", self.config.slow_policies)?;
        }
        Ok(())
    }
}

impl Banner<'_> {
    fn firewall(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.listen.iter().all(|address| address.ip().is_loopback()) {
            return writeln!(f, "open    nothing: only this machine can reach it");
        }
        let mut ports: Vec<_> = self.listen.iter().map(SocketAddr::port).collect();
        ports.sort_unstable();
        ports.dedup();
        for port in ports {
            writeln!(
                f,
                "open    UDP {port} for data, TCP {port} for the page, signaling, and data where UDP is blocked"
            )?;
        }
        Ok(())
    }
}
