//! The relays that can be loaded, and how each is started as those who know it best would.

mod janus;
mod oneport;
mod pion;
mod place;
mod server;

use std::{env, fmt, io};

pub(crate) use place::Place;
pub(crate) use server::Server;

/// A kind of relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Peer {
    /// This one.
    Oneport,
    /// A small relay in Go with pion; its source comes with this program.
    Pion,
    /// Janus with its TextRoom plugin.
    Janus,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Oneport => "oneport",
            Self::Pion => "pion",
            Self::Janus => "janus",
        })
    }
}

impl Peer {
    /// What must be installed first, if anything.
    pub(crate) fn missing(self) -> Option<String> {
        match self {
            Self::Oneport => oneport::missing(),
            Self::Pion => pion::missing(),
            Self::Janus => janus::missing(),
        }
    }

    /// Starts one, and waits until it answers.
    pub(crate) fn start(self, place: &Place) -> io::Result<Server> {
        match self {
            Self::Oneport => oneport::start(place),
            Self::Pion => pion::start(place),
            Self::Janus => janus::start(place),
        }
    }
}

/// Whether there is such a command.
fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
