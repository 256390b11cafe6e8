//! What the embedder's gate decides, and what grants from signaling mean.

use std::time::Duration;

use oneport_core::{Admission, Draft, ErrorCode, Gate, Grant, Rights, Verdict};
use oneport_link::Kind;
use oneport_sim::{World, relay_config};
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
    assert_eq!(member.ask(&mut world, join("guess"))["code"], "token_bad");
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
