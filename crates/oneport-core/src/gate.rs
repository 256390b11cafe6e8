//! The embedder's say in who comes in and what is said.

use std::net::IpAddr;
use std::time::Duration;

use oneport_wire::frame::Class;
use oneport_wire::{
    AccessToken, ErrorCode, MemberId, MemberName, Payload, Recipients, RoomName, SessionLabel,
    Topic, UnixMillis,
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

impl Grant {
    /// Returns what both grants allow: the rights of both, the end of the one that expires first, and
    /// the name that `bound` prescribes, or else its own.
    #[must_use]
    pub fn within(self, bound: &Self) -> Self {
        let ends = [self.expires, bound.expires].into_iter().flatten();
        Self {
            rights: self.rights.within(bound.rights),
            name: bound.name.clone().or(self.name),
            expires: ends.min(),
        }
    }
}

/// A request to join a room over a framed channel.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Admission<'a> {
    /// The room to join.
    pub room: &'a RoomName,
    /// The name that the client asks for.
    pub name: Option<&'a MemberName>,
    /// The access token that the client shows in its `join`.
    pub token: Option<&'a AccessToken>,
    /// What signaling granted for this room, if it is the room of the link and the `join` shows no token
    /// of its own. The relay grants no more than this, whatever the gate returns.
    pub granted: Option<&'a Grant>,
    /// The address that the offer came from, as signaling knows it; `None` while the session has no
    /// link.
    pub address: Option<IpAddr>,
    /// The public name of the client's session, as in the log and on `/status`. It is not a credential.
    pub session: SessionLabel,
    /// The current time.
    pub now: UnixMillis,
}

/// A message before it is published.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Draft<'a> {
    /// The room that the message is for.
    pub room: &'a RoomName,
    /// The member that publishes it.
    pub from: MemberId,
    /// Its topic; of a plain channel, the label.
    pub topic: &'a Topic,
    /// The members that it is for; `None` is everybody in the room.
    pub to: Option<&'a Recipients>,
    /// How it is kept and delivered.
    pub class: Class,
    /// Its payload.
    pub payload: &'a Payload<'a>,
}

/// The gate's decision about a [`Draft`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Publish it unchanged.
    Accept,
    /// Publish this payload instead.
    Rewrite(Payload<'static>),
    /// Do not publish it. A framed client receives the reason (`err refused`); a plain client's channel
    /// is closed.
    Refuse(String),
}

/// The embedder's decisions about joins and messages. [`Relay`](crate::Relay) calls it on its own
/// thread, so its methods must not block. Without a gate everything is accepted, within what signaling
/// granted for a link's own room.
///
/// ```
/// use oneport_core::{Admission, Draft, ErrorCode, Gate, Grant, Verdict};
///
/// struct House;
///
/// impl Gate for House {
///     /// Accepts signaling's grant for the link's own room, and nobody elsewhere. The name is
///     /// prescribed, so that the member cannot change it later.
///     fn admit(&mut self, admission: Admission<'_>) -> Result<Grant, ErrorCode> {
///         let granted = admission.granted.ok_or(ErrorCode::Forbidden)?;
///         let name = admission.name.filter(|name| name.as_str() != "admin");
///         let name = name.ok_or(ErrorCode::Refused)?;
///         Ok(Grant { name: Some(name.clone()), ..granted.clone() })
///     }
///
///     /// Allows direct messages in lower case only.
///     fn judge(&mut self, draft: Draft<'_>) -> Verdict {
///         match (draft.to, str::from_utf8(draft.payload.as_bytes())) {
///             (Some(_), Ok(text)) => Verdict::Rewrite(text.to_lowercase().into()),
///             (Some(_), Err(_)) => Verdict::Refuse("text only".into()),
///             (None, _) => Verdict::Accept,
///         }
///     }
/// }
/// ```
pub trait Gate: Send {
    /// Decides whether a client may join a room over a framed channel, and with which rights. It is
    /// asked for every room that a session joins, the link's own room included. It is not asked when a
    /// session returns to a room that it is still a member of.
    ///
    /// A member may change its name later unless the grant prescribes one: to approve a name, return it
    /// in [`Grant::name`]. The member of a plain channel does not pass here; it has the grant that
    /// [`Relay::connect`](crate::Relay::connect) takes.
    ///
    /// # Errors
    ///
    /// The code of the `err` that the client receives, for example [`ErrorCode::TokenMissing`].
    fn admit(&mut self, admission: Admission<'_>) -> Result<Grant, ErrorCode>;

    /// Returns after how long a join that [`Self::admit`] has just refused may succeed. The client receives it
    /// with the `err` and joins again by itself. The default is never.
    fn retry_after(&mut self, admission: Admission<'_>, refusal: ErrorCode) -> Option<Duration> {
        let _ = (admission, refusal);
        None
    }

    /// Decides whether a message is published, and with which payload. The default accepts everything.
    fn judge(&mut self, draft: Draft<'_>) -> Verdict {
        let _ = draft;
        Verdict::Accept
    }
}
