//! A load generator for relays, oneport and those to compare it with: real clients over real sockets,
//! from one thread.
//!
//! Messages leave by a schedule, whatever the relay does, and their latency counts from when they were
//! due: a relay that stalls cannot hide it by slowing the load down (coordinated omission). What comes
//! is checked for order and loss.

mod args;
mod compare;
mod fleet;
mod floor;
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

use std::io;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, RunArgs};
use floor::Side;
use outcome::Outcome;
use run::RunError;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let done = match Cli::parse().command {
        Command::Run(args) => run::run(&args).map(|outcome| print(&args, &outcome)),
        Command::Serve(args) => ended(serve::serve(args)),
        Command::Compare(args) => compare::compare(&args).map(|()| ExitCode::SUCCESS),
        Command::Floor(args) => match args.side {
            Side::Send { listen } => ended(floor::send(listen)),
            Side::Receive(args) => floor::receive(&args).map(|outcome| print(&args, &outcome)),
        },
    };
    done.unwrap_or_else(|error| {
        eprintln!("oneport-bench: {error}");
        ExitCode::from(2)
    })
}

fn ended(result: io::Result<()>) -> Result<ExitCode, RunError> {
    result?;
    Ok(ExitCode::SUCCESS)
}

/// Fails where anything was lost.
fn print(args: &RunArgs, outcome: &Outcome) -> ExitCode {
    if args.json {
        println!("{}", outcome.to_json());
    } else {
        print!("{outcome}");
    }
    if outcome.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
