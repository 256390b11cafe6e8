use super::*;

struct World {
    hub: Hub,
}

impl World {
    fn new(limits: HubLimits) -> Self {
        Self {
            hub: Hub::new(limits),
        }
    }

    fn member(&mut self, room: &str, label: &str) -> (MemberId, SubscriptionId) {
        let name = room.parse().expect("a name");
        let member = self.hub.join(&name).expect("admitted");
        let subscription = self.hub.subscribe(member, label, true).expect("a member");
        (member, subscription)
    }

    fn publish(&mut self, from: SubscriptionId, text: &str) -> usize {
        self.hub.publish(from, Kind::Text, text.into())
    }

    /// Everything that the member is owed, or `Err` with it if it was too slow.
    fn take(&mut self, member: MemberId) -> Result<Vec<String>, Vec<String>> {
        let mut taken = Vec::new();
        loop {
            let subscription = match self.hub.next(member) {
                Next::Idle => return Ok(taken),
                Next::Slow => return Err(taken),
                Next::Entry(subscription, entry) => {
                    taken.push(String::from_utf8(entry.payload.clone()).expect("text"));
                    subscription
                }
            };
            self.hub.taken(subscription);
        }
    }

    fn is_empty(&self) -> bool {
        let hub = &self.hub;
        hub.rooms.is_empty()
            && hub.room_by_name.is_empty()
            && hub.members.is_empty()
            && hub.subscriptions.is_empty()
    }
}

fn texts(texts: &[&str]) -> Result<Vec<String>, Vec<String>> {
    Ok(texts.iter().map(ToString::to_string).collect())
}

#[test]
fn others_of_the_same_room_and_label_take_it_in_order() {
    let mut world = World::new(HubLimits::default());
    let (a, a_chat) = world.member("lobby", "chat");
    let (b, b_chat) = world.member("lobby", "chat");
    let (c, _) = world.member("lobby", "chat");
    let (other_label, _) = world.member("lobby", "files");
    let (other_room, _) = world.member("attic", "chat");
    assert_eq!(world.publish(a_chat, "1"), 2);
    assert_eq!(world.publish(b_chat, "2"), 2);
    assert_eq!(world.publish(a_chat, "3"), 2);
    assert_eq!(world.take(a), texts(&["2"]));
    assert_eq!(world.take(b), texts(&["1", "3"]));
    assert_eq!(world.take(c), texts(&["1", "2", "3"]));
    assert_eq!(world.take(other_label), texts(&[]));
    assert_eq!(world.take(other_room), texts(&[]));
    assert_eq!(world.hub.ring_bytes(), 0, "taken by all is forgotten");
    let stats = world.hub.stats();
    assert_eq!((stats.published, stats.delivered, stats.evicted), (3, 6, 0));
}

#[test]
fn ready_names_each_receiver_once() {
    let mut world = World::new(HubLimits::default());
    let (_, a_chat) = world.member("lobby", "chat");
    let (b, _) = world.member("lobby", "chat");
    let (c, _) = world.member("lobby", "chat");
    world.publish(a_chat, "1");
    world.publish(a_chat, "2");
    assert!(world.hub.has_ready());
    let ready: Vec<_> = std::iter::from_fn(|| world.hub.poll_ready()).collect();
    assert_eq!(ready, [b, c]);
    world.hub.wake(b);
    world.hub.leave(b);
    assert_eq!(world.hub.poll_ready(), None, "who left is never ready");
}

#[test]
fn several_subscriptions_of_one_member_keep_the_order_of_the_room() {
    let mut world = World::new(HubLimits::default());
    let (a, chat) = world.member("lobby", "chat");
    let files = world.hub.subscribe(a, "files", true).expect("a member");
    let (b, _) = world.member("lobby", "chat");
    world.hub.subscribe(b, "files", true).expect("a member");
    world.hub.subscribe(b, "chat", true).expect("a member");
    for (from, text) in [(files, "1"), (chat, "2"), (files, "3")] {
        world.publish(from, text);
    }
    assert_eq!(
        world.take(b),
        texts(&["1", "2", "2", "3"]),
        "two channels, two copies"
    );
    assert_eq!(
        world.take(a),
        texts(&[]),
        "one's own other channel is not another member"
    );
}

#[test]
fn a_newcomer_takes_only_what_comes_after() {
    let mut world = World::new(HubLimits::default());
    let (_, a) = world.member("lobby", "chat");
    let (_slow, _) = world.member("lobby", "chat");
    world.publish(a, "before");
    let (late, _) = world.member("lobby", "chat");
    world.publish(a, "after");
    assert_eq!(world.take(late), texts(&["after"]));
}

#[test]
fn who_falls_off_the_ring_is_slow_and_the_others_lose_nothing() {
    let limits = HubLimits {
        ring_messages_max: 3,
        ..HubLimits::default()
    };
    let mut world = World::new(limits);
    let (_, a) = world.member("lobby", "chat");
    let (fast, _) = world.member("lobby", "chat");
    let (slow, _) = world.member("lobby", "chat");
    let lossy = world
        .hub
        .join(&"lobby".parse().expect("a name"))
        .expect("admitted");
    world.hub.subscribe(lossy, "chat", false).expect("a member");
    for n in 0..5 {
        world.publish(a, &n.to_string());
        assert_eq!(world.take(fast), texts(&[&n.to_string()]));
    }
    assert_eq!(world.take(slow), Err(vec![]), "0 and 1 are gone");
    assert_eq!(world.take(lossy), texts(&["2", "3", "4"]), "it skips");
    assert_eq!(world.hub.stats().evicted, 4);
    world.hub.leave(slow);
    assert_eq!(world.hub.ring_bytes(), 0, "nobody is owed anything");
}

#[test]
fn the_ring_is_bounded_in_bytes() {
    let limits = HubLimits {
        ring_bytes_max: 1000,
        ..HubLimits::default()
    };
    let mut world = World::new(limits);
    let (_, a) = world.member("lobby", "chat");
    let (slow, _) = world.member("lobby", "chat");
    for _ in 0..100 {
        world.publish(a, &"x".repeat(100));
        assert!(world.hub.ring_bytes() <= 1000);
    }
    assert_eq!(world.take(slow), Err(vec![]));
    world.publish(a, &"x".repeat(2000));
    assert_eq!(
        world.hub.ring_bytes(),
        0,
        "larger than the ring: evicted at once, and counted"
    );
}

#[test]
fn an_eviction_wakes_whom_it_hurts() {
    let limits = HubLimits {
        ring_messages_max: 1,
        ..HubLimits::default()
    };
    let mut world = World::new(limits);
    let (a, chat) = world.member("lobby", "chat");
    let files = world.hub.subscribe(a, "files", true).expect("a member");
    let (hurt, _) = world.member("lobby", "chat");
    let (_reader, _) = world.member("lobby", "files");
    world.publish(chat, "1");
    while world.hub.poll_ready().is_some() {}
    world.publish(files, "2");
    let ready: Vec<_> = std::iter::from_fn(|| world.hub.poll_ready()).collect();
    assert!(
        ready.contains(&hurt),
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
    let (a, _) = world.member("a", "chat");
    world.member("a", "chat");
    assert_eq!(world.hub.join(&name("a")), Err(Refusal::RoomFull));
    world.member("b", "chat");
    assert_eq!(world.hub.join(&name("c")), Err(Refusal::TooManyRooms));
    world.hub.leave(a);
    assert!(world.hub.join(&name("a")).is_ok());
}

/// A model without rings and cursors: a queue for each receiver. Random operations, the same for
/// both; in the end everybody leaves and nothing stays behind.
#[test]
fn does_what_a_queue_for_each_receiver_does() {
    for seed in 1..=200_u64 {
        let mut random = Random(seed);
        let mut world = World::new(HubLimits::default());
        let mut model: Vec<(MemberId, SubscriptionId, usize, Vec<String>)> = Vec::new();
        for step in 0..400 {
            match random.below(10) {
                0 | 1 if model.len() < 12 => {
                    let class = random.below(4);
                    let room = if class < 2 { "a" } else { "b" };
                    let label = if class.is_multiple_of(2) { "x" } else { "y" };
                    let (member, subscription) = world.member(room, label);
                    model.push((member, subscription, class, Vec::new()));
                }
                2 if !model.is_empty() => {
                    let (member, ..) = model.swap_remove(random.below(model.len()));
                    world.hub.leave(member);
                }
                3..=6 if !model.is_empty() => {
                    let (publisher, from, class, _) = model[random.below(model.len())];
                    let text = format!("{seed}.{step}");
                    world.publish(from, &text);
                    model
                        .iter_mut()
                        .filter(|(member, _, other, _)| *member != publisher && *other == class)
                        .for_each(|(.., queue)| queue.push(text.clone()));
                }
                _ if !model.is_empty() => {
                    let at = random.below(model.len());
                    let queue = std::mem::take(&mut model[at].3);
                    assert_eq!(
                        world.take(model[at].0),
                        Ok(queue),
                        "seed {seed} step {step}"
                    );
                }
                _ => {}
            }
        }
        for (member, ..) in model {
            world.hub.leave(member);
        }
        assert!(world.is_empty(), "seed {seed}");
    }
}

/// xorshift64: enough to choose operations.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }
}
