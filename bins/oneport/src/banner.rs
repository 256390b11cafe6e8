//! What is printed when the relay has started.

use std::fmt;
use std::net::SocketAddr;

use oneport_core::{RelayConfig, SlowPolicies};
use oneport_wire::RoomName;

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
        writeln!(
            f,
            "memory  at most {}: {} for each client, {} for each room; an idle client takes about 50 KiB",
            Bytes(self.config.bytes_max()),
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
                "open    UDP {port} for data, TCP {port} for the page and signaling"
            )?;
        }
        Ok(())
    }
}

/// A number of bytes for people: the largest unit in which it has at most one decimal.
struct Bytes(usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["KiB", "MiB", "GiB", "TiB"];
        let mut tenths = self.0 * 10 / 1024;
        let mut unit = 0;
        while tenths >= 10_240 && unit + 1 < units.len() {
            tenths /= 1024;
            unit += 1;
        }
        match tenths % 10 {
            0 => write!(f, "{} {}", tenths / 10, units[unit]),
            tenth => write!(f, "{}.{tenth} {}", tenths / 10, units[unit]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        for (bytes, text) in [
            (256 * 1024, "256 KiB"),
            (4 << 20, "4 MiB"),
            (1536 * 1024, "1.5 MiB"),
            (100, "0 KiB"),
            (2_621_440_000, "2.4 GiB"),
            (5 << 40, "5 TiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }
}
