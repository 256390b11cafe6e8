//! A media section, as the answer needs it.

use super::media::MediaLine;

/// A media section of an offer.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) formats: String,
    pub(super) mid: Option<String>,
    /// The codec of a section of audio or video that the answer repeats. werift wants one of rejected sections,
    /// too.
    pub(super) codec: Option<Codec>,
    pub(super) reply: Reply,
}

/// How a section is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// With port 0.
    Rejected,
    /// Without media, in the BUNDLE group of the data section.
    Inactive,
    /// With data channels in the notation of RFC 8841.
    Data,
    /// With data channels in the notation of its drafts, in which the format is this SCTP port.
    DataByPort(u16),
}

/// A payload type, and the attributes that say what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Codec {
    pub(super) payload_type: String,
    /// The values of `a=rtpmap` and `a=fmtp`.
    pub(super) rtpmap: Option<String>,
    pub(super) fmtp: Option<String>,
}

impl Section {
    pub(super) fn new(line: &MediaLine<'_>, mid: Option<&str>, codec: Option<Codec>) -> Self {
        Self {
            media: line.media.into(),
            protocol: line.protocol.into(),
            formats: line.formats.into(),
            mid: mid.map(Into::into),
            codec,
            reply: Reply::Rejected,
        }
    }
}
