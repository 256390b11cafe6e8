//! A connection in TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use log::debug;
use rustls::{ServerConnection, StreamOwned};

use super::Identity;
use crate::counters::Meters;
use crate::deadline_stream::DeadlineStream;
use crate::transport::Transport;

/// What carries HTTP in TLS. The handshake happens by the way, with the first bytes that are read,
/// and so in the time that the first request has.
///
/// Deadlines must stand below TLS, where the bytes arrive: a peer that drips those of a record
/// would get the whole time for each of them otherwise.
pub(crate) struct TlsStream<'a, T: Transport> {
    tls: StreamOwned<ServerConnection, DeadlineStream<T>>,
    meters: &'a Meters,
}

impl<'a, T: Transport> TlsStream<'a, T> {
    pub(crate) fn accept(
        stream: DeadlineStream<T>,
        identity: &Identity,
        meters: &'a Meters,
    ) -> io::Result<Self> {
        let connection = ServerConnection::new(identity.config()).map_err(io::Error::other)?;
        meters.tls.count();
        let tls = StreamOwned::new(connection, stream);
        Ok(Self { tls, meters })
    }
}

impl<T: Transport> Read for TlsStream<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tls.read(buffer).inspect_err(|error| {
            if error.kind() == ErrorKind::InvalidData {
                debug!("TLS: {error}");
            }
        })
    }
}

impl<T: Transport> Write for TlsStream<'_, T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.tls.write(buffer)
    }

    /// What was written may only be encrypted yet; this sends it.
    fn flush(&mut self) -> io::Result<()> {
        self.tls.flush()
    }
}

impl<T: Transport> Transport for TlsStream<'_, T> {
    fn set_read_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.tls.sock.read_within(timeout);
        // Reading also writes: the server's part of the handshake.
        self.tls.sock.write_within(timeout);
        Ok(())
    }

    fn set_write_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.tls.sock.write_within(timeout);
        // Writing also reads, until the handshake is complete.
        self.tls.sock.read_within(timeout);
        Ok(())
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.tls.conn.send_close_notify();
        self.tls.flush()?;
        self.tls.sock.end_writing()
    }
}

impl<T: Transport> Drop for TlsStream<'_, T> {
    fn drop(&mut self) {
        if self.tls.conn.is_handshaking() {
            self.meters.tls_failed.count();
        }
    }
}
