//! What a proxy in front of the endpoint says about the client behind it.

use std::net::{IpAddr, SocketAddr};

use crate::cidr::Cidr;

/// What a request's `X-Forwarded-For` and `X-Forwarded-Proto` say. Anybody can write them; they only
/// mean something where a proxy that is trusted has written them.
///
/// RFC 7239's `Forwarded` is not looked at: a proxy that writes one kind passes the other on as the
/// client made it up, and what common proxies write is this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forwarded {
    /// Each proxy appends from whom it got the request.
    pub(crate) addresses: Option<String>,
    /// How the client reached the first proxy.
    pub(crate) proto: Option<String>,
}

/// The client of a request, where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) client: IpAddr,
    /// It has made the connection itself, rather than a trusted proxy.
    pub(crate) is_direct: bool,
    /// It reached a trusted proxy by plain http, and that says so: what a proxy leaves out is its own affair.
    pub(crate) by_http: bool,
    /// A trusted proxy wrote something that is no address: who is behind it is unknown.
    pub(crate) is_garbled: bool,
}

impl Forwarded {
    /// Who has sent the request that came from `peer`: the last in the chain who is no trusted proxy.
    pub(crate) fn origin(&self, peer: IpAddr, trusted: &[Cidr]) -> Origin {
        let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
        let mut origin = Origin {
            client: peer,
            is_direct: !is_trusted(peer),
            by_http: false,
            is_garbled: false,
        };
        if origin.is_direct {
            return origin;
        }
        let proto = self.proto.as_deref().unwrap_or_default();
        let proto = proto.rsplit(',').next().unwrap_or_default();
        origin.by_http = proto.trim().eq_ignore_ascii_case("http");
        let addresses = self.addresses.as_deref().unwrap_or_default();
        for text in addresses.rsplit(',').map(str::trim) {
            if !is_trusted(origin.client) || addresses.is_empty() {
                break;
            }
            let Some(address) = address(text) else {
                origin.is_garbled = true;
                break;
            };
            origin.client = address;
        }
        origin
    }
}

/// An address, which some proxies write with the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse();
    let address = address.or_else(|_| text.parse().map(|address: SocketAddr| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, addresses: &str) -> (String, bool) {
        let trusted = ["127.0.0.1", "10.0.0.0/8"].map(|text| text.parse().expect("a network"));
        let forwarded = Forwarded {
            addresses: Some(addresses.into()),
            proto: None,
        };
        let origin = forwarded.origin(peer.parse().expect("an address"), &trusted);
        (origin.client.to_string(), origin.is_garbled)
    }

    #[test]
    fn the_last_untrusted_one_counts() {
        for (peer, addresses, expected) in [
            ("192.0.2.1", "203.0.113.1", "192.0.2.1"),
            ("127.0.0.1", "203.0.113.1", "203.0.113.1"),
            ("127.0.0.1", "", "127.0.0.1"),
            ("127.0.0.1", "6.6.6.6, 203.0.113.1", "203.0.113.1"),
            ("127.0.0.1", "6.6.6.6,203.0.113.1 , 10.1.1.1", "203.0.113.1"),
            ("127.0.0.1", "10.2.2.2, 10.1.1.1", "10.2.2.2"),
            ("127.0.0.1", "203.0.113.1:4711", "203.0.113.1"),
            ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
            ("127.0.0.1", "[2001:db8::1]", "2001:db8::1"),
            ("127.0.0.1", "::ffff:203.0.113.1", "203.0.113.1"),
            ("127.0.0.1", "nonsense, 203.0.113.1", "203.0.113.1"),
        ] {
            let expected = (expected.to_owned(), false);
            assert_eq!(client(peer, addresses), expected, "{addresses}");
        }
    }

    #[test]
    fn nonsense_of_a_proxy_hides_who_is_behind_it() {
        for (addresses, expected) in [
            ("unknown", "127.0.0.1"),
            ("203.0.113.1, unknown", "127.0.0.1"),
            ("203.0.113.1, , 10.1.1.1", "10.1.1.1"),
            ("203.0.113.1,", "127.0.0.1"),
        ] {
            let expected = (expected.to_owned(), true);
            assert_eq!(client("127.0.0.1", addresses), expected, "{addresses}");
        }
    }

    #[test]
    fn plain_http_is_what_a_proxy_says_it_is() {
        let by_http = |peer: [u8; 4], proto: &str| {
            let forwarded = Forwarded {
                addresses: None,
                proto: Some(proto.into()),
            };
            let trusted = ["127.0.0.1".parse().expect("a network")];
            forwarded.origin(peer.into(), &trusted).by_http
        };
        assert!(by_http([127, 0, 0, 1], "http"));
        assert!(by_http([127, 0, 0, 1], "https, HTTP"));
        assert!(!by_http([127, 0, 0, 1], "http, https"));
        assert!(!by_http([127, 0, 0, 1], ""));
        assert!(!by_http([192, 0, 2, 1], "http"));
    }
}
