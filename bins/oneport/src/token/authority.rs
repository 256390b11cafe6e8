//! Who signs access tokens and checks them.

use std::collections::HashSet;
use std::fmt;

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use oneport_wire::AccessToken;

use super::{Claims, Grant, Secret, TokenError, UnixTime};

/// What has the secret: mints tokens and verifies them.
///
/// Signatures are compared in constant time: the library hands them to aws-lc's `hmac::verify`,
/// which ends with its `CRYPTO_memcmp`. So a wrong signature does not tell how wrong it is.
pub struct Authority {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Authority {
    /// The authority that this secret makes.
    pub fn new(secret: &Secret) -> Self {
        Self {
            encoding: EncodingKey::from_secret(secret.reveal()),
            decoding: DecodingKey::from_secret(secret.reveal()),
            validation: validation(),
        }
    }

    /// A token that says this.
    pub fn mint(&self, claims: &Claims) -> String {
        jsonwebtoken::encode(&Header::new(ALGORITHM), claims, &self.encoding)
            .expect("claims are always JSON, and the key is one for HMAC")
    }

    /// What a token grants at this moment.
    ///
    /// Nothing of a token is believed, or parsed beyond its header, before its signature is found
    /// right. The header may only say `HS256`: who chooses the algorithm chooses the security
    /// (RFC 8725 section 3.1).
    ///
    /// # Errors
    ///
    /// [`TokenError`], with [`WrongRoom`](TokenError::WrongRoom) and
    /// [`MissingRight`](TokenError::MissingRight) left to [`Grant::allows`].
    pub fn verify(&self, token: &str, now: UnixTime) -> Result<Grant, TokenError> {
        if token.len() > AccessToken::BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let data = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|error| token_error(&error))?;
        // "Critical" is what must be understood or refused (RFC 7515 section 4.1.11), and the
        // library leaves that to us.
        if data.header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        data.claims.grant_at(now)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(..)")
    }
}

const ALGORITHM: Algorithm = Algorithm::HS256;

/// What the library checks beside the signature. Times are not among it: it would ask the system's
/// clock, and ours comes in. A token for another audience is refused, because this relay has no name
/// that could be in `aud` (RFC 7519 section 4.1.3).
fn validation() -> Validation {
    let mut validation = Validation::new(ALGORITHM);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    // `Claims` cannot be read without what it needs.
    validation.required_spec_claims = HashSet::new();
    validation
}

fn token_error(error: &Error) -> TokenError {
    match error.kind() {
        ErrorKind::InvalidSignature => TokenError::BadSignature,
        ErrorKind::InvalidAlgorithm => TokenError::WrongAlgorithm,
        ErrorKind::InvalidAudience => TokenError::OtherAudience,
        // Base64 or JSON; "none" and names that the library does not know are among the latter.
        _ => TokenError::Malformed,
    }
}

#[cfg(test)]
mod tests;
