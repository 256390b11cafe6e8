//! The names of authors: those of members, and those of members that have left.

use super::*;

impl World {
    fn named(&mut self, room: &str, name: &str) -> Member {
        let member = self.framed(room);
        self.rename(member, Some(name));
        member
    }

    fn rename(&mut self, member: Member, name: Option<&str>) {
        let profile = Profile {
            name: name.map(|name| name.parse().expect("a name")),
            meta: None,
        };
        self.hub.update(self.now(), member.seat, profile);
    }

    /// The name of a member in the eyes of another.
    fn name(&self, viewer: Member, id: u32) -> Option<String> {
        let view = self.hub.room(viewer.seat).expect("a seat");
        view.name_of(MemberId::new(id)).map(ToString::to_string)
    }

    /// The names that the room keeps of members that have left.
    fn departed(&self, room: &str) -> Vec<(u32, String)> {
        let room = self.hub.room_by_name.get(room).expect("a room");
        let departed = self.hub.rooms[*room].ring.departed().iter();
        departed
            .map(|(id, name)| (id.get(), name.to_string()))
            .collect()
    }
}

fn limits(ring_messages_max: usize) -> HubLimits {
    HubLimits {
        ring_messages_max,
        ..HubLimits::default()
    }
}

#[test]
fn the_latest_name_stays_when_its_member_leaves() {
    let mut world = World::new(HubLimits::default());
    let viewer = world.framed("lobby");
    let ada = world.named("lobby", "ada");
    world.say(ada, "", "1");
    assert_eq!(world.name(viewer, 2).as_deref(), Some("ada"));
    world.rename(ada, Some("ada l."));
    assert_eq!(world.name(viewer, 2).as_deref(), Some("ada l."));
    world.leave(ada);
    assert_eq!(world.name(viewer, 2).as_deref(), Some("ada l."));
    // Another stay is another member.
    let again = world.named("lobby", "ada ii");
    world.say(again, "", "2");
    world.leave(again);
    assert_eq!(
        world.departed("lobby"),
        [(2, "ada l.".into()), (3, "ada ii".into())]
    );
}

#[test]
fn names_of_whom_no_message_is_kept_are_not_kept() {
    let mut world = World::new(HubLimits::default());
    let viewer = world.named("lobby", "viewer");
    let silent = world.named("lobby", "silent");
    let transient = world.named("lobby", "transient");
    let nameless = world.named("lobby", "nameless");
    let publication = Publication {
        is_kept: false,
        ..publication("", "now")
    };
    let published = world.hub.publish(world.now(), transient.seat, publication);
    assert!(published.is_ok());
    world.say(nameless, "", "kept");
    world.rename(nameless, None);
    for member in [silent, transient, nameless] {
        world.leave(member);
    }
    let by_relay = super::publication("", "of the relay");
    let room = "lobby".parse().expect("a name");
    let announced = world.hub.announce(world.now(), &room, by_relay);
    assert!(announced.is_ok());
    assert_eq!(world.departed("lobby"), []);
    assert_eq!(world.name(viewer, MemberId::RELAY.get()), None);
    assert_eq!(world.name(viewer, 4), None);
}

#[test]
fn a_name_goes_with_the_last_message_of_its_member() {
    let mut world = World::new(limits(8));
    let viewer = world.framed("lobby");
    let ada = world.named("lobby", "ada");
    world.say(ada, "", "first");
    world.say(ada, "", "last");
    world.leave(ada);
    // Of 8 entries, "last" is the second to last.
    for _ in 0..6 {
        assert_eq!(world.departed("lobby"), [(2, "ada".into())]);
        world.say(viewer, "", "x");
    }
    assert_eq!(world.departed("lobby"), [(2, "ada".into())]);
    world.say(viewer, "", "x");
    assert_eq!(world.departed("lobby"), []);
    assert_eq!(world.name(viewer, 2), None);
}

#[test]
fn who_leaves_as_its_last_message_does_leaves_no_name() {
    let mut world = World::new(limits(4));
    let viewer = world.framed("lobby");
    let ada = world.named("lobby", "ada");
    world.say(ada, "", "only");
    for _ in 0..3 {
        world.say(viewer, "", "x");
    }
    // The news that she leaves pushes her message out.
    world.leave(ada);
    assert_eq!(world.departed("lobby"), []);
    let bob = world.named("lobby", "bob");
    world.say(bob, "", "only");
    for _ in 0..4 {
        world.say(viewer, "", "x");
    }
    world.leave(bob);
    assert_eq!(world.departed("lobby"), []);
}

#[test]
fn a_name_counts_as_memory_of_the_ring() {
    let mut world = World::new(HubLimits::default());
    let _viewer = world.framed("lobby");
    let [ada, eve] = ["ada", "eve"].map(|name| world.named("lobby", name));
    world.say(ada, "", "");
    let before = world.hub.ring_bytes();
    world.leave(eve);
    let without_a_name = world.hub.ring_bytes() - before;
    world.leave(ada);
    let with_a_name = world.hub.ring_bytes() - before - without_a_name;
    // The text, its allocation and two entries of maps.
    assert!(with_a_name >= without_a_name + "ada".len() + 64);
}

/// Many come, speak and leave. The ring has as many bytes as it may, with all names.
#[test]
fn names_do_not_exceed_the_bytes_of_the_ring() {
    let ring_bytes_max = 64 * 1024;
    let mut world = World::new(HubLimits {
        ring_bytes_max,
        ..HubLimits::default()
    });
    let viewer = world.framed("lobby");
    for number in 0..1000 {
        let name = format!("{number:064}");
        let member = world.named("lobby", &name);
        world.say(member, "", "");
        world.leave(member);
        assert!(world.hub.ring_bytes() <= ring_bytes_max);
    }
    let view = world.hub.room(viewer.seat).expect("a seat");
    let kept = view.history_before(view.end()).count();
    assert!((10..1000).contains(&kept), "{kept}");
    assert_eq!(world.departed("lobby").len(), kept);
    world.hub.leave(world.now(), viewer.seat, LeaveReason::Left);
    world.now += 24 * 3600 * 1000 + 1;
    world.hub.expire(world.now());
    assert_eq!((world.hub.rooms(), world.hub.ring_bytes()), (0, 0));
}

#[test]
fn a_state_of_names_that_cannot_be_is_refused() {
    let mut world = World::new(HubLimits::default());
    let viewer = world.named("lobby", "viewer");
    world.say(viewer, "", "x");
    let ada = world.named("lobby", "ada");
    world.say(ada, "", "x");
    world.leave(ada);
    let silent = world.framed("lobby");
    world.leave(silent);
    let with = |departed: &[(u32, &str)]| {
        let mut state = world.hub.states().next().expect("a room");
        let named = |(id, name): &(u32, &str)| (MemberId::new(*id), name.parse().expect("a name"));
        state.departed = departed.iter().map(named).collect();
        state.open().map(drop)
    };
    assert_eq!(with(&[(2, "ada")]), Ok(()));
    let nobody = Err("a name of nobody");
    assert_eq!(with(&[(1, "viewer")]), nobody, "a member");
    assert_eq!(
        with(&[(3, "silent")]),
        nobody,
        "of whom there is no message"
    );
    assert_eq!(with(&[(0, "the relay")]), nobody);
    assert_eq!(with(&[(9, "stranger")]), nobody);
    assert_eq!(with(&[(2, "ada"), (2, "eve")]), nobody, "twice");
}
