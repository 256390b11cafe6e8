//! From plain HTTP to TLS on the same port.

use crate::head::Head;
use crate::problem::Problem;
use crate::response::Response;

/// The way to the same place by https (RFC 9110 section 15.4.9: with the same method and body).
///
/// The port stays what the client has used, because this one speaks both. Where it has named none it
/// used 80, and means 443.
pub(crate) fn to_https(head: &Head) -> Result<Response, Problem> {
    let host = head.host.as_deref().filter(|host| is_host(host));
    let host = host.ok_or(Problem::https_only())?;
    let Head { path, query, .. } = head;
    let path = if path == "*" { "/" } else { path };
    let mut location = format!("https://{host}{path}");
    if !query.is_empty() {
        location.push('?');
        location.push_str(query);
    }
    Ok(Response::new(308)
        .header("Location", location)
        .header("Cache-Control", "no-store")
        .for_all_origins())
}

/// A name or an address, with or without a port, and nothing that could lead elsewhere.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, rest)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", rest),
            _ => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = match port.strip_prefix(':') {
        Some(digits) => digits.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
    is_port && !name.is_empty() && name.bytes().all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for host in [
            "relay.example",
            "relay.example:3478",
            "127.0.0.1:1",
            "[::1]",
            "[2001:db8::1]:3478",
            "a_b-c.example.",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "", ":1", "a:", "a:x", "a:0", "a:65536", "a b", "a/b", "a@b", "a:1:2", "[::1", "[a]",
            "[::1]x", "a\\b", "a?b", "a#b", "\u{e9}",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }
}
