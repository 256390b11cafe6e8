//! One load, from the first client to the last message.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use oneport_io::{BindOptions, Config, EventLoop, Handle, Sockets};
use oneport_link::Machine;

use crate::args::RunArgs;
use crate::fleet::{Fleet, Order, Report};
use crate::outcome::{Connecting, Outcome};
use crate::peers::Peer;
use crate::process::usage;
use crate::room::Room;
use crate::signaling::{Host, Janus, Relay};
use crate::speaker::Channel;
use crate::tally::Counts;

/// Before latencies count: what is slow only once is over then.
const WARM_UP: Duration = Duration::from_secs(1);

/// For all clients together, from the last answer to the last channel.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// When nothing has come for so long, nothing will.
const QUIET: Duration = Duration::from_secs(1);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// More sockets than this would be files that a process may not have open.
const SOCKETS_MAX: u32 = 900;

/// Why there is no result.
#[derive(Debug)]
pub(crate) struct RunError(String);

impl<E: std::error::Error> From<E> for RunError {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn failed(why: impl fmt::Display) -> RunError {
    RunError(why.to_string())
}

/// What a load can be brought to: a fleet, or what stands for one.
pub(crate) trait Loaded: Machine<Command = Order, Reply = Report> {}

impl<M: Machine<Command = Order, Reply = Report>> Loaded for M {}

/// Runs a load and measures it.
pub(crate) fn run(args: &RunArgs) -> Result<Outcome, RunError> {
    let channel = args.channel().map_err(RunError)?;
    let host = Host::new(&args.url).map_err(failed)?;
    let (sockets, addresses) = bind(args.clients + args.idle, host.local_ip()?)?;
    let door = Door::open(args, host)?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(failed)?;
    let fleet = Fleet::new(Instant::now(), channel, seed);
    let (event_loop, handle) = EventLoop::new(sockets, fleet, None, Config::default())?;
    let driver = thread::Builder::new().name("fleet".into());
    let driver = driver.spawn(move || event_loop.run().map(drop))?;

    let before = usage(args.pid);
    let (speakers, idle) = addresses.split_at(args.clients as usize);
    let connecting = connect(args, &door, &handle, speakers, |n| Room(n % args.rooms));
    let measured = connecting.and_then(|took| {
        let connecting = Connecting {
            took,
            before,
            after: usage(args.pid),
        };
        connect(args, &door, &handle, idle, |_| Room(args.rooms))?;
        measure(args, channel, &handle, connecting)
    });
    let _ = handle.call(Order::End);
    door.close();
    driver
        .join()
        .map_err(|_| failed("the fleet has panicked"))??;
    measured
}

/// The sockets of all clients, and the address of each. A relay tells clients apart by their
/// addresses: on loopback one socket has as many as we like, elsewhere each client has a port.
pub(crate) fn bind(clients: u32, local: IpAddr) -> Result<(Sockets, Vec<SocketAddr>), RunError> {
    let options = BindOptions::default();
    if local.is_loopback() && local.is_ipv4() {
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let sockets = Sockets::bind(&[any], &options)?;
        let port = sockets.local_addrs()[0].port();
        let first = u32::from(Ipv4Addr::new(127, 1, 0, 1));
        let address = |n| SocketAddr::from((Ipv4Addr::from(first + n), port));
        return Ok((sockets, (0..clients).map(address).collect()));
    }
    if clients > SOCKETS_MAX {
        let why = format!("from one address, {SOCKETS_MAX} clients are the most: run several");
        return Err(RunError(why));
    }
    let mut sockets = Sockets::bind(&[SocketAddr::new(local, 0)], &options)?;
    for _ in 1..clients {
        sockets = sockets.and(Sockets::bind(&[SocketAddr::new(local, 0)], &options)?);
    }
    let addresses = sockets.local_addrs();
    Ok((sockets, addresses))
}

/// How clients come in.
enum Door {
    /// They offer.
    Relay(Relay),
    /// They are offered.
    Janus(Janus),
}

impl Door {
    /// Makes the rooms where they must be made.
    fn open(args: &RunArgs, host: Host) -> Result<Self, RunError> {
        Ok(match args.peer {
            Peer::Oneport | Peer::Pion => Self::Relay(Relay::new(host, args.token.clone())),
            Peer::Janus => {
                let janus = Janus::new(host);
                let idle = (args.idle > 0).then_some(args.rooms);
                let rooms = (0..args.rooms.min(args.clients)).chain(idle);
                let rooms = rooms.map(Room);
                janus.open(rooms).map_err(failed)?;
                Self::Janus(janus)
            }
        })
    }

    /// Leaves nothing behind.
    fn close(&self) {
        if let Self::Janus(janus) = self
            && let Err(error) = janus.close()
        {
            log::warn!("{error}");
        }
    }

    /// Brings a client in, as far as descriptions do.
    fn pass(
        &self,
        room: Room,
        address: SocketAddr,
        handle: &Handle<Fleet>,
    ) -> Result<(), RunError> {
        match self {
            Self::Relay(relay) => {
                let Report::Enlisted(number, offer) = handle.call(Order::Enlist(room, address))?
                else {
                    return Err(failed("a client could not be made"));
                };
                let answer = relay
                    .exchange(room.name().as_str(), &offer)
                    .map_err(failed)?;
                match handle.call(Order::Answer(number, answer))? {
                    Report::Done(true) => Ok(()),
                    _ => Err(failed("the relay's answer is none")),
                }
            }
            Self::Janus(janus) => {
                let offer = janus.offer().map_err(failed)?;
                let order = Order::EnlistFor(room, address, offer.sdp.clone());
                match handle.call(order)? {
                    Report::Enlisted(_, answer) => janus.answer(&offer, &answer).map_err(failed),
                    _ => Err(failed("the relay's offer is none")),
                }
            }
        }
    }
}

fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>11} {wide_bar} {pos}/{len}");
    let style = style.unwrap_or(ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_prefix(what)
}

/// Brings clients into their rooms. Answers how long that took.
fn connect(
    args: &RunArgs,
    door: &Door,
    handle: &Handle<Fleet>,
    addresses: &[SocketAddr],
    room: impl Fn(u32) -> Room + Sync,
) -> Result<Duration, RunError> {
    let start = Instant::now();
    let ready_before = ready(handle)?;
    let bar = bar(addresses.len() as u64, "connecting");
    let next = AtomicU32::new(0);
    let work = || -> Result<(), RunError> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(&address) = addresses.get(number as usize) else {
                return Ok(());
            };
            door.pass(room(number), address, handle)?;
            bar.inc(1);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..args.connecting).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => Err(failed("a worker has panicked")),
        });
        results.collect::<Result<Vec<()>, _>>()
    })?;
    let deadline = Instant::now() + READY_TIMEOUT;
    loop {
        let ready = ready(handle)?.saturating_sub(ready_before);
        if ready == addresses.len() {
            bar.finish_and_clear();
            return Ok(start.elapsed());
        }
        if Instant::now() > deadline {
            let clients = addresses.len();
            return Err(RunError(format!(
                "only {ready} of {clients} clients got in"
            )));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn ready(handle: &Handle<Fleet>) -> Result<usize, RunError> {
    match handle.call(Order::Roll)? {
        Report::Ready(ready) => Ok(ready),
        _ => Err(failed("the fleet does not count")),
    }
}

fn counts<M: Loaded>(handle: &Handle<M>) -> Result<Counts, RunError> {
    match handle.call(Order::Count)? {
        Report::Counts(counts) => Ok(counts),
        _ => Err(failed("the fleet does not count")),
    }
}

/// The load itself.
pub(crate) fn measure<M: Loaded>(
    args: &RunArgs,
    channel: Channel,
    handle: &Handle<M>,
    connecting: Connecting,
) -> Result<Outcome, RunError> {
    let time = WARM_UP + args.duration();
    if args.rate > 0.0 {
        handle.call(Order::Start {
            speakers: args.clients,
            per_second: args.rate / (args.members() - 1.0).max(1.0),
            bytes: args.size as usize,
            warm_up: WARM_UP,
        })?;
    }
    let bar = bar(time.as_millis() as u64, "measuring");
    let start = Instant::now();
    thread::sleep(WARM_UP);
    let (from, counts_from, server_from, own_from) = (
        Instant::now(),
        counts(handle)?,
        usage(args.pid),
        usage(None),
    );
    while start.elapsed() < time {
        thread::sleep(LOOK_INTERVAL.min(time.saturating_sub(start.elapsed())));
        bar.set_position(start.elapsed().as_millis() as u64);
    }
    let (counts_to, server_to, own_to) = (counts(handle)?, usage(args.pid), usage(None));
    let took = from.elapsed();
    handle.call(Order::Stop)?;
    drain(handle)?;
    bar.finish_and_clear();
    let Report::Tally(tally) = handle.call(Order::Take)? else {
        return Err(failed("the fleet has no tally"));
    };
    Ok(Outcome {
        args: args.clone(),
        channel,
        connecting,
        took,
        delivered: counts_to.received - counts_from.received,
        echoed: counts_to.echoed - counts_from.echoed,
        server: server_from.zip(server_to),
        own: own_from.zip(own_to),
        tally: *tally,
    })
}

/// Waits for what is on its way.
fn drain<M: Loaded>(handle: &Handle<M>) -> Result<(), RunError> {
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    let mut known = counts(handle)?.received;
    let mut heard = Instant::now();
    while heard.elapsed() < QUIET && Instant::now() < deadline {
        thread::sleep(LOOK_INTERVAL);
        let received = counts(handle)?.received;
        if received != known {
            (known, heard) = (received, Instant::now());
        }
    }
    Ok(())
}
