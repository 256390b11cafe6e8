//! Flags for what outlives the relay.

use std::path::PathBuf;

use clap::Args;

/// What outlives the relay.
#[derive(Clone, Debug, Args)]
pub struct StateArgs {
    /// Where the relay leaves its rooms and sessions when it stops, and takes them up when it starts,
    /// so that clients of oneport.v1 come back as who they were and miss nothing. It has secrets in
    /// it and what was said; only its owner can read it. The folder must be there.
    #[arg(long, value_name = "PATH")]
    pub state: Option<PathBuf>,
}
