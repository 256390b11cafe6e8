//! Whose certificates a client accepts.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// The authorities that a client believes when they say whose a certificate is.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Those that browsers believe too, if it is none of its own.
    own: Option<Arc<Vec<CertificateDer<'static>>>>,
}

impl Trust {
    /// Only those whose certificates are in this file, as PEM: of a private authority, or the
    /// relay's own certificate.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, in words.
    pub fn only(path: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(&error))?;
        if certificates.is_empty() {
            return Err(failed(&"there is no certificate in it"));
        }
        Ok(Self {
            own: Some(Arc::new(certificates)),
        })
    }

    /// For HTTP.
    pub(crate) fn for_http(&self) -> TlsConfig {
        let roots = match &self.own {
            None => RootCerts::WebPki,
            Some(own) => {
                let own = own.iter().map(|der| Certificate::from_der(der).to_owned());
                RootCerts::from(own)
            }
        };
        TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .root_certs(roots)
            .build()
    }

    /// For looking at a certificate.
    pub(crate) fn for_tls(&self) -> Result<ClientConfig, rustls::Error> {
        let mut roots = RootCertStore::empty();
        match &self.own {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(own) => drop(roots.add_parsable_certificates(own.iter().cloned())),
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        Ok(builder
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth())
    }
}
