//! The relay with real clients in virtual time: what it promises to each of them, and that nothing
//! stays behind.

mod framed;
mod gate;
mod guests;
mod history;
mod leaving;
mod limits;
mod malformed;
mod memory;
mod operator;
mod overview;
mod restart;
mod speaker;

use std::time::Duration;

use oneport_core::hub::HubLimits;
use oneport_core::{Command, Grant, Machine, RelayConfig, Reply, parse_offer};
use oneport_link::{ChannelConfig, CloseReason, Kind, LinkConfig, Reliability, Write};
use oneport_sim::{World, relay_config};

use guests::Guests;

#[test]
fn a_group_hears_each_other_in_one_order() {
    let mut world = World::new(relay_config(), 1);
    let members: Vec<_> = (0..10).map(|_| world.join("lobby")).collect();
    let other = world.join("attic");
    for round in 0..5 {
        for member in &members {
            world.say(*member, &format!("{member}.{round}"));
        }
    }
    world.run_until("everybody has heard everything", |world| {
        members.iter().all(|m| world.heard(*m).len() == 45)
    });
    let without = |client: usize, author: usize| {
        let prefix = format!("{author}.");
        let heard = world.heard(client).into_iter();
        heard
            .filter(|text| !text.starts_with(&prefix))
            .collect::<Vec<_>>()
    };
    for a in &members {
        assert!(
            !world
                .heard(*a)
                .iter()
                .any(|text| text.starts_with(&format!("{a}.")))
        );
        for b in &members {
            assert_eq!(
                without(*a, *b),
                without(*b, *a),
                "{a} and {b} agree on the others"
            );
        }
    }
    assert_eq!(world.heard(other), [""; 0]);
}

#[test]
fn what_is_sent_arrives_as_it_was() {
    let mut world = World::new(relay_config(), 1);
    let (a, b) = (world.join("lobby"), world.join("lobby"));
    for size in [1, 1200, 16 * 1024, 64 * 1024, 256 * 1024] {
        for kind in [Kind::Text, Kind::Binary] {
            let payload = vec![b'z'; size];
            assert_eq!(world.send(a, kind, &payload), Write::Accepted);
            world.run_until("it arrives", |world| !world.guest(b).messages.is_empty());
            let arrived = world.guest_mut(b).messages.pop();
            assert!(
                arrived == Some(("chat".into(), kind, payload)),
                "{size} {kind:?}"
            );
        }
    }
}

#[test]
fn labels_are_told_apart_and_each_receiver_chooses_its_reliability() {
    let mut world = World::new(relay_config(), 1);
    let unreliable = ChannelConfig {
        ordered: false,
        reliability: Reliability::Retransmits(0),
        ..ChannelConfig::new("chat")
    };
    let a = world.join("lobby");
    let b = world.add_guest("lobby", unreliable);
    let c = world.add_guest("lobby", ChannelConfig::new("files"));
    world.say(a, "hello");
    world.say(b, "hi");
    world.say(c, "data");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.heard(a), ["hi"]);
    assert_eq!(world.heard(b), ["hello"]);
    assert_eq!(world.heard(c), [""; 0]);
}

/// Ten messages that arrive together leave together.
#[test]
fn messages_that_arrive_in_one_batch_share_packets() {
    let mut world = World::new(relay_config(), 1);
    let (a, b) = (world.join("lobby"), world.join("lobby"));
    world.run_for(Duration::from_secs(2));
    let before = world.datagrams_from_relay;
    world.say_at_once(a, &vec!["x".repeat(50); 10]);
    world.run_until("they arrive", |world| world.guest(b).messages.len() == 10);
    let sent = world.datagrams_from_relay - before;
    assert!(
        sent <= 2,
        "one packet with ten messages and one acknowledgement, not {sent}"
    );
}

#[test]
fn who_cannot_keep_up_is_closed_and_nobody_else_notices() {
    let config = RelayConfig {
        hub: HubLimits {
            ring_messages_max: 100,
            ..HubLimits::default()
        },
        ..relay_config()
    };
    let mut world = World::new(config, 1);
    let (a, fast, stalled) = (
        world.join("lobby"),
        world.join("lobby"),
        world.join("lobby"),
    );
    world.guest_mut(stalled).access.set_cut(true);
    let payload = [b'x'; 4000];
    for n in 0..200 {
        assert_eq!(world.send(a, Kind::Text, &payload), Write::Accepted, "{n}");
        world.run_until("the other one hears it", |world| {
            world.guest(fast).messages.len() == n + 1
        });
    }
    assert_eq!(world.relay().stats().closed.get("slow"), Some(&1));
    assert_eq!(world.relay().stats().links, 2);
    assert_eq!(world.guest(fast).closed, None);
}

#[test]
fn a_short_stall_loses_nothing() {
    let mut world = World::new(relay_config(), 1);
    let (a, b) = (world.join("lobby"), world.join("lobby"));
    world.guest_mut(b).access.set_cut(true);
    for n in 0..300 {
        world.say(a, &format!("{n:04}{}", "x".repeat(1000)));
        world.run_for(Duration::from_millis(10));
    }
    world.guest_mut(b).access.set_cut(false);
    world.run_until("all of it arrives", |world| {
        world.guest(b).messages.len() == 300
    });
    let heard = world.heard(b);
    let numbers: Vec<usize> = heard
        .iter()
        .map(|t| t[..4].parse().expect("a number"))
        .collect();
    assert_eq!(numbers, (0..300).collect::<Vec<_>>());
}

#[test]
fn a_client_that_takes_less_finds_its_channel_closed() {
    let mut world = World::new(relay_config(), 1);
    let a = world.join("lobby");
    let takes_less =
        |offer: &str| offer.replace("a=max-message-size:262144", "a=max-message-size:1000");
    let address = ([203, 0, 113, 9], 50_000).into();
    let chat = vec![ChannelConfig::new("chat")];
    let small = world.offer_from(address, "lobby", chat, takes_less);
    let small = small.expect("taken in");
    world.run_until("it opens", |world| !world.guest(small).channels.is_empty());
    assert_eq!(world.send(a, Kind::Binary, &[1; 1000]), Write::Accepted);
    assert_eq!(world.send(a, Kind::Binary, &[1; 1001]), Write::Accepted);
    world.run_until("its channel closes", |world| {
        world.guest(small).channels_closed == 1
    });
    assert_eq!(world.guest(small).messages.len(), 1);
    assert_eq!(world.guest(small).closed, None);
    assert_eq!(world.relay().stats().undeliverable, 1);
}

#[test]
fn a_link_that_dies_silently_is_gone_within_twenty_seconds() {
    let mut world = World::new(relay_config(), 1);
    let (dead, alive) = (world.join("lobby"), world.join("lobby"));
    world.guest_mut(dead).access.set_cut(true);
    let start = world.now();
    world.run_until("it is gone", |world| world.relay().stats().links == 1);
    assert!(
        world.now() - start < Duration::from_secs(20),
        "{:?}",
        world.now() - start
    );
    assert_eq!(world.relay().stats().closed.get("lost"), Some(&1));
    assert_eq!(world.guest(alive).closed, None);
}

#[test]
fn half_open_links_are_capped_and_die() {
    let config = RelayConfig {
        handshakes_max: 5,
        handshakes_per_address_max: 3,
        ..relay_config()
    };
    let mut world = World::new(config, 1);
    let chat = || vec![ChannelConfig::new("chat")];
    let flooder = "203.0.113.9:1".parse().expect("an address");
    for _ in 0..3 {
        let client = world
            .offer_from(flooder, "lobby", chat(), str::to_string)
            .expect("taken in");
        world.guest_mut(client).access.set_cut(true);
    }
    let refusal = world
        .offer_from(flooder, "lobby", chat(), str::to_string)
        .expect_err("too many");
    assert_eq!(refusal.code(), "too_many_handshakes_from_address");
    let legitimate = world.join("lobby");
    for _ in 0..2 {
        let client = world.offer("lobby", chat()).expect("taken in");
        world.guest_mut(client).access.set_cut(true);
    }
    let newcomer = world.join("lobby");
    assert_eq!(world.relay().stats().closed.get("crowded_out"), Some(&1));
    world.run_for(Duration::from_secs(11));
    let stats = world.relay().stats();
    assert_eq!((stats.links, stats.handshakes), (2, 0));
    assert_eq!(stats.closed.get("handshake_timeout"), Some(&4));
    for client in [legitimate, newcomer] {
        assert_eq!(world.guest(client).closed, None);
    }
}

#[test]
fn a_browser_that_comes_back_from_the_same_port_is_a_new_link() {
    let mut world = World::new(relay_config(), 1);
    let old = world.join("lobby");
    let other = world.join("lobby");
    world.guest_mut(old).access.set_cut(true);
    let address = world.guest(old).access.inside;
    let new = world
        .offer_from(
            address,
            "lobby",
            vec![ChannelConfig::new("chat")],
            str::to_string,
        )
        .expect("taken in");
    world.run_until("it opens", |world| !world.guest(new).channels.is_empty());
    world.say(other, "welcome back");
    world.run_until("it hears", |world| world.heard(new) == ["welcome back"]);
    // The old one dies and must not take the new one's path with it.
    world.run_until("the old one is gone", |world| {
        world.relay().stats().links == 2
    });
    world.say(other, "still there?");
    world.run_until("it hears", |world| world.guest(new).messages.len() == 2);
}

#[test]
fn datagrams_that_match_nobody_are_counted_and_harm_nobody() {
    let mut world = World::new(relay_config(), 1);
    let (a, b) = (world.join("lobby"), world.join("lobby"));
    let before = world.relay().stats().datagrams_unmatched;
    let stranger = "203.0.113.9:1".parse().expect("an address");
    let garbage: [&[u8]; 6] = [
        &[],
        &[0],
        &[22; 100],
        &[0; 20],
        &[255; 1500],
        b"GET / HTTP/1.1",
    ];
    for bytes in garbage {
        world.datagram(stranger, bytes);
    }
    assert_eq!(world.relay().stats().datagrams_unmatched, before + 6);
    // The same from an address that is a client's.
    let forged = world.guest(a).access.inside;
    for bytes in garbage {
        world.datagram(forged, bytes);
    }
    world.say(a, "unharmed");
    world.run_until("it arrives", |world| world.heard(b) == ["unharmed"]);
}

/// Somebody with a link of its own sends its checks from another's address.
#[test]
fn a_forged_check_takes_nothing_from_anybody() {
    let mut world = World::new(relay_config(), 1);
    let (victim, friend) = (world.join("lobby"), world.join("lobby"));
    let attacker = world.join("attic");
    let address = world.guest(victim).access.inside;
    for n in 0..20 {
        let check = world.guest(attacker).check.clone();
        world.datagram(address, &check);
        world.say(victim, &format!("v{n}"));
        world.say(friend, &format!("f{n}"));
        world.run_for(Duration::from_millis(500));
        assert_eq!(world.guest(friend).messages.len(), n + 1, "{n}");
        assert_eq!(world.guest(victim).messages.len(), n + 1, "{n}");
    }
}

/// More messages in one batch of datagrams than a ring holds: nobody is slow who was given nothing.
#[test]
fn a_burst_larger_than_the_ring_reaches_those_who_keep_up() {
    let config = RelayConfig {
        hub: HubLimits {
            ring_messages_max: 200,
            ..HubLimits::default()
        },
        ..relay_config()
    };
    let mut world = World::new(config, 1);
    let (a, b) = (world.join("lobby"), world.join("lobby"));
    world.say_at_once(a, &vec!["x".to_string(); 1000]);
    // All that the sender has goes in before anything is taken out.
    world.hold_and_deliver(a);
    world.run_until("all arrive", |world| world.guest(b).messages.len() == 1000);
    assert_eq!(world.relay().stats().closed.get("slow"), None);
}

#[test]
fn limits_refuse_with_a_reason() {
    let config = RelayConfig {
        links_max: 2,
        hub: HubLimits {
            rooms_max: 1,
            members_per_room_max: 1,
            ..HubLimits::default()
        },
        ..relay_config()
    };
    let mut world = World::new(config, 1);
    let chat = || vec![ChannelConfig::new("chat")];
    let first = world.join("lobby");
    let mut refusal = |room| world.offer(room, chat()).expect_err(room).code();
    assert_eq!(refusal("lobby"), "room_full");
    assert_eq!(refusal("attic"), "too_many_rooms");
    let session = world.guest(first).session;
    let room = |name: &str| name.parse().expect("a name");
    let now = world.now();
    assert!(!world.relay_mut().disconnect(now, &room("attic"), session));
    assert!(world.relay_mut().disconnect(now, &room("lobby"), session));
    let now = world.now();
    assert!(!world.relay_mut().disconnect(now, &room("lobby"), session));
    world.join("attic");
    let stats = world.relay().stats();
    assert_eq!(stats.refused.get("room_full"), Some(&1));
    assert_eq!(stats.closed.get("left"), Some(&1));
}

#[test]
fn the_relay_is_full_at_its_limit() {
    let mut world = World::new(
        RelayConfig {
            links_max: 2,
            ..relay_config()
        },
        1,
    );
    world.join("a");
    world.join("b");
    let refusal = world.offer("c", vec![ChannelConfig::new("chat")]);
    assert_eq!(refusal.expect_err("full").code(), "relay_full");
}

#[test]
fn bad_offers_get_a_reason_and_cost_nothing() {
    let mut world = World::new(relay_config(), 1);
    let data = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
                m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n";
    let room = "lobby".parse().expect("a name");
    let large = format!("{data}{}", "a=x\r\n".repeat(20_000));
    for (offer, code) in [
        ("", "bad_offer"),
        ("hello", "bad_offer"),
        ("v=0", "no_data_channel"),
        (
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
            "no_data_channel",
        ),
        (data, "bad_offer"),
        (&large, "offer_too_large"),
    ] {
        let from = [203, 0, 113, 9].into();
        let now = world.now();
        let refusal = parse_offer(offer).and_then(|offer| {
            let relay = world.relay_mut();
            relay.connect(now, &room, &offer, from, Grant::default())
        });
        let refusal = refusal.expect_err(offer);
        assert_eq!(refusal.code(), code, "{offer:.40}");
        // The parser says where it stopped as an address in memory.
        assert!(!refusal.to_string().contains("0x"), "{refusal}");
    }
    assert!(world.relay().is_empty());
}

#[test]
fn shutting_down_tells_everybody_and_ends() {
    let mut world = World::new(relay_config(), 1);
    let members: Vec<_> = (0..5).map(|_| world.join("lobby")).collect();
    let half_open = world.offer("lobby", vec![ChannelConfig::new("chat")]);
    world
        .guest_mut(half_open.expect("taken in"))
        .access
        .set_cut(true);
    let now = world.now();
    let reply = world.relay_mut().handle_command(now, Command::ShutDown);
    assert!(matches!(reply, Reply::ShuttingDown));
    let start = world.now();
    world.run_until("all know", |world| {
        members
            .iter()
            .all(|m| world.guest(*m).closed == Some(CloseReason::ByPeer))
    });
    assert!(world.now() - start < Duration::from_secs(1));
    assert!(world.relay().is_finished());
    let refusal = world.offer("lobby", vec![ChannelConfig::new("chat")]);
    assert_eq!(refusal.expect_err("too late").code(), "shutting_down");
}

#[test]
fn nothing_stays_behind() {
    let mut world = World::new(relay_config(), 1);
    let labels = ["chat", "files", "cursors"];
    let channels = || labels.map(ChannelConfig::new).to_vec();
    let clients: Vec<_> = ["a", "a", "b", "b", "c"]
        .map(|room| world.offer(room, channels()).expect("taken in"))
        .to_vec();
    world.run_until("all open", |world| {
        world.guests().iter().all(|c| c.channels.len() == 3)
    });
    for client in &clients {
        world.say(*client, "hello");
    }
    let (closes, dies, disconnects) = (0, 1, 2);
    let now = world.now();
    world.guest_mut(closes).link.close(now, "bye");
    world.guest_mut(dies).access.set_cut(true);
    let session = world.guest(disconnects).session;
    let room = "b".parse().expect("a name");
    assert!(world.relay_mut().disconnect(now, &room, session));
    world.guest_mut(3).access.set_cut(true);
    world.guest_mut(4).access.set_cut(true);
    assert!(!world.relay().is_empty());
    world.run_until("all are gone", |world| world.relay().stats().links == 0);
    assert!(world.relay().is_empty());
    world.run_for(Duration::from_secs(700));
    assert_eq!(
        world.relay().stats().rooms,
        0,
        "history goes as well, in time"
    );
    let timeout = world.relay().poll_timeout();
    assert_eq!(timeout, None, "an empty relay waits for nothing");
}

/// Announced addresses are other than the socket's: 1:1 NAT.
#[test]
fn clients_behind_an_announced_address() {
    let announced = "203.0.113.1:3478".parse().expect("an address");
    let link = LinkConfig {
        candidates: vec![announced],
        ..relay_config().link
    };
    let mut world = World::new(RelayConfig::new(link), 1);
    world.announced = Some(announced);
    let (a, b) = (world.join("lobby"), world.join("lobby"));
    assert!(world.guest(a).answer.contains("203.0.113.1 3478 typ host"));
    world.say(a, "through the NAT");
    world.run_until("it arrives", |world| world.heard(b) == ["through the NAT"]);
}
