use std::{fmt, io, time::Duration};

use oneport::ParticipantError;

/// The result of everything here, and of a test: `fn it_works() -> Result`.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Why the test support could not do what a test asked.
pub enum Error {
    /// A program is missing, or did not come up.
    Start {
        /// The program.
        program: String,
        /// What went wrong, with what it printed.
        why: String,
    },
    /// A bounded wait ran out.
    Expired {
        /// What was waited for.
        what: String,
        /// For how long.
        after: Duration,
        /// What was seen instead: the last value, the console, where a screenshot lies.
        seen: String,
    },
    /// A script threw, or its promise was rejected.
    Exception {
        /// The exception's text as the browser gives it.
        message: String,
    },
    /// The browser refused a command of its driver.
    Refused {
        /// The command.
        method: String,
        /// The browser's reason.
        message: String,
    },
    /// The other side has closed its connection: the program is gone.
    Gone {
        /// Which connection.
        what: String,
    },
    /// This browser has no such command.
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
    /// What arrived is not what the protocol says.
    Garbled {
        /// What arrived.
        what: String,
    },
    /// A socket, file or process failed.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { program, why } => write!(f, "{program} did not start: {why}"),
            Self::Expired { what, after, seen } => {
                write!(f, "waited {after:?} for {what}\n  seen: {seen}")
            }
            Self::Exception { message } => write!(f, "the script threw: {message}"),
            Self::Refused { method, message } => {
                write!(f, "the browser refused {method}: {message}")
            }
            Self::Gone { what } => write!(f, "{what} is gone"),
            Self::Unsupported { what } => write!(f, "this browser has no way to {what}"),
            Self::Garbled { what } => write!(f, "not understood: {what}"),
            Self::Io(error) => write!(f, "{error}"),
        }
    }
}

/// The same as [`fmt::Display`]: it is what a test that returns an `Err` prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

impl From<ParticipantError> for Error {
    fn from(error: ParticipantError) -> Self {
        Self::Gone {
            what: format!("a participant ({error})"),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
