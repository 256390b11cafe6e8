//! The limit of memory: who would come beyond it is refused, and who is there notices nothing.

use std::time::Duration;

use oneport_core::RelayConfig;
use oneport_link::ChannelConfig;
use oneport_sim::{World, relay_config};
use serde_json::{Value, json};

use crate::guests::Guests;
use crate::speaker::Speaker;

/// A relay for so many clients, sessions and rooms, but for so many bytes.
fn world(clients: usize, sessions: usize, rooms: usize, short_of: usize) -> World {
    let config = relay_config();
    let bytes = clients * config.client_bytes_max()
        + sessions * config.session_bytes_max()
        + rooms * config.hub.ring_bytes_max;
    World::new(
        RelayConfig {
            memory_bytes_max: Some(bytes - short_of),
            ..config
        },
        1,
    )
}

fn chat() -> Vec<ChannelConfig> {
    vec![ChannelConfig::new("chat")]
}

fn join(room: &str) -> Value {
    json!({"t": "join", "room": room, "name": "x"})
}

#[test]
fn clients_sessions_and_rooms_at_the_limit_and_one_past_it() {
    let mut world = world(2, 1, 1, 0);
    let ada = Speaker::in_room(&mut world, "ada");
    let plain = world.join("lobby");
    let stats = world.relay().stats();
    let config = relay_config();
    let everything =
        2 * config.client_bytes_max() + config.session_bytes_max() + config.hub.ring_bytes_max;
    assert_eq!(stats.reserved_bytes, everything);

    let refusal = world.offer("lobby", chat()).expect_err("no memory");
    assert_eq!(
        (refusal.code(), refusal.retry_after_secs()),
        ("memory", Some(30))
    );
    let refused = ada.ask(&mut world, join("attic"));
    assert_eq!(refused["code"], "memory");
    assert_eq!(refused["room"], "attic");
    assert_eq!(refused["retry_after_ms"], 30_000);
    let stats = world.relay().stats();
    assert_eq!(stats.refused.get("memory"), Some(&1));
    assert_eq!(stats.frames_refused.get("memory"), Some(&1));

    let said = json!({"t": "pub", "room": "lobby", "topic": "chat", "text": "still here"});
    ada.say(&mut world, &said);
    world.run_until("it arrives", |world| world.heard(plain) == ["still here"]);
    let now = world.now();
    world.guest_mut(plain).link.close(now, "gone");
    world.run_until("it is gone", |world| world.relay().stats().links == 1);
    world.join("lobby");
}

#[test]
fn a_session_beyond_it_is_refused() {
    let mut world = world(2, 1, 1, 0);
    Speaker::in_room(&mut world, "ada");
    let bob = Speaker::link(&mut world);
    let hello = json!({"t": "hello", "version": 1});
    let refused = bob.ask(&mut world, hello);
    assert_eq!(
        (&refused["code"], &refused["retry_after_ms"]),
        (&json!("memory"), &json!(30_000))
    );
    assert_eq!(world.relay().stats().sessions, 1);
}

#[test]
fn a_byte_too_little_is_too_little() {
    let mut world = world(2, 0, 1, 1);
    world.join("lobby");
    let refusal = world
        .offer("lobby", chat())
        .expect_err("one byte is missing");
    assert_eq!(refusal.code(), "memory");
}

/// Each of two offers was good when it came. Only the first to open its channel gets the room.
#[test]
fn a_room_that_another_took_ends_the_link_with_a_reason() {
    let mut world = world(2, 0, 1, 0);
    let [first, late] = ["a", "b"].map(|room| world.offer(room, chat()));
    let (first, late) = (first.expect("taken in"), late);
    assert!(late.is_ok(), "no room is there yet");
    world.run_until("one of them is sent away", |world| {
        world.guests().iter().any(|client| client.closed.is_some())
    });
    assert_eq!(world.relay().stats().closed.get("memory"), Some(&1));
    assert_eq!(world.relay().stats().rooms, 1);
    assert!(world.guest(first).closed.is_none());
}

#[test]
fn empty_rooms_make_place() {
    let mut world = world(1, 1, 1, 0);
    let ada = Speaker::in_room(&mut world, "ada");
    ada.publish(&mut world, "for history");
    ada.ask(&mut world, json!({"t": "leave", "room": "lobby"}));
    assert_eq!(world.relay().stats().rooms, 1, "it keeps its history");
    assert_eq!(ada.ask(&mut world, join("attic"))["t"], "joined");
    assert_eq!(world.relay().stats().rooms, 1, "and has made place");
    assert_eq!(ada.ask(&mut world, join("lobby"))["code"], "memory");
    world.run_for(Duration::from_secs(1));
    assert_eq!(ada.joined(&world)["room"], "attic");
}

#[test]
#[should_panic(expected = "memory_bytes_max")]
fn less_than_one_client_needs_is_refused() {
    world(1, 1, 1, 1);
}
