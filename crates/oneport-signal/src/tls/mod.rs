//! TLS on the server's side, where the owner of the endpoint has a certificate.

mod identity;
mod stream;

use std::sync::Arc;

pub use identity::{Identity, IdentityError};
pub(crate) use stream::TlsStream;

/// Where the endpoint finds its certificate.
pub trait Identities: Send + Sync {
    /// The one for a connection that begins now. It is asked on the connection's own thread, so it
    /// may look at files; it must not wait for anybody.
    fn current(&self) -> Arc<Identity>;
}

/// The content type of a handshake record, with which a TLS connection begins (RFC 8446 section 5.1).
pub(crate) const FIRST_BYTE: u8 = 0x16;
