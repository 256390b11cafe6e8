//! The secret that signs tokens.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What is shared by the relay and by whoever signs tokens for it. Whoever has it can let in anybody.
///
/// White space at its ends does not count, so that it may come from a file with a line end. Its
/// `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// The shortest one, in bytes: what HS256 demands (RFC 7518 section 3.2).
    pub const BYTES_MIN: usize = 32;

    /// The longest one, in bytes. More than 64 add nothing to HMAC-SHA256; a longer file is the
    /// wrong file.
    pub const BYTES_MAX: usize = 4096;

    /// The environment variable that may hold the secret.
    pub const VARIABLE: &'static str = "ONEPORT_SECRET";

    /// The secret in these bytes.
    ///
    /// # Errors
    ///
    /// [`SecretError::TooShort`] and [`SecretError::TooLong`].
    pub fn new(bytes: &[u8]) -> Result<Self, SecretError> {
        let bytes = bytes.trim_ascii();
        match bytes.len() {
            0..Self::BYTES_MIN => Err(SecretError::TooShort),
            Self::BYTES_MIN..=Self::BYTES_MAX => Ok(Self(bytes.into())),
            _ => Err(SecretError::TooLong),
        }
    }

    /// The secret of this process: in the file, if one is named, or else in the environment's
    /// [`VARIABLE`](Self::VARIABLE), or else there is none. An empty variable is not none but too
    /// short: somebody wanted a secret there.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn find(file: Option<&Path>) -> Result<Option<Self>, SecretError> {
        Self::find_in(file, Self::VARIABLE)
    }

    /// The secret in the file, if one is named, or else in this variable, or else there is none.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub(crate) fn find_in(
        file: Option<&Path>,
        variable: &str,
    ) -> Result<Option<Self>, SecretError> {
        match (file, std::env::var_os(variable)) {
            (Some(path), _) => Self::read(path).map(Some),
            (None, Some(value)) => Self::new(value.as_encoded_bytes()).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The secret that is the whole of this file. Warns if others can read it too.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let unreadable = |error| SecretError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        if mode & OTHERS_READ != 0 {
            let path = path.display();
            log::warn!("every user of this machine can read {path}: chmod 600 {path}");
        }
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        Self::new(&bytes)
    }

    /// The secret, for whoever signs with it.
    pub(crate) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

/// `S_IROTH` of POSIX.
const OTHERS_READ: u32 = 0o004;

/// What is read of a file: enough to see that it is too long, whatever it is.
const FILE_BYTES_MAX: u64 = Secret::BYTES_MAX as u64 + 64;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why there is no secret. Says nothing of what was found instead.
#[derive(Debug)]
pub enum SecretError {
    /// It has less than [`Secret::BYTES_MIN`] bytes.
    TooShort,
    /// It has more than [`Secret::BYTES_MAX`] bytes.
    TooLong,
    /// Its file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl SecretError {
    /// The exit code: 2 where another secret would help, 1 where the file is out of reach.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::TooShort | Self::TooLong => 2,
            Self::Unreadable { .. } => 1,
        }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(
                f,
                "the secret needs at least {} bytes: make one with openssl rand -base64 32",
                Secret::BYTES_MIN
            ),
            Self::TooLong => write!(
                f,
                "the secret has more than {} bytes: is this the right file?",
                Secret::BYTES_MAX
            ),
            Self::Unreadable { path, error } => {
                write!(
                    f,
                    "the secret in {} cannot be read: {error}",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for SecretError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limits_and_one_past_them() {
        for (bytes, is_ok) in [
            (0, false),
            (31, false),
            (32, true),
            (4096, true),
            (4097, false),
        ] {
            let secret = Secret::new("s".repeat(bytes).as_bytes());
            assert_eq!(secret.is_ok(), is_ok, "{bytes}");
        }
    }

    #[test]
    fn white_space_around_it_does_not_count() {
        let padded = format!("\n  {} \r\n", "s".repeat(32));
        let secret = Secret::new(padded.as_bytes()).expect("32 bytes");
        assert_eq!(secret.reveal(), "s".repeat(32).as_bytes());
        let short = format!("{}\n", "s".repeat(31));
        assert!(matches!(
            Secret::new(short.as_bytes()),
            Err(SecretError::TooShort)
        ));
    }

    #[test]
    fn files_that_are_none() {
        for (path, exit_code) in [
            ("/no/such/file", 1),
            ("/", 1),
            ("/dev/null", 2),
            ("/dev/zero", 2),
        ] {
            let error = Secret::read(Path::new(path)).expect_err(path);
            assert_eq!(error.exit_code(), exit_code, "{path}: {error}");
        }
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let secret = Secret::new("s".repeat(32).as_bytes()).expect("32 bytes");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
