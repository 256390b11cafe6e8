//! The certificate of a relay, and the cryptography behind it.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use str0m::config::{CryptoProvider, DtlsCert};
use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{
    DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};

use crate::record_numbers;

/// A self-signed DTLS certificate with its key. Its fingerprint goes into every answer, so one
/// serves all links of a process; making one costs about a millisecond.
#[derive(Clone)]
pub struct Certificate(pub(crate) Arc<DtlsCert>);

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
        Self(Arc::new(certificate))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate(..)")
    }
}

/// The cryptography of all links: str0m's on aws-lc-rs, but for the one part below.
pub(crate) fn crypto_provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| {
        let mut provider = str0m::crypto::from_feature_flags();
        provider.dtls_provider = &CACHING_DTLS;
        Arc::new(provider)
    }))
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
        Ok(Box::new(Instance { dtls, told: None }))
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
}

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
        self.dtls.handle_packet(packet)
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
