//! One UDP socket in a loop.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::{Interest, Registry, Token};
use oneport_link::{Route, Transmit};
use quinn_udp::{RecvMeta, UdpSocketState};

use crate::address::canonical;
use crate::egress::{Egress, Outlet};
use crate::receive_batch::{ReceiveBatch, datagrams};
use crate::stats::Stats;

/// After how many failed receive calls in a row a socket is left alone until the kernel reports it
/// again: an error that does not go away must not turn the loop into a busy one.
const RECV_ERRORS_IN_A_ROW_MAX: u32 = 16;

/// A UDP socket with what is remembered about it between the events of an edge-triggered poll.
pub(crate) struct UdpSocket {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    token: Token,
    egress: Egress,
    readable: bool,
    /// Whether the kernel is asked to report room in the send buffer. It is asked only while
    /// something waits: otherwise it would report after every single datagram.
    writable_wanted: bool,
    recv_errors_in_a_row: u32,
}

impl UdpSocket {
    pub(crate) fn new(
        socket: std::net::UdpSocket,
        local: SocketAddr,
        token: Token,
        registry: &Registry,
    ) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self {
            socket,
            state,
            local,
            token,
            egress: Egress::default(),
            readable: true,
            writable_wanted: false,
            recv_errors_in_a_row: 0,
        })
    }

    /// Takes note that the kernel reported something to read, or an error.
    pub(crate) fn set_readable(&mut self) {
        self.readable = true;
    }

    /// Whether there may be something to read.
    pub(crate) fn is_readable(&self) -> bool {
        self.readable
    }

    /// Takes note that the kernel reported room in the send buffer.
    pub(crate) fn set_writable(&mut self) {
        self.egress.unblock();
    }

    /// Receives one batch and gives each datagram to `feed`; does nothing if there is nothing to
    /// read. Failures are counted and do not stop the reading.
    pub(crate) fn receive(
        &mut self,
        batch: &mut ReceiveBatch,
        stats: &mut Stats,
        mut feed: impl FnMut(Route, &[u8]),
    ) {
        if !self.readable {
            return;
        }
        let (socket, state) = (&self.socket, &self.state);
        let received =
            batch.fill(|slices, meta| socket.try_io(|| state.recv(socket.into(), slices, meta)));
        match received {
            Ok(()) => self.recv_errors_in_a_row = 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                return;
            }
            Err(error) => return self.receive_failed(&error, stats),
        }
        stats.batches_in += 1;
        // What comes from now on is reported again.
        if batch.was_the_last() {
            self.readable = false;
        }
        for (meta, buffer) in batch.buffers() {
            let Some(route) = route(self.local, meta) else {
                stats.datagrams_unanswerable += datagrams(buffer, meta.stride).count() as u64;
                continue;
            };
            stats.bytes_in += buffer.len() as u64;
            for datagram in datagrams(buffer, meta.stride) {
                stats.datagrams_in += 1;
                feed(route, datagram);
            }
        }
    }

    fn receive_failed(&mut self, error: &io::Error, stats: &mut Stats) {
        log::debug!("udp {}: receive: {error}", self.local);
        stats.recv_errors += 1;
        self.recv_errors_in_a_row += 1;
        if self.recv_errors_in_a_row >= RECV_ERRORS_IN_A_ROW_MAX {
            self.recv_errors_in_a_row = 0;
            self.readable = false;
        }
    }

    /// Whether a datagram from `local` leaves here: the address is this socket's, or (`wildcard`)
    /// this socket has all addresses of the family.
    pub(crate) fn serves(&self, local: SocketAddr, wildcard: bool) -> bool {
        self.local.port() == local.port()
            && match wildcard {
                true => self.local.ip().is_unspecified() && self.local.is_ipv4() == local.is_ipv4(),
                false => self.local.ip() == local.ip(),
            }
    }

    /// Queues a datagram, and sends what is queued if that is much.
    pub(crate) fn send(&mut self, transmit: Transmit, stats: &mut Stats) {
        self.egress.push(transmit, stats);
        if self.egress.wants_flush() {
            self.flush(stats);
        }
    }

    /// Sends what is queued, as far as the kernel takes it.
    pub(crate) fn flush(&mut self, stats: &mut Stats) {
        let mut outlet = SocketOutlet {
            socket: &self.socket,
            state: &self.state,
            wildcard: self.local.ip().is_unspecified(),
        };
        self.egress.flush(&mut outlet, stats);
    }

    /// Asks the kernel to report room in the send buffer if something waits for it, and only then.
    pub(crate) fn update_interest(&mut self, registry: &Registry) -> io::Result<()> {
        let wanted = self.egress.is_blocked();
        if wanted == self.writable_wanted {
            return Ok(());
        }
        let interest = match wanted {
            true => Interest::READABLE | Interest::WRITABLE,
            false => Interest::READABLE,
        };
        registry.reregister(&mut self.socket, self.token, interest)?;
        self.writable_wanted = wanted;
        Ok(())
    }
}

/// The path of a datagram received by the socket at `local`; `None` if no answer could take it.
///
/// That is for the protection of the others as well: a send that the kernel finds invalid (to port
/// 0, from a multicast address) makes quinn-udp give up trains for all.
fn route(local: SocketAddr, meta: &RecvMeta) -> Option<Route> {
    let peer = canonical(meta.addr);
    let local = match (local.ip().is_unspecified(), meta.dst_ip) {
        (false, _) => local,
        (true, Some(ip)) => canonical(SocketAddr::new(ip, local.port())),
        (true, None) => return None,
    };
    let one_host = match local.ip() {
        IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_multicast() && !ip.is_unspecified(),
    };
    (one_host && peer.port() != 0).then_some(Route::udp(local, peer))
}

/// The socket as the way out.
struct SocketOutlet<'a> {
    socket: &'a mio::net::UdpSocket,
    state: &'a UdpSocketState,
    wildcard: bool,
}

impl Outlet for SocketOutlet<'_> {
    fn train_max(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn send(&mut self, route: Route, bytes: &[u8], segment_bytes: Option<usize>) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination: route.peer,
            ecn: None,
            contents: bytes,
            segment_size: segment_bytes,
            // A socket with one address sends from it anyway.
            src_ip: self.wildcard.then_some(route.local.ip()),
        };
        self.socket
            .try_io(|| self.state.try_send(self.socket.into(), &transmit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("a literal address")
    }

    fn meta(peer: &str, dst_ip: Option<&str>) -> RecvMeta {
        let mut meta = RecvMeta::default();
        meta.addr = address(peer);
        meta.dst_ip = dst_ip.map(|ip| ip.parse().expect("a literal address"));
        meta
    }

    #[test]
    fn a_wildcard_socket_takes_the_local_address_from_the_datagram() {
        let expected = Route::udp(address("192.0.2.1:3478"), address("198.51.100.7:5000"));
        let wildcard = address("0.0.0.0:3478");
        let received = meta("198.51.100.7:5000", Some("192.0.2.1"));
        assert_eq!(route(wildcard, &received), Some(expected));
        let received = meta("198.51.100.7:5000", None);
        assert_eq!(route(wildcard, &received), None);
        assert_eq!(route(expected.local, &received), Some(expected));
    }

    #[test]
    fn what_cannot_be_answered_has_no_route() {
        let wildcard = address("0.0.0.0:3478");
        for received in [
            meta("198.51.100.7:0", Some("192.0.2.1")),
            meta("198.51.100.7:5000", Some("224.0.0.1")),
            meta("198.51.100.7:5000", Some("255.255.255.255")),
        ] {
            assert_eq!(route(wildcard, &received), None, "{received:?}");
        }
        let received = meta("[2001:db8::7]:5000", Some("ff02::1"));
        assert_eq!(route(address("[::]:3478"), &received), None);
    }
}
