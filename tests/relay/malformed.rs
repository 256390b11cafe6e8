//! Every malformed frame of `vectors.json`, sent to a relay: each is answered as the vector says, and
//! nobody else notices.

use oneport_link::{Kind, Write};
use oneport_sim::{World, relay_config};
use serde_json::{Value, json};

use crate::guests::Guests;
use crate::speaker::Speaker;

/// The message of a vector.
fn message(vector: &Value) -> (Kind, Vec<u8>) {
    let string = |member: &str| vector[member].as_str();
    match (string("text"), string("text_hex"), string("binary")) {
        (Some(text), None, None) => (Kind::Text, text.into()),
        (None, Some(digits), None) => (Kind::Text, unhex(digits)),
        (None, None, Some(digits)) => (Kind::Binary, unhex(digits)),
        _ => panic!("one message: {vector}"),
    }
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn vectors() -> Vec<Value> {
    let json = include_str!("../../crates/oneport-wire/vectors.json");
    let mut vectors: Value = serde_json::from_str(json).expect("the vectors are JSON");
    serde_json::from_value(vectors["client"]["invalid"].take()).expect("a list")
}

#[test]
fn each_is_answered_and_nobody_else_notices() {
    let mut world = World::new(relay_config(), 1);
    let [ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    ada.publish(&mut world, "before");
    world.run_until("bob hears it", |world| bob.texts(world) == ["before"]);
    let seen = bob.frames(&world).len();
    let mut answered = 0;
    for vector in vectors() {
        let (kind, bytes) = message(&vector);
        if bytes.is_empty() {
            // No peer of ours can send that; a browser's is refused like text that is not UTF-8.
            assert_eq!(world.send(ada.0, kind, &bytes), Write::Refused);
            continue;
        }
        assert_eq!(world.send(ada.0, kind, &bytes), Write::Accepted);
        answered += 1;
        world.run_until(&vector.to_string(), |world| {
            ada.of_type(world, "err").len() == answered
        });
        let err = ada.of_type(&world, "err").pop().expect("one");
        for member in ["code", "id", "room", "limit"] {
            assert_eq!(err[member], vector[member], "{member}: {vector}");
        }
    }
    assert!(answered > 100, "only {answered} vectors");
    let is_news = |frame: &&Value| frame["t"] != "ping";
    let news = bob.frames(&world).iter().skip(seen).filter(is_news).count();
    assert_eq!(news, 0, "bob has noticed something");
    ada.publish(&mut world, "after");
    world.run_until("bob hears it", |world| {
        bob.texts(world) == ["before", "after"]
    });
    assert_eq!(ada.of_type(&world, "bye").len(), 0);
}

#[test]
fn a_link_without_a_session_is_answered_as_well() {
    let mut world = World::new(relay_config(), 1);
    let stranger = Speaker::link(&mut world);
    let answer = stranger.ask(&mut world, json!({"t": "hello", "id": "h", "version": 2}));
    assert_eq!(
        (&answer["code"], &answer["id"]),
        (&json!("bad_version"), &json!("h"))
    );
    let sent = world.send(stranger.0, Kind::Text, b"\xff");
    assert_eq!(sent, Write::Accepted);
    world.run_until("the answer", |world| {
        stranger.of_type(world, "err").len() == 2
    });
    assert_eq!(stranger.of_type(&world, "err")[1]["code"], "bad_frame");
    let welcome = stranger.ask(&mut world, json!({"t": "hello", "version": 1}));
    assert_eq!(welcome["t"], "welcome", "it may try again");
}
