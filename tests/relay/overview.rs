//! What an operator sees: who is behind, the last closes, how long messages wait.

use std::time::Duration;

use oneport_core::Overview;
use oneport_sim::{World, relay_config};

use crate::speaker::Speaker;

#[test]
fn who_is_behind_and_who_has_gone() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let slow = Speaker::in_room(&mut world, "slow");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.relay().overview().behind, []);
    assert!(world.relay().overview().closes.is_empty());

    // More than the link holds, while nothing gets through.
    slow.cut(&mut world);
    for _ in 0..100 {
        ada.publish(&mut world, &"x".repeat(10_000));
        world.run_for(Duration::from_millis(20));
    }
    let Overview { behind, stats, .. } = world.relay().overview();
    let [first] = &behind[..] else {
        panic!("{behind:?}");
    };
    assert_eq!((first.link, first.room.as_str()), (Some(2), "lobby"));
    assert!(first.session.is_some());
    assert!((10..100).contains(&first.entries), "{first:?}");
    assert_eq!(first.bytes, 10_000 * first.entries);
    let second = Duration::from_secs(1);
    assert!((second..3 * second).contains(&first.waits), "{first:?}");
    assert_eq!(stats.hub.published, 100);

    // It gets what it is owed, and that it waited is seen.
    world.guest_mut(slow.0).access.set_cut(false);
    world.run_until("it has all", |world| slow.texts(world).len() == 100);
    world.run_for(Duration::from_millis(10));
    let Overview { behind, stats, .. } = world.relay().overview();
    assert_eq!(behind, []);
    let late = stats.queue_time.classes().filter(|(bound, count)| {
        *count > 0 && bound.is_none_or(|bound| bound >= Duration::from_secs(1))
    });
    assert!(late.count() > 0, "{:?}", stats.queue_time);

    // The latest first, by its session, which was the link's.
    for guest in [slow.0, ada.0] {
        let now = world.now();
        world.guest_mut(guest).link.close(now, "bye");
        world.run_for(Duration::from_secs(1));
    }
    let closes = world.relay().overview().closes;
    let seen: Vec<_> = (closes.iter())
        .map(|close| (close.link, close.code, close.session.is_some()))
        .collect();
    assert_eq!(seen, [(1, "left", true), (2, "left", true)]);
    assert!(closes[0].at > closes[1].at);
}
