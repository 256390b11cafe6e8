//! A loop on a thread of its own, and a client of it.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use oneport_io::{BindOptions, Config, EventLoop, Handle, OnStream, Sockets, Stats};
use oneport_link::Machine;

/// How long anything may take before a test fails. Nothing is expected to take that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A loop that runs.
pub(crate) struct Running<M: Machine> {
    pub(crate) addrs: Vec<SocketAddr>,
    pub(crate) handle: Handle<M>,
    ended: Receiver<M>,
    thread: JoinHandle<()>,
}

impl<M> Running<M>
where
    M: Machine<Command: Send, Reply: Send> + Send + 'static,
{
    /// UDP only, on one address of the loopback interface.
    pub(crate) fn start(machine: M) -> Self {
        Self::start_on(&["127.0.0.1:0"], machine)
    }

    /// UDP only.
    pub(crate) fn start_on(addrs: &[&str], machine: M) -> Self {
        let options = BindOptions::default();
        Self::start_with(addrs, &options, machine, None, Config::default())
    }

    pub(crate) fn start_with(
        addrs: &[&str],
        options: &BindOptions,
        machine: M,
        on_stream: Option<OnStream>,
        config: Config,
    ) -> Self {
        let addrs: Vec<SocketAddr> = addrs.iter().map(|text| address(text)).collect();
        let sockets = Sockets::bind(&addrs, options).expect("loopback addresses");
        let addrs = sockets.local_addrs();
        let (event_loop, handle) =
            EventLoop::new(sockets, machine, on_stream, config).expect("a loop");
        let (end, ended) = sync_channel(1);
        let thread = thread::spawn(move || {
            let machine = event_loop.run().expect("the loop ends well");
            end.send(machine).expect("the test waits");
        });
        Self {
            addrs,
            handle,
            ended,
            thread,
        }
    }

    /// Waits for the end, which the test has brought about, and returns the machine.
    pub(crate) fn join(self) -> M {
        let machine = self.ended.recv_timeout(PATIENCE).expect("the loop ends");
        self.thread.join().expect("no panic");
        machine
    }

    /// Waits for the end by a panic.
    pub(crate) fn join_panicked(self) {
        assert!(self.ended.recv_timeout(PATIENCE).is_err());
        assert!(
            self.thread.join().is_err(),
            "the panic must not be swallowed"
        );
    }

    /// Waits until the statistics are as wanted.
    pub(crate) fn stats_when(&self, wanted: impl Fn(&Stats) -> bool) -> Stats {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let stats = self.handle.stats();
            if wanted(&stats) {
                return stats;
            }
            assert!(Instant::now() < give_up, "not in time: {stats:#?}");
            thread::yield_now();
        }
    }
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("a literal address")
}

/// A socket that talks to `peer` only, and to no other address of it.
pub(crate) fn client(peer: SocketAddr) -> UdpSocket {
    let any = match peer {
        SocketAddr::V4(_) => "127.0.0.1:0",
        SocketAddr::V6(_) => "[::1]:0",
    };
    let socket = UdpSocket::bind(any).expect("a free port");
    socket.connect(peer).expect("loopback");
    socket.set_read_timeout(Some(PATIENCE)).expect("not zero");
    socket
}

/// The next datagram.
pub(crate) fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = socket.recv(&mut buffer).expect("a datagram in time");
    buffer.truncate(length);
    buffer
}

/// Whether the host has IPv6 on its loopback interface; says so if not.
pub(crate) fn has_ipv6() -> bool {
    let has = UdpSocket::bind("[::1]:0").is_ok();
    if !has {
        eprintln!("skipped: no ::1 here");
    }
    has
}
