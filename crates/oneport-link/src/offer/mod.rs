//! A peer's offer: what a data connection needs of it, and the form that its answer must have.
//!
//! Offers come from any WebRTC stack, and str0m reads only some of them. So str0m gets a
//! [canonical offer](Offer::canonical) of one section, and [`answer`] writes the answer in the form of the
//! peer's own offer.

mod answer;
mod attributes;
mod error;
mod fingerprint;
mod media;
mod parser;
mod section;

pub(crate) use answer::Ours;
pub use error::OfferError;
use fingerprint::Fingerprint;
pub(crate) use fingerprint::{Digest, of_our_certificate};
pub(crate) use parser::message_bytes_max;
use section::Section;

/// The largest message that is sent to a peer whose description has no `a=max-message-size`, in bytes. RFC
/// 8841 section 6.1 says 64 KiB; pion 3 reads one byte less.
pub(crate) const DEFAULT_MESSAGE_BYTES_MAX: usize = 65_535;

/// A peer's offer, parsed: a bounded copy of what a data connection needs.
///
/// Parsing costs time in proportion to the text, and nothing of the text reaches str0m unchecked. It can be
/// done on any thread, before [`Link::answer`](crate::Link::answer).
///
/// ```
/// use oneport_link::{Offer, OfferError};
///
/// let audio_only = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n";
/// assert_eq!(Offer::parse(audio_only).unwrap_err(), OfferError::NoDataChannel);
/// ```
#[derive(Clone, Debug)]
pub struct Offer {
    /// All media sections, in order.
    sections: Vec<Section>,
    /// The section whose transport carries the data channels: the first of the answer's BUNDLE group (RFC 9143
    /// section 7.3.1), or the data section. An index into `sections`.
    tagged: usize,
    /// The identification tags of the answer's BUNDLE group, in its order; empty without a group.
    group: Vec<String>,
    ice: Ice,
    fingerprint: Fingerprint,
    role: Role,
    message_bytes_max: usize,
}

/// The peer's ICE credentials (RFC 8839 section 5.4).
#[derive(Clone)]
struct Ice {
    ufrag: String,
    password: String,
}

/// What the peer wants to be in the DTLS handshake (RFC 8842 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Either; we are the server.
    ActPass,
    /// The client.
    Active,
    /// The server.
    Passive,
}

impl Offer {
    /// Parses an offer.
    ///
    /// # Errors
    ///
    /// [`OfferError`] where it cannot be answered. That is the peer's fault.
    pub fn parse(sdp: &str) -> Result<Self, OfferError> {
        parser::parse(sdp)
    }

    /// The peer's user name fragment.
    pub(crate) fn ufrag(&self) -> &str {
        &self.ice.ufrag
    }

    /// The largest message that the peer takes, in bytes.
    pub(crate) fn message_bytes_max(&self) -> usize {
        self.message_bytes_max
    }

    /// The hash function with which the peer's certificate is checked.
    pub(crate) fn digest(&self) -> Digest {
        self.fingerprint.digest()
    }

    /// The same offer as str0m gets it: one section, no candidates, nothing optional.
    pub(crate) fn canonical(&self) -> String {
        let setup = match self.role {
            Role::ActPass => "actpass",
            Role::Active => "active",
            Role::Passive => "passive",
        };
        let message_bytes_max = match self.message_bytes_max {
            // Any size (RFC 8841 section 6.1).
            usize::MAX => 0,
            bytes => bytes,
        };
        format!(
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
             a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=fingerprint:{}\r\na=setup:{setup}\r\na=mid:0\r\n\
             a=sctp-port:5000\r\na=max-message-size:{message_bytes_max}\r\n",
            self.ice.ufrag,
            self.ice.password,
            self.fingerprint.for_str0m(),
        )
    }
}

/// The password is not shown.
impl std::fmt::Debug for Ice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ice({})", self.ufrag)
    }
}
