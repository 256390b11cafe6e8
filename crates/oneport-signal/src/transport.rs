//! What carries a connection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What carries a connection: a TCP stream, or anything else that blocks and can be told for how long.
pub trait Transport: Read + Write {
    /// From now on, one read takes this long at most; then it fails with `TimedOut` or `WouldBlock`. The
    /// time is never zero.
    ///
    /// # Errors
    ///
    /// Where it cannot be set. The connection ends.
    fn set_read_timeout(&mut self, timeout: Duration) -> io::Result<()>;

    /// The same for writes.
    ///
    /// # Errors
    ///
    /// As there.
    fn set_write_timeout(&mut self, timeout: Duration) -> io::Result<()>;

    /// Tells the peer that nothing more will come. What it still sends can be read.
    ///
    /// # Errors
    ///
    /// Where that cannot be said. The connection ends.
    fn end_writing(&mut self) -> io::Result<()>;
}

/// Of what the first bytes can be seen without taking them.
pub(crate) trait Peek {
    fn peek(&self, buffer: &mut [u8]) -> io::Result<usize>;
}

impl Peek for SharedTcp {
    fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.peek(buffer)
    }
}

/// A TCP stream that somebody else may shut down.
#[derive(Debug)]
pub(crate) struct SharedTcp(pub(crate) Arc<TcpStream>);

impl Read for SharedTcp {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Write for SharedTcp {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        (&*self.0).write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

impl Transport for SharedTcp {
    fn set_read_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.0.set_read_timeout(Some(timeout))
    }

    fn set_write_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.0.set_write_timeout(Some(timeout))
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
}
