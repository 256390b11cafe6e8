//! Which way the datagrams of a link go.

use str0m::net::Protocol;

use crate::{CloseReason, Link, LinkEvent, Route, Transmit, Transport, datagram};

impl Link {
    /// The paths on which the peer has proven itself.
    pub fn paths(&self) -> impl Iterator<Item = Route> {
        self.paths.iter()
    }

    /// Takes what str0m wants to send: answers to checks go back the way they came, all else to where
    /// the peer is now.
    pub(crate) fn queue(&mut self, transmit: str0m::net::Transmit) {
        let contents = Vec::from(transmit.contents);
        let transport = match transmit.proto {
            Protocol::Udp => Transport::Udp,
            _ => Transport::Tcp,
        };
        let (local, peer) = (transmit.source, transmit.destination);
        let is_answer = |to: &Route| to.peer == peer && to.transport == transport;
        let arriving = self.arriving.filter(is_answer);
        let chosen = if datagram::is_stun(&contents) {
            if let Some(route) = arriving
                && datagram::is_binding_success(&contents)
            {
                self.prove(route);
            }
            arriving.or_else(|| self.paths.to(transport, peer))
        } else {
            self.paths.egress()
        };
        let route = chosen.unwrap_or(Route {
            transport,
            local,
            peer,
        });
        self.egress.push(Transmit { route, contents });
    }

    fn prove(&mut self, route: Route) {
        if let Some(forgotten) = self.paths.prove(route) {
            self.events.push_back(LinkEvent::PathForgotten(forgotten));
        }
        self.events.push_back(LinkEvent::PathProven(route));
        if self.paths.is_exhausted() {
            let what = "too many changes of address".to_string();
            self.doom.get_or_insert(CloseReason::Faulty(what));
        }
    }
}
