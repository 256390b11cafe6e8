//! A load generator for relays, oneport and those to compare it with: real clients over real sockets,
//! from one thread.
//!
//! Messages leave by a schedule, whatever the relay does, and their latency counts from when they were
//! due: a relay that stalls cannot hide it by slowing the load down (coordinated omission). What comes
//! is checked for order and loss.

mod args;
mod fleet;
mod outcome;
mod payload;
mod peers;
mod process;
mod room;
mod run;
mod serve;
mod signaling;
mod speaker;
mod tally;
mod textroom;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, RunArgs};

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let done = match Cli::parse().command {
        Command::Run(args) => run(&args),
        Command::Serve(args) => serve::serve(args)
            .map(|()| ExitCode::SUCCESS)
            .map_err(|error| error.to_string()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("oneport-bench: {error}");
        ExitCode::from(2)
    })
}

/// Fails where anything was lost.
fn run(args: &RunArgs) -> Result<ExitCode, String> {
    let outcome = run::run(args).map_err(|error| error.to_string())?;
    if args.json {
        println!("{}", outcome.to_json());
    } else {
        print!("{outcome}");
    }
    Ok(if outcome.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
