//! The same scenarios for all pairings of three implementations.

use std::time::Duration;

use crate::engines::NAMES;
use crate::network::{Faults, World};
use crate::scenario::{Scenario, run};

const SEEDS: u64 = 12;

fn scenario(seed: u64, faults: Faults) -> Scenario {
    Scenario {
        seed,
        messages: 150,
        bytes_max: 20_000,
        faults,
    }
}

fn all_pairings(names: &[&'static str], faults: Faults) {
    for a in names {
        for b in names {
            // The others against each other are not what this is about; once is enough to know that a
            // failure is not the scenario's.
            let has_us = a.starts_with("oneport") || b.starts_with("oneport");
            for seed in 0..if has_us { SEEDS } else { 1 } {
                println!("{a} and {b}, seed {seed}");
                let mut world = World::new([a, b], seed);
                run(&mut world, scenario(seed, faults));
            }
        }
    }
}

#[test]
fn a_clean_network() {
    all_pairings(&NAMES, Faults::none(20));
}

#[test]
fn loss() {
    let faults = Faults {
        loss: 0.05,
        ..Faults::none(20)
    };
    all_pairings(&NAMES, faults);
}

#[test]
fn duplication_and_reordering() {
    let faults = Faults {
        duplication: 0.1,
        jitter: Duration::from_millis(30),
        reorders: true,
        ..Faults::none(10)
    };
    all_pairings(&NAMES, faults);
}

#[test]
fn everything_at_once() {
    let faults = Faults {
        loss: 0.03,
        duplication: 0.03,
        corruption: 0.02,
        delay: Duration::from_millis(10),
        jitter: Duration::from_millis(10),
        reorders: true,
    };
    // Without a checksum, corruption is for DTLS to find.
    all_pairings(&["oneport-checked", "dcsctp", "sctp-proto"], faults);
}

#[test]
fn interleaving() {
    for faults in [
        Faults::none(20),
        Faults {
            loss: 0.05,
            jitter: Duration::from_millis(5),
            reorders: true,
            ..Faults::none(20)
        },
    ] {
        all_pairings(&["oneport", "dcsctp-idata"], faults);
    }
}
