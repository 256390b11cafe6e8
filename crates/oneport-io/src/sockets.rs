//! The bound sockets, before a loop runs them.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use oneport_link::{Route, Transport};
use socket2::{Domain, Protocol, Socket, Type};

use crate::address::canonical;
use crate::bind_error::BindError;

/// The default size of a UDP socket's buffers in the kernel.
///
/// With Linux's own default of 212,992 bytes thousands of datagrams were lost under upload; with this
/// size about none.
const BUFFER_BYTES_DEFAULT: usize = 2 * 1024 * 1024;

/// How often another port is tried where any would do, but the one that UDP got is taken for TCP or
/// on another of the addresses.
const PORT_ATTEMPTS_MAX: u32 = 32;

/// How many connections the kernel holds until they are accepted: a wave of clients that come back
/// at once after a restart.
const TCP_BACKLOG: i32 = 1024;

/// What to bind besides the addresses.
#[derive(Clone, Debug)]
pub struct BindOptions {
    /// Whether a TCP listener stands on the number of each UDP port. Not by default.
    pub tcp: bool,
    /// The receive buffer of each UDP socket in the kernel, in bytes; 2 MiB by default. The kernel
    /// may grant less (on Linux `net.core.rmem_max`), which is logged.
    pub recv_buffer_bytes: usize,
    /// The send buffer of each UDP socket in the kernel, in bytes; 2 MiB by default. The kernel may
    /// grant less (on Linux `net.core.wmem_max`), which is logged.
    pub send_buffer_bytes: usize,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self {
            tcp: false,
            recv_buffer_bytes: BUFFER_BYTES_DEFAULT,
            send_buffer_bytes: BUFFER_BYTES_DEFAULT,
        }
    }
}

/// Bound sockets: UDP and, if wanted, TCP on the same number, for each address.
#[derive(Debug)]
pub struct Sockets {
    pub(crate) bound: Vec<Bound>,
    /// TCP connections that carry datagrams.
    pub(crate) streams: Vec<TcpStream>,
}

/// The sockets of one address.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) local: SocketAddr,
    pub(crate) udp: UdpSocket,
    pub(crate) tcp: Option<TcpListener>,
}

impl Sockets {
    /// Binds every address.
    ///
    /// Port 0 stands for any port that is free, the same one for all addresses that have it. IPv6
    /// sockets take no IPv4: to serve both, give `0.0.0.0` and `[::]`.
    ///
    /// # Errors
    ///
    /// Names the first address that could not be bound, and why; nothing stays bound then.
    pub fn bind(addrs: &[SocketAddr], options: &BindOptions) -> Result<Self, BindError> {
        if addrs.is_empty() {
            return Err(BindError::NoAddress);
        }
        let mut attempt = 1;
        loop {
            match Self::bind_once(addrs, options) {
                Err(error) if attempt < PORT_ATTEMPTS_MAX && is_unlucky_port(&error) => {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// A TCP connection to a peer, which carries datagrams in frames (RFC 4571): what an active candidate of
    /// ICE-TCP needs (RFC 6544). Blocks until it is there.
    ///
    /// # Errors
    ///
    /// If it is not, in that time.
    pub fn connect(peer: SocketAddr, timeout: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&peer, timeout)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            bound: Vec::new(),
            streams: vec![stream],
        })
    }

    /// The paths of its TCP connections.
    ///
    /// # Errors
    ///
    /// If one has ended.
    pub fn routes(&self) -> io::Result<Vec<Route>> {
        let routes = self.streams.iter().map(|stream| {
            let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
            Ok(Route::tcp(canonical(local), canonical(peer)))
        });
        routes.collect()
    }

    /// These sockets and others, for one loop.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.bound.extend(others.bound);
        self.streams.extend(others.streams);
        self
    }

    /// The local addresses in the order in which they were given, with port 0 resolved.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.bound.iter().map(|bound| bound.local).collect()
    }

    fn bind_once(addrs: &[SocketAddr], options: &BindOptions) -> Result<Self, BindError> {
        let mut chosen_port = 0;
        let mut bound = Vec::with_capacity(addrs.len());
        for &given in addrs {
            let failed = |transport| {
                move |cause| BindError::Socket {
                    address: given,
                    transport,
                    cause,
                }
            };
            let mut local = canonical(given);
            if local.port() == 0 {
                local.set_port(chosen_port);
            }
            let udp = bind_udp(local, options).map_err(failed(Transport::Udp))?;
            let port = udp.local_addr().map_err(failed(Transport::Udp))?.port();
            local.set_port(port);
            if given.port() == 0 {
                chosen_port = port;
            }
            let tcp = match options.tcp {
                true => Some(bind_tcp(local).map_err(failed(Transport::Tcp))?),
                false => None,
            };
            bound.push(Bound { local, udp, tcp });
        }
        let streams = Vec::new();
        Ok(Self { bound, streams })
    }
}

/// Whether another port may do where this one did not.
fn is_unlucky_port(error: &BindError) -> bool {
    matches!(error, BindError::Socket { address, cause, .. }
        if address.port() == 0 && cause.kind() == io::ErrorKind::AddrInUse)
}

fn bind_udp(local: SocketAddr, options: &BindOptions) -> io::Result<UdpSocket> {
    let socket = open(local, Type::DGRAM, Protocol::UDP)?;
    socket.bind(&local.into())?;
    // A smaller buffer than wanted costs datagrams under load; it is no reason not to start.
    if let Err(error) = socket.set_recv_buffer_size(options.recv_buffer_bytes) {
        log::debug!("udp {local}: receive buffer: {error}");
    }
    if let Err(error) = socket.set_send_buffer_size(options.send_buffer_bytes) {
        log::debug!("udp {local}: send buffer: {error}");
    }
    let granted = socket.recv_buffer_size()?;
    warn_if_small("receive", granted, options.recv_buffer_bytes);
    let granted = socket.send_buffer_size()?;
    warn_if_small("send", granted, options.send_buffer_bytes);
    Ok(socket.into())
}

/// Says so if the kernel granted less than was wanted.
fn warn_if_small(which: &str, reported_bytes: usize, wanted_bytes: usize) {
    // Linux reports twice the size, for its own bookkeeping (socket(7), SO_RCVBUF).
    let granted_bytes = match cfg!(any(target_os = "linux", target_os = "android")) {
        true => reported_bytes / 2,
        false => reported_bytes,
    };
    if granted_bytes < wanted_bytes {
        log::warn!(
            "the kernel grants a udp {which} buffer of {granted_bytes} bytes instead of \
             {wanted_bytes}: datagrams may be lost under load (on Linux see net.core.rmem_max and \
             net.core.wmem_max)"
        );
    }
}

fn bind_tcp(local: SocketAddr) -> io::Result<TcpListener> {
    let socket = open(local, Type::STREAM, Protocol::TCP)?;
    // On Unix, connections of an earlier run in TIME_WAIT would keep the port otherwise; on Windows
    // the option means that two programs may share it. Never for UDP, where it means that on Linux.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&local.into())?;
    socket.listen(TCP_BACKLOG)?;
    Ok(socket.into())
}

fn open(local: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(local), kind, Some(protocol))?;
    if local.is_ipv6() {
        // One family for each socket: no IPv4-mapped addresses, and `[::]` beside `0.0.0.0`.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn with_tcp() -> BindOptions {
        BindOptions {
            tcp: true,
            ..BindOptions::default()
        }
    }

    #[test]
    fn nothing_to_bind_is_an_error() {
        let error = Sockets::bind(&[], &BindOptions::default()).expect_err("no address");
        assert_eq!(error.to_string(), "no address to bind");
    }

    #[test]
    fn tcp_has_the_number_that_udp_got() {
        for _ in 0..50 {
            let sockets = Sockets::bind(&[loopback(0)], &with_tcp()).expect("a free port");
            let tcp = sockets.bound[0].tcp.as_ref().expect("tcp was wanted");
            assert_ne!(sockets.local_addrs()[0].port(), 0);
            assert_eq!(tcp.local_addr().expect("bound"), sockets.local_addrs()[0]);
        }
    }

    #[test]
    fn all_addresses_with_port_0_get_the_same_number() {
        let second = SocketAddr::from(([127, 0, 0, 2], 0));
        // Only Linux has all of 127.0.0.0/8 on its loopback interface.
        let Ok(sockets) = Sockets::bind(&[loopback(0), second], &with_tcp()) else {
            eprintln!("skipped: no 127.0.0.2 here");
            return;
        };
        let locals = sockets.local_addrs();
        assert_eq!(locals[0].port(), locals[1].port());
    }

    #[test]
    fn a_taken_port_is_named_with_its_cause() {
        let udp = UdpSocket::bind(loopback(0)).expect("a free port");
        let taken = udp.local_addr().expect("bound");
        let error = Sockets::bind(&[taken], &with_tcp()).expect_err("taken");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("cannot bind udp {taken}: ")),
            "{text}"
        );
        assert!(text.contains("in use") && !text.contains('\n'), "{text}");
    }

    #[test]
    fn a_port_taken_for_tcp_alone_is_named_too() {
        let tcp = TcpListener::bind(loopback(0)).expect("a free port");
        let taken = tcp.local_addr().expect("bound");
        let error = Sockets::bind(&[taken], &with_tcp()).expect_err("taken");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("cannot bind tcp {taken}: ")),
            "{text}"
        );
        assert!(Sockets::bind(&[taken], &BindOptions::default()).is_ok());
    }
}
