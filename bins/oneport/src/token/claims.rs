//! What a token says.

use std::time::Duration;

use oneport_wire::{MemberName, RoomName, RoomPattern};
use serde::{Deserialize, Serialize};

use super::{Rights, Subject, TokenError, UnixTime};

/// How far `nbf` and `iat` may lie ahead: the clock of the machine that signs tokens may be ahead of the relay's
/// by as much. `oneport check` warns of clocks that are further apart. It costs nothing to be generous here, as
/// such a token is about to be valid.
pub const CLOCK_LEEWAY: Duration = Duration::from_secs(30);

/// How long after `exp` a token is still accepted. Machines that keep their time by NTP differ by less than a
/// second, and more leeway only keeps expired tokens alive.
pub const EXPIRY_LEEWAY: Duration = Duration::from_secs(5);

/// The claims of a token (RFC 7519 section 4), as they stand in it. Others are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The rooms that it is for.
    pub room: RoomPattern,
    /// The name that its bearer has as a member; if there is none, the bearer chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<MemberName>,
    /// What its bearer may do there. Each of publish and subscribe includes join.
    pub can: Rights,
    /// When it ends.
    pub exp: UnixTime,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<UnixTime>,
    /// When it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<UnixTime>,
    /// Who its bearer is, in the words of whoever signed it: nothing of the relay depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Subject>,
}

impl Claims {
    /// What an ordinary member needs: to join, publish and subscribe in these rooms until then.
    pub fn new(room: RoomPattern, exp: UnixTime) -> Self {
        Self {
            room,
            name: None,
            can: Rights::MEMBER,
            exp,
            nbf: None,
            iat: None,
            sub: None,
        }
    }

    /// What they grant at this moment, if they do.
    pub(super) fn grant_at(self, now: UnixTime) -> Result<Grant, TokenError> {
        // "On or after" (RFC 7519 section 4.1.4).
        if now >= self.exp + EXPIRY_LEEWAY {
            return Err(TokenError::Expired);
        }
        let is_ahead = |time: UnixTime| time > now + CLOCK_LEEWAY;
        if self.nbf.is_some_and(is_ahead) || self.iat.is_some_and(is_ahead) {
            return Err(TokenError::NotYetValid);
        }
        Ok(Grant {
            rooms: self.room,
            name: self.name,
            rights: self.can.with_implied(),
            expires: self.exp,
            subject: self.sub,
        })
    }
}

/// What the bearer of a valid token may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// In which rooms.
    pub rooms: RoomPattern,
    /// Under which name, if it is prescribed.
    pub name: Option<MemberName>,
    /// What.
    pub rights: Rights,
    /// Until when, not counting [`EXPIRY_LEEWAY`].
    pub expires: UnixTime,
    /// Who that is, if the token says so.
    pub subject: Option<Subject>,
}

impl Grant {
    /// Whether all of this may be done in that room.
    ///
    /// # Errors
    ///
    /// [`TokenError::WrongRoom`] or else [`TokenError::MissingRight`] with the first one missing.
    pub fn allows(&self, room: &RoomName, needed: Rights) -> Result<(), TokenError> {
        if !self.rooms.matches(room) {
            return Err(TokenError::WrongRoom {
                room: room.clone(),
                rooms: self.rooms.clone(),
            });
        }
        match needed.without(self.rights).iter().next() {
            Some(right) => Err(TokenError::MissingRight(right)),
            None => Ok(()),
        }
    }
}
