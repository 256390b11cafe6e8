//! Access tokens: who may enter which rooms, and do what there.
//!
//! A token is a JWT (RFC 7519) signed with HMAC-SHA256 (`HS256`, RFC 7518 section 3.2), by
//! `oneport token` or by any JWT library that has the relay's secret:
//!
//! ```json
//! {"room": "team-*", "name": "ada", "can": ["join", "publish", "subscribe"], "exp": 1790000000}
//! ```
//!
//! `room`, `can` and `exp` must be there; `name`, `nbf`, `iat` and `sub` may be. See [`Claims`].
//!
//! Whoever has a token has what it grants until it expires: a token cannot be taken back, other than
//! by a new secret, which ends all of them. So they should be short-lived. This module checks tokens
//! and grants; it opens no socket and asks no clock.
//!
//! ```
//! use std::time::Duration;
//!
//! use oneport::token::{Authority, Claims, Right, Rights, Secret, UnixTime};
//!
//! let authority = Authority::new(&Secret::new(b"only the relay and its friends know this")?);
//! let now = UnixTime::from_secs(1_790_000_000);
//! let claims = Claims {
//!     can: Rights::from_iter([Right::Join, Right::Subscribe]),
//!     ..Claims::new("team-*".parse()?, now + Duration::from_mins(15))
//! };
//! let token = authority.mint(&claims);
//!
//! let grant = authority.verify(&token, now)?;
//! assert!(grant.allows(&"team-7".parse()?, Rights::from(Right::Join)).is_ok());
//! let error = grant.allows(&"attic".parse()?, Rights::from(Right::Join)).unwrap_err();
//! assert_eq!(error.code(), "forbidden");
//!
//! let late = now + Duration::from_hours(1);
//! assert_eq!(authority.verify(&token, late).unwrap_err().code(), "token_expired");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authority;
mod claims;
mod error;
mod rights;
mod secret;
mod subject;
mod unix_time;

pub use authority::Authority;
pub use claims::{CLOCK_LEEWAY, Claims, EXPIRY_LEEWAY, Grant};
pub use error::TokenError;
pub use rights::{Right, Rights, UnknownRight};
pub use secret::{Secret, SecretError};
pub use subject::{Subject, SubjectError};
pub use unix_time::UnixTime;
