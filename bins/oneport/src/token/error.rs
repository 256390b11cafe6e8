//! Why a token does not let in.

use std::fmt;

use oneport_wire::{AccessToken, Refusal, RoomName, RoomPattern};

use super::Right;

/// Why a token does not let its bearer in: the bearer's fault, or that of whoever signed the token.
///
/// None of these holds anything of a token that was not found to be signed by us, so all of them may
/// be logged. The client hears only the [`refusal`](Self::refusal).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// There is none.
    Missing,
    /// It is longer than [`AccessToken::BYTES_MAX`].
    TooLong,
    /// It is no JWT, or lacks what ours must have, or has that in another form.
    Malformed,
    /// It is a JWT, but signed by another algorithm than HS256.
    WrongAlgorithm,
    /// It was not signed with our secret, or changed since.
    BadSignature,
    /// It is meant for somebody else (`aud`).
    OtherAudience,
    /// It was valid once.
    Expired,
    /// It will be valid (`nbf`), or was signed in the future (`iat`).
    NotYetValid,
    /// It is for other rooms.
    WrongRoom {
        /// The room that was asked for.
        room: RoomName,
        /// The rooms that it is for.
        rooms: RoomPattern,
    },
    /// It does not include this.
    MissingRight(Right),
}

impl TokenError {
    /// A word for programs: `token_missing`, `token_bad`, `token_expired` or `forbidden`.
    pub fn code(&self) -> &'static str {
        self.refusal().code()
    }

    /// What the client hears.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Missing => Refusal::TokenMissing,
            Self::TooLong
            | Self::Malformed
            | Self::WrongAlgorithm
            | Self::BadSignature
            | Self::OtherAudience => Refusal::TokenBad,
            Self::NotYetValid => Refusal::TokenNotYetValid,
            Self::Expired => Refusal::TokenExpired,
            Self::WrongRoom { .. } | Self::MissingRight(_) => Refusal::Forbidden,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no access token"),
            Self::TooLong => {
                let bytes_max = AccessToken::BYTES_MAX;
                write!(f, "an access token has at most {bytes_max} bytes")
            }
            Self::Malformed => {
                f.write_str("the access token is not a JWT by HS256 with room, can and exp")
            }
            Self::WrongAlgorithm => f.write_str("the access token is not signed by HS256"),
            Self::BadSignature => f.write_str("the access token is signed with another secret"),
            Self::OtherAudience => f.write_str("the access token is for another audience"),
            Self::Expired => f.write_str("the access token has expired"),
            Self::NotYetValid => f.write_str("the access token is not valid yet"),
            Self::WrongRoom { room, rooms } => {
                write!(f, "the access token is for {rooms}, not for {room}")
            }
            Self::MissingRight(right) => write!(f, "the access token lacks the right {right}"),
        }
    }
}

impl std::error::Error for TokenError {}
