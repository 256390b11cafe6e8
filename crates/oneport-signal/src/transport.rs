//! What carries a connection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
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

impl Transport for TcpStream {
    fn set_read_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        TcpStream::set_read_timeout(self, Some(timeout))
    }

    fn set_write_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        TcpStream::set_write_timeout(self, Some(timeout))
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}
