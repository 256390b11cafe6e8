//! Certificates for tests: pairs of PEM files, as a relay takes them.

use std::{fs, path::PathBuf};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::Result;

/// A certificate that has signed itself for `localhost`, and its key, in a folder that goes with this
/// value.
#[derive(Debug)]
pub struct Pair {
    folder: TempDir,
}

impl Pair {
    /// One that is valid until the first of January of that year.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn until(year: i32) -> Result<Self> {
        let pair = Self {
            folder: TempDir::new()?,
        };
        pair.renew(year)?;
        Ok(pair)
    }

    /// Writes another one to the same place, each file at once.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn renew(&self, year: i32) -> Result {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&key).expect("a certificate");
        for (path, content) in [
            (self.chain(), certificate.pem()),
            (self.key(), key.serialize_pem()),
        ] {
            let new = path.with_extension("new");
            fs::write(&new, content)?;
            fs::rename(&new, path)?;
        }
        Ok(())
    }

    /// Where the certificate is.
    #[must_use]
    pub fn chain(&self) -> PathBuf {
        self.folder.path().join("chain.pem")
    }

    /// Where its key is.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// The arguments by which a relay on a free port of loopback serves with it.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let words = ["--listen", "127.0.0.1:0", "--tls-cert"].map(str::to_owned);
        let [chain, key] = [self.chain(), self.key()].map(|path| path.display().to_string());
        words
            .into_iter()
            .chain([chain, "--tls-key".to_owned(), key])
            .collect()
    }
}
