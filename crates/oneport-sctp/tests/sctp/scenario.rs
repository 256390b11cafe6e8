//! A scenario: channels of all classes, messages in both directions at random times; and the judge.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::engines::Class;
use crate::network::{Faults, World};

pub(crate) const CLASSES: [Class; 4] = [
    Class::Ordered,
    Class::Unordered,
    Class::Retransmits(1),
    Class::Lifetime(100),
];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) messages: u32,
    pub(crate) bytes_max: usize,
    pub(crate) faults: Faults,
}

/// What was sent on each stream of each end, and what of it arrived.
#[derive(Default)]
struct Judge {
    sent: BTreeMap<(usize, u16), Vec<Vec<u8>>>,
    arrived: BTreeMap<(usize, u16), Vec<u32>>,
}

impl Judge {
    /// A message says its place in the stream, and the rest follows from that.
    fn next(&mut self, from: usize, id: u16, len: usize) -> Vec<u8> {
        let sent = self.sent.entry((from, id)).or_default();
        let place = sent.len() as u32;
        let mut bytes = place.to_be_bytes().to_vec();
        bytes.extend((4..len).map(|n| (n as u8) ^ (place as u8)));
        sent.push(bytes.clone());
        bytes
    }

    fn take(&mut self, world: &mut World) {
        for end in 0..2 {
            while let Some((id, bytes)) = world.ends[end].receive() {
                let place = u32::from_be_bytes(bytes[..4].try_into().expect("four bytes"));
                let from = (1 - end, id);
                let original = &self.sent[&from][place as usize];
                assert!(bytes == *original, "stream {id}: message {place} changed");
                self.arrived.entry(from).or_default().push(place);
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.sent.iter().all(|((from, id), sent)| {
            let arrived = self.arrived.get(&(*from, *id)).map_or(0, Vec::len);
            !class_of(*id).is_reliable() || arrived == sent.len()
        })
    }

    /// Returns the places of reliable messages that have not arrived, by sender and stream.
    fn missing(&self) -> Vec<(usize, u16, Vec<u32>)> {
        let reliable = self
            .sent
            .iter()
            .filter(|((_, id), _)| class_of(*id).is_reliable());
        let missing = reliable.map(|((from, id), sent)| {
            let arrived = self.arrived.get(&(*from, *id));
            let has = |place: &u32| arrived.is_some_and(|arrived| arrived.contains(place));
            let places = 0..sent.len() as u32;
            (*from, *id, places.filter(|place| !has(place)).collect())
        });
        missing
            .filter(|(_, _, places): &(_, _, Vec<u32>)| !places.is_empty())
            .collect()
    }

    fn judge(&self) {
        for ((from, id), arrived) in &self.arrived {
            let class = class_of(*id);
            let once: BTreeSet<_> = arrived.iter().collect();
            assert_eq!(once.len(), arrived.len(), "end {from}, {class:?}: twice");
            if class.is_ordered() {
                assert!(arrived.is_sorted(), "end {from}, {class:?}: {arrived:?}");
            }
        }
        assert!(self.is_complete());
    }
}

fn class_of(id: u16) -> Class {
    CLASSES[usize::from(id / 2)]
}

/// Runs a scenario: everything reliable arrives once and whole, in order where there is one; everything
/// else at most once.
pub(crate) fn run(world: &mut World, scenario: Scenario) {
    world.connect();
    let ids: Vec<u16> = (0..CLASSES.len() as u16).map(|n| 2 * n).collect();
    for id in &ids {
        let now = world.now;
        world.ends[0].open(now, *id, class_of(*id));
    }
    let settled = world.now + Duration::from_millis(500);
    world.run_until(settled, |world| {
        for end in &mut world.ends {
            assert_eq!(end.receive(), None);
        }
    });
    world.faults = scenario.faults;
    let mut judge = Judge::default();
    for _ in 0..scenario.messages {
        let from = world.random.usize(..2);
        let id = ids[world.random.usize(..ids.len())];
        let len = if world.random.u8(..8) == 0 {
            world.random.usize(4..=scenario.bytes_max)
        } else {
            world.random.usize(4..200)
        };
        let len = len.min(world.ends[from].bytes_max(class_of(id)));
        let bytes = judge.next(from, id, len);
        let now = world.now;
        world.ends[from].send(now, id, &bytes);
        let pause = Duration::from_micros(world.random.u64(..15_000));
        let until = world.now + pause;
        world.run_until(until, |world| judge.take(world));
    }
    // The network heals, and everything comes to an end.
    world.faults = Faults::none(20);
    let is_done = world.run(Duration::from_secs(200), |world| {
        judge.take(world);
        judge.is_complete()
    });
    let ends: Vec<_> = world.ends.iter().map(|end| end.describe()).collect();
    assert!(
        is_done,
        "seed {}: {:?} do not arrive; {ends:?}",
        scenario.seed,
        judge.missing()
    );
    let quiet = world.now + Duration::from_secs(5);
    world.run_until(quiet, |world| judge.take(world));
    judge.judge();
}
