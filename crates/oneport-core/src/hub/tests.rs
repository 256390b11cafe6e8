//! The hub alone: who gets what, in which order, and what stays behind.

use std::time::Duration;

use oneport_wire::Epoch;
use oneport_wire::frame::LeaveReason;

use super::*;

mod accounting;
mod authors;
mod model;
mod walk;

struct World {
    hub: Hub,
    now: u32,
}

/// A member with one reader.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Member {
    owner: OwnerId,
    seat: SeatId,
    reader: ReaderId,
}

impl World {
    fn new(limits: HubLimits) -> Self {
        let (hub, now) = (Hub::new(limits), 1000);
        Self { hub, now }
    }

    fn now(&self) -> UnixMillis {
        UnixMillis::from(self.now)
    }

    fn seat(&mut self, room: &str) -> SeatId {
        let name = room.parse().expect("a name");
        let epoch = Epoch::from_random([7; 8]);
        let seat = self.hub.join(self.now(), &name, epoch, Profile::default());
        seat.expect("admitted")
    }

    fn member(&mut self, room: &str, filter: Filter, lag: Lag) -> Member {
        let seat = self.seat(room);
        let owner = self.hub.add_owner();
        let reader = self.hub.add_reader(owner, seat, filter, lag, None);
        let reader = reader.expect("a seat");
        Member {
            owner,
            seat,
            reader,
        }
    }

    fn plain(&mut self, room: &str, label: &str) -> Member {
        self.member(room, topic(label), Lag::Disconnect)
    }

    fn framed(&mut self, room: &str) -> Member {
        self.member(room, Filter::Everything, Lag::Disconnect)
    }

    fn say(&mut self, from: Member, label: &str, text: &str) -> Offset {
        let publication = publication(label, text);
        let offset = self.hub.publish(self.now(), from.seat, publication);
        offset.expect("published")
    }

    /// The texts that the member is owed, or `Err` with them if it was too slow.
    fn take(&mut self, member: Member) -> Result<Vec<String>, Vec<String>> {
        let mut taken = Vec::new();
        loop {
            let reader = match self.hub.next(member.owner) {
                Next::Idle => return Ok(taken),
                Next::Slow => return Err(taken),
                Next::Gap { reader, span, .. } => {
                    taken.push(format!("gap {}..{}", span.from(), span.to()));
                    reader
                }
                Next::Entry(reader, entry) => {
                    taken.push(match &entry.body {
                        Body::Message { message, .. } => text(message),
                        Body::Presence(presence) => {
                            format!("{:?} {}", presence.change, presence.member.id)
                        }
                    });
                    reader
                }
            };
            self.hub.taken(reader);
        }
    }

    fn leave(&mut self, member: Member) {
        self.hub.leave(self.now(), member.seat, LeaveReason::Left);
        self.hub.remove_owner(member.owner);
    }
}

fn topic(label: &str) -> Filter {
    Filter::Topic(label.parse().expect("a topic"))
}

fn publication(label: &str, text: &str) -> Publication {
    Publication {
        topic: label.parse().expect("a topic"),
        to: None,
        echo: false,
        is_kept: true,
        payload: Payload::Text(text.to_string().into()),
    }
}

fn text(message: &Message<'_>) -> String {
    String::from_utf8_lossy(message.payload.as_bytes()).into_owned()
}

fn texts(texts: &[&str]) -> Result<Vec<String>, Vec<String>> {
    Ok(texts.iter().map(ToString::to_string).collect())
}

#[test]
fn others_of_the_same_room_and_label_take_it_in_order() {
    let mut world = World::new(HubLimits::default());
    let [a, b, c] = [(); 3].map(|()| world.plain("lobby", "chat"));
    let other_label = world.plain("lobby", "files");
    let other_room = world.plain("attic", "chat");
    world.say(a, "chat", "1");
    world.say(b, "chat", "2");
    world.say(a, "chat", "3");
    assert_eq!(world.take(a), texts(&["2"]));
    assert_eq!(world.take(b), texts(&["1", "3"]));
    assert_eq!(world.take(c), texts(&["1", "2", "3"]));
    assert_eq!(world.take(other_label), texts(&[]));
    assert_eq!(world.take(other_room), texts(&[]));
}

#[test]
fn a_framed_member_takes_all_topics_and_presence_of_others() {
    let mut world = World::new(HubLimits::default());
    let ada = world.framed("lobby");
    let bob = world.plain("lobby", "chat");
    world.say(bob, "chat", "hi");
    world.hub.set_away(world.now(), ada.seat, true);
    world.hub.set_away(world.now(), ada.seat, true);
    world.leave(bob);
    let taken = world.take(ada);
    let left = "Left { reason: Left } 2";
    assert_eq!(
        taken,
        texts(&["Joined 2", "hi", left]),
        "not what is about itself"
    );
}

#[test]
fn messages_with_recipients_are_for_them_alone() {
    let mut world = World::new(HubLimits::default());
    let [a, b, c] = [(); 3].map(|()| world.framed("lobby"));
    for member in [a, b, c] {
        world.take(member).expect("presence");
    }
    let to = |ids: &[u32]| Recipients::new(ids.iter().map(|id| MemberId::new(*id))).ok();
    let direct = Publication {
        to: to(&[2]),
        ..publication("", "for b")
    };
    world
        .hub
        .publish(world.now(), a.seat, direct)
        .expect("b is there");
    let echoed = Publication {
        to: to(&[3]),
        echo: true,
        ..publication("", "for c and a")
    };
    world
        .hub
        .publish(world.now(), a.seat, echoed)
        .expect("c is there");
    assert_eq!(world.take(a), texts(&["for c and a"]));
    assert_eq!(world.take(b), texts(&["for b"]));
    assert_eq!(world.take(c), texts(&["for c and a"]));
    let nobody = Publication {
        to: to(&[2, 9]),
        ..publication("", "for b and nobody")
    };
    let refused = world.hub.publish(world.now(), a.seat, nobody);
    assert_eq!(refused, Err(ErrorCode::NoSuchMember));
    assert_eq!(world.take(b), texts(&[]), "nothing of it was done");
}

#[test]
fn ready_names_each_owner_once() {
    let mut world = World::new(HubLimits::default());
    let [a, b, c] = [(); 3].map(|()| world.plain("lobby", "chat"));
    world.say(a, "chat", "1");
    world.say(a, "chat", "2");
    assert!(world.hub.has_ready());
    let ready: Vec<_> = std::iter::from_fn(|| world.hub.poll_ready()).collect();
    assert_eq!(ready, [b.owner, c.owner]);
    world.hub.wake(b.owner);
    world.leave(b);
    assert_eq!(world.hub.poll_ready(), None, "who left is never ready");
}

#[test]
fn a_newcomer_takes_what_comes_and_asks_for_the_rest() {
    let mut world = World::new(HubLimits::default());
    let a = world.framed("lobby");
    let _slow = world.framed("lobby");
    for n in 0..5 {
        world.say(a, "", &n.to_string());
    }
    let late = world.framed("lobby");
    world.say(a, "", "after");
    assert_eq!(world.take(late), texts(&["after"]));
    let view = world.hub.room(late.seat).expect("a room");
    let said = |entry: &Entry| match &entry.body {
        Body::Message { message, .. } => text(message),
        Body::Presence(_) => "presence".into(),
    };
    let history: Vec<_> = view.history_before(view.end()).take(3).map(said).collect();
    assert_eq!(history, ["after", "4", "3"], "latest first");
}

#[test]
fn who_comes_back_takes_exactly_what_it_missed() {
    let mut world = World::new(HubLimits::default());
    let a = world.framed("lobby");
    let b = world.framed("lobby");
    world.say(a, "", "1");
    let since = world.hub.room(b.seat).expect("a room").end();
    assert_eq!(world.take(b), texts(&["1"]));
    world.hub.remove_reader(b.reader);
    world.hub.set_away(world.now(), b.seat, true);
    world.say(a, "", "2");
    let transient = Publication {
        is_kept: false,
        ..publication("", "gone")
    };
    world
        .hub
        .publish(world.now(), a.seat, transient)
        .expect("published");
    world.say(a, "", "3");
    let view = world.hub.room(b.seat).expect("a room");
    assert!(view.has_transients_from(since));
    let filter = Filter::Everything;
    world
        .hub
        .add_reader(b.owner, b.seat, filter, Lag::Disconnect, Some(since));
    world.say(a, "", "4");
    assert_eq!(world.take(b), texts(&["2", "3", "4"]));
}

#[test]
fn transient_entries_go_when_all_present_have_them() {
    let mut world = World::new(HubLimits::default());
    let [a, b, c] = [(); 3].map(|()| world.framed("lobby"));
    for member in [a, b, c] {
        world.take(member).expect("presence");
    }
    let before = world.hub.ring_bytes();
    for n in 0..1000 {
        let transient = Publication {
            is_kept: false,
            ..publication("", &n.to_string())
        };
        world
            .hub
            .publish(world.now(), a.seat, transient)
            .expect("published");
        world.take(b).expect("fast");
    }
    assert!(world.hub.ring_bytes() > before);
    assert_eq!(world.take(c).map(|taken| taken.len()), Ok(1000));
    let left = world.hub.ring_bytes();
    assert!(left <= 3 * before, "{left}: at most as many as are kept");
    world.say(a, "", "kept");
    assert_eq!(world.take(c), texts(&["kept"]));
}

#[test]
fn who_falls_off_the_ring_is_treated_as_it_wants() {
    let limits = HubLimits {
        ring_messages_max: 8,
        ..HubLimits::default()
    };
    let mut world = World::new(limits);
    let a = world.plain("lobby", "chat");
    let fast = world.plain("lobby", "chat");
    let slow = world.plain("lobby", "chat");
    let gap = world.member("lobby", Filter::Everything, Lag::Gap);
    let skip = world.member("lobby", topic("chat"), Lag::Skip);
    assert_eq!(world.take(gap), texts(&["Joined 5"]));
    for n in 0..10 {
        world.say(a, "chat", &n.to_string());
        assert_eq!(world.take(fast), texts(&[&n.to_string()]));
    }
    let rest = ["2", "3", "4", "5", "6", "7", "8", "9"];
    assert_eq!(world.take(slow), Err(vec![]), "0 and 1 are gone");
    assert_eq!(world.take(skip), texts(&rest));
    let told = world.take(gap).expect("a gap is told");
    assert_eq!(told[0], "gap 5..7");
    assert_eq!(told[1..], rest);
    assert_eq!(world.hub.stats().evicted, 6, "two for each of three");
}

#[test]
fn the_ring_is_bounded_in_bytes_and_age() {
    let limits = HubLimits {
        ring_bytes_max: 10_000,
        ring_age_max: Duration::from_secs(10),
        ..HubLimits::default()
    };
    let mut world = World::new(limits);
    let a = world.plain("lobby", "chat");
    let slow = world.plain("lobby", "chat");
    for _ in 0..100 {
        world.say(a, "chat", &"x".repeat(500));
        assert!(world.hub.ring_bytes() <= 10_000);
    }
    assert_eq!(world.take(slow), Err(vec![]));
    world.leave(slow);
    world.now += 10_001;
    world.hub.expire(world.now());
    assert_eq!(world.hub.ring_bytes(), 0);
}

/// What a slow reader has, or whether it was told that it is slow.
fn after(limits: &HubLimits, messages: usize, wait_ms: u32) -> Result<usize, ()> {
    let mut world = World::new(limits.clone());
    let a = world.plain("lobby", "chat");
    let slow = world.plain("lobby", "chat");
    for _ in 0..messages {
        world.say(a, "chat", "of ten b.");
    }
    world.now += wait_ms;
    world.hub.expire(world.now());
    let taken = world.take(slow);
    taken.map(|taken| taken.len()).map_err(drop)
}

#[test]
fn a_ring_at_its_limits_and_one_past_them() {
    let unlimited = HubLimits::default;
    let messages = HubLimits {
        ring_messages_max: 8,
        ..unlimited()
    };
    assert_eq!(after(&messages, 8, 0), Ok(8));
    assert_eq!(after(&messages, 9, 0), Err(()));
    // An entry counts with its topic and its payload, each twice.
    let entry_bytes = size_of::<Entry>() + 2 * ("chat".len() + "of ten b.".len());
    let bytes = HubLimits {
        ring_bytes_max: 8 * entry_bytes,
        ..unlimited()
    };
    assert_eq!(after(&bytes, 8, 0), Ok(8));
    assert_eq!(after(&bytes, 9, 0), Err(()));
    let age = HubLimits {
        ring_age_max: Duration::from_secs(10),
        ..unlimited()
    };
    assert_eq!(after(&age, 8, 10_000), Ok(8));
    assert_eq!(after(&age, 8, 10_001), Err(()));
}

#[test]
fn an_eviction_wakes_whom_it_hurts() {
    let limits = HubLimits {
        ring_messages_max: 1,
        ..HubLimits::default()
    };
    let mut world = World::new(limits);
    let a = world.plain("lobby", "chat");
    let hurt = world.plain("lobby", "chat");
    world.say(a, "chat", "1");
    while world.hub.poll_ready().is_some() {}
    world.say(a, "files", "2");
    let ready: Vec<_> = std::iter::from_fn(|| world.hub.poll_ready()).collect();
    assert!(
        ready.contains(&hurt.owner),
        "its message made place for another topic's"
    );
    assert_eq!(world.take(hurt), Err(vec![]));
}

#[test]
fn limits_of_rooms_and_members() {
    let limits = HubLimits {
        rooms_max: 2,
        members_per_room_max: 2,
        ..HubLimits::default()
    };
    let mut world = World::new(limits);
    let name = |name: &str| name.parse().expect("a name");
    let a = world.framed("a");
    world.framed("a");
    assert_eq!(world.hub.admits(&name("a")), Err(ErrorCode::RoomFull));
    let b = world.framed("b");
    assert_eq!(world.hub.admits(&name("c")), Err(ErrorCode::TooManyRooms));
    world.leave(a);
    assert_eq!(world.hub.admits(&name("a")), Ok(()));
    world.leave(b);
    assert_eq!(
        world.hub.admits(&name("c")),
        Ok(()),
        "b only keeps its history"
    );
    world.framed("c");
    assert_eq!(world.hub.rooms(), 2, "b has made place");
}

#[test]
fn an_empty_room_keeps_its_history_for_a_while() {
    let mut world = World::new(HubLimits::default());
    let a = world.framed("lobby");
    world.say(a, "", "1");
    let epoch = world.hub.room(a.seat).expect("a room").epoch();
    world.leave(a);
    world.hub.expire(world.now());
    let back = world.framed("lobby");
    let view = world.hub.room(back.seat).expect("a room");
    assert_eq!(view.epoch(), epoch);
    assert_ne!(view.me(), MemberId::new(1), "ids are not used again");
    world.leave(back);
    world.now += 599_999;
    world.hub.expire(world.now());
    assert_eq!(world.hub.rooms(), 1);
    world.now += 1;
    world.hub.expire(world.now());
    assert_eq!(world.hub.rooms(), 0);
}
