//! One TCP connection that carries datagrams.

use std::io::{self, Read, Write};
use std::time::Instant;

use mio::net::TcpStream;
use oneport_link::{Route, STREAM_BYTES_MAX};
use oneport_wire::rfc4571::{self, Decoder, FrameTooLong};

/// How much memory a connection keeps for what waits: a burst of a paced link.
const OUTGOING_BYTES_KEPT: usize = 32 * 1024;

/// Why a connection is of no use any more.
#[derive(Debug)]
pub(crate) enum End {
    /// Its peer has closed it, or the network has.
    ByPeer,
    /// What comes are no frames that we take.
    Malformed(FrameTooLong),
}

/// A TCP connection that carries datagrams in frames (RFC 4571).
///
/// What is to be sent leaves with one call of the system for many frames. While the peer takes nothing, it
/// waits, up to a bound; what is beyond it is lost, as it would be on a full network. It is the newest that is
/// lost: in a stream nothing can be taken back.
pub(crate) struct FramedStream {
    stream: TcpStream,
    route: Route,
    decoder: Decoder,
    outgoing: Vec<u8>,
    /// How many of those bytes the kernel has taken.
    taken: usize,
    /// Since when it takes none.
    pub(crate) blocked_since: Option<Instant>,
    pub(crate) opened: Instant,
    /// When something was last sent to it: until then it is anybody's.
    pub(crate) answered: Option<Instant>,
    /// Whether the peer has said that nothing more will come, behind what came before.
    pub(crate) is_ending: bool,
    /// Whether it waits for its turn to be read.
    pub(crate) is_readable: bool,
    /// Whether it waits to be flushed.
    pub(crate) is_unflushed: bool,
}

impl FramedStream {
    pub(crate) fn new(now: Instant, stream: TcpStream, route: Route) -> Self {
        Self {
            stream,
            route,
            decoder: Decoder::default(),
            outgoing: Vec::new(),
            taken: 0,
            blocked_since: None,
            opened: now,
            answered: None,
            is_ending: false,
            is_readable: false,
            is_unflushed: false,
        }
    }

    pub(crate) fn route(&self) -> Route {
        self.route
    }

    /// Reads once, at most as much as the buffer holds, and gives the datagrams to `feed`. Answers whether
    /// there may be more.
    pub(crate) fn read(&mut self, buffer: &mut [u8], feed: impl FnMut(&[u8])) -> Result<bool, End> {
        let length = match self.stream.read(buffer) {
            Ok(0) => return Err(End::ByPeer),
            Ok(length) => length,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(false),
                io::ErrorKind::Interrupted => return Ok(true),
                _ => return Err(End::ByPeer),
            },
        };
        let decoded = self.decoder.decode(&buffer[..length], feed);
        decoded.map_err(End::Malformed)?;
        // What comes from now on is reported again, but for an end that was reported with it.
        Ok(length == buffer.len() || self.is_ending)
    }

    /// Queues a datagram. False if there is no room for it, of which there is less where much waits in all.
    pub(crate) fn push(&mut self, now: Instant, datagram: &[u8], is_crowded: bool) -> bool {
        let max = match is_crowded {
            true => OUTGOING_BYTES_KEPT,
            false => STREAM_BYTES_MAX,
        };
        let has_room = self.waiting() + rfc4571::encoded_bytes(datagram) <= max;
        let is_taken = has_room && rfc4571::encode(datagram, &mut self.outgoing).is_ok();
        if is_taken {
            self.answered = Some(now);
        }
        is_taken
    }

    /// How many bytes wait for the kernel.
    pub(crate) fn waiting(&self) -> usize {
        self.outgoing.len() - self.taken
    }

    /// Sends what waits, as far as the kernel takes it; answers how many bytes it took.
    pub(crate) fn flush(&mut self, now: Instant) -> Result<usize, End> {
        let taken_before = self.taken;
        while self.taken < self.outgoing.len() {
            match self.stream.write(&self.outgoing[self.taken..]) {
                Ok(0) => return Err(End::ByPeer),
                Ok(length) => {
                    self.taken += length;
                    self.blocked_since = None;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked_since.get_or_insert(now);
                    break;
                }
                Err(_) => return Err(End::ByPeer),
            }
        }
        let taken = self.taken - taken_before;
        if self.taken == self.outgoing.len() {
            self.outgoing.clear();
            self.outgoing.shrink_to(OUTGOING_BYTES_KEPT);
            self.taken = 0;
        } else if self.taken > OUTGOING_BYTES_KEPT {
            self.outgoing.drain(..self.taken);
            self.taken = 0;
        }
        Ok(taken)
    }
}
