//! All parts put together.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use oneport_core::hub::HubLimits;
use oneport_core::{
    Certificate, Command, LinkConfig, Relay, RelayConfig, Reply, STREAM_BYTES_MAX, State, Stats,
};
use oneport_io::{BindError, BindOptions, CallError, EventLoop, Handle, Sockets};
use oneport_signal::{Endpoint, Identities};

use crate::assets::ASSETS;
use crate::backend::RelayBackend;
use crate::candidates::{self, NoCandidate};
use crate::certificate::{CertificateError, CertificateFiles};
use crate::cli::{ServeArgs, SlowRule, TlsArgs};
use crate::operator::{Limits, Operator};
use crate::state_file::{StateFile, StateFileError};
use crate::token::Authority;
use crate::token_gate::TokenGate;
use crate::webhook::{Webhook, WebhookCounts, WebhookError};

/// A relay that runs, with its sockets and its signaling endpoint.
pub struct Server {
    config: RelayConfig,
    listen: Vec<SocketAddr>,
    certificate: Option<Arc<CertificateFiles>>,
    handle: Handle<Relay>,
    endpoint: Arc<OnceLock<Endpoint>>,
    relay: JoinHandle<io::Result<Relay>>,
    state: Option<StateFile>,
    webhook: Option<Arc<Webhook>>,
}

impl Server {
    /// Binds the sockets and starts the relay on a thread of its own. With an authority, only those
    /// get in who have an access token of it. The arguments say nothing about that here: it is for
    /// the caller to [find the secret](crate::token::Secret::find).
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing is left running then.
    pub fn start(args: &ServeArgs, authority: Option<Authority>) -> Result<Self, StartError> {
        let public = args.listen.iter().find(|a| !a.ip().is_loopback());
        match (public, args.open, &authority) {
            (_, true, Some(_)) => return Err(StartError::OpenWithSecret),
            (Some(address), false, None) => {
                return Err(StartError::NotOpen { address: *address });
            }
            _ => {}
        }
        // Before the port is taken: the relay before this one may not be through yet.
        let state = args.state.state.as_deref().map(StateFile::claim);
        let state = state.transpose().map_err(StartError::State)?;
        // Before the port is taken, too: which settings cannot be used does not depend on who has it.
        let mut config = relay_config(args)?;
        let options = BindOptions {
            tcp: true,
            ..BindOptions::default()
        };
        let certificate = certificate(&args.tls)?;
        let sockets = Sockets::bind(&args.listen, &options).map_err(StartError::Bind)?;
        let listen = sockets.local_addrs();
        let interfaces = candidates::interfaces();
        let candidates = candidates::candidates(&listen, &args.announce, &interfaces)
            .map_err(StartError::NoCandidate)?;
        let is_wild = listen.iter().any(|address| address.ip().is_unspecified());
        if is_wild && candidates.iter().all(|address| address.ip().is_loopback()) {
            log::warn!(
                "this host has no other address than loopback yet, and clients will be told that one: \
                 start again when the network is there, or say with --announce where to find it"
            );
        }
        config.link.tcp_candidates.clone_from(&candidates);
        config.link.candidates = candidates;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| StartError::Io(io::Error::other(error)))?;
        let webhook = Webhook::start(&args.webhook).map_err(StartError::Webhook)?;
        let webhook = webhook.map(Arc::new);
        let mut relay = begin(&config, seed, state.as_ref())?;
        let authority = authority.map(Arc::new);
        if let Some(authority) = &authority {
            relay.set_gate(Box::new(TokenGate(Arc::clone(authority))));
        }
        if let Some(webhook) = &webhook {
            relay.set_observer(webhook.observer());
        }
        // Nothing else can be wrong, and nobody is served yet.
        if let Some(file) = &state {
            file.forget().map_err(StartError::State)?;
        }
        let (handle, endpoint, relay) = spawn(
            sockets,
            relay,
            authority,
            webhook.clone(),
            &config,
            args,
            certificate.clone(),
        )
        .map_err(StartError::Io)?;
        Ok(Self {
            config,
            listen,
            certificate,
            handle,
            endpoint,
            relay,
            state,
            webhook,
        })
    }

    /// Where it listens, with the ports that the system chose.
    pub fn listen(&self) -> &[SocketAddr] {
        &self.listen
    }

    /// The names of its certificate, where it has one.
    pub fn tls_names(&self) -> Option<Vec<String>> {
        let files = self.certificate.as_ref()?;
        Some(files.current().names().to_vec())
    }

    /// The files of its certificate, where it has one.
    pub(crate) fn certificate(&self) -> Option<Arc<CertificateFiles>> {
        self.certificate.clone()
    }

    /// What it was configured with.
    pub fn config(&self) -> &RelayConfig {
        &self.config
    }

    /// What can stop it from another thread.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.handle.clone())
    }

    /// What can see from another thread whether it still works.
    pub fn probe(&self) -> Probe {
        Probe {
            relay: self.handle.clone(),
            endpoint: Arc::downgrade(&self.endpoint),
        }
    }

    /// What it has done so far.
    ///
    /// # Errors
    ///
    /// [`CallError`] where it has stopped or is too busy to say.
    pub fn stats(&self) -> Result<Stats, CallError> {
        self.probe().stats()
    }

    /// What its event loop has done so far.
    pub fn io_stats(&self) -> oneport_io::Stats {
        self.handle.stats()
    }

    /// What has become of the webhook's events; nothing without one.
    pub fn webhook_counts(&self) -> WebhookCounts {
        self.webhook
            .as_ref()
            .map(|webhook| webhook.counts())
            .unwrap_or_default()
    }

    /// Waits until it has stopped, leaves its state to the next one, if it is to, and says what it has
    /// done. A webhook is told what has happened until then, if its receiver takes it soon.
    ///
    /// # Errors
    ///
    /// Where the event loop cannot go on, or the state cannot be written.
    ///
    /// # Panics
    ///
    /// Where the relay's thread has panicked.
    pub fn join(self) -> io::Result<Stats> {
        let relay = match self.relay.join() {
            Ok(relay) => relay?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        if let Some(file) = &self.state {
            let failed = |error| io::Error::other(format!("the state cannot be left: {error}"));
            file.leave(&relay.state()).map_err(failed)?;
        }
        if let Some(webhook) = &self.webhook {
            webhook.finish();
        }
        Ok(with_refusals(relay.stats(), &self.endpoint))
    }
}

/// How long to wait until the event loop's queue has room again.
pub(crate) const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Stops a [`Server`].
#[derive(Clone)]
pub struct Stopper(Handle<Relay>);

impl Stopper {
    /// Ends all links properly, then the server. Does not wait for it.
    pub fn stop(&self) {
        // A full queue of commands empties with the next turn of the loop, and one that has waited too
        // long is not carried out.
        while let Err(CallError::Busy | CallError::Timeout) = self.0.call(Command::ShutDown) {
            std::thread::sleep(BUSY_PAUSE);
        }
    }
}

/// Asks a [`Server`] for a sign of life.
#[derive(Clone)]
pub struct Probe {
    relay: Handle<Relay>,
    /// It is not to live longer for this.
    endpoint: Weak<OnceLock<Endpoint>>,
}

impl Probe {
    /// Waits until the event loop has carried out a command, which it does between two turns.
    ///
    /// # Errors
    ///
    /// [`CallError`] where it has stopped, hangs, or is too busy to say.
    pub fn answers(&self) -> Result<(), CallError> {
        self.stats().map(drop)
    }

    /// What the relay has done so far.
    ///
    /// # Errors
    ///
    /// As [`Self::answers`].
    pub fn stats(&self) -> Result<Stats, CallError> {
        match self.relay.call(Command::Stats)? {
            Reply::Stats(stats) => Ok(match self.endpoint.upgrade() {
                Some(endpoint) => with_refusals(*stats, &endpoint),
                None => *stats,
            }),
            _ => Err(CallError::Stopped),
        }
    }
}

/// Signaling refuses offers that the relay never sees, for their token above all.
fn with_refusals(stats: Stats, endpoint: &OnceLock<Endpoint>) -> Stats {
    match endpoint.get() {
        Some(endpoint) => Stats {
            refused: endpoint.refusals(),
            ..stats
        },
        None => stats,
    }
}

type Running = (
    Handle<Relay>,
    Arc<OnceLock<Endpoint>>,
    JoinHandle<io::Result<Relay>>,
);

/// The event loop and the endpoint need each other: the endpoint's backend asks the loop, and the
/// loop hands connections to the endpoint. Connections go by way of a cell that is filled when both
/// are there, before the loop runs.
fn spawn(
    sockets: Sockets,
    relay: Relay,
    authority: Option<Arc<Authority>>,
    webhook: Option<Arc<Webhook>>,
    config: &RelayConfig,
    args: &ServeArgs,
    certificate: Option<Arc<CertificateFiles>>,
) -> io::Result<Running> {
    let endpoint = Arc::new(OnceLock::<Endpoint>::new());
    let on_stream = {
        let endpoint = Arc::clone(&endpoint);
        Box::new(move |stream: TcpStream, peer: SocketAddr| {
            if let Some(endpoint) = endpoint.get() {
                endpoint.serve(stream, peer);
            }
        })
    };
    // A browser may have several for a while, one for each of its networks, until it has chosen its path.
    const CONNECTIONS_PER_CLIENT: usize = 4;
    // What the relay's limit of memory allows, in which each has one such buffer.
    let memory_bytes_max = config.memory_bytes_max.unwrap_or(usize::MAX);
    let links_max = (memory_bytes_max / config.client_bytes_max()).min(config.links_max);
    let io_config = oneport_io::Config {
        framed_max: CONNECTIONS_PER_CLIENT * config.links_max,
        framed_per_address_max: CONNECTIONS_PER_CLIENT * config.links_per_address_max,
        framed_bytes_max: links_max * STREAM_BYTES_MAX,
        ..oneport_io::Config::default()
    };
    let (event_loop, handle) = EventLoop::new(sockets, relay, Some(on_stream), io_config)?;
    let operator = Operator::new(
        handle.clone(),
        authority.clone(),
        Arc::downgrade(&endpoint),
        webhook,
        certificate.clone(),
        Limits::of(config),
    );
    let backend = Arc::new(RelayBackend {
        relay: handle.clone(),
        authority,
        operator,
    });
    let signal_config = oneport_signal::Config {
        trusted_proxies: args.tls.trust_proxy.clone(),
        ..oneport_signal::Config::default()
    };
    let mut signaling = Endpoint::new(signal_config, ASSETS, backend);
    if let Some(certificate) = certificate {
        signaling = signaling.with_tls(certificate);
    }
    let _ = endpoint.set(signaling);
    let thread = std::thread::Builder::new().name("relay".into());
    Ok((handle, endpoint, thread.spawn(move || event_loop.run())?))
}

fn certificate(args: &TlsArgs) -> Result<Option<Arc<CertificateFiles>>, StartError> {
    let files = match (&args.tls_cert, &args.tls_key) {
        (Some(chain), Some(key)) => CertificateFiles::read(chain, key),
        (None, None) => return Ok(None),
        _ => Err(CertificateError::OneAlone),
    };
    files
        .map(|files| Some(Arc::new(files)))
        .map_err(StartError::Certificate)
}

/// A relay that goes on where the one before it has stopped, if that has left its state.
fn begin(
    config: &RelayConfig,
    seed: [u8; 32],
    state: Option<&StateFile>,
) -> Result<Relay, StartError> {
    let restore = |state: State<'_>| Relay::restore(Instant::now(), config.clone(), seed, state);
    let restored = match state {
        Some(file) => file.read(restore).map_err(StartError::State)?,
        None => None,
    };
    Ok(restored.unwrap_or_else(|| Relay::new(Instant::now(), config.clone(), seed)))
}

/// All but the candidates, which are known when the port is taken.
fn relay_config(args: &ServeArgs) -> Result<RelayConfig, StartError> {
    let defaults = RelayConfig::new(LinkConfig::new(Certificate::generate(), Vec::new()));
    let config = RelayConfig {
        hub: HubLimits {
            rooms_max: args.max_rooms.0,
            members_per_room_max: args.max_room_clients.0,
            ..defaults.hub
        },
        links_max: args.max_clients.0,
        // A session may outlive its link for a while, in which somebody else takes the place.
        sessions_max: 2 * args.max_clients.0,
        links_per_address_max: args.max_clients_per_address.0,
        handshakes_per_address_max: args.max_connecting_per_address.0,
        // A clock before 1970 is as good as none.
        unix_time: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
        slow_policies: args.slow_policies().map_err(StartError::SlowTwice)?,
        memory_bytes_max: args.max_memory.map(|bytes| bytes.0),
        ..defaults
    };
    let memory_bytes_min = config.memory_bytes_min();
    match args.max_memory {
        Some(bytes) if bytes.0 < memory_bytes_min => Err(StartError::TooLittleMemory {
            bytes_min: memory_bytes_min,
        }),
        _ => Ok(config),
    }
}

/// Why a server cannot start.
#[derive(Debug)]
pub enum StartError {
    /// It would let anybody in, and was not told to.
    NotOpen {
        /// An address that others can reach.
        address: SocketAddr,
    },
    /// It would let anybody in, and only those with a token.
    OpenWithSecret,
    /// Two policies for the same slow clients.
    SlowTwice(SlowRule),
    /// The limit of memory would keep everybody out.
    TooLittleMemory {
        /// What one client in one room needs, in bytes.
        bytes_min: usize,
    },
    /// There is no certificate to serve with.
    Certificate(CertificateError),
    /// It could not leave its state.
    State(StateFileError),
    /// The webhook cannot be told anything.
    Webhook(WebhookError),
    /// A socket cannot be had.
    Bind(BindError),
    /// Clients could not reach it.
    NoCandidate(NoCandidate),
    /// The system refuses something else.
    Io(io::Error),
}

impl StartError {
    /// The exit code: 2 where other arguments would help, 1 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotOpen { .. }
            | Self::OpenWithSecret
            | Self::SlowTwice(_)
            | Self::TooLittleMemory { .. }
            | Self::NoCandidate(
                NoCandidate::NotAnAddress { .. } | NoCandidate::NoSuchFamily { .. },
            ) => 2,
            Self::Certificate(error) => error.exit_code(),
            // The network may come later.
            Self::NoCandidate(NoCandidate::NoInterface { .. }) => 1,
            Self::State(error) => error.exit_code(),
            Self::Webhook(error) => error.exit_code(),
            Self::Bind(_) | Self::Io(_) => 1,
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen { address } => write!(
                f,
                "listening on {address} would let anybody in: add --secret-file to ask for access \
                 tokens, or --open if anybody is who you want, or listen on 127.0.0.1"
            ),
            Self::OpenWithSecret => f.write_str(
                "--open lets anybody in, and a secret only those with an access token: choose one \
                 (the secret may also be in the environment, as ONEPORT_SECRET)",
            ),
            Self::SlowTwice(SlowRule { rooms, .. }) => match rooms {
                Some(rooms) => write!(f, "--slow names the rooms {rooms} twice"),
                None => f.write_str("--slow without a room stands there twice"),
            },
            Self::TooLittleMemory { bytes_min } => {
                let least = bytes_min.div_ceil(1 << 20);
                write!(
                    f,
                    "--max-memory would keep everybody out: one client in one room needs {least}M"
                )
            }
            Self::Certificate(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::Webhook(error) => error.fmt(f),
            Self::Bind(error) => error.fmt(f),
            Self::NoCandidate(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}
