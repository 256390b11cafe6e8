//! What a hub says of itself.

use super::*;

/// What an entry takes besides what it says, which counts twice.
const BARE: usize = size_of::<Entry>();

#[test]
fn an_entry_counts_with_all_that_it_says() {
    let mut world = World::new(HubLimits::default());
    let a = world.framed("lobby");
    let b = world.framed("lobby");
    let before = world.hub.ring_bytes();
    assert_eq!(
        before,
        2 * BARE,
        "two have come, who say nothing of themselves"
    );
    let publication = Publication {
        to: Recipients::new([MemberId::new(1), MemberId::new(2)]).ok(),
        ..publication("topic", "payload")
    };
    let published = world.hub.publish(world.now(), a.seat, publication);
    assert!(published.is_ok());
    let message = BARE + 2 * ("topic".len() + "payload".len() + 4 * 2);
    assert_eq!(world.hub.ring_bytes() - before, message);
    let profile = Profile {
        name: "ada".parse().ok(),
        meta: "[1,2]".parse().ok(),
    };
    world.hub.update(world.now(), b.seat, profile);
    let presence = BARE + 2 * ("ada".len() + "[1,2]".len());
    assert_eq!(world.hub.ring_bytes() - before, message + presence);
    let Next::Entry(_, entry) = world.hub.next(b.owner) else {
        panic!("the message is for both");
    };
    assert_eq!(
        entry.payload(),
        Some((oneport_wire::Kind::Text, &b"payload"[..]))
    );
    assert_eq!(
        HubLimits {
            rooms_max: 3,
            ring_bytes_max: 5,
            ..HubLimits::default()
        }
        .bytes_max(),
        15
    );
}

/// A quarter of what a ring may hold, in messages or bytes.
#[test]
fn pressure_begins_at_a_quarter_and_ends_when_all_were_asked() {
    for (ring_messages_max, ring_bytes_max) in [(12, 1 << 20), (1 << 20, 12 * BARE)] {
        let mut world = World::new(HubLimits {
            ring_messages_max,
            ring_bytes_max,
            ..HubLimits::default()
        });
        let a = world.plain("lobby", "");
        let _reader = world.plain("lobby", "");
        assert!(!world.hub.is_pressed(), "two entries");
        world.say(a, "", "");
        assert!(world.hub.is_pressed() && world.hub.has_ready());
        while world.hub.poll_ready().is_some() {}
        assert!(!world.hub.is_pressed() && !world.hub.has_ready());
        world.say(a, "", "");
        world.say(a, "", "");
        assert!(!world.hub.is_pressed());
        world.say(a, "", "");
        assert!(world.hub.is_pressed());
    }
}

#[test]
fn who_is_there_and_where_readers_are() {
    let mut world = World::new(HubLimits::default());
    let lobby = "lobby".parse().expect("a name");
    assert!(world.hub.is_deserted());
    let owner = world.hub.add_owner();
    assert!(!world.hub.is_deserted(), "an owner");
    world.hub.remove_owner(owner);
    assert_eq!(world.hub.members_of(&lobby), None);
    let seat = world.seat("lobby");
    assert!(!world.hub.is_deserted(), "a member");
    assert_eq!(
        (world.hub.members_of(&lobby), world.hub.empty_rooms()),
        (Some(1), 0)
    );
    let reader = world.framed("lobby");
    assert_eq!(world.hub.members_of(&lobby), Some(2));
    assert_eq!(world.hub.cursor(reader.reader), None);
    let said = Publication {
        echo: true,
        ..publication("", "x")
    };
    let said = world
        .hub
        .publish(world.now(), reader.seat, said)
        .expect("published");
    assert_eq!(world.hub.cursor(reader.reader), Some(said));
    world.hub.leave(world.now(), seat, LeaveReason::Left);
    world.leave(reader);
    assert!(world.hub.is_deserted());
    assert_eq!(
        (world.hub.members_of(&lobby), world.hub.empty_rooms()),
        (Some(0), 1)
    );
    assert!(world.hub.drop_empty_room(world.now()) && !world.hub.drop_empty_room(world.now()));
    assert_eq!(world.hub.members_of(&lobby), None);
}

/// A seat with two readers, of which one goes.
#[test]
fn a_reader_goes_and_another_of_the_same_member_stays() {
    let mut world = World::new(HubLimits::default());
    let a = world.plain("lobby", "x");
    let b = world.plain("lobby", "x");
    let second = world
        .hub
        .add_reader(b.owner, b.seat, topic("y"), Lag::Disconnect, None);
    world.hub.remove_reader(second.expect("a seat"));
    world.say(a, "x", "1");
    world.say(a, "y", "2");
    assert_eq!(world.take(b), texts(&["1"]));
    world.leave(b);
    world.say(a, "x", "3");
    world.leave(a);
    assert!(world.hub.is_deserted());
}

/// What is forgotten behind an entry that is kept takes no more memory than what is not.
#[test]
fn forgotten_entries_are_never_more_than_half() {
    let mut world = World::new(HubLimits::default());
    let [a, b] = [(); 2].map(|()| world.plain("lobby", ""));
    let live = world.hub.ring_bytes();
    for _ in 0..100 {
        let transient = Publication {
            is_kept: false,
            ..publication("", "")
        };
        let published = world.hub.publish(world.now(), a.seat, transient);
        assert!(published.is_ok());
        assert_eq!(world.take(b), texts(&[""]));
        assert!(world.hub.ring_bytes() <= 2 * live);
    }
}

#[test]
fn an_empty_room_goes_with_its_last_entry() {
    let mut world = World::new(HubLimits {
        ring_age_max: Duration::from_secs(10),
        ..HubLimits::default()
    });
    let [a, b] = [(); 2].map(|()| world.framed("lobby"));
    let view = world.hub.room(a.seat).expect("a seat");
    assert_eq!(view.seat(MemberId::new(2)), Some(b.seat));
    assert_eq!(view.seat(MemberId::new(3)), None);
    world.leave(a);
    world.leave(b);
    world.now += 10_001;
    world.hub.expire(world.now());
    assert_eq!(world.hub.rooms(), 0);
}
