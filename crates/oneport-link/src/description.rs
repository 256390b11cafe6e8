//! Descriptions on the side that makes the offer: its own, and the answer to it.

use std::net::SocketAddr;

use crate::{LinkConfig, OfferError, offer};

/// The largest message that the sender of this answer takes, in bytes (RFC 8841 section 6.1).
pub(crate) fn message_bytes_max(answer: &str) -> usize {
    let is_data = |line: &str| line.starts_with("m=application ");
    let section = answer.lines().skip_while(|line| !is_data(line)).skip(1);
    let stated = section
        .take_while(|line| !line.starts_with("m="))
        .find_map(|line| line.strip_prefix("a=max-message-size:"));
    offer::message_bytes_max(stated.map(str::trim))
}

/// Where a peer accepts TCP connections for this, by its description: its passive candidates (RFC 6544
/// section 4.5), as in `a=candidate:1 1 tcp 1518280447 192.0.2.1 3478 typ host tcptype passive`.
pub fn passive_candidates(sdp: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let words: Vec<_> = line.strip_prefix("a=candidate:")?.split(' ').collect();
        let [_, _, transport, _, ip, port, ..] = words[..] else {
            return None;
        };
        let is_passive = words.windows(2).any(|pair| pair == ["tcptype", "passive"]);
        let is_tcp = transport.eq_ignore_ascii_case("tcp") && is_passive;
        is_tcp.then_some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
    };
    sdp.lines().filter_map(address).collect()
}

/// What str0m finds wrong with a description, in one line. str0m says where its parser stopped as an address
/// in our memory, which is left out.
pub(crate) fn malformed(error: &dyn ToString) -> OfferError {
    let error = error.to_string();
    let lines = error.lines().map(str::trim);
    let reasons: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.contains("Parse error at"))
        .collect();
    OfferError::Malformed(match reasons.is_empty() {
        true => "it is not SDP".into(),
        false => reasons.join("; "),
    })
}

/// Our own description, with the message size that we take in the place of the one that SCTP could.
pub(crate) fn describe(sdp: &str, config: &LinkConfig) -> String {
    let attribute = |bytes: usize| format!("a=max-message-size:{bytes}\r\n");
    sdp.replace(
        &attribute(config.receive_bytes_max()),
        &attribute(config.message_bytes_max),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_data_section_counts() {
        let sdp = "v=0\r\na=max-message-size:9\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
                   a=max-message-size:1000\r\nm=audio 9 RTP/AVP 0\r\na=max-message-size:7\r\n";
        assert_eq!(message_bytes_max(sdp), 1000);
    }

    #[test]
    fn where_connections_are_accepted() {
        let sdp = "v=0\r\na=candidate:1 1 udp 2130706175 192.0.2.1 3478 typ host\r\n\
                   a=candidate:2 1 tcp 1518280447 192.0.2.1 3478 typ host tcptype passive ufrag x\r\n\
                   a=candidate:3 1 TCP 1518280191 2001:db8::1 443 typ host tcptype passive\r\n\
                   a=candidate:4 1 tcp 1 192.0.2.2 9 typ host tcptype active\r\n\
                   a=candidate:5 1 tcp 1 relay.local 9 typ host tcptype passive\r\n\
                   a=candidate:6 1 tcp\r\n";
        let found = passive_candidates(sdp);
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.1:3478", "[2001:db8::1]:443"]);
    }
}
