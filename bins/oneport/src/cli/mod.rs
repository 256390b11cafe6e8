//! The command line.

mod generated;
mod log;
mod state;
mod tls;
mod webhook;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use oneport_core::{SlowPolicies, SlowPolicy};
use oneport_wire::{MemberName, RoomPattern};

use crate::bytes::Bytes;
use crate::chat::ChatArgs;
use crate::check::CheckArgs;
use crate::token::{Claims, Right, UnixTime};

pub use generated::{CompletionsArgs, ManArgs};
pub(crate) use log::QUIET;
pub use log::{LogArgs, LogFilter, LogFormat};
pub use state::StateArgs;
pub use tls::TlsArgs;
pub use webhook::WebhookArgs;

/// How the flags of the relay may be given.
const CONFIGURED: &str = "Each of the relay's flags may also be set as a variable (--max-clients as \
    ONEPORT_MAX_CLIENTS; lists with commas, switches with true or false) or in the file that --config names. \
    What is typed counts before the environment, and that before the file.";

/// A WebRTC data channel relay: browsers chat as a group, each with one connection to this server,
/// everything through one port.
///
/// Without a command it serves on 127.0.0.1:3478: open the address that it prints in two tabs.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
#[command(after_help = CONFIGURED)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the relay, until SIGINT or SIGTERM.
    #[command(after_help = CONFIGURED)]
    Serve(ServeArgs),
    /// Print the relay's configuration, and where each value comes from.
    ///
    /// What it prints is a file for --config that says the same.
    #[command(after_help = CONFIGURED)]
    Config(ServeArgs),
    /// Print an access token for a relay that has the same secret.
    Token(TokenArgs),
    /// Talk in a room, from the terminal or from a script.
    Chat(ChatArgs),
    /// Say what works of a relay, from here: name, TCP, TLS, version, clock, token, UDP, ICE-TCP.
    Check(CheckArgs),
    /// Print a shell's completions of this command line.
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands.
    Man(ManArgs),
}

impl Cli {
    /// What is to be done; without a word, it is to serve.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

/// How to serve.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// A file with settings, in TOML.
    ///
    /// `max-clients = 100` is --max-clients 100, `open = true` is --open, and what may be repeated takes
    /// a list. `oneport config` prints one with all settings.
    #[arg(long, value_name = "PATH", help_heading = "Operation")]
    pub config: Option<PathBuf>,

    /// Where to listen, on UDP and on TCP.
    ///
    /// Repeat it for several addresses or for IPv6 (`[::]:3478`). Port 0 lets the system choose.
    #[arg(
        long,
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:3478",
        help_heading = "Network"
    )]
    pub listen: Vec<SocketAddr>,

    /// The address under which clients reach this host, if that is another than the one listened on.
    ///
    /// For a host behind 1:1 NAT, as most cloud machines are. Repeat it for IPv4 and IPv6.
    #[arg(long, value_name = "IP", help_heading = "Network")]
    pub announce: Vec<IpAddr>,

    /// Let anybody in.
    ///
    /// Needed to listen beyond loopback without a secret that would keep strangers out.
    #[arg(long, conflicts_with = "secret_file", help_heading = "Access")]
    pub open: bool,

    /// Require access tokens signed with the secret in this file.
    ///
    /// It has at least 32 bytes; ONEPORT_SECRET may have it instead. `oneport token` makes tokens and
    /// explains their rights. A token with any of the rights join, publish and subscribe lets its bearer
    /// in; publish is needed to send, subscribe to receive.
    #[arg(long, value_name = "PATH", help_heading = "Access")]
    pub secret_file: Option<PathBuf>,

    /// How many clients there may be at a time.
    #[arg(long, value_name = "N", default_value_t = Count(1000), help_heading = "Limits")]
    pub max_clients: Count,

    /// How many rooms there may be at a time.
    #[arg(long, value_name = "N", default_value_t = Count(256), help_heading = "Limits")]
    pub max_rooms: Count,

    /// How many clients a room may have.
    #[arg(long, value_name = "N", default_value_t = Count(1000), help_heading = "Limits")]
    pub max_room_clients: Count,

    /// How many clients one address may have, a whole /64 with IPv6.
    ///
    /// Behind one there may be a company, or one person who wants all places.
    #[arg(long, value_name = "N", default_value_t = Count(250), help_heading = "Limits")]
    pub max_clients_per_address: Count,

    /// How many clients of one address may be connecting at the same moment.
    #[arg(long, value_name = "N", default_value_t = Count(64), help_heading = "Limits")]
    pub max_connecting_per_address: Count,

    /// How much memory clients, sessions and rooms may take together, such as 512M or 2G.
    ///
    /// Each counts with the most that it may hold, so it holds for certain; who would come beyond it is
    /// refused. Default: what the other limits together allow.
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub max_memory: Option<Bytes>,

    /// What becomes of a client that takes messages too slowly: disconnect or gap.
    ///
    /// This is for clients of oneport.v1: with disconnect it may resume, with gap it is told what it has
    /// lost, and goes on. `game-*=gap` is for some rooms; repeat it for others, the first that matches
    /// counts. Without a room it is for all others. Default: disconnect.
    #[arg(long, value_name = "[ROOM=]POLICY", help_heading = "Limits")]
    pub slow: Vec<SlowRule>,

    /// What outlives the relay.
    #[command(flatten)]
    pub state: StateArgs,

    /// Who can read along, and who stands in front.
    #[command(flatten)]
    pub tls: TlsArgs,

    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,

    /// Where events are told.
    #[command(flatten)]
    pub webhook: WebhookArgs,
}

impl ServeArgs {
    /// The rooms' policies for slow clients.
    ///
    /// # Errors
    ///
    /// The first rule that says something of rooms of which one before it has said something.
    pub fn slow_policies(&self) -> Result<SlowPolicies, SlowRule> {
        let mut policies = SlowPolicies::default();
        for (at, rule) in self.slow.iter().enumerate() {
            if self.slow[..at]
                .iter()
                .any(|other| other.rooms == rule.rooms)
            {
                return Err(rule.clone());
            }
            match &rule.rooms {
                Some(rooms) => policies.rules.push((rooms.clone(), rule.policy)),
                None => policies.others = rule.policy,
            }
        }
        Ok(policies)
    }
}

/// A policy for slow clients, of some rooms or of those that no other rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowRule {
    /// The rooms.
    pub rooms: Option<RoomPattern>,
    /// Their policy.
    pub policy: SlowPolicy,
}

impl FromStr for SlowRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rooms, policy) = match text.rsplit_once('=') {
            Some((rooms, policy)) => (Some(rooms), policy),
            None => (None, text),
        };
        let rooms = rooms.map(str::parse::<RoomPattern>).transpose();
        Ok(Self {
            rooms: rooms.map_err(|error| error.to_string())?,
            policy: policy.parse().map_err(|error| format!("{error}"))?,
        })
    }
}

/// What a token shall say.
#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    /// The file with the relay's secret (or set ONEPORT_SECRET).
    #[arg(long, value_name = "PATH")]
    pub secret_file: Option<PathBuf>,

    /// The room that it is for; `team-*` is every room whose name begins so, `*` is every room.
    #[arg(long, value_name = "ROOM")]
    pub room: RoomPattern,

    /// The name that its bearer has there. Without it, the bearer chooses.
    #[arg(long, value_name = "NAME")]
    pub name: Option<MemberName>,

    /// What its bearer may do there: any of join, publish, subscribe, kick, admin.
    ///
    /// join: be a member and ask who else is one. publish: send messages. subscribe: receive messages and
    /// presence, and read the history. Each of these two includes join. kick: remove other members; it
    /// needs one of the three. admin: use the HTTP API and read metrics, without being a member.
    #[arg(
        long,
        value_name = "RIGHTS",
        value_delimiter = ',',
        default_value = "join,publish,subscribe"
    )]
    pub can: Vec<Right>,

    /// How long it is valid, from now on: 30s, 15m, 1h, 7d. It cannot be taken back earlier, other
    /// than by a new secret.
    #[arg(long = "for", value_name = "TIME", default_value = "1h")]
    pub lifetime: Lifetime,
}

impl TokenArgs {
    /// The claims of a token that is made at this moment.
    pub fn claims(&self, now: UnixTime) -> Claims {
        Claims {
            name: self.name.clone(),
            can: self.can.iter().copied().collect(),
            iat: Some(now),
            ..Claims::new(self.room.clone(), now + self.lifetime.0)
        }
    }
}

/// How long a token lives: not no time, and not forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(pub Duration);

impl Lifetime {
    /// More is a slip of the finger, and would be a key that nobody can take back.
    const DAYS_MAX: u64 = 3660;
}

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let max = Duration::from_hours(24 * Self::DAYS_MAX);
        match humantime::parse_duration(text) {
            Ok(time) if (Duration::from_secs(1)..=max).contains(&time) => Ok(Self(time)),
            _ => Err(format!(
                "a time like 30s, 15m, 1h or 7d, from 1s to {}d",
                Self::DAYS_MAX
            )),
        }
    }
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
        Cli::try_parse_from(line.split_whitespace()).map(|cli| match cli.into_command() {
            Command::Serve(args) => args,
            _ => panic!("{line} does not serve"),
        })
    }

    fn parse_token(line: &str) -> Result<TokenArgs, clap::Error> {
        let words = ["oneport", "token"].into_iter();
        Cli::try_parse_from(words.chain(line.split_whitespace())).map(|cli| {
            match cli.into_command() {
                Command::Token(args) => args,
                _ => panic!("{line} makes no token"),
            }
        })
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
            "oneport --open --secret-file secret",
            "oneport --secret-file",
            "oneport --max-memory",
            "oneport --max-memory 0",
            "oneport --max-memory much",
            "oneport --max-memory 1.5G",
            "oneport --max-memory -1G",
            "oneport --max-memory 999999999999G",
            "oneport --slow",
            "oneport --slow fast",
            "oneport --slow skip",
            "oneport --slow =gap",
            "oneport --slow lobby",
            "oneport --slow a*b=gap",
            "oneport --slow lobby=",
            "oneport --slow lobby=gap=gap",
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn slow_policies_by_room() {
        for (line, shown) in [
            ("", "disconnect in all rooms"),
            ("--slow disconnect", "disconnect in all rooms"),
            ("--slow gap", "gap in all rooms"),
            (
                "--slow game-*=gap",
                "gap in game-*; disconnect in all rooms else",
            ),
            (
                "--slow gap --slow a=disconnect --slow a*=gap --slow *=disconnect",
                "disconnect in a; gap in a*; disconnect in *; gap in all rooms else",
            ),
        ] {
            let policies = parse(&format!("oneport {line}"))
                .expect(line)
                .slow_policies();
            assert_eq!(policies.expect(line).to_string(), shown, "{line}");
        }
        for line in [
            "--slow gap --slow disconnect",
            "--slow a=gap --slow b=gap --slow a=gap",
        ] {
            let args = parse(&format!("oneport {line}")).expect("each is valid");
            assert!(args.slow_policies().is_err(), "{line}");
        }
    }

    #[test]
    fn a_token_says_what_was_asked_for() {
        let now = UnixTime::from_secs(1_790_000_000);
        let args = parse_token("--room lobby --name ada --can publish,subscribe --for 15m");
        let claims = args.expect("valid").claims(now);
        assert_eq!(claims.room.to_string(), "lobby");
        assert_eq!(claims.name.map(|name| name.to_string()), Some("ada".into()));
        assert_eq!(claims.can.to_string(), "publish,subscribe");
        assert_eq!(claims.exp.as_secs(), 1_790_000_900);
        assert_eq!(claims.iat, Some(now));

        let claims = parse_token("--room team-*").expect("valid").claims(now);
        assert_eq!(claims.name, None);
        assert_eq!(claims.can.to_string(), "join,publish,subscribe");
        assert_eq!(claims.exp.as_secs(), 1_790_003_600);
    }

    #[test]
    fn refuses_tokens_that_make_no_sense() {
        for line in [
            "",
            "--room a/b",
            "--room a*b",
            "--room lobby --name=",
            "--room lobby --can",
            "--room lobby --can=",
            "--room lobby --can join,sing",
            "--room lobby --for 0s",
            "--room lobby --for 3661d",
            "--room lobby --for 10",
            "--room lobby --for tomorrow",
            "--room lobby --for -1h",
            "lobby",
        ] {
            let error = parse_token(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn lifetimes() {
        for (text, secs) in [
            ("30s", 30),
            ("15m", 900),
            ("1h", 3600),
            ("1h30m", 5400),
            ("7d", 604_800),
        ] {
            let lifetime = Lifetime(Duration::from_secs(secs));
            assert_eq!(text.parse(), Ok(lifetime), "{text}");
        }
    }
}
