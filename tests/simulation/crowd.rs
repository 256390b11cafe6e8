//! Many clients for a long time.

use std::time::{Duration, Instant};

use oneport_core::Machine;
use oneport_sim::{World, relay_config};

const MEMBERS: usize = 100;
const TIME: Duration = Duration::from_hours(1);

/// A hundred members of ten rooms stay for an hour in which each says something every few minutes. All
/// that is said arrives, no link is lost, and nobody wakes up more often than heartbeats need.
#[test]
fn a_hundred_clients_for_an_hour() {
    let started = Instant::now();
    let mut world = World::new(relay_config(), 1);
    let rooms: Vec<_> = (0..10)
        .map(|room| format!("room-{room}").parse().expect("a name"))
        .collect();
    for number in 0..MEMBERS {
        world.add_to(&rooms[number % rooms.len()], &format!("m{number}"));
    }
    let begin = world.now();
    let mut rounds = 0;
    while world.now() < begin + TIME {
        for number in 0..MEMBERS {
            let (now, room) = (world.now(), &rooms[number % rooms.len()]);
            let text = format!("{number}-{rounds}");
            world.member_mut(number).say(now, room, &text);
        }
        rounds += 1;
        world.run_for(Duration::from_secs(300));
    }
    for member in world.members() {
        assert!(member.lost().is_empty(), "{:?}", member.lost());
        assert_eq!(member.texts().len(), rounds * (MEMBERS / rooms.len() - 1));
        assert_eq!(member.acknowledged().len(), rounds);
    }
    let per_client = world.datagrams / MEMBERS as u64;
    println!(
        "{MEMBERS} clients for {TIME:?} took {:?}; {per_client} datagrams each",
        started.elapsed()
    );
    // Pings and checks every few seconds, in both directions, and their answers.
    assert!(per_client < 3600 * 4, "{per_client} datagrams");
    assert!(
        world
            .relay()
            .poll_timeout()
            .is_some_and(|(at, _)| at > world.now())
    );
}
