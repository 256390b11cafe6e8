//! `DELETE` of a session's URL is a leave, whatever has become of its link.

use std::time::Duration;

use oneport_sim::{World, relay_config};
use serde_json::{Value, json};

use crate::guests::Guests;
use crate::speaker::Speaker;

/// What the last presence that somebody got says: what, why, and of whom.
fn last_presence(watcher: &Speaker, world: &World) -> (Value, Value, Value) {
    let last = watcher.of_type(world, "presence").pop().expect("presence");
    let [what, reason] = ["what", "reason"].map(|member| last[member].clone());
    (what, reason, last["member"]["id"].clone())
}

fn left(member: u32) -> (Value, Value, Value) {
    (json!("left"), json!("left"), json!(member))
}

fn delete(world: &mut World, client: usize) -> bool {
    let (session, now) = (world.guest(client).session, world.now());
    let room = "lobby".parse().expect("a name");
    world.relay_mut().disconnect(now, &room, session)
}

#[test]
fn a_framed_member_leaves_all_rooms_at_once_and_cannot_resume() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    for speaker in [&ada, &bob] {
        speaker.ask(&mut world, json!({"t": "join", "room": "attic"}));
    }
    assert!(delete(&mut world, bob.0));
    assert!(!delete(&mut world, bob.0), "once");
    assert_eq!(world.relay().stats().sessions, 1);
    world.run_for(Duration::from_secs(1));
    assert!(world.guest(bob.0).closed.is_some());
    let presence = ada.of_type(&world, "presence");
    let left_from = |room: &str| {
        let of_room = presence.iter().filter(|p| p["room"] == room);
        of_room
            .map(|p| p["what"].as_str().expect("a word"))
            .collect::<Vec<_>>()
    };
    assert_eq!(left_from("lobby"), ["joined", "left"], "never away");
    assert_eq!(left_from("attic"), ["joined", "left"]);
    assert_eq!(last_presence(&ada, &world), left(2));
    let (_, welcome) = bob.resume(&mut world, 0);
    assert_eq!(welcome["resumed"], false);
}

/// A page that is left asks for it and closes: which comes first is chance.
#[test]
fn a_session_whose_link_is_gone_already_leaves_as_well() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    let now = world.now();
    world.guest_mut(bob.0).link.close(now, "page left");
    world.run_until("bob is away", |world| {
        ada.of_type(world, "presence")
            .last()
            .is_some_and(|p| p["what"] == "away")
    });
    assert_eq!(world.relay().stats().links, 1);
    assert!(delete(&mut world, bob.0));
    world.run_for(Duration::from_secs(1));
    assert_eq!(last_presence(&ada, &world), left(2));
    assert!(!delete(&mut world, bob.0));
}

#[test]
fn a_replaced_link_takes_nobody_with_it() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    let position = bob.position(&world);
    let (back, welcome) = bob.resume(&mut world, position);
    assert_eq!(welcome["resumed"], true);
    assert!(!delete(&mut world, bob.0), "it is the old link's URL");
    ada.publish(&mut world, "still there?");
    world.run_for(Duration::from_secs(1));
    assert_eq!(back.texts(&world), ["still there?"]);
    assert!(delete(&mut world, back.0));
    world.run_for(Duration::from_secs(1));
    assert_eq!(last_presence(&ada, &world), left(2));
}

#[test]
fn a_plain_member_leaves_and_nothing_stays_behind() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let plain = world.join("lobby");
    assert!(delete(&mut world, plain));
    world.run_for(Duration::from_secs(1));
    assert_eq!(last_presence(&ada, &world), left(2));
    assert!(delete(&mut world, ada.0));
    world.run_until("all are gone", |world| world.relay().stats().links == 0);
    assert!(world.relay().is_empty());
}

/// It has nothing to come back to, and would keep somebody else out for the grace time.
#[test]
fn a_session_that_has_left_its_rooms_ends_with_its_link() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    ada.ask(&mut world, json!({"t": "leave", "room": "lobby"}));
    assert_eq!(world.relay().stats().sessions, 1);
    let now = world.now();
    world.guest_mut(ada.0).link.close(now, "done");
    world.run_until("its link is gone", |world| world.relay().stats().links == 0);
    assert_eq!(world.relay().stats().sessions, 0);
}
