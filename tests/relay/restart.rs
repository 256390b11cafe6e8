//! ICE restarts.

use std::time::Duration;

use oneport_core::{IceFragment, RestartRefusal, SessionId};
use oneport_link::{ChannelConfig, Credentials};
use oneport_sim::{World, relay_config};

use crate::guests::Guests;

const PASSWORD: &str = "anew/anew/anew/anew/anew";

fn fragment(ufrag: &str) -> IceFragment {
    let text = format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{PASSWORD}\r\na=mid:0\r\n");
    IceFragment::parse(&text).expect("a fragment")
}

/// The relay's answer, and the entity tag with it.
fn ask(world: &mut World, guest: usize, ufrag: &str) -> (IceFragment, String) {
    let (now, session) = (world.now(), world.guest(guest).session);
    let room = "lobby".parse().expect("a room");
    let relay = world.relay_mut();
    let restarted = relay.restart_ice(now, &room, session, None, fragment(ufrag));
    let restarted = restarted.expect("not refused").expect("a restart");
    let answer = IceFragment::parse(&restarted.answer).expect("a fragment");
    assert_eq!(answer.ufrag(), restarted.ice_session);
    (answer, restarted.ice_session)
}

/// The guest does what the answer says.
fn go_on(world: &mut World, guest: usize, ufrag: &str, answer: &IceFragment) {
    let credentials = |ufrag: &str, password: &str| Credentials {
        ufrag: ufrag.into(),
        password: password.into(),
    };
    let ours = credentials(ufrag, PASSWORD);
    let theirs = credentials(answer.ufrag(), answer.password());
    let now = world.now();
    world.guest_mut(guest).link.go_on_with(now, ours, theirs);
}

/// Each says something every 20 ms for a while.
fn talk(world: &mut World, guests: [usize; 2], said: &mut Vec<String>, turns: usize) {
    for _ in 0..turns {
        let text = said.len().to_string();
        guests.iter().for_each(|guest| world.say(*guest, &text));
        said.push(text);
        world.run_for(Duration::from_millis(20));
    }
}

fn both_hear(world: &mut World, guests: [usize; 2], said: &[String]) {
    world.run_until("both have heard everything", |world| {
        guests
            .iter()
            .all(|guest| world.heard(*guest).len() >= said.len())
    });
    for guest in guests {
        assert_eq!(world.heard(guest), said, "once, and in order");
    }
}

#[test]
fn three_restarts_in_a_conversation_lose_nothing() {
    let mut world = World::new(relay_config(), 1);
    let guests = [world.join("lobby"), world.join("lobby")];
    let mut said = Vec::new();
    for round in 1..=3 {
        talk(&mut world, guests, &mut said, 50);
        let old = world.guest(guests[0]).check.clone();
        let ufrag = format!("again{round}");
        let (answer, _) = ask(&mut world, guests[0], &ufrag);
        talk(&mut world, guests, &mut said, 5);
        assert_eq!(
            world.relay().stats().ice_restarts,
            round - 1,
            "not used yet"
        );
        go_on(&mut world, guests[0], &ufrag, &answer);
        world.run_until("the new session is used", |world| {
            world.relay().stats().ice_restarts == round
        });
        // Nobody knows the old user any more.
        let before = world.relay().stats().datagrams_unmatched;
        world.datagram(([203, 0, 113, 9], 9).into(), &old);
        assert_eq!(world.relay().stats().datagrams_unmatched, before + 1);
    }
    talk(&mut world, guests, &mut said, 1500);
    both_hear(&mut world, guests, &said);
    assert_eq!(
        world.relay().stats().links,
        2,
        "well beyond the 15 s of ICE"
    );
}

#[test]
fn who_moves_goes_on_from_there() {
    let mut world = World::new(relay_config(), 1);
    let guests = [world.join("lobby"), world.join("lobby")];
    let mut said = Vec::new();
    talk(&mut world, guests, &mut said, 20);
    world.guest_mut(guests[0]).access.set_cut(true);
    talk(&mut world, guests, &mut said, 50);
    let (answer, _) = ask(&mut world, guests[0], "moved");
    world.guest_mut(guests[0]).access.outside = ([203, 0, 113, 5], 5).into();
    world.guest_mut(guests[0]).access.set_cut(false);
    go_on(&mut world, guests[0], "moved", &answer);
    talk(&mut world, guests, &mut said, 50);
    both_hear(&mut world, guests, &said);
    assert_eq!(world.relay().stats().ice_restarts, 1);
}

/// Whoever asks, and never uses the answer, changes nothing; nor does a storm of that.
#[test]
fn restarts_that_come_to_nothing_change_nothing() {
    let mut world = World::new(relay_config(), 1);
    let guests = [world.join("lobby"), world.join("lobby")];
    let mut said = Vec::new();
    let reserved = world.relay().stats().reserved_bytes;
    let mut sessions = Vec::new();
    for number in 0..2000 {
        let (_, ice_session) = ask(&mut world, guests[0], &format!("storm{number}"));
        sessions.push(ice_session);
    }
    talk(&mut world, guests, &mut said, 1500);
    both_hear(&mut world, guests, &said);
    assert_eq!(world.relay().stats().reserved_bytes, reserved);
    assert_eq!(world.relay().stats().ice_restarts, 0);
    sessions.dedup();
    assert_eq!(sessions.len(), 2000, "each one is another");

    // The last one still works.
    let (answer, ice_session) = ask(&mut world, guests[0], "storm1999");
    assert_eq!(
        ice_session, sessions[1999],
        "the same question, the same answer"
    );
    go_on(&mut world, guests[0], "storm1999", &answer);
    talk(&mut world, guests, &mut said, 1000);
    both_hear(&mut world, guests, &said);
    assert_eq!(world.relay().stats().ice_restarts, 1);

    // And nothing stays behind.
    ask(&mut world, guests[0], "anew");
    for guest in guests {
        let now = world.now();
        world.guest_mut(guest).link.close(now, "left");
    }
    world.run_until("nothing is left", |world| world.relay().is_empty());
}

/// A user name is no secret: it stands in every check.
#[test]
fn who_knows_only_the_name_restarts_nothing() {
    let mut world = World::new(relay_config(), 1);
    let guests = [world.join("lobby"), world.join("lobby")];
    let mut said = Vec::new();
    let own = IceFragment::parse(&world.guest(guests[0]).answer).expect("an answer");
    let (answer, _) = ask(&mut world, guests[0], "hers");
    let forged = world.guest(guests[0]).check.clone();
    let forged = String::from_utf8_lossy(&forged)
        .contains(own.ufrag())
        .then(|| {
            let at = forged
                .windows(8)
                .position(|bytes| bytes == own.ufrag().as_bytes());
            let at = at.expect("the check names us");
            let mut forged = forged;
            forged[at..at + 8].copy_from_slice(answer.ufrag().as_bytes());
            forged
        });
    let forged = forged.expect("a check");
    let unmatched = world.relay().stats().datagrams_unmatched;
    let sent = world.datagrams_from_relay;
    for port in 1..100 {
        world.datagram(([203, 0, 113, 9], port).into(), &forged);
    }
    assert_eq!(world.relay().stats().datagrams_unmatched, unmatched);
    talk(&mut world, guests, &mut said, 1500);
    both_hear(&mut world, guests, &said);
    assert!(world.datagrams_from_relay > sent);
    assert_eq!(world.relay().stats().ice_restarts, 0);
    go_on(&mut world, guests[0], "hers", &answer);
    talk(&mut world, guests, &mut said, 1000);
    both_hear(&mut world, guests, &said);
    assert_eq!(world.relay().stats().ice_restarts, 1);
}

#[test]
fn who_may_restart_what() {
    let mut world = World::new(relay_config(), 1);
    let guest = world.join("lobby");
    let session = world.guest(guest).session;
    let own = IceFragment::parse(&world.guest(guest).answer).expect("an answer");
    let (now, first) = (world.now(), vec![own.ufrag().to_owned()]);
    let mut restart = |room: &str, session: SessionId, follows: Option<&[String]>, ufrag: &str| {
        let room = room.parse().expect("a room");
        let relay = world.relay_mut();
        relay.restart_ice(now, &room, session, follows, fragment(ufrag))
    };
    let nobody = SessionId::from_random([7; 16]);
    for (room, session) in [("attic", session), ("lobby", nobody)] {
        let refused = restart(room, session, None, "mine");
        assert_eq!(refused, Err(RestartRefusal::NoSuchSession), "{room}");
    }
    let other = [String::from("other")];
    let refused = restart("lobby", session, Some(&other), "mine");
    assert_eq!(refused, Err(RestartRefusal::Outdated));
    // Candidates for the session that there is, as of trickle ICE.
    assert_eq!(restart("lobby", session, Some(&first), "guest0"), Ok(None));
    assert_eq!(restart("lobby", session, None, "guest0"), Ok(None));
    let second = restart("lobby", session, Some(&first), "mine");
    let second = second.expect("not refused").expect("a restart");
    let refused = restart("lobby", session, Some(&first), "mine");
    assert_eq!(
        refused,
        Err(RestartRefusal::Outdated),
        "there is a later one"
    );
    let second = [second.ice_session];
    assert_eq!(restart("lobby", session, Some(&second), "mine"), Ok(None));
    let stats = world.relay().stats();
    assert_eq!(stats.restarts_refused.get("no_such_session"), Some(&2));
    assert_eq!(stats.restarts_refused.get("precondition_failed"), Some(&2));
}

/// A link that its client has not opened a channel on may restart as well: its handshake is not prolonged.
#[test]
fn a_handshake_is_not_prolonged() {
    let mut world = World::new(relay_config(), 1);
    let offered = world.offer("lobby", vec![ChannelConfig::new("chat")]);
    let guest = offered.expect("taken in");
    world.guest_mut(guest).access.set_cut(true);
    for round in 0..9 {
        ask(&mut world, guest, &format!("again{round}"));
        world.run_for(Duration::from_secs(1));
    }
    assert_eq!(world.relay().stats().links, 1);
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.relay().stats().links, 0);
}
