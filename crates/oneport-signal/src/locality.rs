//! Whether a request was made on this machine, by somebody who may as well read its files.
//!
//! That the connection comes from loopback is not enough. A reverse proxy on the same host connects
//! from there for the whole world, and a browser there makes requests for whatever page it shows, even
//! under a name of the page's own that resolves to 127.0.0.1 (DNS rebinding).

use std::net::{IpAddr, Ipv6Addr};

use crate::head::Headers;

/// What proxies leave (RFC 7239, RFC 9110 section 7.6.3, and custom).
const PROXY_HEADERS: [&str; 8] = [
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Real-IP",
];

/// Whether nothing in a request's headers says that it comes from elsewhere.
pub(crate) fn looks_local(headers: &Headers<'_>) -> bool {
    let has_none = |name| headers.all(name).next().is_none();
    let host = headers.all("Host").next().unwrap_or_default();
    let host = str::from_utf8(host).unwrap_or_default();
    let is_own = |origin: &[u8]| origin_host(origin) == Some(host);
    // Fetch Metadata: a browser's own word for who has made the request.
    let is_near = |site: &[u8]| matches!(site, b"same-origin" | b"none");
    names_loopback(host)
        && PROXY_HEADERS.into_iter().all(has_none)
        && headers.all("Origin").all(is_own)
        && headers.all("Sec-Fetch-Site").all(is_near)
}

/// The host and port of an origin (RFC 6454 section 6.2).
fn origin_host(origin: &[u8]) -> Option<&str> {
    let origin = str::from_utf8(origin).ok()?;
    origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))
}

/// Whether a Host header names this machine in a way that no name server has a say in.
fn names_loopback(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let address = rest.split_once(']').map(|(address, _)| address);
        return address
            .and_then(|address| address.parse::<Ipv6Addr>().ok())
            .is_some_and(|address| address.is_loopback());
    }
    let name = host.split(':').next().unwrap_or_default();
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use crate::head::Head;

    fn is_local(host: &str, more: &str) -> bool {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
        let parsed = Head::parse(request.as_bytes(), 8192).expect(&request);
        parsed.expect("complete").0.looks_local
    }

    #[test]
    fn names_of_loopback() {
        for host in [
            "localhost",
            "LocalHost:3478",
            "127.0.0.1:1",
            "127.1.2.3",
            "[::1]:3478",
            "[::1]",
        ] {
            assert!(is_local(host, ""), "{host}");
        }
        for host in [
            "",
            "relay.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "10.0.0.1",
            "[2001:db8::1]",
            "[::1",
            "::1",
            "0.0.0.0",
        ] {
            assert!(!is_local(host, ""), "{host}");
        }
    }

    #[test]
    fn what_a_proxy_has_passed_on_is_not_local() {
        for header in [
            "Forwarded: for=192.0.2.1",
            "x-forwarded-for: 127.0.0.1",
            "X-Real-Ip: 127.0.0.1",
            "Via: 1.1 proxy",
            "X-Forwarded-Proto: https",
        ] {
            assert!(!is_local("127.0.0.1", &format!("{header}\r\n")), "{header}");
        }
    }

    #[test]
    fn what_another_page_has_made_is_not_local() {
        let own = "Origin: http://127.0.0.1:3478\r\nSec-Fetch-Site: same-origin\r\n";
        assert!(is_local("127.0.0.1:3478", own));
        assert!(is_local("127.0.0.1:3478", "Sec-Fetch-Site: none\r\n"));
        for headers in [
            "Origin: https://evil.example\r\n",
            "Origin: null\r\n",
            "Origin: http://127.0.0.1:8080\r\n",
            "Sec-Fetch-Site: cross-site\r\n",
            "Sec-Fetch-Site: same-site\r\n",
        ] {
            assert!(!is_local("127.0.0.1:3478", headers), "{headers}");
        }
    }
}
