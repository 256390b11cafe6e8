//! What carries a native client's datagrams.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use oneport_link::{Route, Transmit, Transport};
use oneport_wire::rfc4571::{self, Decoder};

use crate::Result;

/// Larger than any datagram of ours; of a stream, some of them.
const READ_BYTES: usize = 16 * 1024;

/// Longer than a relay that reads lets anybody wait.
const TIMEOUT: Duration = Duration::from_secs(20);

/// One socket.
pub(crate) enum Carrier {
    Udp {
        socket: UdpSocket,
        local: SocketAddr,
    },
    /// Datagrams in frames (RFC 4571).
    Tcp {
        stream: TcpStream,
        route: Route,
        decoder: Decoder,
    },
}

impl Carrier {
    pub(crate) fn udp(socket: UdpSocket) -> Result<Self> {
        let local = socket.local_addr()?;
        Ok(Self::Udp { socket, local })
    }

    pub(crate) fn tcp(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let route = Route::tcp(stream.local_addr()?, stream.peer_addr()?);
        let decoder = Decoder::default();
        Ok(Self::Tcp {
            stream,
            route,
            decoder,
        })
    }

    /// Sends a datagram. It may be lost like any: SCTP sends it again.
    pub(crate) fn send(&mut self, transmit: &Transmit) {
        let Transmit { route, contents } = transmit;
        let _ = match (self, route.transport) {
            (Self::Udp { socket, .. }, Transport::Udp) => {
                socket.send_to(contents, route.peer).map(drop)
            }
            (Self::Tcp { stream, .. }, Transport::Tcp) => {
                let mut frame = Vec::new();
                rfc4571::encode(contents, &mut frame).expect("it is short");
                stream.write_all(&frame)
            }
            // It has no such socket.
            _ => Ok(()),
        };
    }

    /// Takes what arrives within that time, and if that is nothing, nothing.
    pub(crate) fn receive(&mut self, wait: Duration, mut feed: impl FnMut(Route, &[u8])) -> Result {
        let mut buffer = [0; READ_BYTES];
        let nothing = |error: &io::Error| {
            // The last means that the relay is gone: the link will find out.
            matches!(
                error.kind(),
                ErrorKind::WouldBlock
                    | ErrorKind::TimedOut
                    | ErrorKind::ConnectionRefused
                    | ErrorKind::ConnectionReset
            )
        };
        let received = match self {
            Self::Udp { socket, local } => {
                socket.set_read_timeout(Some(wait))?;
                let received = socket.recv_from(&mut buffer);
                received.map(|(length, peer)| feed(Route::udp(*local, peer), &buffer[..length]))
            }
            Self::Tcp {
                stream,
                route,
                decoder,
            } => {
                stream.set_read_timeout(Some(wait))?;
                stream.read(&mut buffer).map(|length| {
                    let decoded = decoder.decode(&buffer[..length], |bytes| feed(*route, bytes));
                    decoded.expect("the relay makes short frames");
                })
            }
        };
        match received {
            Err(error) if !nothing(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }
}
