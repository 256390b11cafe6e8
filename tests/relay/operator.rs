//! What the operator does in rooms, and what an observer is told of them.

use std::sync::{Arc, Mutex};

use oneport_core::hub::{Body, Event, Observer};
use oneport_core::{Announcement, Excerpt, OperatorError};
use oneport_sim::{World, relay_config};
use oneport_wire::frame::PresenceChange;
use oneport_wire::{Epoch, MemberId, Offset, Payload, Recipients, RoomName};
use serde_json::json;

use crate::guests::Guests;
use crate::speaker::Speaker;

fn announcement(text: &str) -> Announcement {
    Announcement {
        id: None,
        topic: "chat".parse().expect("a topic"),
        to: None,
        is_kept: true,
        payload: Payload::Text(text.to_owned().into()),
    }
}

fn lobby() -> RoomName {
    "lobby".parse().expect("a name")
}

fn nowhere() -> RoomName {
    "nowhere".parse().expect("a name")
}

fn announce(world: &mut World, announcement: Announcement) -> oneport_core::Announced {
    let now = world.now();
    let announced = world.relay_mut().announce(now, &lobby(), announcement);
    announced.expect("there is such a room")
}

#[test]
fn the_relay_speaks_to_all_and_to_some() {
    let mut world = World::new(relay_config(), 1);
    let plain = world.join("lobby");
    let (ada, bob) = (
        Speaker::in_room(&mut world, "ada"),
        Speaker::in_room(&mut world, "bob"),
    );
    let to_bob = bob.joined(&world)["you"].as_u64().expect("an id");
    let to_bob = MemberId::new(u32::try_from(to_bob).expect("small"));
    let announced = announce(&mut world, announcement("at noon"));
    let only = Recipients::new([to_bob]).expect("one");
    announce(
        &mut world,
        Announcement {
            to: Some(only),
            ..announcement("for bob")
        },
    );
    world.run_until("all hear it", |world| {
        world.heard(plain).len() == 1 && ada.texts(world).len() == 1 && bob.texts(world).len() == 2
    });
    assert_eq!(world.heard(plain), ["at noon"]);
    assert_eq!(bob.texts(&world), ["at noon", "for bob"]);
    let frame = &ada.of_type(&world, "msg")[0];
    assert_eq!(frame["from"], 0);
    assert_eq!(frame["offset"], announced.offset.get());
    assert_eq!(frame["topic"], "chat");
    // It is in the history, like everything that is kept.
    ada.ask(
        &mut world,
        json!({"t": "history", "room": "lobby", "count": 10}),
    );
    world.run_until("the history", |world| ada.texts(world).len() == 2);
    assert_eq!(ada.texts(&world), ["at noon", "at noon"]);
}

#[test]
fn a_retry_is_not_a_second_announcement() {
    let mut world = World::new(relay_config(), 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let once = || Announcement {
        id: Some("a-1".parse().expect("an id")),
        ..announcement("once")
    };
    let first = announce(&mut world, once());
    let second = announce(&mut world, once());
    assert!(!first.duplicate && second.duplicate);
    assert_eq!(first.offset, second.offset);
    announce(&mut world, announcement("the end"));
    world.run_until("the end", |world| ada.texts(world).len() == 2);
    assert_eq!(ada.texts(&world), ["once", "the end"]);

    // Another epoch of the room knows nothing of it.
    let now = world.now();
    let closed = world.relay_mut().close_room(now, &lobby(), None);
    assert_eq!(closed, Ok(1));
    ada.ask(&mut world, json!({"t": "join", "room": "lobby"}));
    assert!(!announce(&mut world, once()).duplicate);
}

#[test]
fn what_it_cannot_say() {
    let mut world = World::new(relay_config(), 1);
    Speaker::in_room(&mut world, "ada");
    let now = world.now();
    let relay = world.relay_mut();
    let stranger = Recipients::new([MemberId::new(77)]).expect("one");
    let to_stranger = Announcement {
        to: Some(stranger),
        ..announcement("who?")
    };
    // As a frame it has names and quotes around it, and each quote needs an escape.
    let largest = relay_config().link.message_bytes_max;
    let too_large = announcement(&"\"".repeat(largest / 2));
    for (room, announcement, error) in [
        (nowhere(), announcement("hello?"), OperatorError::NoSuchRoom),
        (lobby(), to_stranger, OperatorError::NoSuchMember),
        (
            lobby(),
            too_large,
            OperatorError::TooLarge { bytes_max: largest },
        ),
    ] {
        assert_eq!(relay.announce(now, &room, announcement), Err(error));
    }
    let kicked = relay.kick_out(now, &lobby(), MemberId::new(77), None);
    assert_eq!(kicked, Err(OperatorError::NoSuchMember));
    let kicked = relay.kick_out(now, &nowhere(), MemberId::new(1), None);
    assert_eq!(kicked, Err(OperatorError::NoSuchRoom));
    assert_eq!(
        relay.close_room(now, &nowhere(), None),
        Err(OperatorError::NoSuchRoom)
    );
    assert!(relay.room(&nowhere()).is_err() && relay.guests(&nowhere(), None).is_err());
}

#[test]
fn members_are_listed_and_removed() {
    let mut world = World::new(relay_config(), 1);
    let plain = world.join("lobby");
    world.run_until("the plain member is in", |world| {
        world.relay().room(&lobby()).is_ok()
    });
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    let page = world.relay().guests(&lobby(), None).expect("a room");
    let names = page.members.iter().map(|guest| {
        let name = guest.member.name.as_ref().map(ToString::to_string);
        (guest.member.id.get(), name, guest.session.is_some())
    });
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            (1, None, false),
            (2, Some("ada".into()), true),
            (3, Some("bob".into()), true)
        ]
    );
    let session = page.members[1].session.expect("a session").to_string();
    assert_eq!(ada.of_type(&world, "welcome")[0]["session"], session);
    let rest = world.relay().guests(&lobby(), Some(MemberId::new(2)));
    assert_eq!(rest.expect("a room").members.len(), 1);

    let now = world.now();
    for member in [1, 2] {
        let message = "enough".parse().ok();
        let member = MemberId::new(member);
        let kicked = world.relay_mut().kick_out(now, &lobby(), member, message);
        assert_eq!(kicked, Ok(()));
    }
    world.run_until("both are out", |world| {
        world.guest(plain).closed.is_some() && !ada.of_type(world, "left").is_empty()
    });
    let left = &ada.of_type(&world, "left")[0];
    assert_eq!(
        (&left["reason"], &left["message"]),
        (&json!("kicked"), &json!("enough"))
    );
    world.run_until("bob sees it", |world| {
        bob.of_type(world, "presence").len() >= 2
    });
    let reasons = bob.of_type(&world, "presence").into_iter();
    let reasons: Vec<_> = reasons.map(|presence| presence["reason"].clone()).collect();
    assert_eq!(reasons, ["kicked", "kicked"]);
}

#[test]
fn a_room_is_closed_with_all_who_are_in_it() {
    let mut world = World::new(relay_config(), 1);
    let plain = world.join("lobby");
    let ada = Speaker::in_room(&mut world, "ada");
    let away = Speaker::in_room(&mut world, "bob");
    away.cut(&mut world);
    ada.publish(&mut world, "what nobody will read again");
    world.run_until("it is there", |world| {
        world
            .relay()
            .room(&lobby())
            .is_ok_and(|room| room.offset > Offset::from(2))
    });
    let epoch = world.relay().room(&lobby()).expect("a room").epoch;
    let now = world.now();
    let message = "the lesson is over".parse().expect("a notice");
    let closed = world.relay_mut().close_room(now, &lobby(), Some(&message));
    assert_eq!(closed, Ok(3));
    assert_eq!(world.relay().room(&lobby()), Err(OperatorError::NoSuchRoom));
    world.run_until("they are told", |world| {
        world.guest(plain).closed.is_some() && !ada.of_type(world, "left").is_empty()
    });
    let left = &ada.of_type(&world, "left")[0];
    assert_eq!(left["reason"], "closed");
    assert_eq!(left["message"], "the lesson is over");
    // Her session goes on, and she may begin the room anew.
    ada.ask(
        &mut world,
        json!({"t": "join", "room": "lobby", "history": 10}),
    );
    world.run_until("the end of the history", |world| {
        !ada.of_type(world, "history_end").is_empty()
    });
    assert_eq!(ada.joined(&world)["total"], 1);
    assert_ne!(ada.joined(&world)["epoch"], epoch.to_string());
    assert!(ada.texts(&world).is_empty());
    assert_eq!(world.relay().stats().closed.get("closed"), Some(&1));
}

#[test]
fn history_by_place_from_both_ends() {
    let mut world = World::new(relay_config(), 1);
    Speaker::in_room(&mut world, "ada");
    let offsets: Vec<_> = (0..5)
        .map(|n| announce(&mut world, announcement(&format!("m{n}"))).offset)
        .collect();
    announce(
        &mut world,
        Announcement {
            is_kept: false,
            ..announcement("gone in a moment")
        },
    );
    let texts = |world: &World, excerpt, count| {
        let page = world.relay().messages(&lobby(), None, excerpt, count);
        let page = page.expect("there is such a room");
        let text = |message: &oneport_wire::frame::Message<'_>| {
            String::from_utf8_lossy(message.payload.as_bytes()).into_owned()
        };
        let texts: Vec<_> = page.messages.iter().map(text).collect();
        (texts.join(" "), page.more, page.from, page.to)
    };
    let end = world.relay().room(&lobby()).expect("a room").offset;
    let other = Epoch::from_random([9; 8]);
    let error = world
        .relay()
        .messages(&lobby(), Some(other), Excerpt::Latest, 1);
    assert_eq!(error, Err(OperatorError::EpochChanged));
    let zero = Offset::default();
    let after = |at: usize| offsets[at].next().expect("not the last");
    for (excerpt, count, expected) in [
        (Excerpt::Latest, 9, ("m0 m1 m2 m3 m4", false, zero, end)),
        (Excerpt::Latest, 2, ("m3 m4", true, offsets[3], end)),
        (
            Excerpt::Before(offsets[3]),
            2,
            ("m1 m2", true, offsets[1], offsets[3]),
        ),
        (
            Excerpt::Before(offsets[1]),
            2,
            ("m0", false, zero, offsets[1]),
        ),
        (Excerpt::Since(zero), 2, ("m0 m1", true, zero, after(1))),
        (
            Excerpt::Since(after(1)),
            9,
            ("m2 m3 m4", false, after(1), end),
        ),
        (Excerpt::Since(end), 9, ("", false, end, end)),
        (Excerpt::Since(Offset::MAX), 9, ("", false, end, end)),
        (Excerpt::Latest, 0, ("", true, end, end)),
    ] {
        let (words, more, from, to) = expected;
        let found = texts(&world, excerpt, count);
        assert_eq!(
            found,
            (words.to_owned(), more, from, to),
            "{excerpt:?} {count}"
        );
    }
}

#[test]
fn rooms_are_listed_by_name_and_pattern() {
    let mut world = World::new(relay_config(), 1);
    for room in ["team-b", "lobby", "team-a", "zoo", "team"] {
        world.join(room);
    }
    world.run_until("all are in", |world| world.relay().stats().rooms == 5);
    let names = |pattern: &str, after: Option<&str>| {
        let pattern = pattern.parse().expect("a pattern");
        let after = after.map(|after| after.parse().expect("a name"));
        let page = world.relay().rooms(&pattern, after.as_ref());
        assert!(!page.more);
        let names = page.rooms.iter().map(|room| room.room.to_string());
        names.collect::<Vec<_>>().join(" ")
    };
    for (pattern, after, expected) in [
        ("*", None, "lobby team team-a team-b zoo"),
        ("*", Some("team"), "team-a team-b zoo"),
        ("team-*", None, "team-a team-b"),
        ("team-*", Some("a"), "team-a team-b"),
        ("team-*", Some("team-a"), "team-b"),
        ("team-*", Some("zoo"), ""),
        ("team", None, "team"),
        ("team", Some("team"), ""),
        ("nowhere*", None, ""),
    ] {
        assert_eq!(names(pattern, after), expected, "{pattern} {after:?}");
    }
}

/// Writes down what it is told, shortly.
#[derive(Debug)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Observer for Diary {
    fn observe(&mut self, event: Event<'_>) {
        let line = match event {
            Event::RoomOpened { room, .. } => format!("{room} opened"),
            Event::RoomClosed { room, .. } => format!("{room} closed"),
            Event::Entry { entry, .. } => match &entry.body {
                Body::Message { message, .. } => format!("{} said something", message.from),
                Body::Presence(presence) => match presence.change {
                    PresenceChange::Left { reason } => {
                        format!("{} left: {}", presence.member.id, reason.as_str())
                    }
                    other => format!("{} {other:?}", presence.member.id),
                },
            },
        };
        self.0.lock().expect("nobody panicked").push(line);
    }
}

#[test]
fn an_observer_is_told_in_order() {
    let mut world = World::new(relay_config(), 1);
    let diary = Arc::new(Mutex::new(Vec::new()));
    let observer = Diary(Arc::clone(&diary));
    world.relay_mut().set_observer(Box::new(observer));
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    ada.publish(&mut world, "hello");
    world.run_until("bob hears it", |world| bob.texts(world).len() == 1);
    bob.ask(&mut world, json!({"t": "leave", "room": "lobby"}));
    let now = world.now();
    let closed = world.relay_mut().close_room(now, &lobby(), None);
    assert_eq!(closed, Ok(1));
    assert_eq!(
        *diary.lock().expect("nobody panicked"),
        [
            "lobby opened",
            "1 Joined",
            "2 Joined",
            "1 said something",
            "2 left: left",
            "lobby closed",
        ]
    );
}
