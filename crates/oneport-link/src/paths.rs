//! The network paths on which a peer has proven itself.

use std::net::SocketAddr;

use crate::{Route, Transport};

/// The most paths that a link knows at a time. A browser checks from each of its addresses to each
/// of ours: four of either are sixteen, and it may move before the old ones are forgotten.
const KNOWN_MAX: usize = 64;

/// The most peer addresses that a link may see in its whole life. Each one leaves a candidate in
/// str0m that is never forgotten; a phone that changes its network every ten minutes gets through a
/// week with that.
const ADDRESSES_MAX: u32 = 1024;

/// The paths on which the peer has passed STUN's integrity check, and the one to send on.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// The most recently used last.
    known: Vec<Route>,
    egress: Option<Route>,
    addresses: u32,
}

impl Paths {
    /// The peer has passed the integrity check on this path. Answers the path that was forgotten in
    /// exchange; never the one in use.
    pub(crate) fn prove(&mut self, route: Route) -> Option<Route> {
        if let Some(at) = self.known.iter().position(|known| *known == route) {
            self.known[at..].rotate_left(1);
            return None;
        }
        if self.to(route.transport, route.peer).is_none() {
            self.addresses += 1;
        }
        let is_idle = |known: &Route| Some(*known) != self.egress;
        let oldest = self.known.iter().position(is_idle);
        let forgotten = oldest
            .filter(|_| self.known.len() >= KNOWN_MAX)
            .map(|at| self.known.remove(at));
        self.known.push(route);
        self.egress.get_or_insert(route);
        forgotten
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
        self.addresses > ADDRESSES_MAX
    }

    /// The path to the peer's latest address.
    pub(crate) fn egress(&self) -> Option<Route> {
        self.egress
    }

    /// The path to that address of the peer.
    pub(crate) fn to(&self, transport: Transport, peer: SocketAddr) -> Option<Route> {
        let leads = |route: &&Route| route.peer == peer && route.transport == transport;
        self.known.iter().rev().find(leads).copied()
    }

    /// The path has ended. If it was the one in use, the latest that was proven takes its place: the peer
    /// says soon which it uses. Answers whether it was known.
    pub(crate) fn forget(&mut self, route: Route) -> bool {
        let Some(at) = self.known.iter().position(|known| *known == route) else {
            return false;
        };
        self.known.remove(at);
        if self.egress == Some(route) {
            self.egress = self.known.last().copied();
        }
        true
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Route> {
        self.known.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(port: u16) -> Route {
        Route::udp(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 2], port).into())
    }

    #[test]
    fn follows_only_what_is_proven() {
        let mut paths = Paths::default();
        paths.follow(route(1));
        assert_eq!(paths.egress(), None);
        paths.prove(route(1));
        assert_eq!(paths.egress(), Some(route(1)));
        paths.prove(route(2));
        assert_eq!(
            paths.egress(),
            Some(route(1)),
            "a check alone moves nothing"
        );
        paths.follow(route(2));
        assert_eq!(paths.egress(), Some(route(2)));
        assert_eq!(paths.to(Transport::Udp, route(1).peer), Some(route(1)));
        assert_eq!(paths.to(Transport::Tcp, route(1).peer), None);
    }

    #[test]
    fn what_has_ended_is_forgotten_and_another_takes_its_place() {
        let over_tcp = Route {
            transport: Transport::Tcp,
            ..route(1)
        };
        let mut paths = Paths::default();
        paths.prove(over_tcp);
        paths.prove(route(1));
        assert_eq!(paths.egress(), Some(over_tcp));
        assert!(paths.forget(over_tcp));
        assert_eq!(paths.egress(), Some(route(1)));
        assert!(!paths.forget(over_tcp), "it is forgotten");
        assert!(paths.forget(route(1)));
        assert_eq!(paths.egress(), None);
        paths.prove(over_tcp);
        assert_eq!(paths.egress(), Some(over_tcp));
    }

    #[test]
    fn forgets_the_least_recently_proven() {
        let mut paths = Paths::default();
        for port in 0..64 {
            assert_eq!(paths.prove(route(port)), None);
        }
        paths.prove(route(1));
        let forgotten = paths.prove(route(64));
        assert_eq!(forgotten, Some(route(2)), "0 is in use, 1 was proven again");
        assert_eq!(paths.egress(), Some(route(0)));
        assert_eq!(paths.iter().count(), KNOWN_MAX);
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
