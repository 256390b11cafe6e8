//! Takes connections over and gives each a thread.

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
use crate::connection::Connection;
use crate::counters::{Counters, Meters};
use crate::date::http_date;
use crate::deadline_stream::DeadlineStream;
use crate::handler::Handler;
use crate::places::{Entry, Place, Places};
use crate::problem::Problem;
use crate::response::{Form, Persistence, Response};
use crate::transport::{SharedTcp, Transport};

/// The stack of a connection's thread, in bytes.
///
/// The endpoint's own deepest call is the parsing of a head: 4 KiB of read buffer and 2 KiB of
/// headers in a dozen frames. Bodies and messages are on the heap, and nothing recurses, JSON
/// included (what it does not know it skips in a loop). That leaves most of it to the backend and
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
}

impl Shared {
    fn meters(&self) -> &Meters {
        &self.handler.meters
    }

    fn run(&self, stream: impl Transport, client: IpAddr, place: Option<Place>) {
        let stream = DeadlineStream::new(stream);
        Connection::new(&self.config, &self.handler, client, stream, place).run();
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
            shared: Arc::new(Shared { config, handler }),
        }
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
        let place = match self.places.enter(stream, Network::of(peer.ip())) {
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
        self.shared.run(stream, client, None);
    }

    /// How many connections are open, WebSockets included.
    pub fn connections(&self) -> usize {
        self.places.count()
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        self.shared.meters().read()
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
            shared.run(SharedTcp(place.stream()), client, Some(place));
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
