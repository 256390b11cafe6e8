//! The relays that can be loaded, and how each is started as those who know it best would.

mod oneport;
mod place;
mod server;

use std::io;

pub(crate) use place::Place;
pub(crate) use server::Server;

/// A kind of relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// This one.
    Oneport,
    /// A small relay in Go with pion.
    Pion,
    /// Janus with its TextRoom plugin.
    Janus,
}

impl Peer {
    /// What must be installed first, if anything.
    pub(crate) fn missing(self) -> Option<String> {
        match self {
            Self::Oneport => oneport::missing(),
            Self::Pion | Self::Janus => Some("this program cannot load it yet".into()),
        }
    }

    /// Starts one, and waits until it answers.
    pub(crate) fn start(self, place: &Place) -> io::Result<Server> {
        match self {
            Self::Oneport => oneport::start(place),
            Self::Pion | Self::Janus => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
