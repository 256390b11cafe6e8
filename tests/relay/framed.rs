//! Clients that speak `oneport.v1`: what PROTOCOL.md promises to each of them.

use std::time::Duration;

use oneport_core::hub::HubLimits;
use oneport_core::{RelayConfig, SlowPolicies, SlowPolicy};
use oneport_link::{ChannelConfig, Kind};
use oneport_sim::{World, relay_config};
use serde_json::{Value, json};

use crate::guests::Guests;
use crate::speaker::Speaker;

fn second(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn from_hello_to_a_conversation() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::new(&mut world);
    let welcome = ada.of_type(&world, "welcome")[0].clone();
    assert_eq!(
        (&welcome["version"], &welcome["resumed"]),
        (&json!(1), &json!(false))
    );
    let joined = ada.ask(
        &mut world,
        json!({"t": "join", "id": "1", "room": "lobby", "name": "ada"}),
    );
    assert_eq!(
        (&joined["id"], &joined["you"], &joined["total"]),
        (&json!("1"), &json!(1), &json!(1))
    );
    let bob = Speaker::in_room(&mut world, "bob");
    assert_eq!(bob.joined(&world)["members"][0]["name"], "ada");
    let publish = json!({"t": "pub", "id": "2", "room": "lobby", "topic": "chat", "text": "hi"});
    let ack = ada.ask(&mut world, publish);
    assert_eq!((&ack["t"], &ack["id"]), (&json!("ack"), &json!("2")));
    world.run_for(second(1));
    let heard = bob.of_type(&world, "msg");
    assert_eq!(heard.len(), 1);
    assert_eq!(
        (&heard[0]["from"], &heard[0]["topic"]),
        (&json!(1), &json!("chat"))
    );
    assert_eq!(heard[0]["offset"], ack["offset"]);
    assert_eq!(ada.texts(&world), [""; 0], "no echo unless asked for");
    let presence = ada.of_type(&world, "presence");
    assert_eq!(
        (&presence[0]["what"], &presence[0]["member"]["name"]),
        (&json!("joined"), &json!("bob"))
    );
    let left = bob.ask(&mut world, json!({"t": "leave", "room": "lobby"}));
    assert_eq!(
        (&left["t"], &left["reason"]),
        (&json!("left"), &json!("left"))
    );
    world.run_for(second(1));
    let last = ada.of_type(&world, "presence").pop().expect("presence");
    assert_eq!(
        (&last["what"], &last["reason"]),
        (&json!("left"), &json!("left"))
    );
}

#[test]
fn messages_for_some_and_binary_ones() {
    let mut world = World::new(relay_config(), 1);
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| Speaker::in_room(&mut world, name));
    let direct = json!({"t": "pub", "room": "lobby", "to": [2], "echo": true, "text": "psst"});
    ada.say(&mut world, &direct);
    // 01 flags room topic payload: section 13 of PROTOCOL.md.
    let binary = [&[0x01, 0x00, 5][..], b"lobby", &[0], &[0xff, 0xfe]].concat();
    let sent = world.send(ada.0, Kind::Binary, &binary);
    assert_eq!(sent, oneport_link::Write::Accepted);
    world.run_for(second(1));
    let of_kind = |client: usize, wanted: Kind| {
        let messages = world.guest(client).messages.iter();
        let of_kind = messages.filter(|(_, kind, _)| *kind == wanted);
        of_kind
            .map(|(.., payload)| payload.clone())
            .collect::<Vec<_>>()
    };
    let texts = |speaker: &Speaker| {
        let frames = of_kind(speaker.0, Kind::Text).into_iter();
        let parsed = frames.map(|f| serde_json::from_slice::<Value>(&f).expect("JSON"));
        parsed.filter(|f| f["t"] == "msg").count()
    };
    assert_eq!([&ada, &bob, &eve].map(texts), [1, 1, 0]);
    for speaker in [&bob, &eve] {
        let frames = of_kind(speaker.0, Kind::Binary);
        assert_eq!(frames.len(), 1);
        assert!(frames[0].ends_with(&[0xff, 0xfe]), "{frames:?}");
    }
}

#[test]
fn history_and_live_meet_without_hole_or_double() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    for n in 0..20 {
        ada.publish(&mut world, &n.to_string());
    }
    world.run_for(second(1));
    let bob = Speaker::new(&mut world);
    bob.say(
        &mut world,
        &json!({"t": "join", "id": "j", "room": "lobby", "history": 5}),
    );
    for n in 20..40 {
        ada.publish(&mut world, &n.to_string());
        world.run_for(Duration::from_millis(1));
    }
    world.run_until("bob has all", |world| {
        bob.texts(world).last().is_some_and(|t| t == "39")
    });
    let heard: Vec<u32> = bob
        .texts(&world)
        .iter()
        .map(|t| t.parse().expect("a number"))
        .collect();
    let first = heard[0];
    assert!(
        heard.len() >= 5 && heard == (first..40).collect::<Vec<_>>(),
        "{heard:?}"
    );
    let begin = bob.of_type(&world, "history_begin");
    let end = bob.of_type(&world, "history_end");
    assert_eq!((begin.len(), end.len()), (1, 1));
    assert_eq!(
        (&end[0]["id"], &end[0]["more"]),
        (&json!("j"), &json!(true))
    );
    let ask =
        json!({"t": "history", "id": "h", "room": "lobby", "before": end[0]["from"], "count": 100});
    bob.ask(&mut world, ask);
    world.run_for(second(1));
    let rest = bob.of_type(&world, "history_end").pop().expect("an end");
    assert_eq!((&rest["more"], &rest["from"]), (&json!(false), &json!(0)));
    assert_eq!(bob.texts(&world).len(), 40, "all of it, once");
}

#[test]
fn a_cut_of_five_seconds_loses_nothing() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    for n in 0..10 {
        ada.publish(&mut world, &n.to_string());
    }
    world.run_for(second(1));
    let position = bob.position(&world);
    bob.cut(&mut world);
    for n in 10..60 {
        ada.publish(&mut world, &n.to_string());
        world.run_for(Duration::from_millis(100));
    }
    let (back, welcome) = bob.resume(&mut world, position);
    assert_eq!(welcome["resumed"], true);
    let joined = back.joined(&world);
    assert_eq!(
        (&joined["recovered"], &joined["you"]),
        (&json!(true), &json!(2))
    );
    ada.publish(&mut world, "60");
    world.run_for(second(2));
    let all = [bob.texts(&world), back.texts(&world)].concat();
    let wanted: Vec<String> = (0..=60).map(|n: u32| n.to_string()).collect();
    assert_eq!(all, wanted);
    let seen = ada.of_type(&world, "presence");
    let what: Vec<_> = seen.iter().map(|p| p["what"].as_str()).collect();
    let wanted = [Some("joined"), Some("updated")];
    assert_eq!(
        what, wanted,
        "it has no name any longer; nobody saw the links change"
    );
}

#[test]
fn a_lost_link_is_away_and_comes_back() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    bob.cut(&mut world);
    let start = world.now();
    world.run_until("bob is away", |world| {
        ada.of_type(world, "presence")
            .last()
            .is_some_and(|p| p["what"] == "away")
    });
    assert!(
        world.now() - start <= second(19),
        "{:?}",
        world.now() - start
    );
    ada.publish(&mut world, "are you there?");
    world.run_for(second(20));
    let position = bob.position(&world);
    let (back, welcome) = bob.resume(&mut world, position);
    assert_eq!(welcome["resumed"], true);
    world.run_for(second(1));
    assert_eq!(back.texts(&world), ["are you there?"]);
    let seen = ada.of_type(&world, "presence");
    let what: Vec<_> = seen
        .iter()
        .map(|p| p["what"].as_str().expect("a word"))
        .collect();
    assert_eq!(what, ["joined", "away", "back", "updated"]);
}

#[test]
fn after_the_grace_time_it_is_another_session() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    bob.cut(&mut world);
    world.run_for(second(50));
    let last = ada.of_type(&world, "presence").pop().expect("presence");
    assert_eq!(
        (&last["what"], &last["reason"]),
        (&json!("left"), &json!("lost"))
    );
    assert_eq!(last["member"]["away"], Value::Null, "it is gone, not away");
    let (back, welcome) = bob.resume(&mut world, 0);
    assert_eq!(welcome["resumed"], false);
    let joined = back.joined(&world);
    assert_eq!(
        (&joined["recovered"], &joined["reason"]),
        (&json!(false), &json!("no_such_session"))
    );
    assert_eq!(joined["you"], 3, "ids are not used again");
}

/// A repeated join recovers nothing that the first one did not, for a position of an earlier membership is
/// none in the present one: the member's own departure is among what followed it.
#[test]
fn a_join_whose_answer_was_lost_recovers_as_little_when_it_is_repeated() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    let position = bob.position(&world);
    bob.cut(&mut world);
    world.run_for(second(50));
    let (first, _) = bob.resume(&mut world, position);
    let began = first.joined(&world)["offset"].as_u64().expect("an offset");
    ada.publish(&mut world, "between the two");
    world.run_for(second(1));
    // Each offset before the membership is as good as the other.
    for position in [position, began - 1] {
        let (again, welcome) = first.resume(&mut world, position);
        assert_eq!(welcome["resumed"], true);
        ada.publish(&mut world, "later");
        world.run_for(second(1));
        let joined = again.joined(&world);
        assert_eq!(
            (&joined["recovered"], &joined["reason"], &joined["you"]),
            (&json!(false), &json!("not_a_member"), &json!(3))
        );
        assert_eq!(again.texts(&world), ["later"]);
        assert_eq!(again.of_type(&world, "presence"), [] as [Value; 0]);
    }
    let (back, _) = first.resume(&mut world, began);
    world.run_for(second(1));
    assert_eq!(back.joined(&world)["recovered"], true);
    assert_eq!(back.texts(&world), ["between the two", "later", "later"]);
}

#[test]
fn a_second_link_takes_over_at_once() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let first = Speaker::in_room(&mut world, "bob");
    let position = first.position(&world);
    let (second_link, _) = first.resume(&mut world, position);
    world.run_for(second(1));
    let bye = first.of_type(&world, "bye");
    assert_eq!(bye[0]["code"], "replaced");
    assert!(world.guest(first.0).closed.is_some());
    ada.publish(&mut world, "hi");
    world.run_for(second(1));
    assert_eq!(second_link.texts(&world), ["hi"]);
    assert_eq!(
        ada.of_type(&world, "presence").len(),
        2,
        "joined, and updated by the second join"
    );
}

#[test]
fn a_retry_is_not_a_second_message() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    let publish = json!({"t": "pub", "id": "m1", "room": "lobby", "text": "once"});
    let ack = ada.ask(&mut world, publish.clone());
    ada.cut(&mut world);
    let position = ada.position(&world);
    let (back, _) = ada.resume(&mut world, position);
    let again = back.ask(&mut world, publish);
    assert_eq!(
        (&again["offset"], &again["duplicate"]),
        (&ack["offset"], &json!(true))
    );
    back.ask(&mut world, json!({"t": "join", "room": "attic"}));
    let elsewhere = json!({"t": "pub", "id": "m1", "room": "attic", "text": "once"});
    let elsewhere = back.ask(&mut world, elsewhere);
    assert_eq!(
        [
            &elsewhere["room"],
            &elsewhere["offset"],
            &elsewhere["duplicate"]
        ],
        [&json!("attic"), &ack["offset"], &json!(true)],
        "only the id is compared"
    );
    world.run_for(second(1));
    assert_eq!(bob.texts(&world), ["once"]);
}

#[test]
fn plain_and_framed_clients_talk() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let plain = world.join("lobby");
    let other_label = world.add_guest("lobby", ChannelConfig::new("files"));
    world.say(plain, "from plain");
    ada.say(
        &mut world,
        &json!({"t": "pub", "room": "lobby", "topic": "chat", "text": "from framed"}),
    );
    world.run_for(second(1));
    assert_eq!(world.heard(plain), ["from framed"]);
    assert_eq!(world.heard(other_label), [""; 0]);
    let heard = ada.of_type(&world, "msg");
    assert_eq!(
        (&heard[0]["text"], &heard[0]["topic"]),
        (&json!("from plain"), &json!("chat"))
    );
    assert_eq!(
        ada.of_type(&world, "presence").len(),
        2,
        "plain clients are members too"
    );
}

#[test]
fn an_empty_message_harms_no_plain_channel() {
    let mut world = World::new(relay_config(), 1);
    let [ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    let plain = world.join("lobby");
    for text in ["", "full"] {
        let publish = json!({"t": "pub", "room": "lobby", "topic": "chat", "text": text});
        ada.say(&mut world, &publish);
    }
    world.run_for(second(1));
    assert_eq!(bob.texts(&world), ["", "full"]);
    assert_eq!(world.heard(plain), ["full"]);
    assert_eq!(world.guest(plain).channels_closed, 0);
    assert_eq!(world.relay().stats().empty_skipped, 1);
}

#[test]
fn a_plain_message_too_long_for_a_frame_is_told() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let plain = world.join("lobby");
    let long = "\u{1}".repeat(100_000);
    assert_eq!(
        world.send(plain, Kind::Text, long.as_bytes()),
        oneport_link::Write::Accepted
    );
    world.say(plain, "short");
    world.run_for(second(2));
    let gap = ada.of_type(&world, "gap");
    assert_eq!((gap.len(), &gap[0]["reason"]), (1, &json!("too_large")));
    assert_eq!(world.relay().stats().gaps, [("too_large", 1)].into());
    assert_eq!(ada.texts(&world), ["short"]);
}

#[test]
fn silence_is_asked_and_then_ended() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    // The link lives, and its page says nothing.
    world.guest_mut(ada.0).answers_pings = false;
    world.run_for(second(14));
    assert_eq!(ada.of_type(&world, "ping").len(), 2);
    assert!(world.guest(ada.0).closed.is_none());
    world.run_for(second(2));
    assert_eq!(ada.of_type(&world, "bye")[0]["code"], "idle");
    assert!(world.guest(ada.0).closed.is_some());
    let bob = Speaker::new(&mut world);
    for n in 0..10 {
        world.run_for(second(4));
        bob.say(&mut world, &json!({"t": "pong", "n": n}));
    }
    assert!(world.guest(bob.0).closed.is_none());
    let mute = Speaker::link(&mut world);
    world.run_for(second(20));
    assert!(world.guest(mute.0).closed.is_some(), "it never said hello");
}

#[test]
fn what_is_wrong_is_answered_and_harms_nothing() {
    let mut world = World::new(relay_config(), 1);
    let stranger = Speaker::link(&mut world);
    let early = stranger.ask(&mut world, json!({"t": "leave", "room": "lobby"}));
    assert_eq!(early["code"], "hello_first");
    let ada = Speaker::in_room(&mut world, "ada");
    let long_name = "x".repeat(65);
    for (frame, code) in [
        (json!({"t": "hello", "version": 1}), "duplicate_hello"),
        (json!({"t": "join", "room": "lobby"}), "already_in_room"),
        (json!({"t": "join", "room": "a b"}), "bad_room"),
        (
            json!({"t": "join", "room": "x", "name": long_name}),
            "name_too_long",
        ),
        (
            json!({"t": "pub", "room": "attic", "text": "x"}),
            "not_in_room",
        ),
        (
            json!({"t": "pub", "room": "lobby", "to": [99], "text": "x"}),
            "no_such_member",
        ),
        (
            json!({"t": "kick", "room": "lobby", "member": 1}),
            "forbidden",
        ),
        (json!({"t": "dance"}), "unknown_type"),
        (json!({"t": "pub", "room": "lobby"}), "bad_frame"),
        (json!([1, 2]), "bad_frame"),
    ] {
        let answer = ada.ask(&mut world, frame.clone());
        assert_eq!(
            (&answer["t"], &answer["code"]),
            (&json!("err"), &json!(code)),
            "{frame}"
        );
    }
    for class in ["kept", "lossy"] {
        let publish =
            json!({"t": "pub", "room": "lobby", "to": [1, 99, 98], "class": class, "text": "x"});
        let answer = ada.ask(&mut world, publish);
        assert_eq!(
            (&answer["code"], &answer["member"]),
            (&json!("no_such_member"), &json!(98)),
            "{class}"
        );
    }
    let large = world.send(ada.0, Kind::Text, &vec![b' '; 255 * 1024 + 1]);
    assert_eq!(large, oneport_link::Write::Accepted);
    world.run_until("it is refused", |world| {
        ada.of_type(world, "err")
            .last()
            .is_some_and(|e| e["code"] == "too_large")
    });
    let pong = ada.ask(&mut world, json!({"t": "ping", "id": "p", "n": 7}));
    assert_eq!((&pong["t"], &pong["n"]), (&json!("pong"), &json!(7)));
    assert_eq!(
        world.relay().stats().frames_refused.get("bad_frame"),
        Some(&2)
    );
}

#[test]
fn who_cannot_keep_up_is_told_or_skips_as_configured() {
    for policy in [SlowPolicy::Disconnect, SlowPolicy::Gap] {
        let config = RelayConfig {
            slow_policies: policy.into(),
            hub: HubLimits {
                ring_messages_max: 64,
                ..HubLimits::default()
            },
            ..relay_config()
        };
        let mut world = World::new(config, 1);
        let ada = Speaker::in_room(&mut world, "ada");
        let slow = Speaker::in_room(&mut world, "slow");
        let position = slow.position(&world);
        slow.cut(&mut world);
        for n in 0..200 {
            ada.publish(&mut world, &format!("{n} {}", "x".repeat(4000)));
            world.run_for(Duration::from_millis(20));
        }
        world.guest_mut(slow.0).access.set_cut(false);
        if policy == SlowPolicy::Disconnect {
            let (back, _) = slow.resume(&mut world, position);
            let joined = back.joined(&world);
            assert_eq!(
                (&joined["recovered"], &joined["reason"]),
                (&json!(false), &json!("fell_off"))
            );
            let recoveries = world.relay().stats().recoveries;
            assert_eq!(recoveries, [("fell_off", 1)].into());
            continue;
        }
        world.run_until("it has the last one", |world| {
            slow.texts(world)
                .last()
                .is_some_and(|text| text.starts_with("199 "))
        });
        let gap = slow.of_type(&world, "gap");
        assert_eq!((gap.len(), &gap[0]["reason"]), (1, &json!("slow")));
        assert_eq!(world.relay().stats().gaps, [("slow", 1)].into());
        let missing = gap[0]["to"].as_u64().expect("to") - gap[0]["from"].as_u64().expect("from");
        assert_eq!(
            slow.texts(&world).len() as u64 + missing,
            200,
            "got or told"
        );
    }
}

/// The news that a member is back is an entry too, and may push out the first that it missed.
#[test]
fn whoever_recovers_gets_everything_however_full_the_ring_is() {
    let mut recoveries = 0;
    for missed in 8..=16 {
        let config = RelayConfig {
            hub: HubLimits {
                ring_messages_max: 16,
                ..HubLimits::default()
            },
            ..relay_config()
        };
        let mut world = World::new(config, 1);
        let ada = Speaker::in_room(&mut world, "ada");
        let away = Speaker::in_room(&mut world, "away");
        let position = away.position(&world);
        away.cut(&mut world);
        world.run_for(Duration::from_secs(20));
        for n in 0..missed {
            ada.publish(&mut world, &n.to_string());
        }
        world.run_for(Duration::from_secs(1));
        let (back, _) = away.resume(&mut world, position);
        world.run_for(Duration::from_secs(1));
        let has_recovered = back.joined(&world)["recovered"] == true;
        let expected = if has_recovered { missed } else { 0 };
        let texts: Vec<_> = (0..expected).map(|n| n.to_string()).collect();
        assert_eq!(back.texts(&world), texts, "{missed} missed");
        recoveries += usize::from(has_recovered);
    }
    assert!((1..9).contains(&recoveries), "{recoveries}");
}

#[test]
fn rooms_of_one_relay_have_policies_of_their_own() {
    let config = RelayConfig {
        slow_policies: SlowPolicies {
            rules: vec![("game-*".parse().expect("a pattern"), SlowPolicy::Gap)],
            others: SlowPolicy::Disconnect,
        },
        hub: HubLimits {
            ring_messages_max: 64,
            ..HubLimits::default()
        },
        ..relay_config()
    };
    let mut world = World::new(config, 1);
    let [ada, slow] = ["ada", "slow"].map(|name| Speaker::in_room(&mut world, name));
    for speaker in [&ada, &slow] {
        speaker.ask(&mut world, json!({"t": "join", "room": "game-1"}));
    }
    let flood = |world: &mut World, room: &str| {
        slow.cut(world);
        for _ in 0..200 {
            let text = "x".repeat(4000);
            ada.say(world, &json!({"t": "pub", "room": room, "text": text}));
            world.run_for(Duration::from_millis(20));
        }
        world.guest_mut(slow.0).access.set_cut(false);
        world.run_for(second(20));
    };
    flood(&mut world, "game-1");
    let gap = slow.of_type(&world, "gap");
    assert_eq!(gap.len(), 1);
    assert_eq!(
        (&gap[0]["room"], &gap[0]["reason"]),
        (&json!("game-1"), &json!("slow"))
    );
    assert!(world.guest(slow.0).closed.is_none());
    assert_eq!(world.relay().stats().closed.get("slow"), None);
    flood(&mut world, "lobby");
    assert_eq!(world.relay().stats().closed.get("slow"), Some(&1));
    assert!(world.guest(slow.0).closed.is_some());
    assert_eq!(slow.of_type(&world, "gap").len(), 1, "none in the lobby");
}

#[test]
fn lossy_messages_are_for_who_can_take_them() {
    let mut world = World::new(relay_config(), 1);
    let [ada, bob, stalled] = ["ada", "bob", "eve"].map(|name| Speaker::in_room(&mut world, name));
    let unreliable = ChannelConfig {
        ordered: false,
        reliability: oneport_link::Reliability::Retransmits(0),
        ..ChannelConfig::new("cursor")
    };
    let plain = world.add_guest("lobby", unreliable);
    let lossy = |n: usize| {
        json!({"t": "pub", "id": format!("l{n}"), "room": "lobby", "topic": "cursor",
                                  "class": "lossy", "text": format!("{n} {}", "x".repeat(4000))})
    };
    let ack = ada.ask(&mut world, lossy(0));
    assert_eq!((&ack["t"], &ack["offset"]), (&json!("ack"), &Value::Null));
    world.run_for(second(1));
    let heard = bob.of_type(&world, "msg");
    assert_eq!(
        (heard.len(), &heard[0]["offset"]),
        (1, &Value::Null),
        "it has no place in the order"
    );
    assert_eq!(world.heard(plain).len(), 1);
    world.say(plain, "from plain");
    stalled.cut(&mut world);
    for n in 1..100 {
        ada.say(&mut world, &lossy(n));
        world.run_for(Duration::from_millis(20));
    }
    assert_eq!(
        bob.texts(&world).len(),
        101,
        "with the one from the plain channel"
    );
    assert!(
        world.relay().stats().lossy_dropped > 50,
        "{:?}",
        world.relay().stats()
    );
    assert!(
        world.guest(stalled.0).closed.is_none(),
        "nobody is slow for that"
    );
    let asked = ada.ask(
        &mut world,
        json!({"t": "history", "id": "h", "room": "lobby", "count": 9}),
    );
    assert_eq!(asked["t"], "history_begin");
    world.run_for(second(1));
    assert_eq!(ada.of_type(&world, "history_end")[0]["more"], false);
    assert!(
        ada.texts(&world).is_empty() || ada.texts(&world) == ["from plain"],
        "none was kept"
    );
}

#[test]
fn a_receipt_says_how_many_have_it() {
    let mut world = World::new(relay_config(), 1);
    let [ada, bob] = ["ada", "bob"].map(|name| Speaker::in_room(&mut world, name));
    world.join("lobby");
    let publish = |n: u32| {
        json!({"t": "pub", "id": format!("r{n}"), "room": "lobby", "topic": "chat",
                                  "receipt": true, "text": "x"})
    };
    let ack = ada.ask(&mut world, publish(1));
    let sent_at = world.now();
    world.run_until("the receipt", |world| {
        ada.of_type(world, "receipt").len() == 1
    });
    assert!(world.now() - sent_at < second(1), "as soon as all have it");
    let receipt = ada.of_type(&world, "receipt")[0].clone();
    assert_eq!(receipt["offset"], ack["offset"]);
    assert_eq!(
        (&receipt["delivered"], &receipt["of"]),
        (&json!(2), &json!(2))
    );
    bob.cut(&mut world);
    ada.say(&mut world, &publish(2));
    let sent_at = world.now();
    world.run_until("the receipt", |world| {
        ada.of_type(world, "receipt").len() == 2
    });
    assert!(world.now() - sent_at >= second(10), "bob might still come");
    let receipt = ada.of_type(&world, "receipt")[1].clone();
    assert_eq!(
        (&receipt["delivered"], &receipt["of"]),
        (&json!(1), &json!(2))
    );
    let mut nobody = publish(3);
    nobody["room"] = json!("attic");
    ada.ask(&mut world, json!({"t": "join", "room": "attic"}));
    ada.say(&mut world, &nobody);
    world.run_until("the receipt", |world| {
        ada.of_type(world, "receipt").len() == 3
    });
    assert_eq!(ada.of_type(&world, "receipt")[2]["of"], 0);
}

#[test]
fn nothing_of_a_session_stays_behind() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    bob.ask(&mut world, json!({"t": "join", "room": "attic"}));
    ada.publish(&mut world, "hi");
    world.run_for(second(1));
    ada.cut(&mut world);
    bob.cut(&mut world);
    world.run_until("all are gone", |world| world.relay().stats().sessions == 0);
    world.run_for(second(30));
    assert!(world.relay().is_empty());
}
