//! Links that are not established yet.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use oneport_wire::Refusal;

/// How many links are in their handshake, in total and for each client address: an offer costs its
/// sender nothing, and us a link for as long as the handshake may take.
#[derive(Debug)]
pub(crate) struct Handshakes {
    total: usize,
    by_network: HashMap<IpAddr, usize>,
    total_max: usize,
    per_address_max: usize,
}

impl Handshakes {
    pub(crate) fn new(total_max: usize, per_address_max: usize) -> Self {
        Self {
            total: 0,
            by_network: HashMap::new(),
            total_max,
            per_address_max,
        }
    }

    pub(crate) fn admits(&self, client: IpAddr) -> Result<(), Refusal> {
        if self.total >= self.total_max {
            return Err(Refusal::TooManyHandshakes);
        }
        match self.by_network.get(&network(client)) {
            Some(count) if *count >= self.per_address_max => {
                Err(Refusal::TooManyHandshakesFromAddress)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn begin(&mut self, client: IpAddr) {
        self.total += 1;
        *self.by_network.entry(network(client)).or_default() += 1;
    }

    /// The handshake is through, or given up.
    pub(crate) fn end(&mut self, client: IpAddr) {
        let network = network(client);
        self.total -= 1;
        if let Some(count) = self.by_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.by_network.remove(&network);
            }
        }
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }
}

/// Whoever has one IPv6 address usually has the 2^64 around it (RFC 6177).
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capped_for_each_network_and_in_total() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let mut handshakes = Handshakes::new(3, 2);
        for client in ["2001:db8::1", "2001:db8::ffff:2"] {
            assert_eq!(handshakes.admits(ip(client)), Ok(()));
            handshakes.begin(ip(client));
        }
        assert_eq!(
            handshakes.admits(ip("2001:db8::3")),
            Err(Refusal::TooManyHandshakesFromAddress)
        );
        assert_eq!(handshakes.admits(ip("2001:db8:0:1::3")), Ok(()));
        handshakes.begin(ip("192.0.2.1"));
        assert_eq!(
            handshakes.admits(ip("192.0.2.2")),
            Err(Refusal::TooManyHandshakes)
        );
        handshakes.end(ip("2001:db8::2"));
        assert_eq!(handshakes.admits(ip("2001:db8::3")), Ok(()));
        handshakes.end(ip("2001:db8::2"));
        handshakes.end(ip("::ffff:192.0.2.1"));
        assert_eq!(handshakes.total(), 0);
        assert!(handshakes.by_network.is_empty());
    }
}
