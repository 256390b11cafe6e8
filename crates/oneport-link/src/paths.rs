//! The network paths on which a peer has proven itself.

use std::net::SocketAddr;

use crate::Route;

/// The most paths that a link knows at a time. A browser checks from each of its addresses: two
/// networks with IPv4 and IPv6 are four.
const KNOWN_MAX: usize = 8;

/// The most paths that a link's peer may prove in its whole life. Each one leaves a candidate in
/// str0m that is never forgotten; a phone that changes its network every ten minutes gets through a
/// week with that.
const PROVEN_MAX: u32 = 1024;

/// The paths on which the peer has passed STUN's integrity check, and the one to send on.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// The most recently used last.
    known: Vec<Route>,
    egress: Option<Route>,
    proven: u32,
}

/// What [`Paths::prove`] changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Proven {
    pub(crate) is_new: bool,
    /// The path that was forgotten in exchange.
    pub(crate) forgotten: Option<Route>,
}

impl Paths {
    /// The peer has passed the integrity check on this path.
    pub(crate) fn prove(&mut self, route: Route) -> Proven {
        if let Some(at) = self.known.iter().position(|known| *known == route) {
            self.known[at..].rotate_left(1);
            return Proven::default();
        }
        self.proven += 1;
        let forgotten = (self.known.len() >= KNOWN_MAX).then(|| self.known.remove(0));
        self.known.push(route);
        if self.egress.is_none() || self.egress == forgotten {
            self.egress = Some(route);
        }
        Proven {
            is_new: true,
            forgotten,
        }
    }

    /// The peer uses this path: it nominated it, or sent DTLS on it. Other than str0m, which waits
    /// until the old path has been silent for 15 s, we follow at once.
    pub(crate) fn follow(&mut self, route: Route) {
        if self.egress != Some(route) && self.is_known(route) {
            self.egress = Some(route);
        }
    }

    pub(crate) fn is_known(&self, route: Route) -> bool {
        self.known.contains(&route)
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.proven > PROVEN_MAX
    }

    /// The path to the peer's latest address.
    pub(crate) fn egress(&self) -> Option<Route> {
        self.egress
    }

    /// The path to that address of the peer.
    pub(crate) fn to(&self, peer: SocketAddr) -> Option<Route> {
        self.known.iter().rev().find(|r| r.peer == peer).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Route> {
        self.known.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(port: u16) -> Route {
        Route {
            local: ([127, 0, 0, 1], 1).into(),
            peer: ([127, 0, 0, 2], port).into(),
        }
    }

    #[test]
    fn follows_only_what_is_proven() {
        let mut paths = Paths::default();
        paths.follow(route(1));
        assert_eq!(paths.egress(), None);
        assert!(paths.prove(route(1)).is_new);
        assert_eq!(paths.egress(), Some(route(1)));
        assert!(paths.prove(route(2)).is_new);
        assert_eq!(
            paths.egress(),
            Some(route(1)),
            "a check alone moves nothing"
        );
        paths.follow(route(2));
        assert_eq!(paths.egress(), Some(route(2)));
        assert_eq!(paths.to(route(1).peer), Some(route(1)));
    }

    #[test]
    fn forgets_the_least_recently_proven() {
        let mut paths = Paths::default();
        for port in 0..8 {
            paths.prove(route(port));
        }
        paths.prove(route(0));
        paths.follow(route(0));
        let proven = paths.prove(route(8));
        assert_eq!(proven.forgotten, Some(route(1)));
        assert!(paths.is_known(route(0)));
        assert_eq!(paths.iter().count(), KNOWN_MAX);
        assert_eq!(paths.egress(), Some(route(0)));
    }

    #[test]
    fn a_peer_that_never_stays_is_noticed() {
        let mut paths = Paths::default();
        for port in 0..1024 {
            paths.prove(route(port));
        }
        assert!(!paths.is_exhausted());
        paths.prove(route(1024));
        assert!(paths.is_exhausted());
    }
}
