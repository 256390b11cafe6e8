//! The same loads for several relays, side by side on this machine.
//!
//! Nothing is measured here: each measurement is one `run`, in the network namespace of the clients. This
//! chooses what comes next, and sums up.

mod args;
mod bench;
mod contender;
mod goals;
mod host;
mod load;
mod measurement;
mod network;
mod plot;
mod results;
mod search;
mod summary;
mod table;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

pub(crate) use args::CompareArgs;
use bench::{Bench, Job};
use contender::Contender;
use host::Host;
use network::Network;
use results::Results;

use crate::run::{RunError, failed};

/// Compares, and leaves the results in a folder. Where it is interrupted, it sums up what there is.
pub(crate) fn compare(args: &CompareArgs) -> Result<(), RunError> {
    let contenders = present(args)?;
    let is_interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, is_interrupted.clone())?;
    }
    let mut host = Host::this();
    host.look();
    if let Some(warning) = host.warning() {
        eprintln!("oneport-bench: {warning}");
    }
    let bench = Bench::new(Network::new().map_err(failed)?, host.clone(), args.secs())?;
    let mut results = Results {
        host,
        runs: args.runs(),
        secs: args.secs(),
        scale: args.scale,
        contenders,
        samples: Vec::new(),
        most: Vec::new(),
    };
    let jobs = plan(args, &results.contenders);
    let bar = bar(jobs.len() as u64);
    for job in jobs {
        bar.set_prefix(format!("{} · {}", job.load.name(), job.contender));
        bench.perform(job, args.scale, &mut results, &mut |shape| {
            bar.set_message(shape.to_string());
            !is_interrupted.load(Ordering::Relaxed)
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    drop(bench);
    results.host.look();
    write(args, &results)?;
    if is_interrupted.load(Ordering::Relaxed) {
        return Err(failed("interrupted: this is what there was by then"));
    }
    Ok(())
}

/// Those that are installed. Who was asked for by name must be.
fn present(args: &CompareArgs) -> Result<Vec<Contender>, RunError> {
    let mut present = args.contenders();
    for contender in args.contenders() {
        if let Some(missing) = contender.missing() {
            if !args.peer.is_empty() || contender == Contender::Oneport {
                return Err(failed(missing));
            }
            eprintln!("without {contender}: {missing}");
            present.retain(|other| *other != contender);
        }
    }
    Ok(present)
}

/// Every load for everyone, in random order, then all of it again: what else the machine does, and how
/// warm it is, meets all alike.
fn plan(args: &CompareArgs, contenders: &[Contender]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for round in 0..args.runs() {
        let from = jobs.len();
        for load in args.loads() {
            let theirs = contenders
                .iter()
                .filter(|contender| load.is_for(**contender));
            jobs.extend(theirs.map(|&contender| Job {
                load,
                contender,
                round,
            }));
        }
        fastrand::shuffle(&mut jobs[from..]);
    }
    jobs
}

fn bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>20} {wide_bar} {pos}/{len} {msg}");
    let style = style.unwrap_or(ProgressStyle::default_bar());
    let bar = ProgressBar::new(length).with_style(style);
    bar.tick();
    bar
}

fn write(args: &CompareArgs, results: &Results) -> Result<(), RunError> {
    let out = &args.out;
    let at = |error: std::io::Error| failed(format!("{}: {error}", out.display()));
    fs::create_dir_all(out).map_err(at)?;
    let json = serde_json::to_string_pretty(&results.to_json())?;
    fs::write(out.join("results.json"), json).map_err(at)?;
    let table = table::markdown(results);
    fs::write(out.join("table.md"), &table).map_err(at)?;
    plot::draw(results, out).map_err(failed)?;
    print!("{table}");
    Ok(())
}
