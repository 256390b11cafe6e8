//! What the embedder's gate decides, and what grants from signaling mean.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use oneport_core::{Admission, Draft, ErrorCode, Gate, Grant, Rights, Verdict};
use oneport_link::{ChannelConfig, Kind, Reliability};
use oneport_sim::{World, relay_config};
use oneport_wire::frame::Class;
use oneport_wire::{Payload, UnixMillis};
use serde_json::json;

use crate::guests::Guests;
use crate::speaker::Speaker;

/// Lets in who knows the word, until a minute after the start; likes no bad words.
struct Bouncer;

impl Gate for Bouncer {
    fn admit(&mut self, admission: Admission<'_>) -> Result<Grant, ErrorCode> {
        let grant = |publish, kick| Grant {
            rights: Rights {
                publish,
                subscribe: true,
                kick,
            },
            name: None,
            expires: Some(UnixMillis::from(60_000)),
        };
        match admission.token.map(oneport_wire::AccessToken::reveal) {
            None => Err(ErrorCode::TokenMissing),
            Some("member") => Ok(grant(true, false)),
            Some("listener") => Ok(grant(false, false)),
            Some("boss") => Ok(Grant {
                name: "the boss".parse().ok(),
                ..grant(true, true)
            }),
            Some(_) => Err(ErrorCode::TokenBad),
        }
    }

    fn retry_after(&mut self, admission: Admission<'_>, refusal: ErrorCode) -> Option<Duration> {
        let is_early = admission
            .token
            .is_some_and(|token| token.reveal() == "later");
        (is_early && refusal == ErrorCode::TokenBad).then_some(Duration::from_secs(10))
    }

    fn judge(&mut self, draft: Draft<'_>) -> Verdict {
        match draft.payload.as_bytes() {
            b"darn" => Verdict::Refuse("mind your language".into()),
            b"quiet" => Verdict::Rewrite(Payload::from("QUIET")),
            _ => Verdict::Accept,
        }
    }
}

fn world() -> World {
    let mut world = World::new(relay_config(), 1);
    world.relay_mut().set_gate(Box::new(Bouncer));
    world
}

fn join(token: &str) -> serde_json::Value {
    json!({"t": "join", "room": "attic", "token": token})
}

#[test]
fn who_comes_in_and_as_what() {
    let mut world = world();
    let [boss, member, listener] = [(); 3].map(|()| Speaker::new(&mut world));
    let refused = member.ask(&mut world, json!({"t": "join", "room": "attic"}));
    assert_eq!(refused["code"], "token_missing");
    for (token, retry) in [("guess", json!(null)), ("later", json!(10_000))] {
        let refused = member.ask(&mut world, join(token));
        assert_eq!(refused["code"], "token_bad");
        assert_eq!(refused["retry_after_ms"], retry, "{token}");
    }
    boss.ask(&mut world, join("boss"));
    let joined = member.ask(&mut world, join("member"));
    assert_eq!(joined["members"][0]["name"], "the boss");
    listener.ask(&mut world, join("listener"));
    let publish = json!({"t": "pub", "id": "1", "room": "attic", "text": "hi"});
    assert_eq!(
        listener.ask(&mut world, publish.clone())["code"],
        "forbidden"
    );
    assert_eq!(member.ask(&mut world, publish)["t"], "ack");
    let kick = json!({"t": "kick", "id": "2", "room": "attic", "member": 3, "message": "bye"});
    assert_eq!(member.ask(&mut world, kick.clone())["code"], "forbidden");
    assert_eq!(boss.ask(&mut world, kick)["t"], "ack");
    world.run_for(Duration::from_secs(1));
    let left = listener.of_type(&world, "left");
    assert_eq!(
        (&left[0]["reason"], &left[0]["message"]),
        (&json!("kicked"), &json!("bye"))
    );
    assert_eq!(listener.texts(&world), ["hi"]);
    world.run_for(Duration::from_secs(60));
    let left = member.of_type(&world, "left");
    assert_eq!(left[0]["reason"], "expired");
}

#[test]
fn what_is_said() {
    let mut world = world();
    let [ada, bob] = [(); 2].map(|()| Speaker::new(&mut world));
    ada.ask(&mut world, join("member"));
    bob.ask(&mut world, join("member"));
    let publish = |text: &str| json!({"t": "pub", "id": text, "room": "attic", "text": text});
    let refused = ada.ask(&mut world, publish("darn"));
    assert_eq!(
        (&refused["code"], &refused["message"]),
        (&json!("refused"), &json!("mind your language"))
    );
    ada.ask(&mut world, publish("quiet"));
    ada.ask(&mut world, publish("fine"));
    world.run_for(Duration::from_secs(1));
    assert_eq!(bob.texts(&world), ["QUIET", "fine"]);
}

#[test]
fn plain_clients_have_what_signaling_grants() {
    let mut world = world();
    let speaker = world.join("lobby");
    world.grant.rights.publish = false;
    let listener = world.join("lobby");
    world.grant.rights = Rights {
        subscribe: false,
        ..Rights::OPEN
    };
    let deaf = world.join("lobby");
    world.say(speaker, "darn");
    world.run_until("its channel closes", |world| {
        world.guest(speaker).channels_closed == 1
    });
    world.say(deaf, "hello");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.heard(listener), ["hello"]);
    assert_eq!(world.heard(deaf), [""; 0]);
    let sent = world.send(listener, Kind::Text, b"me too");
    assert_eq!(sent, oneport_link::Write::Accepted);
    world.run_until("its channel closes", |world| {
        world.guest(listener).channels_closed == 1
    });
}

/// Writes down what it is asked, prescribes each name in upper case, and grants every right.
#[derive(Clone, Default)]
struct Clerk(Arc<Mutex<Vec<String>>>);

impl Clerk {
    fn note(&self, what: String) {
        self.0.lock().expect("nobody panicked").push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("nobody panicked"))
    }
}

impl Gate for Clerk {
    fn admit(&mut self, admission: Admission<'_>) -> Result<Grant, ErrorCode> {
        let name = admission.name.ok_or(ErrorCode::Refused)?;
        let granted = admission.granted.is_some();
        let Admission {
            room,
            session,
            address,
            ..
        } = admission;
        let address = address.expect("there is a link");
        self.note(format!("{name} {room} {granted} {address} {session}"));
        let everything = Rights {
            publish: true,
            subscribe: true,
            kick: true,
        };
        Ok(Grant {
            rights: everything,
            name: name.as_str().to_uppercase().parse().ok(),
            expires: Some(UnixMillis::from(60_000)),
        })
    }

    fn judge(&mut self, draft: Draft<'_>) -> Verdict {
        let to = draft.to.map(oneport_wire::Recipients::as_slice);
        self.note(format!("{} {:?} {:?}", draft.topic, draft.class, to));
        match draft.class {
            Class::Lossy => Verdict::Rewrite(format!("{:?}", draft.from).into()),
            _ => Verdict::Accept,
        }
    }
}

fn clerks_world() -> (World, Clerk) {
    let clerk = Clerk::default();
    let mut world = World::new(relay_config(), 1);
    world.relay_mut().set_gate(Box::new(clerk.clone()));
    (world, clerk)
}

#[test]
fn every_framed_join_is_judged_also_in_the_room_of_the_link() {
    let (mut world, clerk) = clerks_world();
    world.grant.rights.publish = false;
    world.grant.expires = Some(UnixMillis::from(30_000));
    let speaker = Speaker::new(&mut world);
    let join = |room: &str, name: &str| json!({"t": "join", "room": room, "name": name});
    let refused = speaker.ask(&mut world, json!({"t": "join", "room": "lobby"}));
    assert_eq!(refused["code"], "refused");
    for room in ["lobby", "attic"] {
        let joined = speaker.ask(&mut world, join(room, "ada"));
        assert_eq!(joined["members"][0]["name"], "ADA", "{room}");
    }

    let session = speaker.of_type(&world, "welcome")[0]["session"].clone();
    let session = session.as_str().expect("a label");
    let address = world.guest(speaker.0).access.outside.ip();
    let told = |room: &str, granted| format!("ada {room} {granted} {address} {session}");
    assert_eq!(clerk.take(), [told("lobby", true), told("attic", false)]);

    // In the room of the link, signaling's grant bounds the gate's; elsewhere it says nothing.
    let publish = |room: &str| json!({"t": "pub", "id": room, "room": room, "text": "hi"});
    assert_eq!(
        speaker.ask(&mut world, publish("lobby"))["code"],
        "forbidden"
    );
    assert_eq!(speaker.ask(&mut world, publish("attic"))["t"], "ack");
    world.run_for(Duration::from_secs(35));
    let left = speaker.of_type(&world, "left");
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(
        (&left[0]["room"], &left[0]["reason"]),
        (&json!("lobby"), &json!("expired"))
    );
}

#[test]
fn without_a_gate_signaling_bounds_its_own_room() {
    let mut world = World::new(relay_config(), 1);
    world.grant.rights.publish = false;
    world.grant.name = "ada".parse().ok();
    let speaker = Speaker::new(&mut world);
    // Nobody reads the token: it must not lift the bound.
    for (room, name, code) in [
        ("lobby", json!("ada"), "forbidden"),
        ("attic", json!(null), ""),
    ] {
        let joined = speaker.ask(
            &mut world,
            json!({"t": "join", "room": room, "token": "guess"}),
        );
        assert_eq!(joined["members"][0]["name"], name, "{room}");
        let answer = speaker.ask(
            &mut world,
            json!({"t": "pub", "id": room, "room": room, "text": "hi"}),
        );
        assert_eq!(answer["code"].as_str().unwrap_or_default(), code, "{room}");
    }
}

#[test]
fn a_draft_says_for_whom_and_of_which_class() {
    let (mut world, clerk) = clerks_world();
    let ada = Speaker::in_room(&mut world, "ada");
    let moves = ChannelConfig {
        reliability: Reliability::Retransmits(0),
        ordered: false,
        ..ChannelConfig::new("moves")
    };
    let plain = [world.join("lobby"), world.add_guest("lobby", moves)];
    clerk.take();
    for (id, extra) in [
        ("1", json!({})),
        ("2", json!({"to": [2, 3]})),
        ("3", json!({"class": "transient"})),
        ("4", json!({"class": "lossy"})),
    ] {
        let mut frame = json!({"t": "pub", "id": id, "room": "lobby", "topic": "a", "text": "hi"});
        frame
            .as_object_mut()
            .expect("an object")
            .extend(extra.as_object().cloned().expect("an object"));
        assert_eq!(ada.ask(&mut world, frame)["t"], "ack", "{id}");
    }
    for guest in plain {
        world.say(guest, "hi");
    }
    world.run_for(Duration::from_secs(1));
    let expected = [
        "a Kept None",
        "a Kept Some([MemberId(2), MemberId(3)])",
        "a Transient None",
        "a Lossy None",
        "chat Kept None",
        "moves Lossy None",
    ];
    assert_eq!(clerk.take(), expected);
}
