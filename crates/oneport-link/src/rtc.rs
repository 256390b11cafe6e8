//! How an `Rtc` is made.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::config::DtlsVersion;
use str0m::net::TcpType;
use str0m::{Candidate, Rtc, RtcConfig};

use crate::LinkConfig;
use crate::certificate::crypto_provider;
use crate::offer::Digest;

/// The ICE user name fragment and password of one side of a link (RFC 8445 section 5.3). Ours must come
/// from a cryptographically secure source.
#[derive(Clone)]
pub struct Credentials {
    /// At least 4 characters of `A-Za-z0-9+/`; no two links of a relay may have the same.
    pub ufrag: String,
    /// At least 22 characters of `A-Za-z0-9+/`.
    pub password: String,
}

/// An `Rtc` with our candidates, for data channels alone. It checks the peer's certificate with this hash
/// function.
pub(crate) fn build(
    now: Instant,
    config: &LinkConfig,
    credentials: Credentials,
    ice_lite: bool,
    digest: Digest,
) -> Rtc {
    let receive_bytes_max = u32::try_from(config.receive_bytes_max()).unwrap_or(u32::MAX);
    let mut rtc = RtcConfig::new()
        .set_crypto_provider(crypto_provider(digest))
        .set_dtls_cert(config.certificate.to_str0m())
        .set_dtls_version(DtlsVersion::Auto)
        .set_ice_lite(ice_lite)
        .set_local_ice_credentials(credentials.into())
        .set_sctp_max_message_size(receive_bytes_max)
        .set_sctp_max_buffered_amount(config.send_bytes_max())
        .clear_codecs()
        .build(now);
    for candidate in candidates(config, ice_lite) {
        rtc.add_local_candidate(candidate);
    }
    rtc
}

/// The candidates of our side. A wildcard or otherwise unusable address is none.
pub(crate) fn candidates(
    config: &LinkConfig,
    ice_lite: bool,
) -> impl Iterator<Item = Candidate> + '_ {
    // Each role of TCP has one side that connects (RFC 6544 section 4.5).
    let tcp_type = match ice_lite {
        true => TcpType::Passive,
        false => TcpType::Active,
    };
    let udp = config.candidates.iter().map(|address| {
        let candidate = Candidate::builder().udp();
        candidate.host(*address).build()
    });
    let tcp = config.tcp_candidates.iter();
    let tcp = tcp.filter_map(move |address| tcp_candidate(*address, tcp_type));
    udp.flatten().chain(tcp)
}

pub(crate) fn tcp_candidate(address: SocketAddr, tcp_type: TcpType) -> Option<Candidate> {
    let candidate = Candidate::builder().tcp().host(address);
    candidate.tcptype(tcp_type).build().ok()
}
