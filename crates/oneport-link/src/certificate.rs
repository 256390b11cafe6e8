//! The certificate of a relay, and the cryptography behind it.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use dimpl::{CertificateError, SecurityError};
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::crypto::dtls::{
    DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{CryptoError, Sha256Provider};

use crate::offer::{self, Digest};
use crate::record_numbers;

/// A self-signed DTLS certificate with its key. Its fingerprint goes into every answer, so one
/// serves all links of a process; making one costs about a millisecond.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    certificate: DtlsCert,
    /// As the value of `a=fingerprint`.
    fingerprint: String,
}

impl Certificate {
    /// A new certificate, made with the operating system's randomness.
    ///
    /// # Panics
    ///
    /// If the cryptographic library cannot make a key, which leaves nothing to go on with.
    pub fn generate() -> Self {
        let certificate = CACHING_DTLS
            .generate_certificate()
            .expect("a P-256 key and a self-signed certificate can be made");
        Self(Arc::new(Inner {
            fingerprint: offer::of_our_certificate(&certificate.certificate),
            certificate,
        }))
    }

    pub(crate) fn to_str0m(&self) -> DtlsCert {
        self.0.certificate.clone()
    }

    /// As the value of `a=fingerprint`.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate(..)")
    }
}

/// The cryptography of links whose peer's certificate is checked with this hash function: str0m's on
/// aws-lc-rs, but for DTLS, which is ours, and for the hash.
pub(crate) fn crypto_provider(digest: Digest) -> Arc<CryptoProvider> {
    static SHA_256: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    static SHA_384: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    static SHA_512: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    static SHA_224: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    static SHA_1: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let (provider, hash): (_, &'static PeerHash) = match digest {
        Digest::Sha256 => (&SHA_256, &PeerHash(Digest::Sha256)),
        Digest::Sha384 => (&SHA_384, &PeerHash(Digest::Sha384)),
        Digest::Sha512 => (&SHA_512, &PeerHash(Digest::Sha512)),
        Digest::Sha224 => (&SHA_224, &PeerHash(Digest::Sha224)),
        Digest::Sha1 => (&SHA_1, &PeerHash(Digest::Sha1)),
    };
    Arc::clone(provider.get_or_init(|| {
        let mut provider = str0m::crypto::from_feature_flags();
        provider.dtls_provider = &CACHING_DTLS;
        provider.sha256_provider = hash;
        Arc::new(provider)
    }))
}

/// What str0m calls the SHA-256 of a certificate. str0m uses it for nothing but fingerprints: the peer's, and
/// our own, which is not taken from str0m.
#[derive(Debug)]
struct PeerHash(Digest);

impl Sha256Provider for PeerHash {
    fn sha256(&self, der: &[u8]) -> [u8; 32] {
        self.0.of_certificate(der)
    }
}

static CACHING_DTLS: CachingDtls = CachingDtls {
    config: OnceLock::new(),
};

/// A [`DtlsProvider`] that makes dimpl validate its configuration once, not once for each link:
/// the validation runs every algorithm of the provider and costs about a millisecond, twenty times
/// what is left of making an `Rtc` without it.
#[derive(Debug)]
struct CachingDtls {
    /// The configuration, and the MTU that it was made for: all links have the same one.
    config: OnceLock<(Option<usize>, Arc<dimpl::Config>)>,
}

impl CachingDtls {
    fn config(&self, mtu: Option<usize>) -> Result<Arc<dimpl::Config>, CryptoError> {
        if let Some((cached_mtu, config)) = self.config.get()
            && *cached_mtu == mtu
        {
            return Ok(Arc::clone(config));
        }
        // ICE has proven the peer's address before DTLS starts, as RFC 9147 section 5.1 wants a
        // cookie to do; a second proof would only cost a round trip.
        let mut builder = dimpl::Config::builder()
            .with_crypto_provider(record_numbers::provider())
            .use_server_cookie(false);
        if let Some(mtu) = mtu {
            builder = builder.mtu(mtu);
        }
        let config = builder
            .build()
            .map(Arc::new)
            .map_err(|error| CryptoError::Other(format!("dimpl configuration: {error}")))?;
        // Where another link was faster, or has another MTU, its configuration stays.
        let _ = self.config.set((mtu, Arc::clone(&config)));
        Ok(config)
    }
}

impl DtlsProvider for CachingDtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        dimpl::certificate::generate_self_signed_certificate().ok()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let config = self.config(mtu)?;
        let certificate = certificate.clone();
        let dtls = match version {
            DtlsVersion::Dtls12 => dimpl::Dtls::new_12(config, certificate, now),
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13(config, certificate, now),
            DtlsVersion::Auto => dimpl::Dtls::new_auto(config, certificate, now),
            other => {
                let message = format!("unsupported DTLS version: {other}");
                return Err(CryptoError::Other(message));
            }
        };
        Ok(Box::new(Instance {
            dtls,
            told: None,
            failed: false,
        }))
    }
}

/// From the last time that DTLS was told to the next that it may ask for. Its retransmissions are much
/// further apart.
const TIMEOUT_INTERVAL_MIN: Duration = Duration::from_millis(50);

/// dimpl's connection as str0m wants to see it.
///
/// Where a part of the peer's DTLS 1.3 flight is missing, dimpl 0.9.0 acknowledges the other parts at
/// once, and wants to again as soon as it is told the time; str0m 0.25.0 tells it after each datagram.
/// So one damaged datagram of a handshake would keep both busy for ever. Each moment is told once here,
/// and what dimpl wants at once has to wait a little.
struct Instance {
    dtls: dimpl::Dtls,
    /// The last time that it was told.
    told: Option<Instant>,
    /// Whether it has failed for good, which is logged once.
    failed: bool,
}

impl Instance {
    /// Logs why a handshake failed, where it was the kind of the peer's certificate. dimpl 0.9 asks for an
    /// ECDSA certificate, and verifies no RSA signature. A peer with an RSA certificate alone sends none, or
    /// gives up with an alert.
    fn explain(&mut self, error: &DtlsImplError) {
        let reason = match error {
            DtlsImplError::CertificateError(CertificateError::NoClientCertificateReceived) => {
                "it has no ECDSA certificate".to_owned()
            }
            DtlsImplError::SecurityError(SecurityError::FatalAlert { description })
                if CERTIFICATE_ALERTS.contains(description) =>
            {
                format!("it sent alert {description}, perhaps because it has no ECDSA certificate")
            }
            _ => return,
        };
        if !std::mem::replace(&mut self.failed, true) {
            log::info!(
                "a client's DTLS handshake failed: {reason}; RSA certificates are not supported"
            );
        }
    }
}

/// The alerts of a peer that cannot show the certificate it is asked for (RFC 8446 section 6.2):
/// handshake_failure, unsupported_certificate, certificate_unknown, illegal_parameter, internal_error.
const CERTIFICATE_ALERTS: [u8; 5] = [40, 43, 46, 47, 80];

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instance(..)")
    }
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.dtls.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        let handled = self.dtls.handle_packet(packet);
        handled.inspect_err(|error| self.explain(error))
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        match self.dtls.poll_output(buf) {
            DtlsOutput::Timeout(at) => {
                let earliest = self.told.map_or(at, |told| told + TIMEOUT_INTERVAL_MIN);
                DtlsOutput::Timeout(at.max(earliest))
            }
            output => output,
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        if self.told.replace(now) == Some(now) {
            return Ok(());
        }
        self.dtls.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.dtls.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.dtls.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.dtls.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.dtls.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.dtls.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.dtls.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_configuration_for_all_links() {
        let provider = CachingDtls {
            config: OnceLock::new(),
        };
        let first = provider.config(Some(1200)).expect("valid");
        let second = provider.config(Some(1200)).expect("valid");
        assert!(Arc::ptr_eq(&first, &second));
        let other = provider.config(Some(1300)).expect("valid");
        assert_eq!(other.mtu(), 1300);
    }
}
