//! A load generator for oneport relays: real clients over real sockets, from one thread.
//!
//! Messages leave by a schedule, whatever the relay does, and their latency counts from when they were
//! due: a relay that stalls cannot hide it by slowing the load down (coordinated omission). What comes
//! is checked for order and loss.

mod args;
mod fleet;
mod outcome;
mod payload;
mod process;
mod run;
mod signaling;
mod speaker;
mod tally;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let Command::Run(args) = Cli::parse().command;
    match run::run(&args) {
        Ok(outcome) => {
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
        Err(error) => {
            eprintln!("oneport-bench: {error}");
            ExitCode::from(2)
        }
    }
}
