//! Which link a datagram belongs to.

use std::collections::HashMap;

use oneport_link::{Datagram, Route};

use crate::LinkId;

/// Which link a datagram belongs to, in constant time.
///
/// A connectivity check says it by the user name fragment in it, which we chose. Everything else is
/// known by the path that it took, if its link has proven that path with a check. Checks are never
/// looked up by path: a browser that comes back from the same port is a new link.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    by_ufrag: HashMap<String, LinkId>,
    by_route: HashMap<Route, LinkId>,
}

impl Demux {
    /// The link, if the datagram belongs to one.
    pub(crate) fn find(&self, route: Route, datagram: &Datagram<'_>) -> Option<LinkId> {
        match datagram {
            Datagram::Check { ufrag, .. } => self.by_ufrag.get(*ufrag).copied(),
            Datagram::Dtls | Datagram::Stun => self.by_route.get(&route).copied(),
            Datagram::Unknown => None,
        }
    }

    pub(crate) fn has_ufrag(&self, ufrag: &str) -> bool {
        self.by_ufrag.contains_key(ufrag)
    }

    pub(crate) fn add_ufrag(&mut self, ufrag: String, link: LinkId) {
        self.by_ufrag.insert(ufrag, link);
    }

    /// The path is this link's from now on, whoever had it before.
    pub(crate) fn add_route(&mut self, route: Route, link: LinkId) {
        self.by_route.insert(route, link);
    }

    /// Forgets the path, unless it is another link's by now.
    pub(crate) fn remove_route(&mut self, route: Route, link: LinkId) {
        if self.by_route.get(&route) == Some(&link) {
            self.by_route.remove(&route);
        }
    }

    pub(crate) fn remove_ufrag(&mut self, ufrag: &str) {
        self.by_ufrag.remove(ufrag);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_ufrag.is_empty() && self.by_route.is_empty()
    }
}
