//! A load generator for oneport relays: real clients over real sockets, from one thread.
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
mod run;
mod signaling;
mod speaker;
mod tally;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, RunArgs};
use floor::Side;
use outcome::Outcome;
use run::RunError;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let result = match Cli::parse().command {
        Command::Run(args) => run::run(&args).map(|outcome| print(&args, &outcome)),
        Command::Compare(args) => compare::compare(&args).map(|()| ExitCode::SUCCESS),
        Command::Floor(args) => match args.side {
            Side::Send { listen } => send(listen),
            Side::Receive(args) => floor::receive(&args).map(|outcome| print(&args, &outcome)),
        },
    };
    result.unwrap_or_else(|error| {
        eprintln!("oneport-bench: {error}");
        ExitCode::from(2)
    })
}

fn send(listen: SocketAddr) -> Result<ExitCode, RunError> {
    floor::send(listen)?;
    Ok(ExitCode::SUCCESS)
}

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
