//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};

/// A WebRTC data channel relay: browsers chat as a group, each with one connection to this server,
/// everything through one port.
///
/// Without a command it serves on 127.0.0.1:3478: open the address that it prints in two tabs.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "RUST_LOG sets what is logged on stderr (default: info), for example \
                        RUST_LOG=info,oneport_core=debug or RUST_LOG=info,str0m=debug."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the relay, until SIGINT or SIGTERM.
    Serve(ServeArgs),
}

impl Cli {
    /// What is to be served: for now there is nothing else to do.
    pub fn into_serve_args(self) -> ServeArgs {
        match self.command {
            Some(Command::Serve(args)) => args,
            None => self.serve,
        }
    }
}

/// How to serve.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Where to listen, on UDP for data and on TCP for the page and signaling. Repeat it for several
    /// addresses or for IPv6 (`[::]:3478`). Port 0 lets the system choose.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3478")]
    pub listen: Vec<SocketAddr>,

    /// The address under which clients reach this host, if that is another than the one listened on:
    /// for a host behind 1:1 NAT, as most cloud machines are. Repeat it for IPv4 and IPv6.
    #[arg(long, value_name = "IP")]
    pub announce: Vec<IpAddr>,

    /// Let anybody in. Needed to listen beyond loopback, because there is no secret that would keep
    /// strangers out.
    #[arg(long)]
    pub open: bool,

    /// How many clients there may be at a time.
    #[arg(long, value_name = "N", default_value_t = Count(1000))]
    pub max_clients: Count,

    /// How many rooms there may be at a time.
    #[arg(long, value_name = "N", default_value_t = Count(256))]
    pub max_rooms: Count,

    /// How many clients a room may have.
    #[arg(long, value_name = "N", default_value_t = Count(1000))]
    pub max_room_clients: Count,

    /// How many clients of one address may be connecting at the same moment.
    #[arg(long, value_name = "N", default_value_t = Count(64))]
    pub max_connecting_per_address: Count,
}

/// A positive number that is not absurd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub usize);

impl Count {
    /// More than one process can serve, and little enough that no sum of limits overflows.
    const MAX: usize = 1_000_000;
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(count) if (1..=Self::MAX).contains(&count) => Ok(Self(count)),
            _ => Err(format!("a number from 1 to {}", Self::MAX)),
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<ServeArgs, clap::Error> {
        Cli::try_parse_from(line.split_whitespace()).map(Cli::into_serve_args)
    }

    #[test]
    fn is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serves_with_and_without_a_command() {
        let args = parse("oneport").expect("defaults");
        assert_eq!(args.listen, ["127.0.0.1:3478".parse().expect("an address")]);
        let args = parse("oneport serve --listen 127.0.0.1:0 --listen [::1]:0").expect("valid");
        assert_eq!(args.listen.len(), 2);
        let args = parse("oneport --listen 127.0.0.1:1").expect("valid");
        assert_eq!(args.listen[0].port(), 1);
    }

    #[test]
    fn refuses_nonsense() {
        for line in [
            "oneport --listen 3478",
            "oneport --listen localhost",
            "oneport --announce 10.0.0.1:3478",
            "oneport --max-clients 0",
            "oneport --max-rooms 1000001",
            "oneport serve now",
            "oneport --no-such-flag",
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
