//! The relay's command.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use log::LevelFilter;
use oneport::token::{Authority, Right, Secret, UnixTime};
use oneport::{Banner, Cli, Command, ServeArgs, Server, Stopper, TokenArgs};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
// Only linked in: see Cargo.toml.
use tracing as _;

/// What is logged unless `RUST_LOG` says otherwise. The libraries below warn of what a client does
/// wrong, as often as it does it; the relay counts that and says it once.
const LOG_FILTER: &str = "info,str0m=error,is=error,dimpl=error,sctp_proto=error";

fn main() -> ExitCode {
    let command = Cli::parse().into_command();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOG_FILTER))
        // At trace it logs whole messages, and in those are access tokens.
        .filter_module("tungstenite", LevelFilter::Info)
        .init();
    match command {
        Command::Serve(args) => serve(&args),
        Command::Token(args) => token(&args),
        Command::Chat(args) => oneport::chat(&args),
    }
}

fn token(args: &TokenArgs) -> ExitCode {
    let secret = match Secret::find(args.secret_file.as_deref()) {
        Ok(Some(secret)) => secret,
        Ok(None) => {
            let variable = Secret::VARIABLE;
            let how = format!("no secret to sign with: add --secret-file or set {variable}");
            return fail(2, how);
        }
        Err(error) => return fail(error.exit_code(), error),
    };
    let claims = args.claims(UnixTime::now());
    if !claims.can.with_implied().contains(Right::Join) {
        log::warn!("without the right join, this token alone lets nobody in");
    }
    let token = Authority::new(&secret).mint(&claims);
    match writeln!(std::io::stdout(), "{token}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, format!("the token cannot be written: {error}")),
    }
}

fn serve(args: &ServeArgs) -> ExitCode {
    let secret = match Secret::find(args.secret_file.as_deref()) {
        Ok(secret) => secret,
        Err(error) => return fail(error.exit_code(), error),
    };
    let authority = secret.as_ref().map(Authority::new);
    let asks_for_tokens = authority.is_some();
    let server = match Server::start(args, authority) {
        Ok(server) => server,
        Err(error) => return fail(error.exit_code(), error),
    };
    if let Err(error) = stop_on_signals(server.stopper()) {
        return fail(1, format!("signals cannot be handled: {error}"));
    }
    if args.open {
        log::warn!("--open: anybody who can reach this host can use it as a relay");
    }
    if asks_for_tokens {
        log::info!("only those with an access token get in");
    }
    let banner = Banner {
        listen: server.listen(),
        config: server.config(),
    };
    // Nobody has to read it.
    let _ = std::io::stdout().write_all(banner.to_string().as_bytes());
    match server.join() {
        Ok(stats) => {
            log::info!(
                "stopped after {} clients, {} messages and {} deliveries",
                stats.established,
                stats.hub.published,
                stats.hub.delivered
            );
            ExitCode::SUCCESS
        }
        Err(error) => fail(1, error),
    }
}

fn fail(code: u8, error: impl Display) -> ExitCode {
    eprintln!("oneport: {error}");
    ExitCode::from(code)
}

/// The first signal stops the relay properly, a second one at once.
fn stop_on_signals(stopper: Stopper) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(move || {
        let mut is_stopping = false;
        for signal in signals.forever() {
            if is_stopping {
                std::process::exit(128 + signal);
            }
            is_stopping = true;
            log::info!("stopping");
            stopper.stop();
        }
    })?;
    Ok(())
}
