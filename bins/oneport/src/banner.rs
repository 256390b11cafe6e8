//! What is printed when the relay has started.

use std::fmt;
use std::net::SocketAddr;

use oneport_core::{RelayConfig, SlowPolicies};
use oneport_wire::RoomName;

use crate::bytes::Bytes;

/// What is printed when the relay has started: where the page is, what a firewall must open, and
/// how much may be used.
pub struct Banner<'a> {
    /// The names of its certificate, if it has one.
    pub tls_names: Option<&'a [String]>,
    /// Where it listens.
    pub listen: &'a [SocketAddr],
    /// What it was configured with.
    pub config: &'a RelayConfig,
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RelayConfig { link, hub, .. } = self.config;
        writeln!(f, "oneport {}", env!("CARGO_PKG_VERSION"))?;
        self.pages(f)?;
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
    fn pages(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let candidates = &self.config.link.candidates;
        let Some(names) = self.tls_names else {
            return candidates
                .iter()
                .try_for_each(|candidate| writeln!(f, "page    http://{candidate}/"));
        };
        if names.is_empty() {
            return candidates
                .iter()
                .try_for_each(|candidate| writeln!(f, "page    https://{candidate}/"));
        }
        // One port of several is enough, and 443 is the one that needs no mention.
        let ports = || self.listen.iter().map(SocketAddr::port);
        let https = ports().find(|port| *port == 443).or(ports().next());
        for name in names {
            match https {
                Some(443) | None => writeln!(f, "page    https://{name}/")?,
                Some(port) => writeln!(f, "page    https://{name}:{port}/")?,
            }
        }
        Ok(())
    }

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
