//! The client against the real relay in virtual time: what it promises its owner, whatever becomes
//! of its links.

mod lobby;
mod restart;

use std::time::Duration;

use oneport_client::{CommandError, Config, Event, Lost, Machine, Publish};
use oneport_core::RelayConfig;
use oneport_link::CloseReason;
use oneport_sim::{World, relay_config};
use oneport_wire::frame::{Change, Class, Delivery, History, Members, Recovery, Update};
use oneport_wire::{CLIENT_FRAME_BYTES_MAX, MemberId, Payload, Recipients};

use lobby::{Lobby, lobby};

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn messages_presence_and_acknowledgements() {
    let mut world = World::new(relay_config(), 1);
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    world.say(ada, "hello");
    world.run_until("bob hears it", |world| {
        world.member(bob).texts() == ["hello"]
    });
    world.run_until("and ada knows", |world| {
        world.member(ada).acknowledged() == ["hello"]
    });
    let joins = world.member(bob).joins();
    assert_eq!((joins[0].total, joins[0].members.len()), (2, 2));
    let names = |event: &Event| match event {
        Event::Presence(presence) => presence.member.name.clone(),
        _ => None,
    };
    let seen: Vec<_> = world
        .member(ada)
        .events
        .iter()
        .filter_map(|(_, e)| names(e))
        .collect();
    assert_eq!(seen, ["bob".parse().expect("a name")]);
    assert_eq!(world.member(ada).client.unacknowledged(), 0);
}

#[test]
fn bytes_topics_recipients_and_echo() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob, eve) = (world.enter("ada"), world.enter("bob"), world.enter("eve"));
    let bobs_id = world.member(bob).joins()[0].you;
    let publish = Publish {
        topic: "file".parse().expect("a topic"),
        to: Recipients::new([bobs_id]).ok(),
        echo: true,
        delivery: Delivery::new(Class::Transient, false).expect("no receipt"),
        ..Publish::new(lobby(), &b"\x00\xff"[..])
    };
    let now = world.now();
    world
        .member_mut(ada)
        .client
        .publish(now, None, publish)
        .expect("taken");
    world.run_for(secs(1));
    for (peer, count) in [(ada, 1), (bob, 1), (eve, 0)] {
        let got = world.member(peer).events.iter().filter(|(_, event)| {
            matches!(event, Event::Message { message, is_history: false }
                if message.payload == Payload::Binary((&b"\x00\xff"[..]).into())
                    && message.topic.as_str() == "file")
        });
        assert_eq!(got.count(), count, "{peer}");
    }
}

/// The ids of members are of one epoch: in the next one they are those of others.
#[test]
fn a_direct_message_is_not_sent_to_the_members_of_another_epoch() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    let to_bob = Recipients::new([world.member(bob).joins()[0].you]).ok();
    world.member_mut(ada).access.set_cut(true);
    world.run_for(secs(20));
    let direct = Publish {
        to: to_bob,
        ..Publish::new(lobby(), "for bob alone")
    };
    let (now, id) = (world.now(), "direct".parse().ok());
    let published = world.member_mut(ada).publish(now, id, direct);
    published.expect("there is room for it");
    world.say(ada, "for all");
    world.restart_relay(None);
    let (eve, mallory) = (world.enter("eve"), world.enter("mallory"));
    world.member_mut(ada).access.set_cut(false);
    world.run_until("ada is back", |world| world.member(ada).joins().len() == 2);
    world.run_for(secs(60));
    for other in [eve, mallory] {
        assert_eq!(world.member(other).texts(), ["for all"]);
    }
    assert_eq!(world.member(ada).unanswered(), ["direct"]);
    assert_eq!(world.member(ada).acknowledged(), ["for all"]);
}

#[test]
fn a_cut_link_loses_nothing_and_doubles_nothing() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    let mut said = Vec::new();
    for round in 0..60 {
        let text = format!("a{round}");
        world.say(ada, &text);
        world.say(bob, &format!("b{round}"));
        said.push(round);
        // Each of them is cut off for 20 s, in turn and at once; the session's grace is 30 s.
        world
            .member_mut(ada)
            .access
            .set_cut((5..25).contains(&round));
        world
            .member_mut(bob)
            .access
            .set_cut((20..40).contains(&round));
        world.run_for(secs(1));
    }
    world.run_for(secs(20));
    for (peer, mine, theirs) in [(ada, "a", "b"), (bob, "b", "a")] {
        let all = |of: &str| said.iter().map(|n| format!("{of}{n}")).collect::<Vec<_>>();
        let peer = &world.member(peer);
        assert!(!peer.lost().is_empty());
        assert!(
            peer.joins()[1..]
                .iter()
                .all(|j| j.recovery == Recovery::Recovered)
        );
        assert_eq!(peer.texts(), all(theirs));
        assert_eq!(peer.acknowledged(), all(mine));
        assert_eq!(peer.unanswered(), [""; 0]);
    }
}

/// The messages are at the relay, only their acknowledgements are not back: they come again, and
/// the relay knows them by their ids.
#[test]
fn a_message_that_is_sent_twice_arrives_once() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    world.say(ada, "once");
    // One way takes 5 ms: it arrives, and the answer does not.
    world.run_for(Duration::from_millis(6));
    world.member_mut(ada).access.set_cut(true);
    world.run_for(secs(18));
    assert_eq!(world.member(ada).acknowledged(), [""; 0]);
    world.member_mut(ada).access.set_cut(false);
    world.run_until("it is acknowledged", |world| {
        world.member(ada).acknowledged() == ["once"]
    });
    world.run_for(secs(1));
    assert_eq!(world.member(bob).texts(), ["once"]);
    let duplicate = |event: &Event| matches!(event, Event::Ack(ack) if ack.duplicate);
    assert_eq!(world.member(ada).times(duplicate).len(), 1);
}

#[test]
fn silence_is_noticed_after_fifteen_seconds_or_two_on_demand() {
    let mut world = World::new(relay_config(), 1);
    let ada = world.enter("ada");
    // A live link is never given up, however little is said on it.
    world.run_for(secs(120));
    assert!(world.member(ada).lost().is_empty());
    for (is_in_doubt, least, most) in [(false, secs(9), secs(15)), (true, secs(2), secs(3))] {
        let cut = world.now();
        world.member_mut(ada).access.set_cut(true);
        if is_in_doubt {
            world.member_mut(ada).client.check(cut);
        }
        let losses = world.member(ada).lost().len();
        world.run_until("it is noticed", |world| {
            world.member(ada).lost().len() > losses
        });
        let took = world.now() - cut;
        assert!(took >= least && took <= most, "{took:?}");
        world.member_mut(ada).access.set_cut(false);
        let joined = world.member(ada).joins().len();
        world.run_until("it is back", |world| {
            world.member(ada).joins().len() > joined
        });
        world.run_for(secs(20));
    }
}

#[test]
fn attempts_come_at_growing_and_uneven_distances() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    for peer in [ada, bob] {
        world.member_mut(peer).access.set_cut(true);
    }
    world.run_for(secs(200));
    let times = |peer: usize| {
        let start = world
            .member(peer)
            .times(|e| matches!(e, Event::Disconnected { .. }))[0];
        let wanted = world.member(peer).times(|e| *e == Event::OfferWanted);
        wanted.into_iter().map(|at| at - start).collect::<Vec<_>>()
    };
    let (adas, bobs) = (times(ada), times(bob));
    assert_ne!(adas[..3], bobs[..3], "jitter tells them apart");
    assert!(adas[0] <= Duration::from_millis(250));
    let gaps: Vec<_> = adas.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((12..40).contains(&gaps.len()), "{}", gaps.len());
    for (index, gap) in gaps.iter().enumerate() {
        let full = Duration::from_millis(500 << index.min(10)).min(secs(15));
        assert!(*gap >= full / 2 && *gap <= full, "{index}: {gap:?}");
    }
    world.member_mut(ada).access.set_cut(false);
    let healed = world.now();
    world.run_until("it is back", |world| world.member(ada).joins().len() == 2);
    assert!(world.now() - healed <= secs(18));
}

#[test]
fn a_lost_answer_costs_the_handshakes_timeout() {
    let mut world = World::new(relay_config(), 1);
    let ada = world.add();
    world.member_mut(ada).answers_to_lose = 2;
    world.join(ada, "ada", 0);
    world.say(ada, "early");
    world.run_until("it is there", |world| world.member(ada).joins().len() == 1);
    let timeout = Lost::Link(CloseReason::HandshakeTimeout);
    assert_eq!(world.member(ada).lost(), [&timeout, &timeout]);
    world.run_until("what waited is sent", |world| {
        world.member(ada).acknowledged() == ["early"]
    });
    // An answer that comes when nobody waits for one does no harm.
    let now = world.now();
    let late = world.member_mut(ada).client.accept_answer(now, "v=0");
    assert_eq!(late, Err(CommandError::NotNow));
    world.run_for(secs(20));
    assert_eq!(world.member(ada).lost().len(), 2);
}

#[test]
fn an_answer_that_is_none() {
    let mut world = World::new(relay_config(), 1);
    let ada = world.add();
    world.member_mut(ada).offer = None;
    let now = world.now();
    let answered = world.member_mut(ada).client.accept_answer(now, "hello");
    assert!(matches!(answered, Err(CommandError::BadAnswer(_))));
    world.join(ada, "ada", 0);
    world.run_until("the next one is", |world| {
        world.member(ada).joins().len() == 1
    });
}

#[test]
fn longer_away_than_the_grace_is_said_and_history_fills_what_it_can() {
    let mut world = World::new(relay_config(), 1);
    let bob = world.enter("bob");
    world.say(bob, "before");
    let eve = world.enter("eve");
    world.say(eve, "and");
    world.run_until("the room has it", |world| {
        world.member(eve).acknowledged() == ["and"]
    });
    let now = world.now();
    let left = world.member_mut(eve).client.leave(now, &lobby());
    left.expect("it is in");
    world.run_for(secs(1));
    let ada = world.add();
    world.join(ada, "ada", 10);
    world.run_until("ada has history", |world| {
        world.member(ada).heard() == [("before".into(), true), ("and".into(), true)]
    });
    let authors = [(MemberId::new(1), "bob"), (MemberId::new(2), "eve")];
    assert_eq!(world.member(ada).authors(), authors);
    world.say(bob, "live");
    world.run_for(secs(1));
    world.member_mut(ada).access.set_cut(true);
    world.say(ada, "said into the void");
    world.run_for(secs(5));
    world.say(bob, "missed");
    world.run_for(secs(60));
    world.member_mut(ada).access.set_cut(false);
    world.run_until("ada is back", |world| world.member(ada).joins().len() == 2);
    world.run_for(secs(1));
    let ada = &world.member(ada);
    assert!(matches!(ada.joins()[1].recovery, Recovery::NotRecovered(_)));
    // Not sent again: nobody knows whether the relay has it.
    assert_eq!(ada.unanswered(), ["said into the void"]);
    let heard: Vec<_> = ada.heard().into_iter().collect();
    let expected = [
        ("before", true),
        ("and", true),
        ("live", false),
        ("missed", true),
    ];
    assert_eq!(heard, expected.map(|(text, old)| (text.to_string(), old)));
}

#[test]
fn a_new_link_takes_over_from_one_that_lives() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    world.run_for(secs(5));
    for round in 0..3 {
        world.say(bob, &format!("before {round}"));
        world.run_for(Duration::from_millis(3));
        let now = world.now();
        let ada = world.member_mut(ada);
        ada.offer = Some(ada.client.reconnect(now).expect("alive"));
        world.say(bob, &format!("after {round}"));
        world.run_for(secs(10));
    }
    let expected = (0..3).flat_map(|n| [format!("before {n}"), format!("after {n}")]);
    assert_eq!(world.member(ada).texts(), expected.collect::<Vec<_>>());
    assert_eq!(world.member(ada).joins().len(), 4);
    // Nobody sees her go or come.
    let presence = |event: &Event| matches!(event, Event::Presence(_));
    assert!(world.member(bob).times(presence).is_empty());
}

#[test]
fn a_burst_is_paced_and_none_is_refused() {
    let mut world = World::new(
        RelayConfig {
            rate: oneport_core::Rate {
                messages: 50,
                bytes: 1024 * 1024,
            },
            ..relay_config()
        },
        1,
    );
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    let count = 400;
    for number in 0..count {
        world.say(ada, &number.to_string());
    }
    let start = world.now();
    world.run_until("all is acknowledged", |world| {
        world.member(ada).client.unacknowledged() == 0
    });
    assert!(world.now() - start <= secs(10));
    world.run_for(secs(1));
    let all: Vec<_> = (0..count).map(|number| number.to_string()).collect();
    assert_eq!(world.member(bob).texts(), all);
    let refused = |event: &Event| matches!(event, Event::Rejected(_));
    assert!(world.member(ada).times(refused).is_empty());
}

#[test]
fn questions_and_their_answers() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    world.say(bob, "one");
    world.say(bob, "two");
    world.run_for(secs(1));
    let now = world.now();
    let client = &mut world.member_mut(ada).client;
    let (room, before) = (lobby(), None);
    client
        .history(
            now,
            None,
            History {
                room,
                before,
                count: 1,
            },
        )
        .expect("live");
    let (room, after) = (lobby(), None);
    client
        .members(now, None, Members { room, after })
        .expect("live");
    let update = Update {
        room: lobby(),
        name: Change::Set("eve".parse().expect("a name")),
        meta: Change::Keep,
    };
    let id = client.update(now, None, update).expect("live");
    world.run_for(secs(1));
    let peer = &world.member(ada);
    assert_eq!(peer.heard().last(), Some(&("two".to_string(), true)));
    assert_eq!(peer.authors(), [(MemberId::new(2), "bob")]);
    assert_eq!(peer.times(|e| matches!(e, Event::HistoryEnd(_))).len(), 1);
    assert_eq!(peer.times(|e| matches!(e, Event::Members(_))).len(), 1);
    assert_eq!(peer.acknowledged(), [id.as_str()]);
    world
        .member_mut(ada)
        .client
        .leave(now + secs(1), &lobby())
        .expect("it is in");
    world.run_for(secs(1));
    assert_eq!(
        world
            .member(ada)
            .times(|e| matches!(e, Event::Left(_)))
            .len(),
        1
    );
    let now = world.now();
    let again = world.member_mut(ada).client.leave(now, &lobby());
    assert_eq!(again, Err(CommandError::NotInRoom));
}

#[test]
fn what_a_caller_cannot_ask() {
    let mut world = World::new(relay_config(), 1);
    let ada = world.add();
    let now = world.now();
    let client = &mut world.member_mut(ada).client;
    let id = || Some("m".parse().expect("an id"));
    let publish = |text: &'static str| Publish::new(lobby(), text);
    assert_eq!(
        client.publish(now, None, publish("x")),
        Err(CommandError::NotInRoom)
    );
    world.join(ada, "ada", 0);
    let client = &mut world.member_mut(ada).client;
    let (room, before) = (lobby(), None);
    let ask = History {
        room,
        before,
        count: 1,
    };
    assert_eq!(client.history(now, None, ask), Err(CommandError::NotNow));
    assert_eq!(client.publish(now, id(), publish("x")), Ok(()));
    assert_eq!(
        client.publish(now, id(), publish("x")),
        Err(CommandError::IdInUse)
    );
    let long = "x".repeat(CLIENT_FRAME_BYTES_MAX);
    let too_large = client.publish(now, None, Publish::new(lobby(), long.as_str()));
    assert!(matches!(too_large, Err(CommandError::TooLarge { .. })));
    let filled = (0..2000).map(|_| client.publish(now, None, publish("x")));
    assert_eq!(filled.filter(Result::is_err).count(), 2000 - 1023);
    client.close(now);
    assert!(client.is_finished());
    assert_eq!(client.reconnect(now), Err(CommandError::Ended));
    assert_eq!(
        client.publish(now, None, publish("x")),
        Err(CommandError::Ended)
    );
}

/// An owner that does not look costs the link, not the messages.
#[test]
fn an_owner_that_sleeps_finds_everything_when_it_wakes() {
    let mut world = World::new(relay_config(), 1);
    let bob = world.enter("bob");
    let ada = world.add_with(|config| Config {
        events_bytes_max: 20 * 1024,
        ..config
    });
    world.join(ada, "ada", 0);
    world.run_until("she is there", |world| world.member(ada).joins().len() == 1);
    world.member_mut(ada).is_asleep = true;
    for number in 0..100 {
        world.say(bob, &number.to_string());
    }
    world.run_for(secs(5));
    assert!(!world.member(ada).client.is_live());
    world.member_mut(ada).is_asleep = false;
    world.run_for(secs(20));
    let all: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(world.member(ada).texts(), all);
    assert!(world.member(ada).lost().contains(&&Lost::EventsNotTaken));
}

#[test]
fn closing_is_seen_as_leaving() {
    let mut world = World::new(relay_config(), 1);
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    let now = world.now();
    world.member_mut(ada).client.close(now);
    world.run_for(secs(1));
    assert!(world.member(ada).client.is_finished());
    let left = |event: &Event| {
        matches!(event, Event::Presence(p)
        if matches!(p.change, oneport_wire::frame::PresenceChange::Left { .. }))
    };
    assert_eq!(world.member(bob).times(left).len(), 1);
}

#[test]
fn a_relay_that_goes_down_is_asked_again() {
    let mut world = World::new(relay_config(), 1);
    let ada = world.enter("ada");
    let now = world.now();
    world.relay_mut().shut_down(now);
    world.run_until("it is noticed", |world| {
        !world.member(ada).lost().is_empty()
    });
    world.run_for(secs(30));
    assert!(world.member(ada).times(|e| *e == Event::OfferWanted).len() >= 3);
    assert!(
        world
            .member(ada)
            .times(|e| matches!(e, Event::Closed(_)))
            .is_empty()
    );
}

#[test]
fn finishing_waits_for_everything() {
    let mut world = World::new(relay_config(), 1);
    let bob = world.enter("bob");
    world.say(bob, "before");
    let ada = world.add();
    world.member_mut(ada).answers_to_lose = 1;
    world.join(ada, "ada", 5);
    world.say(ada, "one");
    let now = world.now();
    world.member_mut(ada).client.finish(now);
    world.run_until("it has ended", |world| {
        world.member(ada).client.is_finished()
    });
    world.run_for(secs(1));
    assert_eq!(world.member(ada).texts(), ["before"]);
    assert_eq!(world.member(ada).acknowledged(), ["one"]);
    assert_eq!(world.member(bob).texts(), ["one"]);
    let left = |event: &Event| {
        matches!(event, Event::Presence(p)
        if matches!(p.change, oneport_wire::frame::PresenceChange::Left { .. }))
    };
    assert_eq!(world.member(bob).times(left).len(), 1);
}

#[test]
fn a_room_that_is_full_is_given_up() {
    let defaults = relay_config();
    let mut world = World::new(
        RelayConfig {
            hub: oneport_core::hub::HubLimits {
                members_per_room_max: 1,
                ..defaults.hub
            },
            ..defaults
        },
        1,
    );
    world.enter("bob");
    let ada = world.add();
    world.join(ada, "ada", 0);
    world.say(ada, "hello?");
    let refused = |event: &Event| matches!(event, Event::NotJoined { .. });
    world.run_until("it is refused", |world| {
        !world.member(ada).times(refused).is_empty()
    });
}
