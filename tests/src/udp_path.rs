//! A way from clients to a relay that can be cut without anybody being told, or that is slow.

use std::{
    collections::HashMap,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use crate::Result;

/// How soon the threads see that the path is no longer wanted.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Every browser brings a few for each of its connections.
const FLOWS_MAX: usize = 256;

/// Larger than any datagram of ours.
const DATAGRAM_BYTES_MAX: usize = 2048;

/// What waits before a slow path is bounded, as in a router; the rest gets lost.
const QUEUE_DATAGRAMS_MAX: usize = 16;

/// Forwards datagrams between clients and a relay on loopback. For the relay every client has an
/// address of its own, as behind a NAT.
#[derive(Debug)]
pub struct UdpPath {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    front: UdpSocket,
    /// What each client is sent in a second at most.
    bytes_per_s: Option<u32>,
    /// How many addresses of clients have been seen.
    flows: AtomicUsize,
    /// Nothing passes for the flow with this number and all later ones.
    cut_from: AtomicUsize,
    is_over: AtomicBool,
}

impl UdpPath {
    /// The address to be announced by a relay whose clients are to come along a path.
    pub const ADDRESS: &str = "127.0.0.2";

    /// Begins to forward to the relay at this port of 127.0.0.1, which has announced [`Self::ADDRESS`].
    ///
    /// # Errors
    /// When the port is taken at the path's address.
    pub fn to(port: u16) -> Result<Self> {
        Self::begin(port, None)
    }

    /// The same, but each client is sent so many bytes a second at most.
    ///
    /// # Errors
    /// As [`Self::to`].
    pub fn slow_to(port: u16, bytes_per_s: u32) -> Result<Self> {
        Self::begin(port, Some(bytes_per_s))
    }

    fn begin(port: u16, bytes_per_s: Option<u32>) -> Result<Self> {
        let relay = (Ipv4Addr::LOCALHOST, port).into();
        let front = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 2), port))?;
        front.set_read_timeout(Some(LOOK_AGAIN))?;
        let shared = Arc::new(Shared {
            front,
            bytes_per_s,
            flows: AtomicUsize::new(0),
            cut_from: AtomicUsize::new(usize::MAX),
            is_over: AtomicBool::new(false),
        });
        let forwarding = Arc::clone(&shared);
        thread::spawn(move || forwarding.forward(relay));
        Ok(Self { shared })
    }

    /// How many addresses clients have come from.
    #[must_use]
    pub fn flows(&self) -> usize {
        self.shared.flows.load(Ordering::Relaxed)
    }

    /// From now on nothing passes, in either direction, but for the first so many flows.
    pub fn cut_but_for(&self, flows: usize) {
        self.shared.cut_from.store(flows, Ordering::Relaxed);
    }

    /// Everything passes again.
    pub fn mend(&self) {
        self.cut_but_for(usize::MAX);
    }
}

impl Drop for UdpPath {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    /// From the clients to the relay.
    fn forward(self: &Arc<Self>, relay: SocketAddr) {
        let mut flows: HashMap<SocketAddr, (usize, Arc<UdpSocket>)> = HashMap::new();
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        while let Some(received) = self.receive(&self.front, &mut datagram) {
            let Some((length, client)) = received else {
                continue;
            };
            if !flows.contains_key(&client) && flows.len() < FLOWS_MAX {
                let Ok(back) = self.begin_flow(flows.len(), client, relay) else {
                    continue;
                };
                flows.insert(client, (flows.len(), back));
                self.flows.store(flows.len(), Ordering::Relaxed);
            }
            let Some((number, back)) = flows.get(&client) else {
                continue;
            };
            if self.passes(*number) {
                // A datagram may get lost.
                let _ = back.send(&datagram[..length]);
            }
        }
    }

    /// From the relay to one client.
    fn begin_flow(
        self: &Arc<Self>,
        number: usize,
        client: SocketAddr,
        relay: SocketAddr,
    ) -> Result<Arc<UdpSocket>> {
        let back = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?);
        back.connect(relay)?;
        back.set_read_timeout(Some(LOOK_AGAIN))?;
        let (shared, socket) = (Arc::clone(self), Arc::clone(&back));
        thread::spawn(move || {
            let queue = shared
                .bytes_per_s
                .map(|rate| shared.slow_down(rate, client));
            let mut datagram = [0; DATAGRAM_BYTES_MAX];
            while let Some(received) = shared.receive(&socket, &mut datagram) {
                let Some((length, _)) = received.filter(|_| shared.passes(number)) else {
                    continue;
                };
                match &queue {
                    Some(queue) => drop(queue.try_send(datagram[..length].to_vec())),
                    None => drop(shared.front.send_to(&datagram[..length], client)),
                }
            }
        });
        Ok(back)
    }

    /// A queue that is emptied towards a client at that rate.
    fn slow_down(self: &Arc<Self>, bytes_per_s: u32, client: SocketAddr) -> SyncSender<Vec<u8>> {
        let (queue, queued) = sync_channel::<Vec<u8>>(QUEUE_DATAGRAMS_MAX);
        let shared = Arc::clone(self);
        thread::spawn(move || {
            for datagram in queued {
                let bytes = u32::try_from(datagram.len()).unwrap_or(u32::MAX);
                thread::sleep(Duration::from_secs(1) * bytes / bytes_per_s);
                let _ = shared.front.send_to(&datagram, client);
            }
        });
        queue
    }

    /// A datagram, or nothing for now; `None` when the path is no longer wanted.
    fn receive(
        &self,
        socket: &UdpSocket,
        datagram: &mut [u8],
    ) -> Option<Option<(usize, SocketAddr)>> {
        if self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        match socket.recv_from(datagram) {
            Ok(received) => Some(Some(received)),
            // Nobody listens any more at an address that was sent to.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Some(None),
            Err(error) if is_timeout(error.kind()) => Some(None),
            Err(_) => None,
        }
    }

    fn passes(&self, number: usize) -> bool {
        number < self.cut_from.load(Ordering::Relaxed)
    }
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
