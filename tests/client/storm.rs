//! Everything at once, from a seed: links that are cut, lose packets and answers, and take over
//! from each other, while everybody talks. Nobody stays away longer than the relay's grace time, so
//! that everything that is said must arrive: once, and in one order.

use std::time::Duration;

use oneport_client::Event;
use oneport_wire::frame::Recovery;

use super::world::{World, relay_config};

const PEERS: usize = 3;

/// How long nobody is spared.
const STORM: Duration = Duration::from_secs(120);

/// Shorter than the grace time of 30 s by the longest wait between two attempts and a handshake.
const CUT_MAX_MS: u64 = 10_000;

/// From one cut's end to the next, so that they do not add up to more than the grace time.
const CUT_PAUSE: Duration = Duration::from_secs(20);

/// SplitMix64: enough for chance that can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order_in_a_storm() {
    for seed in 0..12 {
        println!("seed {seed}");
        storm(seed);
    }
}

fn storm(seed: u64) {
    let mut dice = Dice(seed);
    let mut world = World::new(relay_config());
    let peers: [usize; PEERS] = ["ada", "bob", "eve"].map(|name| world.member(name));
    let mut said: [Vec<String>; PEERS] = Default::default();
    let mut cut_until = [world.now; PEERS];
    world.loses_one_in = Some(20);
    let end = world.now + STORM;
    while world.now < end {
        let peer = peers[dice.below(PEERS as u64) as usize];
        match dice.below(20) {
            0 if cut_until[peer] + CUT_PAUSE <= world.now => {
                let cut = Duration::from_millis(dice.below(CUT_MAX_MS));
                cut_until[peer] = world.now + cut;
                world.peers[peer].is_cut = true;
            }
            1 => world.peers[peer].client.check(world.now),
            2 => world.peers[peer].offer = world.peers[peer].client.reconnect(world.now).ok(),
            _ => {
                let text = format!("{peer}-{}", said[peer].len());
                world.say(peer, &text);
                said[peer].push(text);
            }
        }
        world.run_for(Duration::from_millis(dice.below(1000)));
        for peer in peers {
            world.peers[peer].is_cut = world.now < cut_until[peer];
        }
    }
    world.loses_one_in = None;
    for peer in peers {
        world.peers[peer].is_cut = false;
    }
    world.run_for(Duration::from_secs(60));
    for peer in peers {
        judge(&world, peer, &said);
    }
}

fn judge(world: &World, peer: usize, said: &[Vec<String>; PEERS]) {
    let told = &world.peers[peer];
    let recoveries = told
        .joins()
        .into_iter()
        .skip(1)
        .map(|joined| joined.recovery);
    for recovery in recoveries {
        assert_eq!(recovery, Recovery::Recovered, "{peer}");
    }
    assert_eq!(told.unanswered(), [""; 0], "{peer}");
    assert_eq!(told.acknowledged(), said[peer], "{peer}");
    let texts = told.texts();
    for (other, theirs) in said.iter().enumerate() {
        let from = |text: &&String| text.starts_with(&format!("{other}-"));
        let heard: Vec<_> = texts.iter().filter(from).cloned().collect();
        let expected = if other == peer { &[][..] } else { theirs };
        assert_eq!(heard, expected, "{peer} of {other}");
    }
    let offset = |(_, event): &(_, Event)| match event {
        Event::Message { message, .. } => message.offset,
        Event::Presence(presence) => Some(presence.offset),
        _ => None,
    };
    let offsets: Vec<_> = told.events.iter().filter_map(offset).collect();
    assert!(offsets.is_sorted_by(|a, b| a < b), "{peer}: {offsets:?}");
}
