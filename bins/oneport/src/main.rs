//! The relay's command.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use log::LevelFilter;
use oneport::token::{Authority, Right, Secret, UnixTime};
use oneport::{
    Banner, Command, ConfigError, Configuration, Invocation, LogThread, ServeArgs, Server,
    ServiceManager, Stopper, TokenArgs,
};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
// Only linked in: see Cargo.toml.
use tracing as _;

/// What is logged unless `RUST_LOG` says otherwise. The libraries below warn of what a client does
/// wrong, as often as it does it; the relay counts that and says it once.
const LOG_FILTER: &str = "info,str0m=error,is=error,dimpl=error,sctp_proto=error";

fn main() -> ExitCode {
    let invocation = match Invocation::read(std::env::args_os(), std::env::vars_os()) {
        Ok(invocation) => invocation,
        // Help is one too.
        Err(ConfigError::Usage(error)) => error.exit(),
        Err(error) => return fail(error.exit_code(), error),
    };
    let configuration = invocation.configuration;
    match invocation.command {
        Command::Serve(args) => match LogThread::start(std::io::stderr()) {
            // Until the last line is written.
            Ok(log) => {
                log_to(&log);
                warn_of(configuration.as_ref());
                serve(&args)
            }
            Err(error) => fail(1, error),
        },
        Command::Config(_) => {
            logger("auto").init();
            warn_of(configuration.as_ref());
            let text = configuration.map(|configuration| configuration.to_string());
            print(&text.unwrap_or_default())
        }
        Command::Token(args) => {
            logger("auto").init();
            token(&args)
        }
        Command::Chat(args) => {
            logger("auto").init();
            oneport::chat(&args)
        }
    }
}

/// A log to stderr, with colours or without unless `RUST_LOG_STYLE` says it.
fn logger(style: &str) -> env_logger::Builder {
    let env = env_logger::Env::default().default_filter_or(LOG_FILTER);
    let mut logger = env_logger::Builder::from_env(env.default_write_style_or(style));
    // At trace it logs whole messages, and in those are access tokens.
    logger.filter_module("tungstenite", LevelFilter::Info);
    logger
}

/// A relay must not wait until its log is read, even where it panics.
fn log_to(log: &LogThread) {
    // The logger does not see that this is a terminal. See no-color.org for the variable.
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let has_colors = std::io::stderr().is_terminal() && !is_plain;
    logger(if has_colors { "always" } else { "never" })
        .target(env_logger::Target::Pipe(Box::new(log.writer())))
        .init();
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = Backtrace::capture();
        match backtrace.status() {
            BacktraceStatus::Captured => log::error!("{panic}\n{backtrace}"),
            _ => log::error!("{panic}"),
        }
    }));
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
    print(&format!("{token}\n"))
}

fn warn_of(configuration: Option<&Configuration>) {
    for warning in configuration.iter().flat_map(|it| it.warnings()) {
        log::warn!("{warning}");
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, format!("nothing can be written: {error}")),
    }
}

fn serve(args: &ServeArgs) -> ExitCode {
    oneport::raise_descriptor_limit();
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
    ServiceManager::ready(&server);
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
    // Where stderr is closed, the exit code must do.
    let _ = writeln!(std::io::stderr(), "oneport: {error}");
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
            ServiceManager::stopping();
            stopper.stop();
        }
    })?;
    Ok(())
}
