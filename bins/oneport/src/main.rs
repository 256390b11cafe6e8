//! The relay's command.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use oneport::token::{Authority, Right, Secret, UnixTime};
use oneport::{
    Banner, Command, ConfigError, Configuration, Invocation, ManArgs, RelaySignals, ServeArgs,
    Server, ServiceManager, TokenArgs,
};
// Only linked in: see Cargo.toml.
use tracing as _;

fn main() -> ExitCode {
    let invocation = match Invocation::read(std::env::args_os(), std::env::vars_os()) {
        Ok(invocation) => invocation,
        // Help is one too.
        Err(ConfigError::Usage(error)) => error.exit(),
        Err(error) => return fail(error.exit_code(), error),
    };
    let configuration = invocation.configuration;
    match invocation.command {
        Command::Serve(args) => match oneport::log_relay(&args.log) {
            // Until the last line is written.
            Ok(_log) => {
                warn_of(configuration.as_ref());
                serve(&args)
            }
            Err(error) => fail(1, error),
        },
        Command::Config(_) => {
            oneport::log_command();
            warn_of(configuration.as_ref());
            let text = configuration.map(|configuration| configuration.to_string());
            print(text.unwrap_or_default().as_bytes())
        }
        Command::Token(args) => {
            oneport::log_command();
            token(&args)
        }
        Command::Chat(args) => {
            oneport::log_command();
            oneport::chat(&args)
        }
        Command::Check(args) => {
            oneport::log_command();
            oneport::check(&args)
        }
        Command::Completions(args) => print(&args.script()),
        Command::Man(ManArgs { dir: Some(dir) }) => match ManArgs::write_all(&dir) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, format!("{} cannot be written: {error}", dir.display())),
        },
        Command::Man(ManArgs { dir: None }) => match ManArgs::page() {
            Ok(page) => print(&page),
            Err(error) => fail(1, error),
        },
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
    let rights = claims.can.with_implied();
    if !rights.contains(Right::Join) && !rights.contains(Right::Admin) {
        log::warn!("this token allows nothing: kick needs join, publish or subscribe");
    }
    let token = Authority::new(&secret).mint(&claims);
    print(format!("{token}\n").as_bytes())
}

fn warn_of(configuration: Option<&Configuration>) {
    for warning in configuration.iter().flat_map(|it| it.warnings()) {
        log::warn!("{warning}");
    }
}

fn print(text: &[u8]) -> ExitCode {
    match std::io::stdout().write_all(text) {
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
    let signals = match RelaySignals::catch() {
        Ok(signals) => signals,
        Err(error) => return fail(1, format!("signals cannot be handled: {error}")),
    };
    let server = match Server::start(args, authority) {
        Ok(server) => server,
        Err(error) => return fail(error.exit_code(), error),
    };
    if let Err(error) = signals.serve(&server) {
        return fail(1, format!("signals cannot be handled: {error}"));
    }
    if args.open {
        log::warn!("--open: anybody who can reach this host can use it as a relay");
    }
    if asks_for_tokens {
        log::info!("only those with an access token get in");
    }
    if let Err(error) = oneport::log_summaries(server.probe()) {
        log::warn!("there will be no summaries: {error}");
    }
    let tls_names = server.tls_names();
    let banner = Banner {
        tls_names: tls_names.as_deref(),
        listen: server.listen(),
        config: server.config(),
    };
    // Nobody has to read it.
    let _ = std::io::stdout().write_all(banner.to_string().as_bytes());
    ServiceManager::ready(&server);
    match server.join() {
        Ok(stats) => {
            oneport::log_total(&stats);
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
