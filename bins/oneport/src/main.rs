//! The relay's command.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use oneport::{Banner, Cli, ServeArgs, Server, Stopper};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
// Only linked in: see Cargo.toml.
use tracing as _;

/// What is logged unless `RUST_LOG` says otherwise. The libraries below warn of what a client does
/// wrong, as often as it does it; the relay counts that and says it once.
const LOG_FILTER: &str = "info,str0m=error,is=error,dimpl=error,sctp_proto=error";

fn main() -> ExitCode {
    let args = Cli::parse().into_serve_args();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOG_FILTER)).init();
    serve(&args)
}

fn serve(args: &ServeArgs) -> ExitCode {
    let server = match Server::start(args) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("oneport: {error}");
            return ExitCode::from(error.exit_code());
        }
    };
    if let Err(error) = stop_on_signals(server.stopper()) {
        eprintln!("oneport: signals cannot be handled: {error}");
        return ExitCode::FAILURE;
    }
    if args.open {
        log::warn!("--open: anybody who can reach this host can use it as a relay");
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
        Err(error) => {
            eprintln!("oneport: {error}");
            ExitCode::FAILURE
        }
    }
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
