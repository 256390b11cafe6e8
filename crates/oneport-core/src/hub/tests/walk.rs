//! A walk over the hub from a seed: the same, to the bit, as a model at each step and as it ever was.

use std::collections::BTreeMap;

use super::super::*;
use super::model::{self, Model, What};
use oneport_wire::Epoch;
use oneport_wire::frame::{LeaveReason, PresenceChange};

const STEPS: usize = 2000;

/// All that came out of each walk, as one number. A change of the hub or of its frames that is meant
/// changes them: then the failing test says the new ones.
const HASHES: [(u64, u64); 4] = [
    (1, 3323301451647715783),
    (2, 3658541825318661665),
    (3, 2877895416866923494),
    (4, 175384125638558447),
];

#[test]
fn a_walk_is_the_same_as_ever() {
    let walked = HASHES.map(|(seed, _)| {
        let mut walk = Walk::new(seed);
        let hash = walk.walk();
        walk.assert_all_was_seen();
        (seed, hash)
    });
    assert_eq!(walked, HASHES, "what comes out of the hub has changed");
}

#[test]
fn any_walk_is_what_the_model_says() {
    for seed in 100..120 {
        let _ = Walk::new(seed).walk();
    }
}

/// What a hub leaves, another one goes on with, and nobody sees a difference.
#[test]
fn a_walk_goes_on_in_another_hub() {
    for seed in 200..204 {
        let mut walk = Walk::new(seed);
        for step in 0..STEPS {
            walk.step();
            if step % 97 == 96 {
                walk.hand_over();
                walk.compare();
            }
        }
        walk.end();
    }
}

/// FNV-1a of 64 bits (draft-eastlake-fnv): std's hashes may change with its version.
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Somebody in a room, and over which owner.
#[derive(Clone)]
struct Member {
    room: &'static str,
    id: u32,
    seat: SeatId,
    filter: Filter,
    lag: Lag,
    /// Its link: away if there is none. Then the offset that it still needs.
    at: Result<usize, usize>,
}

struct Walk {
    hub: Hub,
    model: Model,
    random: Random,
    now: u32,
    members: Vec<Member>,
    owners: BTreeMap<usize, OwnerId>,
    readers: BTreeMap<usize, ReaderId>,
    /// Owners and readers are numbered as they come.
    numbers: usize,
    /// How often each kind of thing came out of the hub.
    seen: BTreeMap<&'static str, u32>,
    hash: Fnv,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let limits = HubLimits {
            rooms_max: 3,
            members_per_room_max: 6,
            ring_messages_max: 16,
            // The model counts no bytes.
            ring_bytes_max: 1024 * 1024,
            ring_age_max: std::time::Duration::from_millis(800),
            empty_room_age_max: std::time::Duration::from_millis(300),
        };
        Self {
            hub: Hub::new(limits.clone()),
            model: Model::new(limits),
            random: Random(seed),
            now: 1000,
            members: Vec::new(),
            owners: BTreeMap::new(),
            readers: BTreeMap::new(),
            numbers: 0,
            seen: BTreeMap::new(),
            hash: Fnv(0xcbf2_9ce4_8422_2325),
        }
    }

    fn walk(&mut self) -> u64 {
        for _ in 0..STEPS {
            self.step();
        }
        self.end();
        self.hash.0
    }

    fn step(&mut self) {
        self.now += 1 + self.random.below(4) as u32;
        match self.random.below(100) {
            0..12 => self.join(),
            12..17 => self.leave(),
            17..48 => self.publish(),
            48..53 => self.publish_lossy(),
            53..57 => self.update(),
            57..60 => self.lose_link(),
            60..66 => self.come_back(),
            66..69 => self.expire(),
            69 if self.random.below(3) == 0 => self.leave_all(),
            69..75 => {}
            _ => self.carry(),
        }
        self.compare();
    }

    /// All links end, and another hub goes on with what this one leaves.
    fn hand_over(&mut self) {
        let links: Vec<_> = self.owners.keys().copied().collect();
        links.into_iter().for_each(|link| self.drop_link(link));
        self.expire();
        let states: Vec<_> = self.hub.states().collect();
        let bytes = postcard::to_allocvec(&states).expect("bytes");
        let mut heir = Hub::new(self.hub.limits.clone());
        for state in postcard::from_bytes::<Vec<RoomState<'_>>>(&bytes).expect("rooms") {
            let room = state.open().expect("a room");
            assert_eq!(heir.reopen(self.unix(), room), 0, "nothing is too old");
        }
        for member in &mut self.members {
            let room = member.room.parse().expect("a name");
            let seat = heir.seat_in(&room, MemberId::new(member.id));
            member.seat = seat.expect("a member");
        }
        let kept: usize = self.hub.rooms.values().map(kept_bytes).sum();
        assert_eq!(heir.ring_bytes(), kept);
        // Its readers count from the beginning again.
        self.readers.clear();
        self.hub = heir;
    }

    fn assert_all_was_seen(&self) {
        let come = [
            "entry",
            "gap",
            "slow",
            "refused",
            "no such member",
            "returned",
            "void",
            "lossy",
        ];
        for kind in come {
            assert!(self.seen.contains_key(kind), "no {kind}: {:?}", self.seen);
        }
    }

    fn unix(&self) -> UnixMillis {
        UnixMillis::from(self.now)
    }

    fn see(&mut self, kind: &'static str, numbers: &[u64]) {
        *self.seen.entry(kind).or_default() += 1;
        self.hash.add(kind.as_bytes());
        for number in numbers {
            self.hash.add(&number.to_be_bytes());
        }
    }

    fn number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    /// One of the members.
    fn someone(&mut self) -> Option<usize> {
        let count = self.members.len();
        (count > 0).then(|| self.random.below(count))
    }

    /// A link that is there, or a new one.
    fn link(&mut self) -> usize {
        let count = self.owners.len();
        let place = self.random.below(count + 2);
        if let Some(number) = self.owners.keys().nth(place) {
            return *number;
        }
        let number = self.number();
        let owner = self.hub.add_owner();
        self.owners.insert(number, owner);
        number
    }

    fn join(&mut self) {
        let room = ["lobby", "attic", "cellar", "roof"][self.random.below(4)];
        let name = room.parse().expect("a name");
        let epoch = Epoch::from_random([7; 8]);
        let seat = self.hub.join(self.unix(), &name, epoch, Profile::default());
        let id = self.model.join(self.now, room);
        assert_eq!(seat.is_ok(), id.is_some(), "{room}");
        let (Ok(seat), Some(id)) = (seat, id) else {
            return self.see("refused", &[]);
        };
        let filter = match self.random.below(6) {
            0..4 => Filter::Everything,
            4 => super::topic("x"),
            _ => Filter::Nothing,
        };
        let lag = [Lag::Disconnect, Lag::Gap, Lag::Skip][self.random.below(3)];
        let owner = self.link();
        let at = Ok(owner);
        self.members.push(Member {
            room,
            id,
            seat,
            filter,
            lag,
            at,
        });
        self.read(self.members.len() - 1, owner, None);
        self.see("joined", &[id.into()]);
    }

    fn read(&mut self, member: usize, owner: usize, since: Option<usize>) {
        let Member {
            room,
            id,
            seat,
            filter,
            lag,
            ..
        } = self.members[member].clone();
        let number = self.number();
        let offset = since.map(|since| Offset::from(since as u32));
        let reader = self
            .hub
            .add_reader(self.owners[&owner], seat, filter.clone(), lag, offset);
        self.readers.insert(number, reader.expect("a seat"));
        self.model
            .add_reader(number, owner, room, id, filter, lag, since);
    }

    fn leave(&mut self) {
        if let Some(at) = self.someone() {
            self.remove(at);
        }
    }

    /// A room becomes empty.
    fn leave_all(&mut self) {
        let Some(at) = self.someone() else {
            return;
        };
        let room = self.members[at].room;
        while let Some(at) = self.members.iter().position(|member| member.room == room) {
            self.remove(at);
        }
    }

    fn remove(&mut self, at: usize) {
        let Member { room, id, seat, .. } = self.members.swap_remove(at);
        self.hub.leave(self.unix(), seat, LeaveReason::Left);
        self.model.leave(self.now, room, id);
    }

    /// A message by somebody, as the hub and as the model have it.
    fn message(&mut self, by: &Member) -> (Publication, What) {
        let text = format!("{} {}", self.now, "x".repeat(self.random.below(40)));
        let topic = ["", "x"][self.random.below(2)];
        let count = self.random.below(6).saturating_sub(3);
        // Its neighbours, who may have left.
        let to = (0..count).map(|_| by.id.saturating_sub(3) + self.random.below(6) as u32);
        let to: Vec<u32> = to.collect();
        let echo = self.random.below(4) == 0;
        let recipients = Recipients::new(to.iter().map(|id| MemberId::new(*id))).ok();
        let to = recipients.as_ref().map(ids);
        let publication = Publication {
            to: recipients,
            echo,
            is_kept: self.random.below(3) > 0,
            ..super::publication(topic, &text)
        };
        let (from, topic) = (by.id, topic.to_string());
        (
            publication,
            What::Message {
                from,
                topic,
                to,
                echo,
                text,
            },
        )
    }

    fn publish(&mut self) {
        let Some(at) = self.someone() else {
            return;
        };
        let by = self.members[at].clone();
        let (publication, what) = self.message(&by);
        let is_kept = publication.is_kept;
        let published = self.hub.publish(self.unix(), by.seat, publication);
        let room = &self.model.rooms[by.room];
        let What::Message { to, .. } = &what else {
            return;
        };
        if to.iter().flatten().any(|to| !room.members.contains(to)) {
            assert_eq!(published, Err(ErrorCode::NoSuchMember));
            return self.see("no such member", &[]);
        }
        let offset = room.log.len() as u32;
        assert_eq!(published, Ok(Offset::from(offset)));
        self.model.append(self.now, by.room, what, is_kept);
        self.see("published", &[offset.into()]);
    }

    fn publish_lossy(&mut self) {
        let Some(at) = self.someone() else {
            return;
        };
        let by = self.members[at].clone();
        let (publication, what) = self.message(&by);
        let (to, echo) = (publication.to.clone(), publication.echo);
        let audience = self.hub.audience(self.unix(), by.seat, publication);
        let Ok((message, readers)) = audience else {
            return assert_eq!(audience.err(), Some(ErrorCode::NoSuchMember));
        };
        assert_eq!(message.offset, None);
        let members = &self.model.rooms[by.room].members;
        let is_to = |id: &&u32| {
            to.as_ref()
                .is_none_or(|to| to.contains(MemberId::new(**id)))
        };
        let others = members
            .iter()
            .filter(|id| **id != by.id)
            .filter(is_to)
            .count();
        let size = self.hub.audience_size(by.seat, to.as_ref(), echo);
        assert_eq!(size, others + usize::from(echo));
        let expected = self.model.audience(by.room, &what);
        let known: Vec<_> = expected.iter().map(|number| self.readers[number]).collect();
        assert_eq!(
            readers
                .iter()
                .map(|(_, reader)| *reader)
                .collect::<Vec<_>>(),
            known
        );
        let numbers: Vec<_> = expected.iter().map(|number| *number as u64).collect();
        self.see("lossy", &numbers);
    }

    fn update(&mut self) {
        let Some(at) = self.someone() else {
            return;
        };
        let Member { room, id, seat, .. } = self.members[at];
        let name = ["ada", "bob"][self.random.below(2)];
        let profile = Profile {
            name: name.parse().ok(),
            meta: None,
        };
        let known = self.hub.room(seat).expect("a seat").my_profile() == &profile;
        self.model.rename(room, id, name);
        let offset = self.hub.update(self.unix(), seat, profile);
        assert_eq!(offset.is_none(), known);
        if !known {
            self.model.tell(self.now, room, id, "updated");
        }
    }

    /// A link ends, and all who are here over it are away.
    fn lose_link(&mut self) {
        let count = self.owners.len();
        let Some(number) = self
            .owners
            .keys()
            .nth(self.random.below(count.max(1)))
            .copied()
        else {
            return;
        };
        self.drop_link(number);
    }

    fn drop_link(&mut self, number: usize) {
        let owner = self.owners.remove(&number).expect("a link");
        let readers = self.model.readers_of(number);
        let positions: BTreeMap<_, _> = readers
            .iter()
            .map(|r| (self.model.reads_for(*r), self.model.position(*r)))
            .collect();
        self.hub.remove_owner(owner);
        readers
            .into_iter()
            .for_each(|reader| self.model.remove_reader(reader));
        for member in 0..self.members.len() {
            let Member {
                room, id, seat, at, ..
            } = self.members[member];
            if at == Ok(number) {
                self.members[member].at = Err(positions[&(room.to_string(), id)]);
                self.hub.set_away(self.unix(), seat, true);
                self.model.tell(self.now, room, id, "away");
            }
        }
    }

    fn come_back(&mut self) {
        let away = self.members.iter().position(|member| member.at.is_err());
        let Some((member, since)) = away.and_then(|at| Some((at, self.members[at].at.err()?)))
        else {
            return;
        };
        let Member { room, id, seat, .. } = self.members[member];
        self.hub.set_away(self.unix(), seat, false);
        self.model.tell(self.now, room, id, "back");
        let owner = self.link();
        self.members[member].at = Ok(owner);
        self.read(member, owner, Some(since));
        self.see("returned", &[since as u64]);
    }

    fn expire(&mut self) {
        let before = self.hub.rooms();
        self.now += self.random.below(400) as u32;
        self.hub.expire(self.unix());
        self.model.expire(self.now);
        if self.hub.rooms() < before {
            self.see("void", &[]);
        }
    }

    /// The next link that has something carries a little of it.
    fn carry(&mut self) {
        let Some(owner) = self.hub.poll_ready() else {
            return;
        };
        let number = self.owners.iter().find(|(_, id)| **id == owner);
        let number = *number.expect("a link that is there").0;
        for _ in 0..self.random.below(5) {
            if !self.carry_one(number) {
                return;
            }
        }
        self.hub.wake(owner);
    }

    /// Whether there may be more.
    fn carry_one(&mut self, link: usize) -> bool {
        let expected = self.model.next(link);
        let named = |id: ReaderId| {
            *self
                .readers
                .iter()
                .find(|(_, r)| **r == id)
                .expect("known")
                .0
        };
        let (next, reader) = match self.hub.next(self.owners[&link]) {
            Next::Idle => (model::Next::Idle, None),
            Next::Slow => (model::Next::Slow, None),
            Next::Gap { reader, span, .. } => {
                let [from, to] = [span.from(), span.to()].map(|offset| offset.get() as usize);
                (model::Next::Gap(named(reader), from, to), Some(reader))
            }
            Next::Entry(reader, entry) => {
                let offset = entry.offset.get() as usize;
                let room = &self.model.rooms[entry.room().as_str()];
                assert_eq!(
                    (what(entry), entry.is_kept),
                    (room.log[offset].what.clone(), room.log[offset].is_kept)
                );
                self.hash.add(entry.frame().1);
                (model::Next::Entry(named(reader), offset), Some(reader))
            }
        };
        assert_eq!(next, expected);
        match next {
            model::Next::Idle => return false,
            model::Next::Slow => {
                self.see("slow", &[]);
                self.drop_link(link);
                return false;
            }
            model::Next::Gap(number, from, to) => {
                self.see("gap", &[number as u64, from as u64, to as u64]);
                self.model.taken(number);
            }
            model::Next::Entry(number, offset) => {
                self.see("entry", &[number as u64, offset as u64]);
                self.model.taken(number);
            }
        }
        self.hub.taken(reader.expect("something for a reader"));
        true
    }

    /// What can be seen from outside is the same, and no name is kept without a reason.
    fn compare(&self) {
        assert_eq!(self.hub.rooms(), self.model.rooms.len());
        for room in self.hub.rooms.values() {
            let departed = room.ring.departed().iter();
            let departed = departed.map(|(id, name)| (id.get(), name.as_str()));
            let expected = self.model.departed(room.name.as_str());
            assert!(departed.eq(expected));
        }
        for Member {
            room: name,
            id,
            seat,
            at,
            ..
        } in &self.members
        {
            let (view, room) = (
                self.hub.room(*seat).expect("a seat"),
                &self.model.rooms[*name],
            );
            assert_eq!((view.name().as_str(), view.me().get()), (*name, *id));
            assert_eq!(view.end().get() as usize, room.log.len());
            assert_eq!(view.complete_from().get() as usize, room.complete_from);
            let members: Vec<_> = view.members_after(None).collect();
            assert_eq!(members.len(), view.members_count());
            assert!(
                members
                    .iter()
                    .map(|member| member.id.get())
                    .eq(room.members.iter().copied())
            );
            let me = members.iter().find(|member| member.id.get() == *id);
            assert_eq!(me.map(|me| me.away), Some(at.is_err()));
            let history = view
                .history_before(view.end())
                .map(|entry| entry.offset.get() as usize);
            let expected = self.model.history(name, *id);
            assert!(history.eq(expected.iter().copied()));
            for offset in expected {
                let What::Message { from, .. } = room.log[offset].what else {
                    panic!("history has messages");
                };
                let author = view.name_of(MemberId::new(from));
                let author = author.map(|name| name.as_str());
                assert_eq!(author, room.names.get(&from).copied());
            }
            for from in [0, room.log.len() / 2, room.log.len()] {
                let transient = room.log.iter().skip(from).any(|entry| !entry.is_kept);
                assert_eq!(
                    view.has_transients_from(Offset::from(from as u32)),
                    transient
                );
            }
        }
    }

    /// Everything is carried, everybody goes, and nothing is left.
    fn end(&mut self) {
        while let Some(owner) = self.hub.poll_ready() {
            let number = self
                .owners
                .iter()
                .find(|(_, id)| **id == owner)
                .map(|(n, _)| *n);
            while number
                .is_some_and(|number| self.owners.contains_key(&number) && self.carry_one(number))
            {
            }
        }
        assert!(
            self.model.is_idle(),
            "somebody who is owed something was not woken"
        );
        while !self.members.is_empty() {
            self.leave();
        }
        for owner in std::mem::take(&mut self.owners).into_values() {
            self.hub.remove_owner(owner);
        }
        assert!(self.hub.is_deserted());
        self.now += 1000;
        self.expire();
        assert_eq!((self.hub.rooms(), self.hub.ring_bytes()), (0, 0));
        let HubStats {
            published,
            delivered,
            evicted,
            ..
        } = self.hub.stats();
        self.see("stats", &[published, delivered, evicted]);
    }
}

fn ids(recipients: &Recipients) -> Vec<u32> {
    recipients.as_slice().iter().map(|id| id.get()).collect()
}

/// The memory of what a room keeps.
fn kept_bytes(room: &Room) -> usize {
    let entries = room.ring.from(Offset::default());
    let kept = entries.filter(|entry| entry.is_kept);
    room.ring.departed().bytes() + kept.map(Entry::bytes).sum::<usize>()
}

/// An entry as the model has it.
fn what(entry: &Entry) -> What {
    match &entry.body {
        Body::Message { message, echo } => What::Message {
            from: message.from.get(),
            topic: message.topic.as_str().to_string(),
            to: message.to.as_ref().map(ids),
            echo: *echo,
            text: super::text(message),
        },
        Body::Presence(presence) => What::Presence {
            member: presence.member.id.get(),
            change: match presence.change {
                PresenceChange::Joined => "joined",
                PresenceChange::Left { .. } => "left",
                PresenceChange::Away => "away",
                PresenceChange::Back => "back",
                PresenceChange::Updated => "updated",
            }
            .to_string(),
        },
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
