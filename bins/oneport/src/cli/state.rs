//! Flags for what outlives the relay.

use std::path::PathBuf;

use clap::Args;

/// What outlives the relay.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Operation")]
pub struct StateArgs {
    /// Where the relay leaves its rooms and sessions when it stops, and takes them up when it starts.
    ///
    /// Clients of oneport.v1 then come back as who they were and miss nothing. It has secrets in it and
    /// what was said; only its owner can read it. The folder must be there.
    #[arg(long, value_name = "PATH")]
    pub state: Option<PathBuf>,
}
