//! The embedder's say in who comes in and what is said.

use oneport_wire::{
    AccessToken, ErrorCode, MemberId, MemberName, Payload, RoomName, Topic, UnixMillis,
};

use crate::Rights;

/// What somebody may do in a room, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What.
    pub rights: Rights,
    /// Under which name, if it is prescribed; otherwise the member chooses.
    pub name: Option<MemberName>,
    /// Until when; afterwards the member is sent away. `None` is for ever.
    pub expires: Option<UnixMillis>,
}

impl Default for Grant {
    /// What everybody has where nobody says otherwise: [`Rights::OPEN`], for ever.
    fn default() -> Self {
        Self {
            rights: Rights::OPEN,
            name: None,
            expires: None,
        }
    }
}

/// Somebody who wants into a room.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// Which room.
    pub room: &'a RoomName,
    /// The name that it would like.
    pub name: Option<&'a MemberName>,
    /// The access token that it shows.
    pub token: Option<&'a AccessToken>,
    /// The time.
    pub now: UnixMillis,
}

/// A message on its way into a room.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Which room.
    pub room: &'a RoomName,
    /// Who publishes it.
    pub from: MemberId,
    /// What it is about.
    pub topic: &'a Topic,
    /// What it carries.
    pub payload: &'a Payload<'a>,
}

/// What becomes of a [`Draft`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is published as it is.
    Accept,
    /// This is published in its place.
    Rewrite(Payload<'static>),
    /// It is not published; a framed client is told why (`err refused`), of a plain one the channel
    /// is closed.
    Refuse(String),
}

/// The embedder's code on the two ways into a room: of members and of messages. It is asked by
/// [`Relay`](crate::Relay) on its thread, so it must answer at once. Without a gate nothing is asked
/// and everybody has [`Grant::default`].
pub trait Gate: Send {
    /// Whether somebody may come in over a framed channel, and as what. Whoever came in by signaling
    /// has been asked there ([`Relay::connect`](crate::Relay::connect) takes the grant).
    ///
    /// # Errors
    ///
    /// The code of the `err` that is its answer, for example [`ErrorCode::TokenMissing`].
    fn admit(&mut self, admission: Admission<'_>) -> Result<Grant, ErrorCode>;

    /// Whether a message may be published, and as what. Accepts everything unless you say otherwise.
    fn judge(&mut self, draft: Draft<'_>) -> Verdict {
        let _ = draft;
        Verdict::Accept
    }
}
