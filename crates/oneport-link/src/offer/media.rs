//! `m=` lines.

use super::OfferError;

/// An `m=` line (RFC 8866 section 5.14).
#[derive(Clone, Copy, Debug)]
pub(super) struct MediaLine<'a> {
    pub(super) media: &'a str,
    /// Port 0: rejected, or bundle-only (RFC 9143 section 6).
    pub(super) is_port_zero: bool,
    pub(super) protocol: &'a str,
    /// As they stand, separated by spaces.
    pub(super) formats: &'a str,
}

/// The protocols of data channels: those of RFC 8841 section 4.1, then those of its drafts.
const DATA_PROTOCOLS: [&str; 4] = ["UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP", "SCTP/DTLS"];

/// The protocols with which browsers offer audio and video, now and before.
const RTP_PROTOCOLS: [&str; 5] = [
    "UDP/TLS/RTP/SAVPF",
    "TCP/TLS/RTP/SAVPF",
    "RTP/SAVPF",
    "UDP/TLS/RTP/SAVP",
    "RTP/SAVP",
];

/// The format of a data section, and the word in its `a=sctpmap`.
pub(super) const WEBRTC: &str = "webrtc-datachannel";

impl<'a> MediaLine<'a> {
    /// Parses what follows `m=`.
    pub(super) fn parse(mut rest: &'a str) -> Result<Self, OfferError> {
        let media = word(&mut rest);
        let port = word(&mut rest);
        let protocol = word(&mut rest);
        let port = port.split('/').next().unwrap_or_default();
        let is_port = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
        if !is_port || protocol.is_empty() {
            return Err(OfferError::BadMediaLine);
        }
        Ok(Self {
            media,
            is_port_zero: port.bytes().all(|digit| digit == b'0'),
            protocol,
            formats: rest.trim_ascii(),
        })
    }

    pub(super) fn formats(&self) -> impl Iterator<Item = &'a str> {
        self.formats.split_ascii_whitespace()
    }

    /// Whether the protocol is one of data channels.
    pub(super) fn is_sctp(&self) -> bool {
        self.media == "application" && is_one_of(self.protocol, &DATA_PROTOCOLS)
    }

    /// Whether it is audio or video over a transport that data can share.
    pub(super) fn is_rtp(&self) -> bool {
        matches!(self.media, "audio" | "video") && is_one_of(self.protocol, &RTP_PROTOCOLS)
    }
}

fn is_one_of(protocol: &str, protocols: &[&str]) -> bool {
    protocols
        .iter()
        .any(|known| known.eq_ignore_ascii_case(protocol))
}

/// Takes the next word off a text.
pub(super) fn word<'a>(text: &mut &'a str) -> &'a str {
    let rest = text.trim_ascii_start();
    let (word, rest) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    *text = rest;
    word
}
