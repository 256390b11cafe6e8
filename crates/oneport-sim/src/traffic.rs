//! What goes to and fro in the world: taken from who sends it, carried, delivered.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use oneport_client::Event;
use oneport_core::{Connected, Input, Machine, Reason, Refusal, Route, Transmit};

use crate::network::{Direction, carry};
use crate::world::{Node, World, relay_address};
use crate::{Guest, Member};

/// More steps at one moment than anything needs: what spins is a bug.
const STEPS_PER_MOMENT_MAX: usize = 100_000;

/// What is on its way.
#[derive(Debug)]
pub(crate) enum Parcel {
    ToRelay(Transmit),
    ToClient(Transmit),
    Offer {
        member: usize,
        attempt: u64,
        sdp: String,
    },
    Answer {
        member: usize,
        attempt: u64,
        answer: Result<Box<Connected>, Refusal>,
    },
}

impl World {
    /// The datagrams on their way to the relay, and from where.
    pub(crate) fn on_the_way(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.in_flight.iter().filter_map(|parcel| match parcel {
            Parcel::ToRelay(transmit) => Some((transmit.route.local, &transmit.contents[..])),
            _ => None,
        })
    }

    /// Takes the datagrams away that are on their way between the relay and a client's address.
    pub(crate) fn intercept(&mut self, direction: Direction, client: SocketAddr) -> Vec<Vec<u8>> {
        let is_wanted = |parcel: &Parcel| match (parcel, direction) {
            (Parcel::ToRelay(transmit), Direction::Up) => transmit.route.local == client,
            (Parcel::ToClient(transmit), Direction::Down) => transmit.route.peer == client,
            _ => false,
        };
        let contents = |parcel| match parcel {
            Parcel::ToRelay(transmit) | Parcel::ToClient(transmit) => Some(transmit.contents),
            Parcel::Offer { .. } | Parcel::Answer { .. } => None,
        };
        let taken = self.in_flight.take(is_wanted).into_iter();
        taken.filter_map(contents).collect()
    }

    /// Takes everything from those to whom something was done, until nobody has any more.
    pub(crate) fn collect(&mut self) {
        for _ in 0..STEPS_PER_MOMENT_MAX {
            let Some(node) = self.touched.pop_first() else {
                return;
            };
            let wake = match node {
                Node::Relay => self.collect_relay().filter(|_| self.is_relay_woken),
                Node::Member(index) => self.collect_member(index),
                Node::Guest(index) => self.collect_guest(index),
            };
            if let Some((at, reason)) = wake {
                // Rule 3 of the contract.
                assert!(
                    at > self.now,
                    "{node:?}: {reason:?} is due, and it was drained"
                );
            }
            self.timers.set(node, wake.map(|(at, _)| at));
        }
        panic!("it spins");
    }

    fn collect_relay(&mut self) -> Option<(Instant, Reason)> {
        while let Some(transmit) = self.relay.poll_transmit() {
            self.datagrams_from_relay += 1;
            self.carry_down(transmit);
        }
        self.relay.poll_timeout()
    }

    fn collect_member(&mut self, index: usize) -> Option<(Instant, Reason)> {
        let member = &mut self.members[index];
        if member.is_dead {
            return None;
        }
        while !member.is_asleep
            && let Some(event) = member.client.poll_event()
        {
            if event == Event::OfferWanted {
                member.offer = member.client.reconnect(self.now).ok();
            }
            member.events.push((self.now, event));
        }
        while let Some(transmit) = member.client.poll_transmit() {
            let access = &mut member.access;
            self.datagrams += 1;
            let carried = carry(self.now, access, Direction::Up, &mut self.dice, transmit);
            for (at, transmit) in carried {
                let route = Route {
                    local: member.access.outside,
                    ..transmit.route
                };
                let contents = transmit.contents;
                self.in_flight
                    .push(at, Parcel::ToRelay(Transmit { route, contents }));
            }
        }
        if let Some(sdp) = member.offer.take() {
            member.attempt += 1;
            let attempt = member.attempt;
            if member.access.is_cut() {
                member.client.abandon_offer(self.now, None);
                self.touched.insert(Node::Member(index));
            } else {
                let at = self.now + member.access.up.delay;
                let member = index;
                self.in_flight.push(
                    at,
                    Parcel::Offer {
                        member,
                        attempt,
                        sdp,
                    },
                );
            }
        }
        self.members[index].client.poll_timeout()
    }

    fn collect_guest(&mut self, index: usize) -> Option<(Instant, Reason)> {
        let guest = &mut self.guests[index];
        guest.collect_events(self.now);
        while let Some(transmit) = guest.poll_transmit() {
            // A NAT turns the announced address into the relay's own.
            let route = Route::udp(guest.access.outside, relay_address());
            let contents = transmit.contents;
            let transmit = Transmit { route, contents };
            self.datagrams += 1;
            let access = &mut guest.access;
            for (at, transmit) in carry(self.now, access, Direction::Up, &mut self.dice, transmit) {
                self.in_flight.push(at, Parcel::ToRelay(transmit));
            }
        }
        guest.poll_timeout()
    }

    fn carry_down(&mut self, transmit: Transmit) {
        self.datagrams += 1;
        let Some(node) = self.client_at(transmit.route.peer) else {
            return;
        };
        let access = match node {
            Node::Member(index) => &mut self.members[index].access,
            Node::Guest(index) => &mut self.guests[index].access,
            Node::Relay => return,
        };
        for (at, transmit) in carry(self.now, access, Direction::Down, &mut self.dice, transmit) {
            self.in_flight.push(at, Parcel::ToClient(transmit));
        }
    }

    /// Whose address this is now. Of several guests that had it, the last one has it.
    fn client_at(&self, address: SocketAddr) -> Option<Node> {
        let is_member = |member: &Member| member.access.outside == address && !member.is_dead;
        // Nearly always an address says by itself whose it is.
        if let IpAddr::V4(ip) = address.ip() {
            let number = u32::from(ip).wrapping_sub(u32::from(Ipv4Addr::new(198, 18, 0, 1)));
            let number = number as usize;
            if self.members.get(number).is_some_and(is_member) {
                return Some(Node::Member(number));
            }
        }
        let guest = |guest: &Guest| guest.access.outside == address;
        let guest = self.guests.iter().rposition(guest).map(Node::Guest);
        guest.or_else(|| self.members.iter().position(is_member).map(Node::Member))
    }

    pub(crate) fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::ToRelay(Transmit { route, contents }) => {
                let route = route.reversed();
                let bytes = &contents[..];
                self.handle_input(Node::Relay, Input::Datagram { route, bytes });
            }
            Parcel::ToClient(Transmit { route, contents }) => {
                // Who has moved does not get what was sent to where it was.
                let Some(node) = self.client_at(route.peer) else {
                    return;
                };
                let (is_cut, local) = match node {
                    Node::Member(index) => {
                        let access = &self.members[index].access;
                        (access.down.is_cut, access.inside)
                    }
                    Node::Guest(index) => {
                        let access = &self.guests[index].access;
                        (access.down.is_cut, access.inside)
                    }
                    Node::Relay => return,
                };
                if !is_cut {
                    let peer = self.announced.unwrap_or(route.local);
                    let route = Route::udp(local, peer);
                    let bytes = &contents[..];
                    self.handle_input(node, Input::Datagram { route, bytes });
                }
            }
            Parcel::Offer {
                member,
                attempt,
                sdp,
            } => self.deliver_offer(member, attempt, &sdp),
            Parcel::Answer {
                member,
                attempt,
                answer,
            } => self.deliver_answer(member, attempt, answer),
        }
    }
}
