//! The names of authors in the history.

use oneport_core::hub::HubLimits;
use oneport_core::{Announcement, Excerpt, Rate, RelayConfig};
use oneport_sim::{World, relay_config};
use oneport_wire::frame::HistoryBegin;
use oneport_wire::{MESSAGE_BYTES_MAX, MemberId, RoomName};
use serde_json::{Value, json};

use crate::guests::Guests;
use crate::speaker::Speaker;

fn lobby() -> RoomName {
    "lobby".parse().expect("a name")
}

impl Speaker {
    /// Publishes and waits until the room has it.
    fn publishes(&self, world: &mut World, frame: Value) {
        let id = format!("p{}", self.of_type(world, "ack").len());
        let mut publish = json!({"t": "pub", "id": id, "room": "lobby", "text": "x"});
        let members = frame.as_object().expect("an object").clone();
        publish.as_object_mut().expect("an object").extend(members);
        let ack = self.ask(world, publish);
        assert_eq!(ack["t"], "ack");
    }

    fn leaves(&self, world: &mut World) {
        self.ask(world, json!({"t": "leave", "room": "lobby"}));
    }

    /// What begins the answer to a `history`, and what ends it.
    fn history(&self, world: &mut World, ask: &Value) -> (Value, Value) {
        let mut frame = json!({"t": "history", "room": "lobby", "count": 5000});
        let members = ask.as_object().expect("an object").clone();
        frame.as_object_mut().expect("an object").extend(members);
        let before = self.of_type(world, "history_end").len();
        let begin = self.ask(world, frame);
        world.run_until("the end of the history", |world| {
            self.of_type(world, "history_end").len() > before
        });
        (begin, self.of_type(world, "history_end").remove(before))
    }
}

#[test]
fn history_names_its_authors() {
    let mut world = World::new(relay_config(), 1);
    let reader = Speaker::in_room(&mut world, "reader");
    let ada = Speaker::in_room(&mut world, "ada");
    ada.publishes(&mut world, json!({}));
    ada.leaves(&mut world);
    // Somebody who comes again is another member.
    ada.ask(
        &mut world,
        json!({"t": "join", "room": "lobby", "name": "ada \"ii\""}),
    );
    ada.publishes(&mut world, json!({}));
    ada.leaves(&mut world);
    let bob = Speaker::in_room(&mut world, "bob");
    bob.publishes(&mut world, json!({}));
    let rename = json!({"t": "update", "id": "u", "room": "lobby", "name": "robert"});
    bob.ask(&mut world, rename);
    let plain = world.join("lobby");
    world.say(plain, "from a plain channel");
    let silent = Speaker::in_room(&mut world, "silent");
    silent.leaves(&mut world);
    world.run_until("it is heard", |world| reader.texts(world).len() == 4);
    let now = world.now();
    let announcement = Announcement {
        id: None,
        topic: "chat".parse().expect("a topic"),
        to: None,
        is_kept: true,
        payload: "from the relay".into(),
    };
    let announced = world.relay_mut().announce(now, &lobby(), announcement);
    assert!(announced.is_ok());

    let authors = json!([
        {"id": 2, "name": "ada"},
        {"id": 3, "name": "ada \"ii\""},
        {"id": 4, "name": "robert"},
    ]);
    let late = Speaker::new(&mut world);
    let join = json!({"t": "join", "room": "lobby", "history": 50});
    late.ask(&mut world, join);
    world.run_until("the history", |world| {
        !late.of_type(world, "history_end").is_empty()
    });
    assert_eq!(late.of_type(&world, "history_begin")[0]["authors"], authors);
    let from = |frame: Value| frame["from"].clone();
    let from: Vec<_> = late.of_type(&world, "msg").into_iter().map(from).collect();
    assert_eq!(from, [2, 3, 4, 5, 0]);
    // Of a part of the history, only its authors.
    let (begin, _) = late.history(&mut world, &json!({"count": 3}));
    assert_eq!(begin["authors"], json!([{"id": 4, "name": "robert"}]));
    let (begin, _) = late.history(&mut world, &json!({"count": 2}));
    assert_eq!(begin["authors"], Value::Null);

    let page = world.relay().messages(&lobby(), None, Excerpt::Latest, 100);
    let page = page.expect("there is such a room");
    let named = |(id, name): (&MemberId, &_)| (id.get(), format!("{name}"));
    assert_eq!(
        page.authors.iter().map(named).collect::<Vec<_>>(),
        [
            (2, "ada".into()),
            (3, "ada \"ii\"".into()),
            (4, "robert".into())
        ]
    );
}

#[test]
fn authors_of_messages_for_others_are_not_named() {
    let mut world = World::new(relay_config(), 1);
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| Speaker::in_room(&mut world, name));
    ada.publishes(&mut world, json!({"to": [2]}));
    ada.leaves(&mut world);
    let (begin, _) = bob.history(&mut world, &json!({}));
    assert_eq!(begin["authors"], json!([{"id": 1, "name": "ada"}]));
    let (begin, _) = eve.history(&mut world, &json!({}));
    assert_eq!(begin["authors"], Value::Null);
}

/// Over a restart, and until the last message of their member leaves the ring.
#[test]
fn names_last_as_long_as_messages() {
    let config = RelayConfig {
        hub: HubLimits {
            ring_messages_max: 12,
            ..HubLimits::default()
        },
        ..relay_config()
    };
    let mut world = World::new(config, 1);
    let ada = Speaker::in_room(&mut world, "ada");
    let bob = Speaker::in_room(&mut world, "bob");
    ada.publishes(&mut world, json!({}));
    ada.leaves(&mut world);
    bob.publishes(&mut world, json!({}));
    let state = world.relay().state().encode();
    let restored = world.restart_relay_with(&state, |config| config);
    assert_eq!(restored.expect("a state").rooms, 1);
    let eve = Speaker::in_room(&mut world, "eve");
    let both = json!([{"id": 1, "name": "ada"}, {"id": 2, "name": "bob"}]);
    let (begin, _) = eve.history(&mut world, &json!({}));
    assert_eq!(begin["authors"], both);
    // Bob does not come back. What he said before the restart has his name.
    world.run_until("bob is gone", |world| {
        let left = eve.of_type(world, "presence");
        left.iter().any(|presence| presence["what"] == "left")
    });
    let (begin, _) = eve.history(&mut world, &json!({}));
    assert_eq!(begin["authors"], both);
    for _ in 0..12 {
        eve.publishes(&mut world, json!({}));
    }
    let (begin, _) = eve.history(&mut world, &json!({}));
    assert_eq!(begin["authors"], json!([{"id": 3, "name": "eve"}]));
}

/// However many messages an answer may have, the names of their authors fit into a frame.
#[test]
fn an_answer_has_so_many_authors_at_most() {
    let count = HistoryBegin::AUTHORS_MAX + 5;
    let config = RelayConfig {
        history_max: 4 * count,
        rate: Rate {
            messages: 1_000_000,
            ..Rate::default()
        },
        ..relay_config()
    };
    let mut world = World::new(config, 1);
    let speaker = Speaker::new(&mut world);
    let name = "\"".repeat(64);
    for _ in 0..count {
        for frame in [
            json!({"t": "join", "room": "lobby", "name": name}),
            json!({"t": "pub", "room": "lobby", "text": "x"}),
            json!({"t": "leave", "room": "lobby"}),
        ] {
            speaker.say(&mut world, &frame);
        }
        let before = speaker.of_type(&world, "left").len();
        world.run_until("it left", |world| {
            speaker.of_type(world, "left").len() > before
        });
        world.guest_mut(speaker.0).messages.clear();
    }
    let reader = Speaker::in_room(&mut world, "reader");
    let (begin, end) = reader.history(&mut world, &json!({}));
    assert!(begin.to_string().len() <= MESSAGE_BYTES_MAX);
    let authors = |begin: &Value| begin["authors"].as_array().map_or(0, Vec::len);
    assert_eq!(authors(&begin), HistoryBegin::AUTHORS_MAX);
    assert_eq!(reader.texts(&world).len(), HistoryBegin::AUTHORS_MAX);
    assert_eq!(end["more"], true);
    let (begin, end) = reader.history(&mut world, &json!({"before": end["from"]}));
    assert_eq!((authors(&begin), &end["more"]), (5, &json!(false)));
    assert_eq!(reader.texts(&world).len(), count);
}
