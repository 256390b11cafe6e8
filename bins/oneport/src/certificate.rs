//! The server's certificate, as files that somebody else renews.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use oneport_signal::{Identities, Identity, IdentityError};

/// How often the files are looked at, where there are connections: a renewal may wait that long.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// The longest file. A chain has a few KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Certbot renews 30 days before the end. Whoever is still there a week before has a problem.
const LEFT_MIN: Duration = Duration::from_hours(7 * 24);

/// How often that is said.
const WARNING_INTERVAL: Duration = Duration::from_hours(24);

/// A certificate and its key on disk. When a connection begins and they have changed, they are read
/// again; what cannot be used is told in the log, and the old ones stay.
#[derive(Debug)]
pub struct CertificateFiles {
    chain: PathBuf,
    key: PathBuf,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    identity: Arc<Identity>,
    stamps: Stamps,
    checked_at: Instant,
    warned_at: Option<Instant>,
}

/// What tells of each file that it is another one, or has another content.
type Stamps = [Option<Stamp>; 2];
type Stamp = (u64, u64, Option<SystemTime>);

impl CertificateFiles {
    /// Reads them for the first time.
    ///
    /// # Errors
    ///
    /// [`CertificateError`], which names the file.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        let stamps = [chain, key].map(stamp);
        let mut current = Current {
            identity: Arc::new(read(chain, key)?),
            stamps,
            checked_at: Instant::now(),
            warned_at: None,
        };
        log::info!("the certificate is valid until {}", current.not_after());
        current.warn_of_its_end();
        Ok(Self {
            chain: chain.to_owned(),
            key: key.to_owned(),
            current: Mutex::new(current),
        })
    }

    /// Until when clients accept the one that is in use.
    pub(crate) fn not_after(&self) -> SystemTime {
        self.current().not_after()
    }

    /// Whole after every statement, so a panic elsewhere means nothing here.
    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads them again if they have changed.
    fn check(&self) {
        let stamps = [&self.chain, &self.key].map(|path| stamp(path));
        if self.lock().stamps != stamps {
            self.read_again(stamps);
        }
    }

    /// Reads them again, changed or not.
    pub(crate) fn reload(&self) {
        self.read_again([&self.chain, &self.key].map(|path| stamp(path)));
    }

    /// Files may be slow: nobody else waits for it.
    fn read_again(&self, stamps: Stamps) {
        let read = read(&self.chain, &self.key);
        let mut current = self.lock();
        current.stamps = stamps;
        match read {
            Ok(identity) => {
                current.identity = Arc::new(identity);
                current.warned_at = None;
                let not_after = current.not_after();
                log::info!("a new certificate is in use, valid until {not_after}");
            }
            Err(error) => {
                log::error!("the new certificate is not used, the old one stays: {error}")
            }
        }
    }
}

impl Current {
    fn not_after(&self) -> impl fmt::Display {
        humantime::format_rfc3339_seconds(self.identity.not_after())
    }

    fn warn_of_its_end(&mut self) {
        let left = self.identity.not_after().duration_since(SystemTime::now());
        let is_early = |at: Instant| at.elapsed() < WARNING_INTERVAL;
        if left.as_ref().is_ok_and(|left| *left >= LEFT_MIN) || self.warned_at.is_some_and(is_early)
        {
            return;
        }
        self.warned_at = Some(Instant::now());
        let not_after = self.not_after();
        match left {
            Ok(_) => log::warn!("the certificate ends at {not_after}, and has not been renewed"),
            Err(_) => log::warn!("the certificate has expired at {not_after}: clients refuse it"),
        }
    }
}

impl Identities for CertificateFiles {
    fn current(&self) -> Arc<Identity> {
        let mut current = self.lock();
        if current.checked_at.elapsed() >= CHECK_INTERVAL {
            // Whoever comes meanwhile has nothing to check.
            current.checked_at = Instant::now();
            current.warn_of_its_end();
            drop(current);
            self.check();
            current = self.lock();
        }
        Arc::clone(&current.identity)
    }
}

#[cfg(unix)]
fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.ino(), metadata.len(), metadata.modified().ok()))
}

#[cfg(not(unix))]
fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((0, metadata.len(), metadata.modified().ok()))
}

fn read(chain: &Path, key: &Path) -> Result<Identity, CertificateError> {
    let chain_pem = read_file(chain)?;
    let key_pem = read_file(key)?;
    Identity::from_pem(&chain_pem, &key_pem).map_err(|cause| {
        let path = if cause.is_in_key() { key } else { chain };
        CertificateError::Unusable {
            path: path.to_owned(),
            cause,
        }
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let failed = |cause| CertificateError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    // To open a pipe would wait for somebody at its other end.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is no file")));
    }
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut file = file.take(FILE_BYTES_MAX + 1);
    file.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(failed(io::Error::other("it is too long for a certificate")));
    }
    Ok(bytes)
}

/// Why there is no certificate.
#[derive(Debug)]
pub enum CertificateError {
    /// A file cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is not what it should be.
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: IdentityError,
    },
    /// There is a certificate without a key, or the other way round.
    OneAlone,
}

impl CertificateError {
    /// The exit code: 2 where another setting or file is needed, 1 where waiting may help.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { cause, .. } => match cause.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => 2,
                _ => 1,
            },
            Self::Unusable { .. } | Self::OneAlone => 2,
        }
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, cause } => write!(f, "{}: {cause}", path.display()),
            Self::Unusable { path, cause } => write!(f, "{}: {cause}", path.display()),
            Self::OneAlone => f.write_str("--tls-cert and --tls-key belong together"),
        }
    }
}

impl std::error::Error for CertificateError {}

#[cfg(test)]
mod tests;
