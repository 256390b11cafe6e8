//! The bounds of an event loop.

use std::time::Duration;

/// The bounds of an [`EventLoop`](crate::EventLoop).
#[derive(Clone, Debug)]
pub struct Config {
    /// How many commands may wait for the loop; one more is refused as
    /// [`CallError::Busy`](crate::CallError::Busy). At least 1.
    ///
    /// The default of 128 commands of about 2 ms (what a new link costs at worst) is a quarter of a
    /// second of work: who has to wait longer had better try again later.
    pub commands_max: usize,
    /// How long [`Handle::call`](crate::Handle::call) waits for the reply; 5 s by default.
    pub call_timeout: Duration,
    /// How many TCP connections may wait for their first byte; 256 by default. At least 1.
    ///
    /// One more takes the place of the one that has been silent the longest: a client that has
    /// something to say sends it at once, so that silent connections cannot lock the others out. The
    /// same happens where the process has no file descriptor left for it.
    pub tcp_waiting_max: usize,
    /// How long a TCP connection may be silent before its first byte; 10 s by default.
    pub tcp_silence: Duration,
    /// How many TCP connections may carry datagrams; 4096 by default, for as many clients behind firewalls that
    /// let no UDP through, with a descriptor and some memory each. One more takes the place of the oldest
    /// that the machine has never answered, or is closed.
    pub framed_max: usize,
    /// How many of them from one address (of IPv6 its /64); 512 by default, for an office behind one address.
    /// One more takes the place of the oldest from there that was never answered, or is closed.
    pub framed_per_address_max: usize,
    /// How many bytes may wait for all such connections together, for whose peers take nothing; 256 MiB by
    /// default. Beyond it each may have only a burst waiting, 32 KiB.
    pub framed_bytes_max: usize,
    /// How long the peer of such a connection may take nothing while something waits for it; 15 s by default, as long
    /// as a peer may be silent before it is given up.
    pub framed_stall: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            commands_max: 128,
            call_timeout: Duration::from_secs(5),
            tcp_waiting_max: 256,
            tcp_silence: Duration::from_secs(10),
            framed_max: 4096,
            framed_per_address_max: 512,
            framed_bytes_max: 256 * 1024 * 1024,
            framed_stall: Duration::from_secs(15),
        }
    }
}
