//! Why the sockets could not be bound.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use oneport_link::Transport;

/// Why [`Sockets::bind`](crate::Sockets::bind) failed. Its text is one line with the cause in it.
#[derive(Debug)]
pub enum BindError {
    /// There was no address to bind.
    NoAddress,
    /// One address could not be bound.
    Socket {
        /// Which address; its port is 0 if any would have done.
        address: SocketAddr,
        /// For which transport.
        transport: Transport,
        /// What the operating system said.
        cause: io::Error,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => write!(f, "no address to bind"),
            Self::Socket {
                address,
                transport,
                cause,
            } => write!(f, "cannot bind {transport} {address}: {cause}"),
        }
    }
}

// No `source`: the cause is part of the text, and who prints the chain would print it twice.
impl std::error::Error for BindError {}
