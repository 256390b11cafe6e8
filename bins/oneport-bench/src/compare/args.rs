//! The command line of `compare`.

use std::path::PathBuf;

use clap::Args;

use super::contender::Contender;
use super::load::Load;
use crate::args::positive;

/// What to compare, and how thoroughly.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompareArgs {
    /// What to measure; repeat it. Default: all that are installed.
    #[arg(long, value_enum, value_name = "PEER")]
    pub(crate) peer: Vec<Contender>,

    /// How often to measure each load.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) runs: u32,

    /// How long to measure each time.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = positive)]
    pub(crate) secs: f64,

    /// Which loads; separate them by commas. Default: all, which takes more than an hour.
    #[arg(long, value_enum, value_name = "LOADS", value_delimiter = ',')]
    pub(crate) loads: Vec<Load>,

    /// All rates are multiplied by this, for a machine that is slower than those they were chosen on.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive)]
    pub(crate) scale: f64,

    /// One run of one second each: to see roughly, and that all works.
    #[arg(long, conflicts_with_all = ["runs", "secs"])]
    pub(crate) quick: bool,

    /// Where the results go: table.md, results.json, and plots as SVG.
    #[arg(long, value_name = "FOLDER", default_value = "oneport-bench-results")]
    pub(crate) out: PathBuf,
}

impl CompareArgs {
    pub(crate) fn runs(&self) -> u32 {
        if self.quick { 1 } else { self.runs }
    }

    pub(crate) fn secs(&self) -> f64 {
        if self.quick { 1.0 } else { self.secs }
    }

    pub(crate) fn loads(&self) -> Vec<Load> {
        if self.loads.is_empty() {
            return Load::ALL.to_vec();
        }
        let mut loads = self.loads.clone();
        loads.sort();
        loads.dedup();
        loads
    }

    pub(crate) fn contenders(&self) -> Vec<Contender> {
        if self.peer.is_empty() {
            return Contender::ALL.to_vec();
        }
        let mut peers = self.peer.clone();
        peers.sort();
        peers.dedup();
        peers
    }
}
