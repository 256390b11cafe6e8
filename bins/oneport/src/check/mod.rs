//! `oneport check`: what works of a relay, from where it is run, one step after the other.

mod certificate;
mod report;
mod steps;

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::Args;
use oneport_wire::{AccessToken, RoomName};

use crate::Trust;
use crate::invitation::Invitation;
use crate::participant::RelayUrl;
use report::Report;
use steps::Steps;

/// How long one step may take: longer than all of its parts that have a limit, and a lookup of the name has none.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a check asks to be let in, if it is not told a room.
const ROOM: &str = "lobby";

/// What to check.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = HELP)]
pub struct CheckArgs {
    /// The relay: the address of its page, or an invitation to a room.
    pub url: String,

    /// The room to ask for, where a token is for one only. Nobody there notices: it is not entered. [default: that
    /// of the URL, or lobby]
    #[arg(long)]
    pub room: Option<RoomName>,

    /// A file with an access token for the room, where the relay asks for one; `-` is the standard input. An
    /// invitation has one in its URL.
    #[arg(long, value_name = "PATH")]
    pub token_file: Option<PathBuf>,

    /// For a relay with a certificate of a private authority: a file with that authority's own, as PEM.
    #[arg(long, value_name = "PATH")]
    pub ca: Option<PathBuf>,

    /// For programs: each step as a line of JSON with step, result (ok, warning, failed, skipped) and text.
    #[arg(long)]
    pub json: bool,
}

const HELP: &str = "Exits with 0 if everything works, with 1 if something does not, with 2 if an argument cannot be \
used.";

/// Checks, prints, and exits with 0 if everything works, with 1 if something does not.
pub fn check(args: &CheckArgs) -> ExitCode {
    let steps = match prepare(args) {
        Ok(steps) => steps,
        Err(error) => {
            // Where nobody reads, the exit code says it.
            let _ = writeln!(std::io::stderr(), "oneport: {error}");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::new(args.json);
    run(&steps, &mut report);
    match report.is_good() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn prepare(args: &CheckArgs) -> Result<Steps, String> {
    let url = RelayUrl::parse(&args.url).map_err(|error| error.to_string())?;
    let invitation = Invitation::of(&args.url)?;
    let trust = args.ca.as_deref().map(Trust::only).transpose()?;
    let token = args.token_file.as_deref().map(token).transpose()?;
    let room = invitation.room_with(args.room.as_ref())?;
    Ok(Steps {
        url,
        given_url: args.url.clone(),
        room: room.unwrap_or_else(|| ROOM.parse().expect("it is a name")),
        token: invitation.token_with(token)?,
        trust: trust.unwrap_or_default(),
    })
}

fn token(path: &Path) -> Result<AccessToken, String> {
    let failed = |error: &dyn Display| format!("{}: {error}", path.display());
    let text = match path.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(path),
    };
    let text = text.map_err(|error| failed(&error))?;
    text.trim().parse().map_err(|error| failed(&error))
}

/// A step that fails takes all those with it that come after it, as they need it; but for UDP and TCP, which stand
/// for each other.
fn run(steps: &Steps, report: &mut Report) {
    let all: [(&str, Step); 8] = [
        ("name", Steps::name),
        ("tcp", Steps::tcp),
        ("tls", Steps::tls),
        ("http", Steps::http),
        ("clock", Steps::clock),
        ("token", Steps::token),
        ("udp", Steps::udp),
        ("ice-tcp", Steps::ice_tcp),
    ];
    let mut all = all
        .into_iter()
        .filter(|(name, _)| steps.url.is_https || *name != "tls");
    for (name, step) in all.by_ref() {
        if !report.take(name, within(steps, step)) && name != "udp" {
            break;
        }
    }
    for (name, _) in all {
        report.skip(name);
    }
}

/// What is wrong with who takes a connection and says nothing.
const SILENT: &str = "what listens there takes connections, but does not answer: does it hang?";

/// Looks at one thing.
type Step = fn(&Steps) -> Finding;

/// What a step has found: good, or good with something to look after; or what is wrong.
type Finding = Result<Good, String>;

#[derive(Debug, PartialEq, Eq)]
enum Good {
    Ok(String),
    Warning(String),
}

/// A step that ends in time, whatever it waits for: asking for a name has no limit of its own.
fn within(steps: &Steps, step: Step) -> Finding {
    let (teller, hearer) = mpsc::channel();
    let steps = steps.clone();
    let thread = std::thread::Builder::new().name("check".into());
    // Nobody listens any more, if it was too slow.
    let started = thread.spawn(move || drop(teller.send(step(&steps))));
    started.map_err(|error| error.to_string())?;
    let late = || format!("no answer within {} s", STEP_TIMEOUT.as_secs());
    hearer
        .recv_timeout(STEP_TIMEOUT)
        .unwrap_or_else(|_| Err(late()))
}
