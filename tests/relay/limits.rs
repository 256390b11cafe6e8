//! The limits of framed clients, each at the limit and one past it. Those of one link are tested in
//! `oneport-link`, those of rings in `hub`, those of handshakes and links in `main`, that of memory in
//! `memory`.

use std::time::Duration;

use oneport_core::hub::HubLimits;
use oneport_core::{Rate, RelayConfig};
use oneport_link::{ChannelConfig, Reliability};
use oneport_sim::{World, relay_config};
use serde_json::{Value, json};

use crate::guests::Guests;
use crate::speaker::Speaker;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn publish(text: &str) -> Value {
    json!({"t": "pub", "id": "p", "room": "lobby", "text": text})
}

/// The frame, with a text that makes it exactly so many bytes long.
fn padded(mut frame: Value, bytes: usize) -> Value {
    frame["text"] = json!("");
    let around = frame.to_string().len();
    frame["text"] = json!("x".repeat(bytes - around));
    frame
}

fn join(room: &str) -> Value {
    json!({"t": "join", "room": room})
}

#[test]
fn bytes_of_a_frame() {
    let mut world = World::new(relay_config(), 1);
    let [ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    let max = oneport_wire::CLIENT_FRAME_BYTES_MAX;
    assert_eq!(ada.ask(&mut world, padded(publish(""), max))["t"], "ack");
    let refused = ada.ask(&mut world, padded(publish(""), max + 1));
    assert_eq!(
        (&refused["code"], &refused["limit"]),
        (&json!("too_large"), &json!(max))
    );
    world.run_until("bob has the first", |world| bob.texts(world).len() == 1);
    world.run_for(ms(1000));
    assert_eq!(bob.texts(&world).len(), 1);
}

/// What the members of frames may be: the longest is done, one more is refused with the limit.
#[test]
fn lengths_and_counts_in_frames() {
    let mut world = World::new(relay_config(), 1);
    let [ada, _bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    let text = |bytes: usize| "x".repeat(bytes);
    let frame = |rest: Value| {
        let mut frame = json!({"room": "lobby", "id": "1"});
        let members = rest.as_object().expect("an object").clone();
        frame.as_object_mut().expect("an object").extend(members);
        frame
    };
    let update = |member: &str, value: Value| frame(json!({"t": "update", member: value}));
    let with = |member: &str, value: Value| frame(json!({"t": "pub", "text": "", member: value}));
    // Metadata counts with its quotes.
    for (at, past, code, limit) in [
        (
            update("name", json!(text(64))),
            update("name", json!(text(65))),
            "name_too_long",
            64,
        ),
        (
            update("meta", json!(text(2046))),
            update("meta", json!(text(2047))),
            "meta_too_large",
            2048,
        ),
        (
            with("topic", json!(text(128))),
            with("topic", json!(text(129))),
            "topic_too_long",
            128,
        ),
        (
            with("to", json!(vec![2; 64])),
            with("to", json!(vec![2; 65])),
            "too_many_recipients",
            64,
        ),
        (
            with("id", json!(text(64))),
            with("id", json!(text(65))),
            "bad_frame",
            64,
        ),
    ] {
        let done = ada.ask(&mut world, at);
        assert_eq!(done["t"], "ack", "{code}: {done}");
        let refused = ada.ask(&mut world, past);
        assert_eq!(
            (&refused["code"], &refused["limit"]),
            (&json!(code), &json!(limit)),
            "{refused}"
        );
    }
}

/// A burst of two seconds, then nothing until the time that the refusal says, then one.
#[test]
fn frames_per_second() {
    let rate = Rate {
        messages: 5,
        ..Rate::default()
    };
    let mut world = World::new(
        RelayConfig {
            rate,
            ..relay_config()
        },
        1,
    );
    let [ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    world.run_for(ms(3000));
    for n in 0..10 {
        ada.publish(&mut world, &n.to_string());
    }
    let refused = ada.ask(&mut world, publish("one too many"));
    assert_eq!(
        (&refused["code"], &refused["id"]),
        (&json!("rate"), &json!("p"))
    );
    let wait = refused["retry_after_ms"].as_u64().expect("a time");
    assert!((1..=200).contains(&wait), "{wait}");
    world.run_for(ms(wait / 2));
    assert_eq!(ada.ask(&mut world, publish("too early"))["code"], "rate");
    world.run_for(ms(wait - wait / 2));
    assert_eq!(ada.ask(&mut world, publish("in time"))["t"], "ack");
    world.run_for(ms(100));
    assert_eq!(bob.texts(&world).len(), 11);
    assert_eq!(bob.texts(&world).pop().as_deref(), Some("in time"));
}

#[test]
fn bytes_per_second() {
    let rate = Rate {
        bytes: 10_000,
        ..Rate::default()
    };
    let mut world = World::new(
        RelayConfig {
            rate,
            ..relay_config()
        },
        1,
    );
    let [ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    world.run_for(ms(3000));
    let large = padded(json!({"t": "pub", "room": "lobby"}), 10_000);
    ada.say(&mut world, &large);
    ada.say(&mut world, &large);
    let small = padded(publish(""), 1000);
    let refused = ada.ask(&mut world, small.clone());
    assert_eq!(refused["code"], "rate");
    let wait = refused["retry_after_ms"].as_u64().expect("a time");
    assert!((1..=100).contains(&wait), "{wait}");
    world.run_for(ms(wait / 2));
    assert_eq!(ada.ask(&mut world, small.clone())["code"], "rate");
    world.run_for(ms(wait - wait / 2));
    assert_eq!(ada.ask(&mut world, small)["t"], "ack");
    world.run_for(ms(100));
    assert_eq!(bob.texts(&world).len(), 3);
}

#[test]
fn rooms_of_a_session() {
    let mut world = World::new(
        RelayConfig {
            rooms_per_session_max: 2,
            ..relay_config()
        },
        1,
    );
    let ada = Speaker::in_room(&mut world, "ada");
    assert_eq!(ada.ask(&mut world, join("attic"))["t"], "joined");
    let refused = ada.ask(&mut world, join("cellar"));
    assert_eq!(refused["code"], "too_many_rooms_session");
    ada.ask(&mut world, json!({"t": "leave", "room": "attic"}));
    assert_eq!(ada.ask(&mut world, join("cellar"))["t"], "joined");
}

#[test]
fn rooms_of_the_relay_and_members_of_a_room() {
    let mut world = World::new(
        RelayConfig {
            hub: HubLimits {
                rooms_max: 2,
                members_per_room_max: 2,
                ..HubLimits::default()
            },
            ..relay_config()
        },
        1,
    );
    let ada = Speaker::in_room(&mut world, "ada");
    // Its link is for the same room, which has one place left.
    let bob = Speaker::new(&mut world);
    assert_eq!(bob.ask(&mut world, join("attic"))["t"], "joined");
    let carol = Speaker::in_room(&mut world, "carol");
    for (frame, code) in [
        (join("lobby"), "room_full"),
        (join("cellar"), "too_many_rooms"),
    ] {
        let refused = bob.ask(&mut world, frame);
        assert_eq!(
            (&refused["code"], &refused["retry_after_ms"]),
            (&json!(code), &json!(30_000))
        );
    }
    carol.ask(&mut world, json!({"t": "leave", "room": "lobby"}));
    assert_eq!(bob.ask(&mut world, join("lobby"))["t"], "joined");
    ada.publish(&mut world, "hi");
    world.run_until("bob hears it", |world| bob.texts(world) == ["hi"]);
}

/// A room that is full is so with its members in it, and one of them may need another link.
#[test]
fn a_member_of_a_full_room_comes_back() {
    let mut world = World::new(
        RelayConfig {
            hub: HubLimits {
                members_per_room_max: 2,
                ..HubLimits::default()
            },
            ..relay_config()
        },
        1,
    );
    let [ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    for is_noticed in [false, true] {
        let position = bob.position(&world);
        if is_noticed {
            let now = world.now();
            world.guest_mut(bob.0).link.close(now, "gone");
            world.run_for(Duration::from_secs(1));
        }
        let (back, _) = bob.resume(&mut world, position);
        assert_eq!(back.joined(&world)["recovered"], true, "{is_noticed}");
        world.run_for(Duration::from_secs(1));
        let now = world.now();
        world.guest_mut(back.0).link.close(now, "gone");
        world.run_for(Duration::from_secs(1));
    }
    // Somebody else is told when it joins, and without the protocol by the end of its link.
    let eve = Speaker::new(&mut world);
    let refused = eve.ask(&mut world, join("lobby"));
    assert_eq!(refused["code"], "room_full");
    let plain = world.offer("lobby", vec![ChannelConfig::new("chat")]);
    let plain = plain.expect("nobody knows yet what it wants");
    world.run_until("it is sent away", |world| {
        world.guest(plain).closed.is_some()
    });
    ada.publish(&mut world, "still here");
}

#[test]
fn sessions_those_in_their_grace_time_included() {
    let mut world = World::new(
        RelayConfig {
            sessions_max: 2,
            ..relay_config()
        },
        1,
    );
    let [_ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    let now = world.now();
    world.guest_mut(bob.0).link.close(now, "gone");
    world.run_until("bob is gone", |world| world.relay().stats().links == 1);
    let late = Speaker::link(&mut world);
    let hello = json!({"t": "hello", "version": 1});
    let refused = late.ask(&mut world, hello.clone());
    assert_eq!(
        (&refused["code"], &refused["retry_after_ms"]),
        (&json!("memory"), &json!(30_000))
    );
    world.run_until("bob's grace time is over", |world| {
        world.relay().stats().sessions == 1
    });
    let late = Speaker::link(&mut world);
    assert_eq!(late.ask(&mut world, hello)["t"], "welcome");
}

#[test]
fn ids_of_messages_that_are_remembered() {
    let mut world = World::new(
        RelayConfig {
            publish_ids_max: 3,
            ..relay_config()
        },
        1,
    );
    let ada = Speaker::in_room(&mut world, "ada");
    let with_id = |n: u32| json!({"t": "pub", "id": format!("m{n}"), "room": "lobby", "text": ""});
    // Twice as many as a client may have without an answer.
    for n in 1..=6 {
        assert_eq!(ada.ask(&mut world, with_id(n))["duplicate"], Value::Null);
    }
    assert_eq!(ada.ask(&mut world, with_id(1))["duplicate"], true);
    ada.ask(&mut world, with_id(7));
    assert_eq!(ada.ask(&mut world, with_id(2))["duplicate"], true);
    let forgotten = ada.ask(&mut world, with_id(1));
    assert_eq!(
        (&forgotten["t"], &forgotten["duplicate"]),
        (&json!("ack"), &Value::Null)
    );
}

#[test]
fn messages_in_one_answer_to_history() {
    let mut world = World::new(
        RelayConfig {
            history_max: 3,
            ..relay_config()
        },
        1,
    );
    let ada = Speaker::in_room(&mut world, "ada");
    for n in 0..4 {
        ada.publish(&mut world, &n.to_string());
    }
    world.run_for(ms(100));
    for (count, wanted) in [
        (2, &["2", "3"][..]),
        (3, &["1", "2", "3"]),
        (4, &["1", "2", "3"]),
    ] {
        let before = ada.texts(&world).len();
        let answers = ada.of_type(&world, "history_end").len();
        ada.say(
            &mut world,
            &json!({"t": "history", "room": "lobby", "count": count}),
        );
        world.run_until("the end", |world| {
            ada.of_type(world, "history_end").len() > answers
        });
        assert_eq!(ada.texts(&world)[before..], *wanted, "{count}");
        assert_eq!(ada.of_type(&world, "history_end")[answers]["more"], true);
    }
}

/// Answers wait for the link, but not without end: who asks on and does not take them is too slow.
#[test]
fn answers_that_wait() {
    for (questions, is_slow) in [(3, false), (8, true)] {
        let mut world = World::new(relay_config(), 1);
        let ada = Speaker::in_room(&mut world, "ada");
        for _ in 0..4 {
            let large = json!({"t": "pub", "room": "lobby", "text": "x".repeat(60_000)});
            ada.say(&mut world, &large);
            world.run_for(ms(200));
        }
        for _ in 0..questions {
            ada.say(
                &mut world,
                &json!({"t": "history", "room": "lobby", "count": 4}),
            );
        }
        world.hold_and_deliver(ada.0);
        world.run_for(ms(3000));
        // The link is too full for a `bye`.
        assert_eq!(world.relay().stats().closed.contains_key("slow"), is_slow);
        if !is_slow {
            assert_eq!(ada.of_type(&world, "history_end").len(), questions);
        }
    }
}

/// Messages to somebody who has left are refused, however many there are, and that is nobody's fault.
#[test]
fn refusals_that_are_nobodys_fault() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let to_nobody = json!({"t": "pub", "id": "1", "room": "lobby", "to": [9], "text": ""});
    for _ in 0..2 {
        world.say_at_once(ada.0, &vec![to_nobody.to_string(); 700]);
        world.run_for(ms(1000));
    }
    let refused = ada.of_type(&world, "err");
    assert_eq!(refused.len(), 1400);
    assert!(refused.iter().all(|err| err["code"] == "no_such_member"));
    assert_eq!(world.guest(ada.0).closed, None);
}

/// A client that only says nonsense is mistaken a thousand times.
#[test]
fn refusals_in_a_row() {
    let mut world = World::new(relay_config(), 1);
    let [ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    let nonsense = |world: &mut World, count: usize| {
        world.say_at_once(ada.0, &vec!["{}".to_string(); count]);
        world.run_for(ms(1000));
    };
    nonsense(&mut world, 1000);
    assert_eq!(ada.of_type(&world, "err").len(), 1000);
    assert_eq!(
        ada.ask(&mut world, json!({"t": "ping", "n": 1}))["t"],
        "pong"
    );
    nonsense(&mut world, 1000);
    assert_eq!(ada.of_type(&world, "bye").len(), 0, "in a row");
    nonsense(&mut world, 1);
    let bye = ada.frames(&world).pop().expect("frames");
    assert_eq!(
        (&bye["t"], &bye["code"]),
        (&json!("bye"), &json!("protocol"))
    );
    assert!(world.guest(ada.0).closed.is_some());
    let gone = bob.of_type(&world, "presence").pop().expect("presence");
    assert_eq!(gone["what"], "left", "it should not come back");
    assert_eq!(ada.resume(&mut world, 0).1["resumed"], false);
    assert!(world.guest(bob.0).closed.is_none());
}

/// One receipt more than a session may wait for, and what is known of the oldest is told at once.
#[test]
fn receipts_that_are_waited_for() {
    let mut world = World::new(relay_config(), 1);
    let [ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    bob.cut(&mut world);
    let with_receipt = |n: usize| json!({"t": "pub", "id": n.to_string(), "room": "lobby", "text": "", "receipt": true});
    let frames: Vec<_> = (1..=256).map(|n| with_receipt(n).to_string()).collect();
    world.say_at_once(ada.0, &frames);
    world.run_for(ms(1000));
    assert_eq!(ada.of_type(&world, "receipt").len(), 0);
    ada.say(&mut world, &with_receipt(257));
    world.run_for(ms(1000));
    let receipts = ada.of_type(&world, "receipt");
    assert_eq!((receipts.len(), &receipts[0]["id"]), (1, &json!("1")));
    assert_eq!(receipts[0]["delivered"], 0);
}

/// Of lossy messages that come together, one more than may wait, and the oldest goes.
#[test]
fn lossy_messages_that_wait() {
    let unreliable = ChannelConfig {
        reliability: Reliability::Retransmits(0),
        ..ChannelConfig::new("chat")
    };
    for (count, dropped) in [(256, 0), (257, 1)] {
        let mut world = World::new(relay_config(), 1);
        let (a, b) = (
            world.add_guest("lobby", unreliable.clone()),
            world.join("lobby"),
        );
        // SCTP learns that it may send much at once.
        world.say(a, &"x".repeat(200_000));
        world.run_until("it arrives", |world| world.heard(b).len() == 1);
        let numbers: Vec<_> = (0..count).map(|n| n.to_string()).collect();
        world.say_at_once(a, &numbers);
        world.hold_and_deliver(a);
        world.run_for(ms(1000));
        assert_eq!(world.relay().stats().lossy_dropped, dropped);
        let heard = &world.heard(b)[1..];
        assert_eq!((heard.len(), &*heard[0]), (256, &*dropped.to_string()));
    }
}

/// How long each of Ada's messages takes to Bob, while somebody in their room says nothing, or forty
/// times as much as it may.
fn delays(flood: bool) -> Vec<Duration> {
    let rate = Rate {
        messages: 50,
        ..Rate::default()
    };
    let mut world = World::new(
        RelayConfig {
            rate,
            ..relay_config()
        },
        1,
    );
    let [ada, bob, flooder] = ["ada", "bob", "eve"].map(|n| Speaker::in_room(&mut world, n));
    let arrived = |world: &World, text: &str| bob.texts(world).iter().any(|t| t == text);
    let mut delays = Vec::new();
    for n in 0..50 {
        for _ in 0..if flood { 200 } else { 0 } {
            flooder.publish(&mut world, "flood");
        }
        let text = format!("ada {n}");
        ada.publish(&mut world, &text);
        let sent = world.now();
        world.run_until(&text, |world| arrived(world, &text));
        delays.push(world.now() - sent);
        world.run_for(ms(100));
    }
    if flood {
        let refused = flooder.of_type(&world, "err");
        assert!(refused.iter().all(|err| err["code"] == "rate"));
        let heard = bob.texts(&world).len() - 50;
        assert_eq!(heard + refused.len(), 50 * 200, "taken or refused");
        assert!(heard <= 100 + 50 * 6, "{heard} in less than six seconds");
        assert!(world.guests().iter().all(|client| client.closed.is_none()));
    }
    delays
}

#[test]
fn a_flood_is_refused_and_the_others_feel_nothing() {
    assert_eq!(delays(true), delays(false));
}
