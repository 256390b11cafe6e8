//! A certificate and its key.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What the server proves who it is with: a chain of certificates and the key of the first.
#[derive(Debug)]
pub struct Identity {
    config: Arc<ServerConfig>,
    not_after: SystemTime,
    names: Vec<String>,
}

impl Identity {
    /// Reads a chain, the server's own certificate first, and its key, both as PEM: what certbot
    /// calls `fullchain.pem` and `privkey.pem`. The key may be in PKCS #8, PKCS #1 or SEC 1.
    ///
    /// A certificate whose time is up is taken: whose clock is wrong is not for this to judge.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(IdentityError::Chain)?;
        let own = chain.first().ok_or(IdentityError::NoCertificate)?;
        let own = Certificate::from_der(own).map_err(|_| IdentityError::BadCertificate)?;
        let not_after = not_after(&own).ok_or(IdentityError::BadCertificate)?;
        let names = names(&own);
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => IdentityError::NoKey,
            error => IdentityError::Key(error),
        })?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(IdentityError::Unusable)?;
        let mut config = builder
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => IdentityError::OtherKey,
                error => IdentityError::Unusable(error),
            })?;
        // The only protocol here (RFC 7301); a client that offers only others is told so.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            not_after,
            names,
        })
    }

    /// Until when clients accept the server's certificate.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// The names of hosts that it is for, without wildcards.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

fn not_after(certificate: &Certificate) -> Option<SystemTime> {
    let validity = certificate.tbs_certificate().validity();
    let since_epoch: Duration = validity.not_after.to_unix_duration();
    UNIX_EPOCH.checked_add(since_epoch)
}

fn names(certificate: &Certificate) -> Vec<String> {
    let alternatives = certificate.tbs_certificate().get_extension();
    let Ok(Some((_, SubjectAltName(names)))) = alternatives else {
        return Vec::new();
    };
    let names = names.iter().filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        _ => None,
    });
    // `*.example.org` is no address of a page.
    names.filter(|name| !name.contains('*')).collect()
}

/// Why PEM is no identity. None of them shows anything of a key.
#[derive(Debug)]
pub enum IdentityError {
    /// The chain is not PEM.
    Chain(pem::Error),
    /// The chain is empty.
    NoCertificate,
    /// The first certificate of the chain is none.
    BadCertificate,
    /// The key is not PEM.
    Key(pem::Error),
    /// There is no private key.
    NoKey,
    /// The key is that of another certificate.
    OtherKey,
    /// A key or a certificate of a kind that cannot be used.
    Unusable(rustls::Error),
}

impl IdentityError {
    /// Whether it is for the file with the key to be looked at.
    pub fn is_in_key(&self) -> bool {
        matches!(self, Self::Key(_) | Self::NoKey | Self::OtherKey)
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(error) | Self::Key(error) => write!(f, "this is not PEM: {error}"),
            Self::NoCertificate => {
                f.write_str("there is no certificate in it (-----BEGIN CERTIFICATE-----)")
            }
            Self::BadCertificate => f.write_str("the first certificate in it cannot be read"),
            Self::NoKey => {
                f.write_str("there is no private key in it (-----BEGIN PRIVATE KEY-----)")
            }
            Self::OtherKey => f.write_str("this key belongs to another certificate"),
            Self::Unusable(error) => write!(f, "it cannot be used: {error}"),
        }
    }
}

impl std::error::Error for IdentityError {}
