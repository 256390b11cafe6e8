//! One spelling for each address.

use std::net::{IpAddr, SocketAddr};

/// The address with an IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) as the IPv4 address that it is.
///
/// Our IPv6 sockets are `IPV6_V6ONLY` and never report one, but a configuration may contain it, and
/// two spellings of one address would be two routes.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        // Rebuilding only what changes family keeps the scope of a link-local address.
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("a literal address")
    }

    #[test]
    fn a_mapped_address_becomes_ipv4() {
        assert_eq!(
            canonical(address("[::ffff:192.0.2.1]:3478")),
            address("192.0.2.1:3478")
        );
    }

    #[test]
    fn others_stay_with_their_scope() {
        for text in ["192.0.2.1:1", "[2001:db8::1]:2", "[fe80::1%7]:3"] {
            assert_eq!(canonical(address(text)), address(text));
        }
    }
}
