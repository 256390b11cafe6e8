//! Why a participant cannot go on.

use std::fmt;
use std::io;
use std::time::Duration;

use oneport_client::CommandError;

/// Why a [`Participant`](crate::Participant) cannot do something.
#[derive(Debug)]
pub enum ParticipantError {
    /// The URL is none of a relay. The text says why.
    Url(&'static str),
    /// Nobody answers there.
    Unreachable {
        /// Where.
        authority: String,
        /// Why.
        cause: io::Error,
    },
    /// The relay, or what stands there instead, does not take us in.
    Refused {
        /// The status of its response.
        status: u16,
        /// What it says.
        message: String,
        /// After how long it may say something else.
        retry_after: Option<Duration>,
    },
    /// What answers there is no relay. The text says why.
    Garbled(&'static str),
    /// The client could not carry out a command.
    Command(CommandError),
    /// The client has ended.
    Stopped,
    /// The system refuses something.
    Io(io::Error),
}

impl ParticipantError {
    /// Whether it is of no use to try again.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused {
                status,
                retry_after,
                ..
            } => {
                let is_about_time = [408, 429].contains(status) || retry_after.is_some();
                (300..500).contains(status) && !is_about_time
            }
            Self::Url(_) | Self::Stopped => true,
            Self::Unreachable { .. } | Self::Garbled(_) | Self::Command(_) | Self::Io(_) => false,
        }
    }

    /// After how long it may be of use.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for ParticipantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => f.write_str(why),
            Self::Unreachable { authority, cause } => {
                write!(f, "cannot reach {authority}: {cause}")
            }
            Self::Refused {
                status, message, ..
            } => write!(f, "refused ({status}): {message}"),
            Self::Garbled(why) => write!(f, "this is no relay: {why}"),
            Self::Command(error) => error.fmt(f),
            Self::Stopped => f.write_str("the client has ended"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ParticipantError {}

impl From<io::Error> for ParticipantError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
