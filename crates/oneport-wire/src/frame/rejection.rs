//! `err`: why a frame was not carried out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::codes::ErrorCode;
use crate::ids::{MemberId, NotHex};
use crate::meta::MetaError;
use crate::names::{RequestId, TextError};
use crate::recipients::RecipientsError;
use crate::secrets::AccessTokenError;
use crate::{RoomName, RoomNameError};

/// `err`: why a client's frame was not carried out. Nothing of the frame was.
///
/// This is also what decoding a bad frame results in: the relay sends it as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The `id` of the frame that this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Why, for programs. A client that does not know a code reads `internal`.
    #[serde(deserialize_with = "super::json::code_or_internal")]
    pub code: ErrorCode,
    /// Why, for people.
    pub message: Cow<'static, str>,
    /// The room that the frame was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// The member that was the obstacle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// The limit that the frame was beyond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// After so many milliseconds the same frame may succeed; `None` if time does not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}

impl Rejection {
    /// With this code and message, and nothing else yet.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            id: None,
            code,
            message: message.into(),
            room: None,
            member: None,
            limit: None,
            retry_after_ms: None,
        }
    }

    /// With this code, and its [meaning](ErrorCode::meaning) as the message.
    pub fn of(code: ErrorCode) -> Self {
        Self::new(code, code.meaning())
    }

    /// The answer to a frame of more than `limits.frame_bytes`.
    pub fn too_large(frame_bytes_max: u32) -> Self {
        Self {
            limit: Some(frame_bytes_max),
            ..Self::new(
                ErrorCode::TooLarge,
                format!("a frame has at most {frame_bytes_max} bytes"),
            )
        }
    }

    pub(super) fn bad_frame(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::BadFrame, message)
    }

    fn beyond(code: ErrorCode, limit: Option<usize>, message: String) -> Self {
        Self {
            limit: limit.and_then(|limit| limit.try_into().ok()),
            ..Self::new(code, message)
        }
    }
}

impl From<TextError> for Rejection {
    fn from(error: TextError) -> Self {
        Self::beyond(error.code(), error.limit(), error.to_string())
    }
}

impl From<RoomNameError> for Rejection {
    fn from(error: RoomNameError) -> Self {
        let is_too_long = matches!(error, RoomNameError::TooLong { .. });
        let limit = is_too_long.then_some(RoomName::BYTES_MAX);
        Self::beyond(ErrorCode::BadRoom, limit, error.to_string())
    }
}

impl From<MetaError> for Rejection {
    fn from(error: MetaError) -> Self {
        let is_too_large = matches!(error, MetaError::TooLarge { .. });
        let limit = is_too_large.then_some(crate::Meta::BYTES_MAX);
        Self::beyond(error.code(), limit, error.to_string())
    }
}

impl From<RecipientsError> for Rejection {
    fn from(error: RecipientsError) -> Self {
        let is_too_many = matches!(error, RecipientsError::TooMany { .. });
        let limit = is_too_many.then_some(crate::Recipients::COUNT_MAX);
        Self::beyond(error.code(), limit, error.to_string())
    }
}

impl From<AccessTokenError> for Rejection {
    fn from(error: AccessTokenError) -> Self {
        Self::new(ErrorCode::TokenBad, error.to_string())
    }
}

impl From<NotHex> for Rejection {
    fn from(error: NotHex) -> Self {
        Self::bad_frame(error.to_string())
    }
}
