//! What is compared.

use std::net::SocketAddr;
use std::path::Path;
use std::{env, fmt, io};

use crate::peers::{Peer, Place, Server};

const FLOOR_PORT: u16 = 3478;

/// A relay, or what none can go below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Contender {
    /// The relay that was built with this program.
    Oneport,
    /// A small relay in Go with pion.
    Pion,
    /// Janus with its TextRoom plugin.
    Janus,
    /// Datagrams and their cryptography, and nothing else.
    Floor,
}

impl Contender {
    pub(crate) const ALL: [Self; 4] = [Self::Oneport, Self::Pion, Self::Janus, Self::Floor];
    /// Those that oneport is compared with.
    pub(crate) const OTHERS: [Self; 2] = [Self::Pion, Self::Janus];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Oneport => "oneport",
            Self::Pion => "pion",
            Self::Janus => "janus",
            Self::Floor => "floor",
        }
    }

    fn peer(self) -> Option<Peer> {
        match self {
            Self::Oneport => Some(Peer::Oneport),
            Self::Pion => Some(Peer::Pion),
            Self::Janus => Some(Peer::Janus),
            Self::Floor => None,
        }
    }

    /// What must be installed first, if anything.
    pub(crate) fn missing(self) -> Option<String> {
        self.peer().and_then(Peer::missing)
    }

    /// Starts one, and waits until it answers.
    pub(crate) fn start(self, place: &Place) -> io::Result<Server> {
        let Some(peer) = self.peer() else {
            let address = SocketAddr::new(place.address, FLOOR_PORT);
            let mut command = place.command(env::current_exe()?);
            command.args(["floor", "send", "--listen", &address.to_string()]);
            return Server::start(command, tempfile::tempdir()?, address, "");
        };
        peer.start(place)
    }

    /// The program that loads it, and the words that say so: what a user would write.
    pub(crate) fn loader(self, own: &Path) -> Vec<String> {
        let mut words = vec![own.display().to_string()];
        match self {
            Self::Floor => words.extend(["floor", "receive"].map(Into::into)),
            Self::Oneport => words.push("run".into()),
            Self::Pion | Self::Janus => {
                words.extend(["run", "--peer", self.name()].map(Into::into))
            }
        }
        words
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
