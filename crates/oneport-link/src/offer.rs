//! The peer's SDP, as far as we look at it before str0m does.

use std::fmt;
use std::net::SocketAddr;

use crate::LinkConfig;

/// The largest message that a peer takes that does not say so, in bytes (RFC 8841 section 6.1).
const DEFAULT_MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// The most media sections in an offer: one for data, and a few that a page may have for audio and
/// video with somebody else. str0m keeps state for each.
const MEDIA_SECTIONS_MAX: usize = 16;

/// Why an offer cannot be answered. It is the peer's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferError {
    /// It is not SDP, or lacks what it must have.
    Malformed(String),
    /// It has no section for data channels.
    NoDataChannel,
}

impl fmt::Display for OfferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "malformed SDP: {what}"),
            Self::NoDataChannel => f.write_str("no data channel section in the SDP"),
        }
    }
}

impl std::error::Error for OfferError {}

/// The peer's description, checked and cut down to what we use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) sdp: String,
    /// The peer's user name fragment; str0m wants one to be there.
    pub(crate) ufrag: String,
    /// The largest message that the peer takes, in bytes.
    pub(crate) message_bytes_max: usize,
}

impl Description {
    /// Reads an offer for an ICE-lite agent, which learns its peer's addresses from the checks: the
    /// candidates in the offer would only cost it pairs, so they are left out.
    pub(crate) fn offer(sdp: &str) -> Result<Self, OfferError> {
        let sections = sdp.lines().filter(|line| line.starts_with("m=")).count();
        if !sdp.starts_with("v=0") {
            let what = "it does not begin with v=0";
            return Err(OfferError::Malformed(what.into()));
        }
        if sections > MEDIA_SECTIONS_MAX {
            let what = format!("{sections} media sections, at most {MEDIA_SECTIONS_MAX}");
            return Err(OfferError::Malformed(what));
        }
        if !sdp.lines().any(is_data_section) {
            return Err(OfferError::NoDataChannel);
        }
        let sdp_without_candidates = sdp
            .lines()
            .filter(|line| !line.starts_with("a=candidate:"))
            .flat_map(|line| [line, "\r\n"])
            .collect();
        Ok(Self {
            sdp: sdp_without_candidates,
            ufrag: ufrag(sdp).into(),
            message_bytes_max: message_bytes_max(sdp),
        })
    }
}

/// RFC 8841 section 5.1: `m=application 9 UDP/DTLS/SCTP webrtc-datachannel`.
fn is_data_section(line: &str) -> bool {
    line.starts_with("m=application ") && line.trim_end().ends_with(" webrtc-datachannel")
}

/// RFC 8839 section 5.4: the session's, or else the one of the first section that has one. What is longer
/// than it may be is kept by nobody: its sender cannot restart ICE.
fn ufrag(sdp: &str) -> &str {
    const UFRAG_BYTES_MAX: usize = 256;
    let mut lines = sdp.lines();
    lines
        .find_map(|line| line.strip_prefix("a=ice-ufrag:"))
        .filter(|ufrag| ufrag.len() <= UFRAG_BYTES_MAX)
        .unwrap_or_default()
}

/// RFC 8841 section 6.1: an attribute of the data section, in which zero means "any size".
pub(crate) fn message_bytes_max(sdp: &str) -> usize {
    let section = sdp
        .lines()
        .skip_while(|line| !is_data_section(line))
        .skip(1);
    let stated = section
        .take_while(|line| !line.starts_with("m="))
        .find_map(|line| line.strip_prefix("a=max-message-size:"))
        .and_then(|bytes| bytes.trim().parse().ok());
    match stated {
        Some(0) => usize::MAX,
        Some(bytes) => bytes,
        None => DEFAULT_MESSAGE_BYTES_MAX,
    }
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

/// What str0m finds wrong with a description, in one line. Where its parser stopped is said as an address
/// in our memory, which is nobody's business.
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

    const DATA: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";

    #[test]
    fn leaves_candidates_out() {
        let offer = format!("{DATA}a=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\na=mid:0\r\n");
        let description = Description::offer(&offer).expect("an offer");
        assert_eq!(description.sdp, format!("{DATA}a=mid:0\r\n"));
    }

    #[test]
    fn what_the_peer_takes() {
        for (line, bytes) in [
            ("", 65_536),
            ("a=max-message-size:262144\r\n", 262_144),
            ("a=max-message-size:0\r\n", usize::MAX),
            ("a=max-message-size:many\r\n", 65_536),
        ] {
            let description = Description::offer(&format!("{DATA}{line}")).expect("an offer");
            assert_eq!(description.message_bytes_max, bytes, "{line}");
        }
    }

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

    #[test]
    fn what_is_no_offer() {
        let many = format!("{DATA}{}", "m=audio 9 RTP/AVP 0\r\n".repeat(16));
        for (sdp, wanted) in [
            ("", "malformed SDP: it does not begin with v=0"),
            ("hello", "malformed SDP: it does not begin with v=0"),
            (
                "v=0\r\nm=audio 9 RTP/AVP 0\r\n",
                "no data channel section in the SDP",
            ),
            (
                many.as_str(),
                "malformed SDP: 17 media sections, at most 16",
            ),
        ] {
            let error = Description::offer(sdp).expect_err(sdp);
            assert_eq!(error.to_string(), wanted);
        }
    }
}
