//! The TCP connections that carry datagrams (RFC 4571): ICE-TCP, as the machine may see it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry};
use oneport_link::{Input, Route, Transmit};
use oneport_wire::Network;

use crate::address::canonical;
use crate::config::Config;
use crate::framed_stream::{End, FramedStream};
use crate::stats::Stats;
use crate::token::Source;

/// How much is read from one connection before it is another's turn: about 30 full datagrams. What else it
/// sends waits in the kernel, whose window then makes the sender wait.
const READ_BYTES: usize = 32 * 1024;

/// After how long a turn reads no more from connections; UDP, which has its own time, never waits longer.
const READ_TIME_MAX: Duration = Duration::from_millis(10);

/// The kernel's send buffer, in bytes: as much as a link of the relay has on its way. Linux would let it
/// grow to megabytes, for a peer that only seems to read.
const SEND_BUFFER_BYTES: usize = 128 * 1024;

/// How long a connection may be without an answer from the machine. A peer that is still there has its
/// checks answered, every few seconds and at least every 30 s (RFC 7675 section 5.1).
const UNANSWERED_MAX: Duration = Duration::from_secs(30);

/// How often it is looked for connections whose time is up.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The connections, by numbers that are given in the order of arrival and never again.
pub(crate) struct FramedStreams {
    streams: BTreeMap<usize, FramedStream>,
    by_route: HashMap<Route, usize>,
    by_network: HashMap<Network, usize>,
    next_number: usize,
    /// Those from which something may be read, each once, first come first served.
    readable: VecDeque<usize>,
    /// Those to which something was sent in this turn, each once.
    unflushed: Vec<usize>,
    /// The paths that have ended and of which the machine does not know yet.
    ended: VecDeque<Route>,
    buffer: Vec<u8>,
    sweep: Option<Instant>,
    /// How many bytes wait, for all of them together.
    waiting_bytes: usize,
    waiting_bytes_max: usize,
    max: usize,
    per_address_max: usize,
    handshake: Duration,
    stall: Duration,
}

impl FramedStreams {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            streams: BTreeMap::new(),
            by_route: HashMap::new(),
            by_network: HashMap::new(),
            next_number: 0,
            readable: VecDeque::new(),
            unflushed: Vec::new(),
            ended: VecDeque::new(),
            buffer: Vec::new(),
            sweep: None,
            waiting_bytes: 0,
            waiting_bytes_max: config.framed_bytes_max,
            max: config.framed_max,
            per_address_max: config.framed_per_address_max,
            handshake: config.tcp_silence,
            stall: config.framed_stall,
        }
    }

    /// Takes in a connection, whether the poll knows it already or not. One that is too many takes the place of the
    /// oldest that was never answered, or is closed.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        mut stream: TcpStream,
        is_registered: bool,
        registry: &Registry,
        stats: &mut Stats,
    ) -> io::Result<()> {
        let route = Route::tcp(
            canonical(stream.local_addr()?),
            canonical(stream.peer_addr()?),
        );
        if !self.make_room(route.peer, stats) {
            log::debug!("tcp from {}: too many connections", route.peer);
            stats.framed_refused += 1;
            return Ok(());
        }
        // Datagrams have waited for company already where that was worthwhile.
        stream.set_nodelay(true)?;
        socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES)?;
        let number = self.next_number;
        self.next_number += 1;
        let token = Source::Framed(number).into();
        let interest = Interest::READABLE | Interest::WRITABLE;
        match is_registered {
            true => registry.reregister(&mut stream, token, interest)?,
            false => registry.register(&mut stream, token, interest)?,
        }
        if let Some(older) = self.by_route.insert(route, number) {
            self.forget(older);
            self.by_route.insert(route, number);
        }
        *self
            .by_network
            .entry(Network::of(route.peer.ip()))
            .or_default() += 1;
        let stream = FramedStream::new(now, stream, route);
        self.streams.insert(number, stream);
        self.set_ready(number, true, false);
        self.sweep.get_or_insert(now + SWEEP_INTERVAL);
        stats.tcp_framed += 1;
        Ok(())
    }

    fn make_room(&mut self, peer: SocketAddr, stats: &mut Stats) -> bool {
        let network = Network::of(peer.ip());
        let of_network = self.by_network.get(&network).copied().unwrap_or(0);
        if of_network >= self.per_address_max && !self.evict(Some(network), stats) {
            return false;
        }
        self.streams.len() < self.max || self.evict(None, stats)
    }

    /// Closes the oldest connection that was never answered, of that network or of all. False if there is none.
    pub(crate) fn evict(&mut self, of: Option<Network>, stats: &mut Stats) -> bool {
        let is_meant = |stream: &FramedStream| {
            stream.answered.is_none()
                && of.is_none_or(|of| Network::of(stream.route().peer.ip()) == of)
        };
        let oldest = self.streams.iter().find(|(_, stream)| is_meant(stream));
        let oldest = oldest.map(|(number, _)| *number);
        if let Some(number) = oldest {
            stats.framed_refused += 1;
            self.forget(number);
        }
        oldest.is_some()
    }

    /// Takes note that the kernel reported something to read, or that nothing more will come.
    pub(crate) fn set_ready(&mut self, number: usize, is_readable: bool, is_ending: bool) {
        if let Some(stream) = self.streams.get_mut(&number) {
            stream.is_ending |= is_ending;
            if (is_readable || is_ending) && !stream.is_readable {
                stream.is_readable = true;
                self.readable.push_back(number);
            }
        }
    }

    /// Takes note that the kernel reported room to send.
    pub(crate) fn set_writable(&mut self, number: usize) {
        if let Some(stream) = self.streams.get_mut(&number) {
            mark_unflushed(&mut self.unflushed, number, stream);
        }
    }

    /// Whether there is something to do at once.
    pub(crate) fn is_ready(&self) -> bool {
        !self.readable.is_empty() || !self.ended.is_empty()
    }

    /// When time alone makes something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.sweep
    }

    /// One turn: reads from each connection that has something, once, and closes those whose time is up.
    pub(crate) fn turn(
        &mut self,
        now: Instant,
        stats: &mut Stats,
        mut feed: impl FnMut(Input<'_>),
    ) {
        while let Some(route) = self.ended.pop_front() {
            feed(Input::Closed { route });
        }
        let mut begun = None;
        for _ in 0..self.readable.len() {
            self.read_next(stats, &mut feed);
            if begun.get_or_insert_with(Instant::now).elapsed() > READ_TIME_MAX {
                break;
            }
        }
        if self.sweep.is_some_and(|at| at <= now) {
            self.close_overdue(now, stats);
            self.sweep = (!self.streams.is_empty()).then_some(now + SWEEP_INTERVAL);
        }
    }

    fn read_next(&mut self, stats: &mut Stats, feed: &mut impl FnMut(Input<'_>)) {
        let Some(number) = self.readable.pop_front() else {
            return;
        };
        let Some(stream) = self.streams.get_mut(&number) else {
            return;
        };
        stream.is_readable = false;
        self.buffer.resize(READ_BYTES, 0);
        let route = stream.route();
        let read = stream.read(&mut self.buffer, |bytes| {
            stats.frames_in += 1;
            stats.frame_bytes_in += bytes.len() as u64;
            feed(Input::Datagram { route, bytes });
        });
        stats.frame_reads += 1;
        match read {
            Ok(has_more) => self.set_ready(number, has_more, false),
            Err(end) => self.close(number, &end, stats),
        }
    }

    /// Sends a datagram over the connection that is its route. Where there is none it is lost, like a datagram
    /// to an address where nobody is.
    pub(crate) fn send(&mut self, now: Instant, transmit: &Transmit, stats: &mut Stats) {
        let number = self.by_route.get(&transmit.route).copied();
        let stream = number.and_then(|number| self.streams.get_mut(&number));
        let (Some(number), Some(stream)) = (number, stream) else {
            stats.frames_dropped += 1;
            return;
        };
        let waited = stream.waiting();
        let is_crowded = self.waiting_bytes > self.waiting_bytes_max;
        if stream.push(now, &transmit.contents, is_crowded) {
            self.waiting_bytes += stream.waiting() - waited;
            stats.frames_out += 1;
            mark_unflushed(&mut self.unflushed, number, stream);
        } else {
            stats.frames_dropped += 1;
        }
    }

    /// Sends what was queued in this turn, and what has room since.
    pub(crate) fn flush(&mut self, now: Instant, stats: &mut Stats) {
        for number in std::mem::take(&mut self.unflushed) {
            let Some(stream) = self.streams.get_mut(&number) else {
                continue;
            };
            stream.is_unflushed = false;
            let waited = stream.waiting();
            let flushed = stream.flush(now);
            self.waiting_bytes -= waited - stream.waiting();
            match flushed {
                Ok(bytes) => stats.frame_bytes_out += bytes as u64,
                Err(end) => self.close(number, &end, stats),
            }
        }
    }

    fn close_overdue(&mut self, now: Instant, stats: &mut Stats) {
        let is_over = |since: Instant, max| now.saturating_duration_since(since) >= max;
        let mut overdue = Vec::new();
        for (number, stream) in &self.streams {
            let is_stalled = stream
                .blocked_since
                .is_some_and(|since| is_over(since, self.stall));
            let is_unanswered = match stream.answered {
                Some(answered) => is_over(answered, UNANSWERED_MAX),
                None => is_over(stream.opened, self.handshake),
            };
            if is_stalled || is_unanswered {
                stats.framed_stalled += u64::from(is_stalled);
                stats.framed_unanswered += u64::from(!is_stalled);
                overdue.push(*number);
            }
        }
        for number in overdue {
            self.forget(number);
        }
    }

    fn close(&mut self, number: usize, end: &End, stats: &mut Stats) {
        match end {
            End::ByPeer => stats.framed_ended += 1,
            End::Malformed(error) => {
                log::debug!("tcp connection {number}: {error}");
                stats.framed_malformed += 1;
            }
        }
        self.forget(number);
    }

    /// Closes a connection; the machine is told in the next turn.
    fn forget(&mut self, number: usize) {
        let Some(stream) = self.streams.remove(&number) else {
            return;
        };
        self.waiting_bytes -= stream.waiting();
        let route = stream.route();
        self.by_route.remove(&route);
        let network = Network::of(route.peer.ip());
        if let Some(count) = self.by_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.by_network.remove(&network);
            }
        }
        self.ended.push_back(route);
    }
}

fn mark_unflushed(unflushed: &mut Vec<usize>, number: usize, stream: &mut FramedStream) {
    if !stream.is_unflushed {
        stream.is_unflushed = true;
        unflushed.push(number);
    }
}
