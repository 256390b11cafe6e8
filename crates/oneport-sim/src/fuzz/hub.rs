//! The hub alone: whatever is done with it, each reader is shown what it is owed.

mod model;

use std::time::Duration;

use oneport_core::ErrorCode;
use oneport_core::hub::{
    Filter, Hub, HubLimits, Lag, Next, OwnerId, Profile, Publication, ReaderId, SeatId,
};
use oneport_wire::frame::LeaveReason;
use oneport_wire::{Epoch, MemberId, Offset, Payload, Recipients, RoomName, UnixMillis};

use super::scene::OPERATIONS_MAX;
use crate::Dice;
use model::{Model, Reads, Said};

/// How many owners there are, each with any number of readers.
const OWNERS: usize = 3;

/// Members come and go, publish and read, in small rooms that lose what is too old or too much, and a
/// model knows what each reader is owed.
///
/// # Panics
///
/// Where a reader is shown anything else, or not all of it, or the hub exceeds a bound.
pub fn hub(data: &[u8]) {
    let mut dice = Dice::chosen(data);
    let limits = HubLimits {
        rooms_max: 2,
        members_per_room_max: 4,
        ring_messages_max: *dice.pick(&[2, 5, 1000]),
        ring_bytes_max: *dice.pick(&[2000, 1 << 20]),
        ring_age_max: Duration::from_millis(*dice.pick(&[500, 1 << 30])),
        empty_room_age_max: Duration::from_millis(700),
    };
    let mut stage = Stage::new(dice, limits);
    for _ in 0..4 * OPERATIONS_MAX {
        if stage.dice.is_spent() {
            break;
        }
        stage.act();
        stage.check_bounds();
    }
    stage.end();
}

struct Stage {
    dice: Dice,
    limits: HubLimits,
    hub: Hub,
    model: Model,
    owners: [OwnerId; OWNERS],
    seats: Vec<SeatId>,
    readers: Vec<ReaderId>,
    now: u64,
    epochs: u64,
}

impl Stage {
    fn new(dice: Dice, limits: HubLimits) -> Self {
        let mut hub = Hub::new(limits.clone());
        let owners = [(); OWNERS].map(|()| hub.add_owner());
        Self {
            dice,
            limits,
            hub,
            model: Model::default(),
            owners,
            seats: Vec::new(),
            readers: Vec::new(),
            now: 1000,
            epochs: 0,
        }
    }

    fn now(&self) -> UnixMillis {
        UnixMillis::new(self.now).expect("not so late")
    }

    fn seat(&mut self) -> Option<SeatId> {
        let place = self.dice.index(self.seats.len());
        self.seats.get(place).copied()
    }

    fn act(&mut self) {
        let what = self.dice.below(16);
        match (what, self.seat()) {
            (0 | 1, _) | (_, None) => self.join(),
            (2, Some(seat)) => self.leave(seat),
            (3..7, Some(seat)) => self.publish(seat),
            (7 | 8, Some(seat)) => self.add_reader(seat),
            (9, _) => {
                let place = self.dice.index(self.readers.len());
                if let Some(reader) = self.readers.get(place).copied() {
                    self.hub.remove_reader(reader);
                    self.forget(reader);
                }
            }
            (10, Some(seat)) => {
                let is_away = self.dice.below(2) == 0;
                let before = self.end_of(seat);
                self.hub.set_away(self.now(), seat, is_away);
                self.note_presence(seat, before);
            }
            (11, Some(seat)) => {
                // Now and then it takes its name away.
                let number = self.dice.below(4);
                let name = (number < 3).then(|| format!("n{number}"));
                self.model.renames(seat, name.clone());
                let name = name.map(|name| name.parse().expect("a name"));
                let profile = Profile { name, meta: None };
                let before = self.end_of(seat);
                let told = self.hub.update(self.now(), seat, profile);
                assert_eq!(told.is_some(), self.end_of(seat) > before);
                self.note_presence(seat, before);
            }
            (12, _) => {
                self.now += self.dice.below(1000);
                self.hub.expire(self.now());
            }
            (13, Some(seat)) => self.look(seat),
            (_, _) => {
                let owner = self.dice.index(OWNERS);
                let count = self.dice.index(8);
                self.take(owner, count);
            }
        }
    }

    fn end_of(&self, seat: SeatId) -> Offset {
        self.hub.room(seat).expect("it is in a room").end()
    }

    fn join(&mut self) {
        let room: RoomName = format!("r{}", self.dice.below(3)).parse().expect("a name");
        self.epochs += 1;
        let epoch = Epoch::from_random(self.epochs.to_be_bytes());
        let admitted = self.hub.admits(&room);
        let joined = self.hub.join(self.now(), &room, epoch, Profile::default());
        assert_eq!(joined.as_ref().err(), admitted.as_ref().err());
        let Ok(seat) = joined else {
            return;
        };
        self.seats.push(seat);
        let view = self.hub.room(seat).expect("it is in a room");
        let (epoch, me) = (view.epoch(), view.me());
        self.model.joins(seat, epoch, me);
        let entry = Offset::new(view.end().get() - 1).expect("its own arrival");
        self.model.append(seat, entry, Said::presence(me));
    }

    fn leave(&mut self, seat: SeatId) {
        let offset = self.end_of(seat);
        self.seats.retain(|other| *other != seat);
        let gone = self.model.readers_of_seat(seat);
        gone.iter().for_each(|reader| self.forget(*reader));
        self.hub.leave(self.now(), seat, LeaveReason::Left);
        let me = self.model.member(seat);
        self.model.append(seat, offset, Said::presence(me));
        self.model.leaves(seat);
        assert!(self.hub.room(seat).is_none());
        let nothing = self
            .hub
            .publish(self.now(), seat, publication(None, false, true, ""));
        assert_eq!(nothing, Err(ErrorCode::NotInRoom));
    }

    fn note_presence(&mut self, seat: SeatId, before: Offset) {
        if self.end_of(seat) > before {
            let me = self.model.member(seat);
            self.model.append(seat, before, Said::presence(me));
        }
    }

    fn publish(&mut self, seat: SeatId) {
        let to = match self.dice.below(4) {
            0 => {
                let members = [self.dice.below(6), self.dice.below(6)];
                Recipients::new(members.map(|id| MemberId::new(id as u32))).ok()
            }
            _ => None,
        };
        let [echo, is_kept] = [self.dice.below(2) == 0, self.dice.below(3) > 0];
        let topic = *self.dice.pick(&["", "a"]);
        let said = Said::message(self.model.member(seat), to.clone(), echo, is_kept, topic);
        let stranger = to.iter().flat_map(|to| to.as_slice());
        let is_unknown = stranger
            .filter(|to| !self.model.is_member(seat, **to))
            .count()
            > 0;
        if self.dice.below(5) == 0 {
            let publication = publication(to, echo, is_kept, topic);
            match self.hub.audience(self.now(), seat, publication) {
                Ok((_, readers)) => {
                    let mut found: Vec<_> = readers.iter().map(|(_, reader)| *reader).collect();
                    found.sort();
                    assert_eq!(found, self.model.audience(seat, &said));
                }
                Err(error) => assert!(is_unknown, "{error:?}"),
            }
            return;
        }
        let before = self.end_of(seat);
        let publication = publication(to, echo, is_kept, topic);
        match self.hub.publish(self.now(), seat, publication) {
            Ok(offset) => {
                assert!(!is_unknown);
                assert_eq!(offset, before);
                self.model.append(seat, offset, said);
            }
            Err(error) => {
                assert!(is_unknown && error == ErrorCode::NoSuchMember, "{error:?}");
                assert_eq!(self.end_of(seat), before);
            }
        }
    }

    fn add_reader(&mut self, seat: SeatId) {
        let owner = self.dice.index(OWNERS);
        let filter = match self.dice.below(4) {
            0 => Filter::Nothing,
            1 => Filter::Topic("a".parse().expect("a topic")),
            _ => Filter::Everything,
        };
        let lag = *self.dice.pick(&[Lag::Gap, Lag::Skip, Lag::Disconnect]);
        let view = self.hub.room(seat).expect("it is in a room");
        let complete_from = view.complete_from();
        let since = (self.dice.below(2) == 0).then(|| {
            let back = self.dice.below(8);
            Offset::new(view.end().get().saturating_sub(back)).expect("smaller")
        });
        let owner = self.owners[owner];
        let reader = self.hub.add_reader(owner, seat, filter.clone(), lag, since);
        let reader = reader.expect("the owner and the seat are there");
        let since = since.map(|since| since.max(complete_from));
        let reads = Reads {
            seat,
            owner,
            filter,
            lag,
        };
        self.model.reads(reader, reads, since);
        self.readers.push(reader);
    }

    /// The member looks at its room.
    fn look(&mut self, seat: SeatId) {
        let view = self.hub.room(seat).expect("it is in a room");
        let before = Offset::new(view.end().get().saturating_sub(self.dice.below(4)));
        let before = before.expect("smaller");
        let history = view.history_before(before).map(|entry| entry.offset);
        let seen: Vec<_> = history.collect();
        let expected = self.model.history(seat, view.complete_from(), before);
        assert_eq!(seen, expected);
        for entry in view.history_before(before) {
            let author = entry.author().expect("history has messages");
            let name = view.name_of(author).map(|name| name.as_str());
            assert_eq!(name, self.model.name(seat, author));
        }
        assert_eq!(view.members_count(), view.members_after(None).count());
        assert_eq!(view.me(), self.model.member(seat));
    }

    /// An owner carries so much of what it is shown.
    fn take(&mut self, place: usize, count: usize) {
        let owner = self.owners[place];
        for _ in 0..count {
            let taken = match self.hub.next(owner) {
                Next::Idle => return,
                Next::Entry(reader, entry) => {
                    self.model.is_shown(reader, entry.offset);
                    reader
                }
                Next::Gap { reader, span, .. } => {
                    self.model.loses(reader, span);
                    reader
                }
                Next::Slow => {
                    self.model.is_too_slow(owner);
                    // As a relay does: the link is closed, and its client comes again.
                    self.hub.remove_owner(owner);
                    self.owners[place] = self.hub.add_owner();
                    let gone = self.model.readers_of_owner(owner);
                    gone.iter().for_each(|reader| self.forget(*reader));
                    return;
                }
            };
            self.hub.taken(taken);
        }
        // There may be more.
        self.hub.wake(owner);
    }

    fn forget(&mut self, reader: ReaderId) {
        self.readers.retain(|other| *other != reader);
        self.model.forget(reader);
    }

    fn check_bounds(&self) {
        assert!(self.hub.rooms() <= self.limits.rooms_max);
        assert!(self.hub.ring_bytes() <= self.limits.bytes_max());
        assert!(self.model.lost() <= self.hub.stats().evicted);
    }

    /// Who is ready takes everything, and nobody else was owed anything. Then all go.
    fn end(mut self) {
        while let Some(owner) = self.hub.poll_ready() {
            if let Some(place) = self.owners.iter().position(|other| *other == owner) {
                self.take(place, usize::MAX);
            }
        }
        self.model.has_nothing_left();
        self.check_bounds();
        for seat in std::mem::take(&mut self.seats) {
            self.hub.leave(self.now(), seat, LeaveReason::Left);
        }
        for owner in self.owners {
            self.hub.remove_owner(owner);
        }
        assert!(self.hub.is_deserted());
        self.now += 10_000;
        self.hub.expire(self.now());
        assert_eq!((self.hub.rooms(), self.hub.ring_bytes()), (0, 0));
    }
}

fn publication(to: Option<Recipients>, echo: bool, is_kept: bool, topic: &str) -> Publication {
    Publication {
        topic: topic.parse().expect("a topic"),
        to,
        echo,
        is_kept,
        payload: Payload::from("x").into_owned(),
    }
}
