//! Access tokens on framed channels, and what a token means to the relay.

use std::sync::Arc;

use oneport_core::{Admission, Gate, Grant, Rights};
use oneport_wire::{ErrorCode, UnixMillis};

use crate::token::{self, Authority, Right, TokenError, UnixTime};

/// Asks everybody who joins a room over a framed channel for an access token.
pub(crate) struct TokenGate(pub(crate) Arc<Authority>);

impl Gate for TokenGate {
    fn admit(&mut self, admission: Admission<'_>) -> Result<Grant, ErrorCode> {
        // The token that was shown at signaling counts for the link's own room.
        if let Some(granted) = admission.granted {
            return Ok(granted.clone());
        }
        let token = admission.token.ok_or(ErrorCode::TokenMissing)?;
        let now = UnixTime::from_secs(admission.now.get() / 1000);
        let verified = self.0.verify(token.reveal(), now);
        let granted = verified.and_then(|granted| {
            granted.allows(admission.room, Right::Join.into())?;
            Ok(granted)
        });
        match granted {
            Ok(granted) => Ok(grant(&granted)),
            Err(error) => {
                log::debug!("room {}: {error}", admission.room);
                Err(error_code(&error))
            }
        }
    }
}

/// What a token grants, as the relay sees it.
pub(crate) fn grant(granted: &token::Grant) -> Grant {
    let expires_ms = granted.expires.as_secs().saturating_mul(1000);
    Grant {
        rights: Rights {
            publish: granted.rights.contains(Right::Publish),
            subscribe: granted.rights.contains(Right::Subscribe),
            kick: granted.rights.contains(Right::Kick),
        },
        name: granted.name.clone(),
        expires: Some(UnixMillis::new(expires_ms).unwrap_or(UnixMillis::MAX)),
    }
}

fn error_code(error: &TokenError) -> ErrorCode {
    match error {
        TokenError::Missing => ErrorCode::TokenMissing,
        TokenError::Expired => ErrorCode::TokenExpired,
        TokenError::WrongRoom { .. } | TokenError::MissingRight(_) => ErrorCode::Forbidden,
        TokenError::TooLong
        | TokenError::Malformed
        | TokenError::WrongAlgorithm
        | TokenError::BadSignature
        | TokenError::OtherAudience
        | TokenError::NotYetValid => ErrorCode::TokenBad,
    }
}
