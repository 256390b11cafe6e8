//! Which link a datagram belongs to.

use std::collections::HashMap;

use arrayvec::ArrayVec;
use oneport_link::{Datagram, Route};

use crate::LinkId;

/// How many links may claim the same path at a time. Normally it is one. It is two when a browser
/// comes back from the same port before its old link is given up, or when a NAT hands a port on, and
/// more when somebody forges checks from an address that is not theirs. Such datagrams go to all of
/// them, and only the right one can read them; so nobody can take a path from anybody.
const ROUTE_CLAIMS_MAX: usize = 4;

/// The links that claim a path.
type Claims = ArrayVec<LinkId, ROUTE_CLAIMS_MAX>;

/// Which link a datagram belongs to, in constant time.
///
/// A connectivity check says it by the user name fragment in it, which we chose. Everything else is
/// known by the path that it took, if its link has proven that path with a check. Checks are never
/// looked up by path: a browser that comes back from the same port is a new link.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    by_ufrag: HashMap<String, LinkId>,
    /// Who has proven the path, the latest last.
    by_route: HashMap<Route, Claims>,
}

impl Demux {
    /// The links that it may be for, the most likely first.
    pub(crate) fn find(&self, route: Route, datagram: &Datagram<'_>) -> Claims {
        let by_route = || {
            self.by_route
                .get(&route)
                .into_iter()
                .flatten()
                .rev()
                .copied()
        };
        match datagram {
            Datagram::Check { ufrag, .. } => {
                self.by_ufrag.get(*ufrag).copied().into_iter().collect()
            }
            Datagram::Dtls => by_route().collect(),
            Datagram::Stun => by_route().take(1).collect(),
            Datagram::Unknown => Claims::new(),
        }
    }

    /// The links that have proven the path.
    pub(crate) fn on(&self, route: Route) -> Claims {
        self.by_route.get(&route).cloned().unwrap_or_default()
    }

    pub(crate) fn has_ufrag(&self, ufrag: &str) -> bool {
        self.by_ufrag.contains_key(ufrag)
    }

    pub(crate) fn add_ufrag(&mut self, ufrag: String, link: LinkId) {
        self.by_ufrag.insert(ufrag, link);
    }

    /// The link has proven the path. Beyond [`ROUTE_CLAIMS_MAX`], whoever has not proven it for the
    /// longest time loses it, until its next check.
    pub(crate) fn add_route(&mut self, route: Route, link: LinkId) {
        let claims = self.by_route.entry(route).or_default();
        if claims.last() == Some(&link) {
            return;
        }
        claims.retain(|claim| *claim != link);
        if claims.len() >= ROUTE_CLAIMS_MAX {
            claims.remove(0);
        }
        claims.push(link);
    }

    /// The link no longer claims the path.
    pub(crate) fn remove_route(&mut self, route: Route, link: LinkId) {
        if let Some(claims) = self.by_route.get_mut(&route) {
            claims.retain(|claim| *claim != link);
            if claims.is_empty() {
                self.by_route.remove(&route);
            }
        }
    }

    pub(crate) fn remove_ufrag(&mut self, ufrag: &str) {
        self.by_ufrag.remove(ufrag);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_ufrag.is_empty() && self.by_route.is_empty()
    }
}
