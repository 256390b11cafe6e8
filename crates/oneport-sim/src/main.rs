//! Runs scenarios by the thousand, and shows the shortest form of the first that goes wrong.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use oneport_sim::{Report, Scenario};

/// Runs scenarios, each from its seed: a relay and its clients in virtual time, an unreliable network
/// between them, and an oracle that knows who must get what.
///
/// With RUST_LOG=oneport_sim=debug it says what happens, and what members are told.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// How many seeds to run.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    seeds: u64,

    /// The first of them.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,

    /// How many run at a time. The default is the number of cores.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

/// What went wrong, in words.
type Faults = Vec<String>;

fn main() -> ExitCode {
    let args = Args::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).init();
    // Faults are told below, once, and not while a scenario is made shorter.
    let said = Mutex::new(String::new());
    let said: &'static Mutex<String> = Box::leak(Box::new(said));
    panic::set_hook(Box::new(move |info| {
        *said.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = info.to_string();
    }));
    let run = |scenario: &Scenario| {
        panic::catch_unwind(AssertUnwindSafe(|| scenario.run())).unwrap_or_else(|_| {
            let said = said.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            Err(vec![said.clone()])
        })
    };
    let started = Instant::now();
    let (totals, failed) = run_all(&args, &run);
    println!(
        "{} scenarios in {:.1?}:\n{}",
        totals.0,
        started.elapsed(),
        totals.1
    );
    let Some((seed, faults)) = failed else {
        return ExitCode::SUCCESS;
    };
    println!("\nseed {seed} goes wrong:");
    show(&faults);
    let shortest = Scenario::from_seed(seed).shrink(|shorter| run(shorter).is_err());
    println!("\nand so does this:\n{shortest}");
    if let Err(faults) = run(&shortest) {
        show(&faults);
    }
    ExitCode::FAILURE
}

fn show(faults: &Faults) {
    const SHOWN: usize = 10;
    const CHARS: usize = 400;
    for fault in faults.iter().take(SHOWN) {
        println!("  {}", fault.chars().take(CHARS).collect::<String>());
    }
    if faults.len() > SHOWN {
        println!("  and {} more", faults.len() - SHOWN);
    }
}

/// Runs until all are through or one goes wrong.
fn run_all(
    args: &Args,
    run: &(impl Fn(&Scenario) -> Result<Report, Faults> + Sync),
) -> ((u64, Report), Option<(u64, Faults)>) {
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let jobs = args.jobs.unwrap_or(cores).max(1);
    let end = args.from.saturating_add(args.seeds);
    let next = AtomicU64::new(args.from);
    let (tell, told) = mpsc::channel();
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} seeds, {per_sec}, {eta} left");
    let bar =
        ProgressBar::new(args.seeds).with_style(style.unwrap_or(ProgressStyle::default_bar()));
    thread::scope(|scope| {
        for _ in 0..jobs {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let scenario = Scenario::from_seed(seed);
                    if tell.send((seed, run(&scenario))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        let mut totals = (0, Report::default());
        let mut failed = None;
        for (seed, outcome) in told {
            bar.inc(1);
            match outcome {
                Ok(report) => {
                    totals.0 += 1;
                    totals.1 += report;
                }
                Err(faults) => {
                    next.store(end, Ordering::Relaxed);
                    failed = failed.or(Some((seed, faults)));
                }
            }
        }
        bar.finish_and_clear();
        (totals, failed)
    })
}
