//! The TCP connections that have said nothing yet.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry};

use crate::sniff::{SNIFFED_BYTES_MAX, Sniff, sniff};
use crate::stats::Stats;
use crate::token::Source;

/// The TCP connections that wait for their first byte.
///
/// Numbers are given in the order of arrival and never again, and every connection has the same time:
/// the first in the table is the one whose time is up first, and a late event finds nobody else.
pub(crate) struct Waiting {
    connections: BTreeMap<usize, Connection>,
    next_number: usize,
    max: usize,
    silence: Duration,
}

/// Where a connection is to go.
pub(crate) enum Sniffed {
    /// To whoever speaks HTTP: as an ordinary blocking stream of which the poll knows nothing any more.
    Http(std::net::TcpStream, SocketAddr),
    /// It carries datagrams; the poll still reports it as waiting.
    Framed(TcpStream),
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    deadline: Instant,
}

impl Waiting {
    /// Room for `max` connections, each of which may be silent for `silence`.
    pub(crate) fn new(max: usize, silence: Duration) -> Self {
        Self {
            connections: BTreeMap::new(),
            next_number: 0,
            max: max.max(1),
            silence,
        }
    }

    /// Takes in a connection; where that is one too many, closes the one that has been silent the
    /// longest.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        mut stream: TcpStream,
        peer: SocketAddr,
        registry: &Registry,
        stats: &mut Stats,
    ) -> io::Result<()> {
        let number = self.next_number;
        self.next_number += 1;
        registry.register(
            &mut stream,
            Source::Waiting(number).into(),
            Interest::READABLE,
        )?;
        if self.connections.len() >= self.max {
            self.evict(stats);
        }
        let deadline = now + self.silence;
        let connection = Connection {
            stream,
            peer,
            deadline,
        };
        self.connections.insert(number, connection);
        Ok(())
    }

    /// Closes the connection that has been silent the longest, to make room. False if there is none.
    pub(crate) fn evict(&mut self, stats: &mut Stats) -> bool {
        let evicted = self.connections.pop_first().is_some();
        stats.tcp_evicted += u64::from(evicted);
        evicted
    }

    /// Looks at what a connection has said. Returns it, with nothing read from it, if it is to go elsewhere.
    pub(crate) fn sniff(
        &mut self,
        number: usize,
        registry: &Registry,
        stats: &mut Stats,
    ) -> Option<Sniffed> {
        let connection = self.connections.get(&number)?;
        let mut first = [0; SNIFFED_BYTES_MAX];
        let verdict = match connection.stream.peek(&mut first) {
            // The end of the stream, before anything was said.
            Ok(0) => None,
            Ok(length) => Some(sniff(&first[..length])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(Sniff::NeedMore),
            Err(error) => {
                log::debug!("tcp from {}: {error}", connection.peer);
                None
            }
        };
        if verdict == Some(Sniff::NeedMore) {
            return None;
        }
        let connection = self.connections.remove(&number)?;
        match verdict {
            Some(Sniff::Http) => return hand_over(connection, registry),
            Some(Sniff::Framed) => return Some(Sniffed::Framed(connection.stream)),
            Some(Sniff::Unknown | Sniff::NeedMore) => stats.tcp_unknown += 1,
            None => stats.tcp_silent += 1,
        }
        None
    }

    /// Closes the connections whose time is up.
    pub(crate) fn expire(&mut self, now: Instant, stats: &mut Stats) {
        while self.deadline().is_some_and(|deadline| deadline <= now) {
            self.connections.pop_first();
            stats.tcp_silent += 1;
        }
    }

    /// When the next connection's time is up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (_, first) = self.connections.first_key_value()?;
        Some(first.deadline)
    }
}

/// The connection as an ordinary blocking stream of which the poll knows nothing any more.
fn hand_over(mut connection: Connection, registry: &Registry) -> Option<Sniffed> {
    let peer = connection.peer;
    let deregistered = registry.deregister(&mut connection.stream);
    let stream = std::net::TcpStream::from(connection.stream);
    match deregistered.and_then(|()| stream.set_nonblocking(false)) {
        Ok(()) => Some(Sniffed::Http(stream, peer)),
        Err(error) => {
            log::warn!("a TCP connection could not be handed over: {error}");
            None
        }
    }
}
