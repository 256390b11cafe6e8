//! The places for links, and who gives one up for a newcomer.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use oneport_wire::{Network, Refusal};

use crate::LinkId;

/// How many links there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlacesMax {
    pub(crate) links: usize,
    pub(crate) links_per_address: usize,
    pub(crate) handshakes: usize,
    pub(crate) handshakes_per_address: usize,
}

/// How many links there are, and how many of them are in their handshake, in total and for each
/// client address: an offer costs its sender nothing, and us a link for as long as the handshake may
/// take.
///
/// Where all places for handshakes are taken, a newcomer gets that of whoever has been silent the
/// longest. A client that has its answer sends its first check at once, so that offers alone, from
/// however many addresses, keep nobody out.
#[derive(Debug)]
pub(crate) struct Places {
    max: PlacesMax,
    links: usize,
    handshakes: usize,
    by_network: HashMap<Network, Taken>,
    /// The links from which nothing has come that proves that the answer has reached them: by their
    /// numbers, so the oldest is the first.
    silent: BTreeMap<u64, LinkId>,
}

#[derive(Debug, Default)]
struct Taken {
    links: usize,
    handshakes: usize,
}

/// A place for a newcomer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Vacancy {
    /// There is one.
    Free,
    /// There is one where this link is ended.
    InsteadOf(LinkId),
}

impl Places {
    pub(crate) fn new(max: PlacesMax) -> Self {
        Self {
            max,
            links: 0,
            handshakes: 0,
            by_network: HashMap::new(),
            silent: BTreeMap::new(),
        }
    }

    /// Whether there is a place for this newcomer.
    pub(crate) fn find(&self, client: IpAddr) -> Result<Vacancy, Refusal> {
        if self.links >= self.max.links {
            return Err(Refusal::RelayFull);
        }
        if let Some(taken) = self.by_network.get(&Network::of(client)) {
            if taken.handshakes >= self.max.handshakes_per_address {
                return Err(Refusal::TooManyHandshakesFromAddress);
            }
            if taken.links >= self.max.links_per_address {
                return Err(Refusal::TooManyClientsFromAddress);
            }
        }
        if self.handshakes < self.max.handshakes {
            return Ok(Vacancy::Free);
        }
        match self.silent.first_key_value() {
            Some((_, oldest)) => Ok(Vacancy::InsteadOf(*oldest)),
            None => Err(Refusal::TooManyHandshakes),
        }
    }

    /// A link begins its handshake. Numbers grow.
    pub(crate) fn take(&mut self, client: IpAddr, number: u64, id: LinkId) {
        self.links += 1;
        self.handshakes += 1;
        let taken = self.by_network.entry(Network::of(client)).or_default();
        taken.links += 1;
        taken.handshakes += 1;
        self.silent.insert(number, id);
    }

    /// The answer has reached a link.
    pub(crate) fn is_heard(&mut self, number: u64) {
        self.silent.remove(&number);
    }

    /// A link's handshake is through, or given up.
    pub(crate) fn end_handshake(&mut self, client: IpAddr, number: u64) {
        self.silent.remove(&number);
        self.handshakes -= 1;
        if let Some(taken) = self.by_network.get_mut(&Network::of(client)) {
            taken.handshakes -= 1;
        }
    }

    /// A link is gone. Its handshake has ended before.
    pub(crate) fn give_back(&mut self, client: IpAddr) {
        let network = Network::of(client);
        self.links -= 1;
        if let Some(taken) = self.by_network.get_mut(&network) {
            taken.links -= 1;
            if taken.links == 0 {
                self.by_network.remove(&network);
            }
        }
    }

    pub(crate) fn handshakes(&self) -> usize {
        self.handshakes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.links == 0
            && self.handshakes == 0
            && self.by_network.is_empty()
            && self.silent.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    /// Places for four links, three for each address, two of them in their handshake.
    struct Scene {
        places: Places,
        ids: SlotMap<LinkId, IpAddr>,
        number: u64,
    }

    impl Scene {
        fn new() -> Self {
            let max = PlacesMax {
                links: 4,
                links_per_address: 3,
                handshakes: 3,
                handshakes_per_address: 2,
            };
            Self {
                places: Places::new(max),
                ids: SlotMap::with_key(),
                number: 0,
            }
        }

        fn enter(&mut self, from: &str) -> Result<(u64, LinkId), Refusal> {
            let client = from.parse().expect("an address");
            let vacancy = self.places.find(client)?;
            assert_eq!(vacancy, Vacancy::Free);
            self.number += 1;
            let id = self.ids.insert(client);
            self.places.take(client, self.number, id);
            Ok((self.number, id))
        }

        fn find(&self, from: &str) -> Result<Vacancy, Refusal> {
            self.places.find(from.parse().expect("an address"))
        }

        fn finish(&mut self, (number, id): (u64, LinkId)) {
            self.places.end_handshake(self.ids[id], number);
        }
    }

    #[test]
    fn handshakes_are_capped_for_each_address() {
        let mut scene = Scene::new();
        let first = scene.enter("2001:db8::1").expect("free");
        scene.enter("2001:db8::ffff:2").expect("free");
        let refusal = scene.find("2001:db8::3");
        assert_eq!(refusal, Err(Refusal::TooManyHandshakesFromAddress));
        scene.finish(first);
        assert_eq!(scene.find("2001:db8::3"), Ok(Vacancy::Free));
    }

    #[test]
    fn so_are_links_and_all_together() {
        let mut scene = Scene::new();
        for _ in 0..3 {
            let link = scene.enter("192.0.2.1").expect("free");
            scene.finish(link);
        }
        let refusal = scene.find("192.0.2.1");
        assert_eq!(refusal, Err(Refusal::TooManyClientsFromAddress));
        scene.enter("192.0.2.2").expect("free");
        assert_eq!(scene.find("192.0.2.3"), Err(Refusal::RelayFull));
    }

    #[test]
    fn whoever_has_been_silent_the_longest_makes_room() {
        let mut scene = Scene::new();
        let first = scene.enter("192.0.2.1").expect("free");
        let second = scene.enter("192.0.2.2").expect("free");
        let third = scene.enter("192.0.2.3").expect("free");
        scene.places.is_heard(first.0);
        assert_eq!(scene.find("192.0.2.4"), Ok(Vacancy::InsteadOf(second.1)));
        scene.places.is_heard(second.0);
        scene.places.is_heard(third.0);
        assert_eq!(scene.find("192.0.2.4"), Err(Refusal::TooManyHandshakes));
        for link in [first, second, third] {
            scene.finish(link);
            scene.places.give_back(scene.ids[link.1]);
        }
        assert!(scene.places.is_empty());
    }
}
