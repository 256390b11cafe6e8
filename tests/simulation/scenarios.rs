//! Scenarios from seeds, and whether the oracle would notice if something went wrong.

use std::thread;

use oneport_sim::Operation::{Advance, Burst, Cut, Die, Kick, Leave, Quit, Restart, Sleep};
use oneport_sim::{Report, Sabotage, Scenario};

/// How many seeds each run of the tests tries. `cargo run --release -p oneport-sim -- --seeds N` tries
/// as many as you like.
const SEEDS: u64 = 200;

/// How many seeds the test of the tests tries.
const SABOTAGED: u64 = 5;

#[test]
fn seeds() {
    let jobs = thread::available_parallelism().map_or(1, usize::from) as u64;
    let run = |job: u64| {
        let mut total = Report::default();
        for seed in (job..SEEDS).step_by(jobs as usize) {
            println!("seed {seed}");
            match Scenario::from_seed(seed).run() {
                Ok(report) => total += report,
                Err(faults) => panic!("seed {seed}: {faults:#?}"),
            }
        }
        total
    };
    let mut total = Report::default();
    thread::scope(|scope| {
        let jobs: Vec<_> = (0..jobs).map(|job| scope.spawn(move || run(job))).collect();
        for job in jobs {
            total += job.join().expect("nothing goes wrong");
        }
    });
    // What never happens is not tested.
    assert!(total.delivered > 10_000, "{total:?}");
    for (what, count) in [
        ("recovered", total.recovered),
        ("not recovered", total.not_recovered),
        ("gaps", total.gaps),
    ] {
        assert!(count > SEEDS / 4, "{what}: {total:?}");
    }
}

/// A test of the tests: whatever a relay could do wrong, done once, is noticed. Those to whom it is done
/// stay, for nobody misses what was for somebody who has gone.
#[test]
fn the_oracle_notices_each_lie() {
    for sabotage in Sabotage::ALL {
        let mut noticed = 0;
        for seed in 0..SABOTAGED {
            let mut scenario = Scenario::from_seed(seed);
            scenario.operations.retain(|operation| {
                let goes = matches!(
                    operation,
                    Kick { .. } | Leave { .. } | Quit { .. } | Die { .. }
                );
                let is_long = matches!(operation, Advance { ms: 10_000.. });
                let is_away = matches!(operation, Sleep { .. } | Cut { .. } | Restart);
                !(goes || is_long || is_away || matches!(operation, Burst { .. }))
            });
            assert_eq!(
                scenario.run().err(),
                None,
                "seed {seed} without {sabotage:?}"
            );
            match scenario.run_with(Some(sabotage)) {
                Ok(report) => assert!(!report.is_falsified, "{sabotage:?} in seed {seed}"),
                Err(_) => noticed += 1,
            }
        }
        assert!(noticed > SABOTAGED / 2, "{sabotage:?}: {noticed}");
    }
}
