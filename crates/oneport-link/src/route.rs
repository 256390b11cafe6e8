//! The path of a datagram.

use std::fmt;
use std::net::SocketAddr;

/// What carries datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP, in frames (RFC 4571): a path that exists as long as its connection.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// Where a datagram came from, and where an answer to it must leave: what tells one network path from
/// another. UDP and TCP between the same addresses are two paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    /// Over what.
    pub transport: Transport,
    /// Our address: the one that the datagram was sent to, never a wildcard.
    pub local: SocketAddr,
    /// The peer's address.
    pub peer: SocketAddr,
}

impl Route {
    /// Over UDP.
    pub const fn udp(local: SocketAddr, peer: SocketAddr) -> Self {
        let transport = Transport::Udp;
        Self {
            transport,
            local,
            peer,
        }
    }

    /// Over the TCP connection between these addresses.
    pub const fn tcp(local: SocketAddr, peer: SocketAddr) -> Self {
        let transport = Transport::Tcp;
        Self {
            transport,
            local,
            peer,
        }
    }

    /// The same path as the peer sees it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            transport: self.transport,
            local: self.peer,
            peer: self.local,
        }
    }
}
