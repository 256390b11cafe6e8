//! Why an offer cannot be answered.

use std::fmt;

use super::parser::{LINES_MAX, OFFER_BYTES_MAX, SECTIONS_MAX};

/// Why an offer cannot be answered. It is the peer's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferError {
    /// It does not begin as SDP does.
    NotSdp,
    /// It has more bytes than any offer needs.
    TooManyBytes,
    /// It has more lines than any offer needs.
    TooManyLines,
    /// It has more media sections than are answered.
    TooManySections,
    /// It has an `m=` line without media, port and protocol.
    BadMediaLine,
    /// It has no section for data channels, or only rejected ones.
    NoDataChannel,
    /// It has no ICE user name fragment or no password for its data channels.
    NoCredentials,
    /// Its ICE credentials have characters or lengths that RFC 8839 section 5.4 forbids.
    BadCredentials,
    /// It is from an ICE-lite agent, as this side is: neither sends checks.
    IceLite,
    /// It has no certificate fingerprint.
    NoFingerprint,
    /// It has fingerprints, and none that can be checked.
    BadFingerprint,
    /// Its `a=setup` allows no DTLS handshake.
    BadSetup,
    /// str0m rejects it. The text says why.
    Malformed(String),
}

impl fmt::Display for OfferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSdp => f.write_str("it does not begin with v=0, so it is not SDP"),
            Self::TooManyBytes => write!(f, "it has more than {OFFER_BYTES_MAX} bytes"),
            Self::TooManyLines => write!(f, "it has more than {LINES_MAX} lines"),
            Self::TooManySections => write!(f, "it has more than {SECTIONS_MAX} media sections"),
            Self::BadMediaLine => f.write_str("an m= line has no media, port and protocol"),
            Self::NoDataChannel => f.write_str("no open data channel section in the SDP"),
            Self::NoCredentials => {
                f.write_str("its data channel section has no a=ice-ufrag or no a=ice-pwd")
            }
            Self::BadCredentials => f.write_str(
                "its a=ice-ufrag or a=ice-pwd is longer than 256 characters or has unprintable ones",
            ),
            Self::IceLite => {
                f.write_str("it is from an ICE-lite agent (a=ice-lite), and so is the relay")
            }
            Self::NoFingerprint => f.write_str("its data channel section has no a=fingerprint"),
            Self::BadFingerprint => f.write_str(
                "none of its a=fingerprint lines is a complete sha-256, sha-384, sha-512, sha-224 or \
                 sha-1 fingerprint",
            ),
            Self::BadSetup => {
                f.write_str("its a=setup must be actpass, active or passive")
            }
            Self::Malformed(what) => write!(f, "malformed SDP: {what}"),
        }
    }
}

impl std::error::Error for OfferError {}
