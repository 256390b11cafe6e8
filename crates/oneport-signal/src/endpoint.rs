//! Takes connections over and gives each a thread.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use log::{debug, warn};
use oneport_wire::Network;

use crate::asset::{Asset, Shelf};
use crate::backend::Backend;
use crate::config::Config;
use crate::connection::{Connection, Peer};
use crate::counters::{Counters, Meters};
use crate::date::http_date;
use crate::deadline_stream::DeadlineStream;
use crate::handler::Handler;
use crate::places::{Entry, Place, Places};
use crate::problem::Problem;
use crate::response::{Form, Persistence, Response};
use crate::tls::{self, Identities, TlsStream};
use crate::transport::{SharedTcp, Transport};

/// The stack of a connection's thread, in bytes.
///
/// The endpoint's own deepest call is the parsing of a head: 4 KiB of read buffer and 2 KiB of
/// headers in a dozen frames. Bodies and messages are on the heap, and nothing recurses, JSON
/// included (what it does not know it skips in a loop). TLS, with its handshakes, did with 64 KiB in a
/// debug build. That leaves most of it to the backend and
/// the logger. Memory is only used for what is touched.
pub const STACK_BYTES: usize = 256 * 1024;

/// The signaling endpoint. Connections go in with [`serve`](Self::serve); each is then served by a
/// thread of its own until it ends, which it does within the times of its [`Config`] even if the
/// endpoint is dropped before.
pub struct Endpoint {
    shared: Arc<Shared>,
    places: Arc<Places>,
}

struct Shared {
    config: Config,
    handler: Handler,
    identities: Option<Arc<dyn Identities>>,
}

impl Shared {
    fn meters(&self) -> &Meters {
        &self.handler.meters
    }

    /// Serves what is accepted from a TCP listener: TLS or not, as its first byte says.
    fn run_tcp(&self, client: IpAddr, place: Place) {
        let mut stream = self.within_a_request(SharedTcp(place.stream()));
        let Some(identities) = &self.identities else {
            return self.run(stream, client, Some(place), true);
        };
        match stream.first_byte() {
            Ok(Some(tls::FIRST_BYTE)) => {
                let identity = identities.current();
                let begin = |stream| TlsStream::accept(stream, &identity, self.meters());
                match stream.wrap(begin) {
                    Ok(stream) => self.run(stream, client, Some(place), true),
                    Err(error) => warn!("TLS cannot begin: {error}"),
                }
            }
            Ok(Some(_)) => self.run(stream, client, Some(place), false),
            Ok(None) | Err(_) => {}
        }
    }

    /// The time of the first request runs from here: a fresh connection has no idle time on top.
    fn within_a_request<T: Transport>(&self, stream: T) -> DeadlineStream<T> {
        let mut stream = DeadlineStream::new(stream);
        stream.read_within(self.config.request_timeout);
        stream
    }

    /// `is_private` if nobody should be led from here to TLS.
    fn run<T: Transport>(
        &self,
        stream: DeadlineStream<T>,
        peer: IpAddr,
        place: Option<Place>,
        is_private: bool,
    ) {
        let peer = Peer {
            address: peer,
            is_private,
        };
        Connection::new(&self.config, &self.handler, peer, stream, place).run();
    }
}

impl Endpoint {
    /// An endpoint that serves these assets and has offers answered by this backend.
    pub fn new(config: Config, assets: &'static [Asset], backend: Arc<dyn Backend>) -> Self {
        let handler = Handler {
            shelf: Shelf::new(assets),
            backend,
            meters: Meters::default(),
            operator_body_bytes_max: config.operator_body_bytes_max,
        };
        Self {
            places: Places::new(config.connections_max, config.connections_per_address_max),
            shared: Arc::new(Shared {
                config,
                handler,
                identities: None,
            }),
        }
    }

    /// The same with TLS. Plain HTTP is then led to https, but for `/healthz`, `/readyz` and clients on this
    /// machine, whose words go through no network: a proxy among them.
    ///
    /// # Panics
    ///
    /// If connections have been served already.
    #[must_use]
    pub fn with_tls(mut self, identities: Arc<dyn Identities>) -> Self {
        let shared = Arc::get_mut(&mut self.shared).expect("nothing has been served yet");
        shared.identities = Some(identities);
        self
    }

    /// Takes over a connection from which nothing has been read yet (to have peeked is fine), and
    /// never blocks. The stream may be in blocking mode or not.
    ///
    /// If there are [`Config::connections_max`] already, the one that has been the longest without a
    /// whole request is closed for it, and if its address has
    /// [`Config::connections_per_address_max`], one of that address. If all of them are just being answered, the client gets a `503`
    /// with `Retry-After` if its socket takes it at once, and the connection is closed. If the system
    /// gives no thread, it is just closed. The [counters](Self::counters) tell what happened.
    pub fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        let meters = self.shared.meters();
        let place = match self.enter(stream, peer.ip()) {
            Entry::Free(place) => place,
            Entry::Evicted(place) => {
                meters.evicted.count();
                place
            }
            Entry::Full(stream) => {
                debug!("turned {peer} away: too many connections");
                meters.turned_away.count();
                meters.response(503);
                // A client that cannot be told is turned away all the same.
                let _ = turn_away(&stream);
                return;
            }
        };
        match spawn(Arc::clone(&self.shared), place, peer) {
            Ok(()) => meters.served.count(),
            Err(error) => {
                warn!("a signaling connection was dropped: {error}");
                meters.failed.count();
            }
        }
    }

    /// Serves a connection on this thread, to its end: for what is not accepted from a TCP listener. It
    /// does not count against [`Config::connections_max`], for its thread is the caller's to bound.
    pub fn serve_here(&self, stream: impl Transport, client: IpAddr) {
        self.shared.meters().served.count();
        let stream = self.shared.within_a_request(stream);
        self.shared.run(stream, client, None, true);
    }

    /// A place of the peer's share; of a trusted proxy, which comes for many, any.
    fn enter(&self, stream: TcpStream, peer: IpAddr) -> Entry {
        let trusted = &self.shared.config.trusted_proxies;
        match trusted.iter().any(|proxies| proxies.contains(peer)) {
            true => self.places.enter_for_many(stream, Network::of(peer)),
            false => self.places.enter(stream, Network::of(peer)),
        }
    }

    /// How many connections are open, WebSockets included.
    pub fn connections(&self) -> usize {
        self.places.count()
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        self.shared.meters().read()
    }

    /// The offers that were refused so far, by the refusal's code: all of them, also those that the
    /// backend never saw.
    pub fn refusals(&self) -> BTreeMap<&'static str, u64> {
        self.shared.meters().refusals()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("config", &self.shared.config)
            .field("connections", &self.connections())
            .field("counters", &self.counters())
            .finish()
    }
}

/// If this fails, the stream is closed and the place given back: both are dropped.
fn spawn(shared: Arc<Shared>, place: Place, peer: SocketAddr) -> io::Result<()> {
    let stream = place.stream();
    stream.set_nonblocking(false)?;
    // A response is one write: there is nothing to wait for.
    stream.set_nodelay(true)?;
    let client = peer.ip().to_canonical();
    thread::Builder::new()
        // At most 15 characters, which is what Linux shows.
        .name("oneport-signal".into())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            give_way();
            shared.run_tcp(client, place);
        })
        .map(drop)
}

/// Lowers the priority of this thread: there may be hundreds of them and one that relays messages, and
/// who wants to join has more time than who is in.
fn give_way() {
    /// Of a nice value of 10, a tenth of the usual weight (sched(7)).
    #[cfg(target_os = "linux")]
    const NICE: i32 = 10;
    // On Linux this is about the thread that calls it, not the process (setpriority(2)).
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        debug!("a signaling thread keeps its priority: {error}");
    }
}

/// Answers 503 as far as that needs no waiting.
fn turn_away(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    // The request has usually arrived, that is how it was known to be HTTP. It is read, because
    // closing with unread bytes sends a reset that can overtake the response.
    let mut scrap = [0; 4096];
    for _ in 0..TURNED_AWAY_READS_MAX {
        if !matches!(stream.read(&mut scrap), Ok(1..)) {
            break;
        }
    }
    let form = Form {
        head_only: false,
        persistence: Persistence::Close,
    };
    let response = Response::from(Problem::too_many_connections());
    stream.write_all(&response.to_bytes(form, &http_date(SystemTime::now())))?;
    stream.shutdown(Shutdown::Write)
}

/// Reads of a connection that is turned away: 16 KiB, more than a request with a usual offer.
const TURNED_AWAY_READS_MAX: usize = 4;
