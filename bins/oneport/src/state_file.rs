//! The file in which a relay leaves its state to the next one.
//!
//! It is there only while no relay runs: whoever starts takes it away before it serves anybody. So a
//! relay that is killed leaves nothing, and the one after it knows nothing, which it says
//! (`recovered: false`); an old state is never taken for the truth.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use oneport_core::{Restored, State, StateError};

/// What the file begins with. Then come the length of the state (8 bytes, big-endian), its SHA-256 (of
/// the library that is there anyway), and the state.
const MAGIC: &[u8; 16] = b"oneport state 1\n";

const HEADER_BYTES: usize = MAGIC.len() + size_of::<u64>() + SHA256_OUTPUT_LEN;

/// The largest file. With the default limits all rings together hold 1 GiB; more than four times that
/// is no state, or one that nobody could read into memory.
const BYTES_MAX: u64 = 4 << 30;

/// How long to wait for the relay before this one: it may still be writing.
const LOCK_WAIT: Duration = Duration::from_secs(20);

const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The place for the state, which belongs to this process.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    folder: PathBuf,
    /// Held until the end of the process: what two relays would leave to the same heir contradicts itself.
    _lock: File,
}

impl StateFile {
    /// Claims the place, and sees that a state can be left there: at the end it would be too late.
    pub(crate) fn claim(path: &Path) -> Result<Self, StateFileError> {
        let failed = |error| StateFileError::Unusable {
            path: path.to_owned(),
            error,
        };
        if path.file_name().is_none() || path.is_dir() {
            return Err(failed(ErrorKind::IsADirectory.into()));
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let lock = private(&beside(path, "lock"), false).map_err(failed)?;
        let begun = Instant::now();
        while let Err(error) = lock.try_lock() {
            match error {
                TryLockError::WouldBlock if begun.elapsed() < LOCK_WAIT => {
                    std::thread::sleep(LOCK_PAUSE);
                }
                TryLockError::WouldBlock => {
                    return Err(StateFileError::Taken(path.to_owned()));
                }
                TryLockError::Error(error) => return Err(failed(error)),
            }
        }
        let file = Self {
            path: path.to_owned(),
            folder,
            _lock: lock,
        };
        file.try_writing().map_err(failed)?;
        Ok(file)
    }

    fn try_writing(&self) -> io::Result<()> {
        let new = beside(&self.path, "new");
        private(&new, true)?.write_all(MAGIC)?;
        fs::remove_file(new)?;
        self.sync_folder()
    }

    /// What the state restores, if there is one. It must be [forgotten](Self::forget) before anybody is
    /// served. A file that is none is set aside, and nothing of it is used.
    pub(crate) fn read<T>(
        &self,
        restore: impl FnOnce(State<'_>) -> Result<(T, Restored), StateError>,
    ) -> Result<Option<T>, StateFileError> {
        let begun = Instant::now();
        let shown = self.path.display();
        let failed = |error| StateFileError::Unusable {
            path: self.path.clone(),
            error,
        };
        let restored = match self.bytes() {
            Err(Unreadable::Io(error)) if error.kind() == ErrorKind::NotFound => {
                log::info!("there is no state in {shown}: beginning without rooms and sessions");
                return Ok(None);
            }
            // It may well be a good one.
            Err(Unreadable::Io(error)) => return Err(failed(error)),
            Err(error) => Err(error),
            Ok(bytes) => body(&bytes)
                .and_then(|body| Ok(State::decode(body)?))
                .and_then(|state| Ok(restore(state)?)),
        };
        match restored {
            Ok((value, restored)) => {
                tell(&restored, begun.elapsed());
                Ok(Some(value))
            }
            Err(error) => {
                let aside = beside(&self.path, &format!("damaged-{}", unix_millis()));
                fs::rename(&self.path, &aside).map_err(failed)?;
                let aside = aside.display();
                log::error!(
                    "the state in {shown} cannot be used, for {error}: it is now {aside}, and the relay begins without rooms and sessions"
                );
                Ok(None)
            }
        }
    }

    /// Takes the file away: whatever becomes of this machine, it must not come back.
    pub(crate) fn forget(&self) -> Result<(), StateFileError> {
        let removed = match fs::remove_file(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            removed => removed.and_then(|()| self.sync_folder()),
        };
        removed.map_err(|error| StateFileError::Unusable {
            path: self.path.clone(),
            error,
        })
    }

    fn bytes(&self) -> Result<Vec<u8>, Unreadable> {
        let file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        if length > BYTES_MAX {
            return Err(Unreadable::Foreign);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Leaves a state: all of it or none, whatever happens meanwhile.
    pub(crate) fn leave(&self, state: &State<'_>) -> io::Result<()> {
        let begun = Instant::now();
        let body = state.encode();
        let length = body.len() as u64;
        if length > BYTES_MAX - HEADER_BYTES as u64 {
            return Err(io::Error::other(format!("{length} bytes are too many")));
        }
        let new = beside(&self.path, "new");
        let written = (|| {
            let mut file = private(&new, true)?;
            file.write_all(MAGIC)?;
            file.write_all(&length.to_be_bytes())?;
            file.write_all(digest(&SHA256, &body).as_ref())?;
            file.write_all(&body)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            self.sync_folder()
        })();
        match &written {
            Ok(()) => log::info!(
                "the state is in {}: {length} bytes, written in {} ms",
                self.path.display(),
                begun.elapsed().as_millis()
            ),
            // A part of it helps nobody, and may fill the disk.
            Err(_) => drop(fs::remove_file(&new)),
        }
        written
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// What is in the file after its header, if it is what was written.
fn body(bytes: &[u8]) -> Result<&[u8], Unreadable> {
    let (magic, rest) = bytes.split_first_chunk().ok_or(Unreadable::Foreign)?;
    if magic != MAGIC {
        return Err(Unreadable::Foreign);
    }
    let (length, rest) = rest.split_first_chunk().ok_or(Unreadable::Truncated)?;
    let (sum, body) = rest
        .split_first_chunk::<SHA256_OUTPUT_LEN>()
        .ok_or(Unreadable::Truncated)?;
    if body.len() as u64 != u64::from_be_bytes(*length) {
        return Err(Unreadable::Truncated);
    }
    match digest(&SHA256, body).as_ref() == sum {
        true => Ok(body),
        false => Err(Unreadable::Damaged),
    }
}

fn tell(restored: &Restored, took: Duration) {
    let Restored {
        rooms,
        sessions,
        entries,
        rooms_dropped,
        sessions_dropped,
        stays_dropped,
        entries_dropped,
    } = restored;
    log::info!(
        "going on with {rooms} rooms, {entries} entries and {sessions} sessions, after {} ms",
        took.as_millis()
    );
    if rooms_dropped + sessions_dropped + stays_dropped > 0 {
        log::warn!(
            "the limits have no place for {rooms_dropped} rooms, {sessions_dropped} sessions and \
             {stays_dropped} members of the state: they are gone"
        );
    }
    if *entries_dropped > 0 {
        log::info!("{entries_dropped} entries are too old or too many by now");
    }
}

/// A file of this name with something added to it.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

/// Opens a file for writing that only its owner may read.
fn private(path: &Path, is_new: bool) -> io::Result<File> {
    if is_new
        && let Err(error) = fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    match is_new {
        true => options.create_new(true),
        false => options.create(true).truncate(false),
    };
    options.open(path)
}

fn unix_millis() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_millis()
}

/// Why a file is no state.
#[derive(Debug)]
enum Unreadable {
    Io(io::Error),
    Foreign,
    Truncated,
    Damaged,
    State(StateError),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<StateError> for Unreadable {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Foreign => f.write_str("it is no relay's"),
            Self::Truncated => f.write_str("it has not the length that it should have"),
            Self::Damaged => f.write_str("its checksum is another one"),
            Self::State(error) => error.fmt(f),
        }
    }
}

/// Why there cannot be a state.
#[derive(Debug)]
pub enum StateFileError {
    /// Nothing can be left or taken there.
    Unusable {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another relay that runs will leave its own there.
    Taken(PathBuf),
}

impl StateFileError {
    /// The exit code: 2 where another setting is needed, 1 where waiting may help.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unusable { error, .. } => match error.kind() {
                ErrorKind::NotFound
                | ErrorKind::NotADirectory
                | ErrorKind::IsADirectory
                | ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem => 2,
                _ => 1,
            },
            Self::Taken(_) => 1,
        }
    }
}

impl fmt::Display for StateFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { path, error } => {
                write!(f, "no state can be kept in {}: {error}", path.display())
            }
            Self::Taken(path) => write!(
                f,
                "another relay that runs keeps its state in {}",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StateFileError {}
