//! Why the relay does not restart ICE.

use std::fmt;

use crate::{FRAGMENT_BYTES_MAX, IceFragmentError};

/// Why an ICE restart was refused at signaling. The link goes on as it was.
///
/// As of [`Refusal`](crate::Refusal), each has a stable [code](Self::code) for programs, a sentence for
/// people (`Display`) and an HTTP [status](Self::http_status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartRefusal {
    /// There is no such session in that room, or its link has ended: a new one may go on with it.
    NoSuchSession,
    /// The fragment is longer than [`FRAGMENT_BYTES_MAX`].
    TooLarge,
    /// It is no fragment.
    BadFragment(IceFragmentError),
    /// The request does not say which ICE session it is about.
    NoPrecondition,
    /// The ICE session that it is about is over.
    Outdated,
    /// The relay is too busy to answer now.
    Busy,
}

impl RestartRefusal {
    /// A word for programs; it never changes its meaning.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchSession => "no_such_session",
            Self::TooLarge => "fragment_too_large",
            Self::BadFragment(_) => "bad_fragment",
            Self::NoPrecondition => "precondition_required",
            Self::Outdated => "precondition_failed",
            Self::Busy => "busy",
        }
    }

    /// The status of the HTTP response (RFC 9725 section 4.3.1, RFC 9110 section 15).
    pub fn http_status(&self) -> u16 {
        match self {
            Self::BadFragment(_) => 400,
            Self::NoSuchSession => 404,
            Self::Outdated => 412,
            Self::TooLarge => 413,
            Self::NoPrecondition => 428,
            Self::Busy => 503,
        }
    }
}

impl fmt::Display for RestartRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchSession => {
                f.write_str("there is no such session in this room, or it has ended")
            }
            Self::TooLarge => write!(f, "a fragment has at most {FRAGMENT_BYTES_MAX} bytes"),
            Self::BadFragment(what) => {
                write!(f, "this is not a fragment that can restart ICE: {what}")
            }
            Self::NoPrecondition => f.write_str(
                "say in If-Match which ICE session this is about: \"*\" to restart it, its entity tag for \
                 its candidates",
            ),
            Self::Outdated => f.write_str("the ICE session with this entity tag is over"),
            Self::Busy => f.write_str("the relay is too busy to answer"),
        }
    }
}

impl std::error::Error for RestartRefusal {}

impl From<IceFragmentError> for RestartRefusal {
    fn from(error: IceFragmentError) -> Self {
        Self::BadFragment(error)
    }
}
