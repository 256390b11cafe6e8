//! Scenarios that once went wrong, as short as they could be made.

use oneport_sim::Operation::{self, *};
use oneport_sim::{Scenario, Size};

fn run(seed: u64, operations: &[Operation]) {
    let operations = operations.to_vec();
    let outcome = Scenario { seed, operations }.run();
    assert!(outcome.is_ok(), "{outcome:#?}");
}

/// More messages waited for another room than the relay remembers ids: one that had arrived was
/// forgotten when it was sent again.
#[test]
fn a_message_is_not_forgotten_behind_those_of_another_room() {
    run(
        298,
        &[
            Arrive {
                room: 0,
                history: 0,
            },
            Arrive {
                room: 0,
                history: 0,
            },
            Arrive {
                room: 1,
                history: 0,
            },
            Arrive {
                room: 1,
                history: 20,
            },
            Arrive {
                room: 2,
                history: 0,
            },
            Arrive {
                room: 2,
                history: 10,
            },
            Advance { ms: 97 },
            Join {
                who: 6,
                room: 2,
                history: 20,
            },
            Cut {
                who: 0,
                direction: 3,
                tenths_s: 827,
            },
            Burst {
                who: 0,
                room: 2,
                count: 205,
            },
            Advance { ms: 3577 },
            Publish {
                who: 6,
                room: 1,
                size: Size::Small,
                class: 5,
                flags: 146,
            },
            Advance { ms: 3732 },
        ],
    );
}

/// What was on its way from a room came although the member had left it.
#[test]
fn who_leaves_while_joining_hears_nothing_more() {
    run(
        71,
        &[
            Arrive {
                room: 0,
                history: 0,
            },
            Arrive {
                room: 2,
                history: 30,
            },
            Join {
                who: 1,
                room: 1,
                history: 10,
            },
            Arrive {
                room: 2,
                history: 20,
            },
            Quit { who: 0 },
            Publish {
                who: 0,
                room: 0,
                size: Size::Small,
                class: 2,
                flags: 53,
            },
            Advance { ms: 177 },
            Join {
                who: 1,
                room: 1,
                history: 20,
            },
            Leave { who: 7, room: 0 },
        ],
    );
}
