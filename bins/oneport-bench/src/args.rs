//! The command line.

use std::net::IpAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::compare::CompareArgs;
use crate::floor::FloorArgs;
use crate::peers::{Peer, Place};
use crate::speaker::Channel;

/// Loads a relay with clients and messages, and says what came of it: oneport, or one to compare it with.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one load against one relay.
    Run(RunArgs),
    /// Run a relay as it is compared, until this is ended.
    Serve(ServeArgs),
    /// Bring the same loads to several relays on this machine, side by side.
    ///
    /// Relays run one at a time, in a network namespace and on a core of their own, in random order and
    /// several times. Each measurement is what `run` prints with the same arguments. Needs root.
    Compare(CompareArgs),
    /// Send and receive datagrams, and nothing else: what a delivery costs as a datagram of its own.
    Floor(FloorArgs),
}

/// A load.
///
/// Clients are spread evenly over the rooms and speak in turn. What one says goes to all others of its
/// room: with M members, each message makes M - 1 deliveries.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// What kind of relay it is.
    #[arg(long, value_enum, default_value_t = Peer::Oneport)]
    pub(crate) peer: Peer,

    /// The relay, as its page is reached, or Janus's API (http://…:8088/janus).
    #[arg(long, default_value = "http://127.0.0.1:3478")]
    pub(crate) url: String,

    /// An access token for the rooms, if the relay asks for one: for `bench-*`.
    #[arg(long)]
    pub(crate) token: Option<String>,

    /// How many clients.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=50_000))]
    pub(crate) clients: u32,

    /// Over how many rooms they are spread: as many in each, at least two.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rooms: u32,

    /// How many more clients there are, who say and hear nothing, in a room of their own.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=50_000))]
    pub(crate) idle: u32,

    /// How many deliveries a second, over all clients; 0 for none, to see what connecting and being
    /// there costs.
    #[arg(long, value_name = "N", default_value_t = 1000.0, value_parser = not_negative)]
    pub(crate) rate: f64,

    /// How many bytes a message has, at least 20; for Janus 36, and its JSON comes on top.
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(20..=200_000))]
    pub(crate) size: u32,

    /// How long to measure.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = positive)]
    pub(crate) secs: f64,

    /// What the messages go over. Default: framed with oneport; with others there is only plain.
    #[arg(long, value_enum)]
    pub(crate) channel: Option<Channel>,

    /// The relay's process, if it runs on this machine: its CPU and memory are measured too.
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,

    /// How many clients connect at a time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) connecting: u32,

    /// Print the result as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

impl RunArgs {
    pub(crate) fn duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.secs).unwrap_or(Duration::MAX)
    }

    /// What the messages really go over, or why this load cannot be brought.
    pub(crate) fn channel(&self) -> Result<Channel, String> {
        let Self { clients, rooms, .. } = self;
        if clients % rooms != 0 || clients / rooms < 2 {
            return Err(format!(
                "{clients} clients in {rooms} rooms: each room must have as many, and at least two"
            ));
        }
        let channel = match (self.peer, self.channel) {
            (Peer::Oneport, chosen) => chosen.unwrap_or(Channel::Framed),
            (peer, Some(Channel::Framed)) => return Err(format!("{peer} has plain channels only")),
            (Peer::Pion, _) => Channel::Plain,
            (Peer::Janus, _) => Channel::TextRoom,
        };
        let bytes_min = channel.form().bytes_min();
        if (self.size as usize) < bytes_min {
            let peer = self.peer;
            return Err(format!(
                "with {peer} a message has at least {bytes_min} bytes"
            ));
        }
        Ok(channel)
    }

    /// How many members a room has.
    pub(crate) fn members(&self) -> f64 {
        f64::from(self.clients) / f64::from(self.rooms)
    }
}

/// Where a relay runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArgs {
    /// What kind of relay it is.
    #[arg(long, value_enum, default_value_t = Peer::Oneport)]
    peer: Peer,

    /// The network namespace to run it in, as `ip netns` knows it.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,

    /// The core to keep it on. Default: any.
    #[arg(long, value_name = "N")]
    cpu: Option<usize>,

    /// The address to listen on. Janus ignores loopback.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    address: IpAddr,
}

impl ServeArgs {
    /// Which relay, and where.
    pub(crate) fn into_parts(self) -> (Peer, Place) {
        let place = Place {
            namespace: self.namespace,
            cpu: self.cpu,
            address: self.address,
        };
        (self.peer, place)
    }
}

/// A finite number that is more than zero, and not so much that arithmetic with it ends.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    not_negative(text).and_then(|number| match number > 0.0 {
        true => Ok(number),
        false => Err("it must be more than 0".into()),
    })
}

/// The same, or zero.
fn not_negative(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is no number")?;
    match (0.0..=1e9).contains(&number) {
        true => Ok(number),
        false => Err("it must lie between 0 and 1,000,000,000".into()),
    }
}
