//! How an `Rtc` is made.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::config::DtlsVersion;
use str0m::ice::IceCreds;
use str0m::{Candidate, Rtc, RtcConfig};

use crate::LinkConfig;

/// The ICE user name fragment and password of our side of a link (RFC 8445 section 5.3), which must
/// come from a cryptographically secure source.
#[derive(Clone)]
pub struct Credentials {
    /// At least 4 characters of `A-Za-z0-9+/`; no two links of a relay may have the same.
    pub ufrag: String,
    /// At least 22 characters of `A-Za-z0-9+/`.
    pub password: String,
}

/// An `Rtc` with our candidates, for data channels alone.
pub(crate) fn build(
    now: Instant,
    config: &LinkConfig,
    credentials: Credentials,
    ice_lite: bool,
) -> Rtc {
    let receive_bytes_max = u32::try_from(config.receive_bytes_max()).unwrap_or(u32::MAX);
    let mut rtc = RtcConfig::new()
        .set_crypto_provider(crate::certificate::crypto_provider())
        .set_dtls_cert((*config.certificate.0).clone())
        .set_dtls_version(DtlsVersion::Auto)
        .set_ice_lite(ice_lite)
        .set_local_ice_credentials(IceCreds {
            ufrag: credentials.ufrag,
            pass: credentials.password,
        })
        .set_sctp_max_message_size(receive_bytes_max)
        .set_sctp_max_buffered_amount(config.send_bytes_max())
        .clear_codecs()
        .build(now);
    config
        .candidates
        .iter()
        .filter_map(|address| host_candidate(*address))
        .for_each(|candidate| {
            rtc.add_local_candidate(candidate);
        });
    rtc
}

/// A wildcard or otherwise unusable address is no candidate.
fn host_candidate(address: SocketAddr) -> Option<Candidate> {
    Candidate::host(address, "udp").ok()
}
