//! What a relay leaves to the next one.

use std::fmt;

use oneport_wire::{
    MemberId, MemberName, Offset, RequestId, ResumeToken, RoomName, SessionId, SessionLabel,
    UnixMillis,
};
use serde::{Deserialize, Serialize};

use crate::announced::Key as AnnouncedKey;
use crate::hub::{Flaw, RoomState};
use crate::sessions::Stay;
use crate::{Grant, Rights};

/// What a relay leaves to the next one, so that its clients notice a pause and not a loss: rooms with
/// their members and what was said, and the sessions of framed clients. [`Relay::state`] makes one,
/// [`Relay::restore`] goes on with it.
///
/// It contains what was said and what brings sessions back: it is as secret as both.
///
/// [`Relay::state`]: crate::Relay::state
/// [`Relay::restore`]: crate::Relay::restore
#[derive(Serialize, Deserialize)]
pub struct State<'a> {
    #[serde(borrow)]
    pub(crate) rooms: Vec<RoomState<'a>>,
    pub(crate) sessions: Vec<SessionState>,
    /// The operator's announcements, oldest first.
    pub(crate) announced: Vec<(AnnouncedKey, Offset)>,
}

/// A session, as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct SessionState {
    pub(crate) label: SessionLabel,
    pub(crate) resume: ResumeToken,
    pub(crate) url: (RoomName, SessionId),
    pub(crate) stays: Vec<StayState>,
    /// Oldest first.
    pub(crate) published: Vec<(RequestId, Offset)>,
}

/// A session's stay in a room, as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StayState {
    pub(crate) room: RoomName,
    pub(crate) member: MemberId,
    pub(crate) began: Offset,
    publish: bool,
    subscribe: bool,
    kick: bool,
    name: Option<MemberName>,
    expires: Option<UnixMillis>,
}

impl StayState {
    pub(crate) fn new(room: RoomName, member: MemberId, stay: &Stay) -> Self {
        let Grant {
            rights,
            name,
            expires,
        } = stay.grant.clone();
        let Rights {
            publish,
            subscribe,
            kick,
        } = rights;
        Self {
            room,
            member,
            began: stay.began,
            publish,
            subscribe,
            kick,
            name,
            expires,
        }
    }

    pub(crate) fn grant(&self) -> Grant {
        Grant {
            rights: Rights {
                publish: self.publish,
                subscribe: self.subscribe,
                kick: self.kick,
            },
            name: self.name.clone(),
            expires: self.expires,
        }
    }
}

impl<'a> State<'a> {
    /// The version of the bytes. They have no names in them, so whatever changes the types above, or
    /// those in `hub/state.rs`, makes another one.
    pub const VERSION: u16 = 3;

    /// As bytes: the version (big-endian), and then what `postcard` makes of it.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = Self::VERSION.to_be_bytes().to_vec();
        let written = postcard::to_extend(self, bytes);
        written.expect("memory takes whatever has a known length, as all of this has")
    }

    /// A state from its bytes.
    ///
    /// # Errors
    ///
    /// [`StateError`], where they are not what [`Self::encode`] makes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, StateError> {
        let (version, body) = bytes.split_first_chunk().ok_or(StateError::NotOne)?;
        let version = u16::from_be_bytes(*version);
        if version != Self::VERSION {
            return Err(StateError::Version(version));
        }
        match postcard::take_from_bytes(body) {
            Ok((state, [])) => Ok(state),
            _ => Err(StateError::NotOne),
        }
    }
}

/// Why a relay cannot go on with a state. It is as it was, and no part of it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// It is of a relay that stores something else: a newer one, or one too old.
    Version(u16),
    /// It is not what a relay stores.
    NotOne,
    /// No relay can have been in such a state.
    Impossible(&'static str),
}

impl From<Flaw> for StateError {
    fn from(flaw: Flaw) -> Self {
        Self::Impossible(flaw)
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(
                f,
                "it has version {version}, and this relay knows only {}",
                State::VERSION
            ),
            Self::NotOne => f.write_str("it is not what a relay stores"),
            Self::Impossible(flaw) => write!(f, "there is {flaw} in it"),
        }
    }
}

impl std::error::Error for StateError {}
