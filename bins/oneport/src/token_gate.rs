//! Access tokens on framed channels, and what a token means to the relay.

use std::sync::Arc;
use std::time::Duration;

use oneport_core::{Admission, Gate, Grant, Rights};
use oneport_wire::{ErrorCode, UnixMillis};

use crate::token::{self, Authority, Right, TokenError, UnixTime};

/// Asks everybody who joins a room over a framed channel for an access token.
pub(crate) struct TokenGate(pub(crate) Arc<Authority>);

impl TokenGate {
    fn verify(&self, admission: Admission<'_>) -> Result<token::Grant, TokenError> {
        let token = admission.token.ok_or(TokenError::Missing)?;
        let now = UnixTime::from_secs(admission.now.get() / 1000);
        let granted = self.0.verify(token.reveal(), now)?;
        granted.allows(admission.room, Right::Join.into())?;
        Ok(granted)
    }
}

impl Gate for TokenGate {
    fn admit(&mut self, admission: Admission<'_>) -> Result<Grant, ErrorCode> {
        // The token that was shown at signaling counts for the link's own room.
        if let Some(granted) = admission.granted {
            return Ok(granted.clone());
        }
        match self.verify(admission) {
            Ok(granted) => Ok(grant(&granted)),
            Err(error) => {
                log::debug!("room {}: {error}", admission.room);
                Err(error_code(&error))
            }
        }
    }

    /// As signaling does, for a token that will be valid.
    fn retry_after(&mut self, admission: Admission<'_>, _: ErrorCode) -> Option<Duration> {
        retry_after(&self.verify(admission).err()?)
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

fn retry_after(error: &TokenError) -> Option<Duration> {
    let seconds = error.refusal().retry_after_secs()?;
    Some(Duration::from_secs(seconds.into()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_that_will_be_valid_is_tried_again() {
        for (error, may_retry) in [
            (TokenError::NotYetValid, true),
            (TokenError::Expired, false),
            (TokenError::BadSignature, false),
            (TokenError::MissingRight(Right::Join), false),
        ] {
            assert_eq!(retry_after(&error).is_some(), may_retry, "{error}");
        }
        assert_eq!(error_code(&TokenError::NotYetValid), ErrorCode::TokenBad);
    }
}
