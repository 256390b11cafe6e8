//! A relay that goes down and leaves its state to the next one: clients notice a pause.

use std::time::Duration;

use oneport_client::{Event, Lost, Machine, Publish};
use oneport_core::hub::HubLimits;
use oneport_core::{RelayConfig, Restored};
use oneport_link::ChannelConfig;
use oneport_sim::{World, relay_config};
use oneport_wire::frame::{Class, Delivery, GapReason, NotRecovered, PresenceChange, Recovery};
use oneport_wire::{ByeCode, RoomName};

use crate::lobby::{Lobby, lobby};
use crate::secs;

/// Lets the relay go down, and answers what it leaves.
fn go_down(world: &mut World) -> Vec<u8> {
    let now = world.now();
    world.relay_mut().shut_down(now);
    world.run_until("the relay has ended", |world| world.relay().is_finished());
    world.relay().state().encode()
}

/// The relay goes down, and the next one goes on two seconds later.
fn restart(world: &mut World) -> Restored {
    let state = go_down(world);
    world.run_for(secs(2));
    let restored = world.restart_relay_with(&state, |config| config);
    restored.expect("a state")
}

/// What somebody was told about the others.
fn changes(world: &World, member: usize) -> Vec<PresenceChange> {
    world.member(member).told(|event| match event {
        Event::Presence(presence) => Some(presence.change),
        _ => None,
    })
}

#[test]
fn a_conversation_goes_on() {
    let mut world = World::new(relay_config(), 1);
    let members = ["ada", "bob", "eve"].map(|name| world.enter(name));
    let ids = members.map(|member| world.member(member).joins()[0].you);
    for round in 0..40 {
        for member in members {
            world.say(member, &format!("{member} {round}"));
        }
        world.run_for(Duration::from_millis(100));
        if round == 10 || round == 30 {
            // What was said a moment ago is on its way.
            let restored = restart(&mut world);
            assert_eq!((restored.rooms, restored.sessions), (1, 3));
            world.run_for(secs(2));
        }
    }
    world.run_for(secs(10));
    for (member, id) in members.into_iter().zip(ids) {
        let me = world.member(member);
        let byes = me.told(|event| match event {
            Event::Disconnected {
                why: Lost::Bye(code),
                ..
            } => Some(*code),
            _ => None,
        });
        assert_eq!(byes, [ByeCode::Shutdown, ByeCode::Shutdown]);
        let joins = me.joins();
        assert_eq!(joins.len(), 3);
        assert!(
            joins[1..]
                .iter()
                .all(|join| join.recovery == Recovery::Recovered)
        );
        assert!(
            joins
                .iter()
                .all(|join| join.you == id && join.epoch == joins[0].epoch)
        );
        let mut heard = me.texts();
        heard.sort();
        let others = members.into_iter().filter(|other| *other != member);
        let mut said: Vec<_> = others
            .flat_map(|other| (0..40).map(move |round| format!("{other} {round}")))
            .collect();
        said.sort();
        assert_eq!(heard, said);
        assert_eq!(me.acknowledged().len(), 40);
        assert_eq!(me.unanswered(), [""; 0]);
        // Nobody sees anybody go or come.
        let seen = changes(&world, member);
        assert!(
            seen.iter().all(|change| *change == PresenceChange::Joined),
            "{seen:?}"
        );
        assert_eq!(
            me.told(|event| matches!(event, Event::Gap(_)).then_some(())),
            []
        );
    }
    let stats = world.relay().stats();
    assert_eq!((stats.sessions, stats.rooms, stats.links), (3, 1, 3));
}

/// Only the acknowledgement is lost: the next relay knows the message by its id.
#[test]
fn a_message_that_was_taken_is_not_taken_again() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    world.member_mut(ada).access.down.is_cut = true;
    world.say(ada, "once");
    world.run_until("bob has it", |world| world.member(bob).texts() == ["once"]);
    let restored = restart(&mut world);
    assert_eq!(restored.sessions, 2);
    world.member_mut(ada).access.down.is_cut = false;
    world.run_until("ada knows", |world| {
        world.member(ada).acknowledged() == ["once"]
    });
    world.run_for(secs(20));
    assert_eq!(world.member(bob).texts(), ["once"]);
}

/// Whoever has no more time to take what is transient is told that it has missed some.
#[test]
fn what_is_transient_is_taken_before_or_told() {
    let mut world = World::new(relay_config(), 1);
    let members = ["ada", "bob", "eve"].map(|name| world.enter(name));
    let [ada, bob, eve] = members;
    world.member_mut(eve).access.set_cut(true);
    let now = world.now();
    for round in 0..200 {
        let text = format!("{round} {}", "x".repeat(2000));
        let publish = Publish {
            delivery: Delivery::new(Class::Transient, false).expect("no receipt"),
            ..Publish::new(lobby(), text.as_str())
        };
        let client = &mut world.member_mut(ada).client;
        client.publish(now, None, publish).expect("taken");
    }
    world.run_for(Duration::from_millis(50));
    let state = go_down(&mut world);
    let taken = world.relay().stats().hub.published as usize;
    world.member_mut(eve).access.set_cut(false);
    world
        .restart_relay_with(&state, |config| config)
        .expect("a state");
    world.run_for(secs(30));
    let heard = world.member(bob).texts().len();
    assert!(taken > 0 && heard >= taken, "{heard} of {taken}");
    let gaps = world.member(eve).told(|event| match event {
        Event::Gap(gap) => Some(gap.reason),
        _ => None,
    });
    assert_eq!(gaps, [GapReason::Transient]);
    for member in members {
        assert_eq!(
            world.member(member).joins()[1].recovery,
            Recovery::Recovered
        );
    }
}

#[test]
fn who_does_not_come_back_is_away_and_then_gone() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    let plain = world.add_guest("lobby", ChannelConfig::new("chat"));
    world.say(ada, "hello");
    world.run_for(secs(1));
    assert_eq!(
        world.guest(plain).messages.len(),
        0,
        "its label is another topic"
    );
    world.member_mut(bob).access.set_cut(true);
    restart(&mut world);
    world.run_for(secs(14));
    let shutdown = oneport_wire::frame::LeaveReason::Shutdown;
    let left = |reason| PresenceChange::Left { reason };
    let joined = PresenceChange::Joined;
    // Who has no session cannot come back.
    assert_eq!(changes(&world, ada), [joined, joined, left(shutdown)]);
    world.run_for(secs(2));
    assert_eq!(changes(&world, ada)[3..], [PresenceChange::Away]);
    world.run_for(secs(15));
    let lost = oneport_wire::frame::LeaveReason::Lost;
    assert_eq!(changes(&world, ada)[4..], [left(lost)]);
    assert_eq!(world.relay().stats().sessions, 1);
    // Another one has another id.
    let eve = world.enter("eve");
    let ids = [ada, bob, eve].map(|member| world.member(member).joins()[0].you.get());
    assert_eq!(ids, [1, 2, 4]);
}

#[test]
fn the_limits_of_the_new_relay_hold() {
    let mut world = World::new(relay_config(), 1);
    let rooms = ["one", "two", "three", "four"].map(|name| name.parse::<RoomName>());
    let members = rooms.map(|room| {
        let room = room.expect("a name");
        let first = world.add_to(&room, "first");
        (room.clone(), [first, world.add_to(&room, "second")])
    });
    for (room, [first, _]) in &members {
        let now = world.now();
        for round in 0..20 {
            let text = format!("{round}");
            world.member_mut(*first).say(now, room, &text);
        }
    }
    world.run_for(secs(1));
    let state = go_down(&mut world);
    let smaller = |config: RelayConfig| RelayConfig {
        hub: HubLimits {
            rooms_max: 3,
            members_per_room_max: 1,
            ring_messages_max: 10,
            ..config.hub
        },
        ..config
    };
    let restored = world.restart_relay_with(&state, smaller);
    let expected = Restored {
        rooms: 3,
        // In each of three rooms one has a place. Those of the fourth room have none at all.
        sessions: 6,
        entries: 30,
        rooms_dropped: 1,
        sessions_dropped: 2,
        stays_dropped: 3,
        entries_dropped: 36,
    };
    assert_eq!(restored, Ok(expected));
    let stats = world.relay().stats();
    assert_eq!((stats.rooms, stats.sessions), (3, 6));
}

/// Of what is older than a room keeps it, the next relay knows nothing; time goes on while none runs.
#[test]
fn what_is_too_old_is_gone() {
    let defaults = relay_config();
    let config = RelayConfig {
        hub: HubLimits {
            ring_age_max: secs(60),
            empty_room_age_max: secs(600),
            ..defaults.hub
        },
        ..defaults
    };
    let mut world = World::new(config, 1);
    let ada = world.enter("ada");
    world.say(ada, "old");
    world.run_for(secs(1));
    let state = go_down(&mut world);
    world.run_for(secs(100));
    let restored = world
        .restart_relay_with(&state, |config| config)
        .expect("a state");
    assert_eq!((restored.entries, restored.entries_dropped), (0, 2));
    world.run_for(secs(20));
    // Its session goes on: the grace time counts from the start of the relay.
    let fell_off = Recovery::NotRecovered(NotRecovered::FellOff);
    assert_eq!(world.member(ada).joins()[1].recovery, fell_off);
}

/// A thousand clients do not come back in the same moment.
#[test]
fn clients_come_back_one_after_the_other() {
    let mut world = World::new(relay_config(), 1);
    let members: Vec<_> = (0..20).map(|n| world.enter(&format!("m{n}"))).collect();
    go_down(&mut world);
    world.run_for(secs(1));
    let waits: Vec<_> = members
        .iter()
        .flat_map(|member| {
            world.member(*member).told(|event| match event {
                Event::Bye(bye) => bye.retry_after_ms,
                _ => None,
            })
        })
        .collect();
    assert_eq!(waits.len(), 20);
    assert!(waits.iter().all(|wait| *wait <= 1000), "{waits:?}");
    let halves = waits.iter().filter(|wait| **wait < 500).count();
    assert!((3..=17).contains(&halves), "{waits:?}");
}
