//! What a hub should do, as simple as it can be written down.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use oneport_core::hub::{Filter, Lag, OwnerId, ReaderId, SeatId};
use oneport_wire::{Epoch, MemberId, Offset, Recipients, Span};

/// Every entry that there ever was, and what each reader is owed of it.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// By their epochs: a room that comes again is another one.
    rooms: BTreeMap<String, Room>,
    seats: BTreeMap<SeatId, (String, MemberId)>,
    readers: BTreeMap<ReaderId, Reader>,
    lost: u64,
}

#[derive(Debug, Default)]
struct Room {
    members: BTreeSet<MemberId>,
    /// The latest name of each member that has or had one.
    names: BTreeMap<MemberId, String>,
    log: Vec<(Offset, Said)>,
}

/// How a reader reads.
#[derive(Clone, Debug)]
pub(super) struct Reads {
    pub(super) seat: SeatId,
    pub(super) owner: OwnerId,
    pub(super) filter: Filter,
    pub(super) lag: Lag,
}

#[derive(Debug)]
struct Reader {
    reads: Reads,
    owed: VecDeque<Offset>,
}

/// An entry.
#[derive(Clone, Debug)]
pub(super) struct Said {
    is_presence: bool,
    by: MemberId,
    to: Option<Recipients>,
    echo: bool,
    is_kept: bool,
    topic: &'static str,
}

impl Said {
    pub(super) fn presence(of: MemberId) -> Self {
        Self {
            is_presence: true,
            ..Self::message(of, None, false, true, "")
        }
    }

    pub(super) fn message(
        by: MemberId,
        to: Option<Recipients>,
        echo: bool,
        is_kept: bool,
        topic: &'static str,
    ) -> Self {
        Self {
            is_presence: false,
            by,
            to,
            echo,
            is_kept,
            topic,
        }
    }

    fn is_for(&self, member: MemberId, filter: &Filter) -> bool {
        let is_own = self.by == member;
        let is_addressed = self.to.as_ref().is_none_or(|to| to.contains(member));
        match filter {
            Filter::Nothing => false,
            Filter::Everything if is_own => self.echo,
            Filter::Everything => is_addressed,
            Filter::Topic(topic) => {
                !self.is_presence && !is_own && is_addressed && topic.as_str() == self.topic
            }
        }
    }
}

impl Model {
    pub(super) fn joins(&mut self, seat: SeatId, epoch: Epoch, member: MemberId) {
        let room = epoch.to_string();
        let known = self.rooms.entry(room.clone()).or_default();
        assert!(known.members.insert(member), "an id is not used again");
        self.seats.insert(seat, (room, member));
    }

    pub(super) fn leaves(&mut self, seat: SeatId) {
        if let Some((room, member)) = self.seats.remove(&seat) {
            let room = self.rooms.entry(room).or_default();
            room.members.remove(&member);
        }
    }

    pub(super) fn renames(&mut self, seat: SeatId, name: Option<String>) {
        let (room, member) = &self.seats[&seat];
        let names = &mut self.rooms.entry(room.clone()).or_default().names;
        match name {
            Some(name) => names.insert(*member, name),
            None => names.remove(member),
        };
    }

    /// The latest name of a member of the same room, whether or not it has left.
    pub(super) fn name(&self, seat: SeatId, member: MemberId) -> Option<&str> {
        let room = &self.rooms[&self.seats[&seat].0];
        room.names.get(&member).map(String::as_str)
    }

    pub(super) fn member(&self, seat: SeatId) -> MemberId {
        self.seats[&seat].1
    }

    pub(super) fn is_member(&self, seat: SeatId, member: MemberId) -> bool {
        self.rooms[&self.seats[&seat].0].members.contains(&member)
    }

    /// The readers that this would go to.
    pub(super) fn audience(&self, seat: SeatId, said: &Said) -> Vec<ReaderId> {
        let room = &self.seats[&seat].0;
        let is_for = |(_, reader): &(&ReaderId, &Reader)| {
            let (its_room, member) = &self.seats[&reader.reads.seat];
            its_room == room && said.is_for(*member, &reader.reads.filter)
        };
        let readers = self.readers.iter().filter(is_for);
        readers.map(|(id, _)| *id).collect()
    }

    pub(super) fn append(&mut self, seat: SeatId, offset: Offset, said: Said) {
        for reader in self.audience(seat, &said) {
            if let Some(reader) = self.readers.get_mut(&reader) {
                reader.owed.push_back(offset);
            }
        }
        let room = self.rooms.entry(self.seats[&seat].0.clone()).or_default();
        room.log.push((offset, said));
    }

    /// Since then, of what was kept; or only what comes.
    pub(super) fn reads(&mut self, id: ReaderId, reads: Reads, since: Option<Offset>) {
        let (room, member) = &self.seats[&reads.seat];
        let is_owed = |(offset, said): &&(Offset, Said)| {
            let is_late = since.is_some_and(|since| *offset >= since);
            is_late && said.is_kept && said.is_for(*member, &reads.filter)
        };
        let log = self.rooms[room].log.iter().filter(is_owed);
        let owed = log.map(|(offset, _)| *offset).collect();
        self.readers.insert(id, Reader { reads, owed });
    }

    pub(super) fn readers_of_seat(&self, seat: SeatId) -> Vec<ReaderId> {
        self.readers_that(|reads| reads.seat == seat)
    }

    pub(super) fn readers_of_owner(&self, owner: OwnerId) -> Vec<ReaderId> {
        self.readers_that(|reads| reads.owner == owner)
    }

    fn readers_that(&self, are: impl Fn(&Reads) -> bool) -> Vec<ReaderId> {
        let readers = self.readers.iter().filter(|(_, reader)| are(&reader.reads));
        readers.map(|(id, _)| *id).collect()
    }

    pub(super) fn forget(&mut self, reader: ReaderId) {
        self.readers.remove(&reader);
    }

    /// What a reader is shown is what it is owed next; only one that may skip has lost what was before.
    pub(super) fn is_shown(&mut self, id: ReaderId, offset: Offset) {
        let reader = self.readers.get_mut(&id).expect("it reads");
        while let Some(next) = reader.owed.pop_front() {
            if next == offset {
                return;
            }
            assert_eq!(reader.reads.lag, Lag::Skip, "{next:?} before {offset:?}");
            self.lost += 1;
        }
        panic!("{id:?} was not owed {offset:?}");
    }

    /// A reader is told that it has lost these: it was owed the first, and is owed no other of them.
    pub(super) fn loses(&mut self, id: ReaderId, span: Span) {
        let reader = self.readers.get_mut(&id).expect("it reads");
        assert_eq!(reader.reads.lag, Lag::Gap);
        assert_eq!(reader.owed.front(), Some(&span.from()));
        while reader.owed.front().is_some_and(|next| *next < span.to()) {
            reader.owed.pop_front();
            self.lost += 1;
        }
    }

    /// An owner is told that it is too slow: one of its readers wants that, and was owed something.
    pub(super) fn is_too_slow(&self, owner: OwnerId) {
        let wants_it = |id: &ReaderId| {
            let reader = &self.readers[id];
            reader.reads.lag == Lag::Disconnect && !reader.owed.is_empty()
        };
        assert!(self.readers_of_owner(owner).iter().any(wants_it));
    }

    /// How many entries readers have lost. Each must have been evicted.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// All have taken all; what is still owed to one that may skip is lost.
    pub(super) fn has_nothing_left(&mut self) {
        for (id, reader) in &mut self.readers {
            let left = std::mem::take(&mut reader.owed);
            assert!(
                left.is_empty() || reader.reads.lag == Lag::Skip,
                "{id:?} was not shown {left:?}"
            );
            self.lost += left.len() as u64;
        }
    }

    /// The messages that a member may see in this part of its room's log, the latest first.
    pub(super) fn history(&self, seat: SeatId, from: Offset, before: Offset) -> Vec<Offset> {
        let (room, me) = &self.seats[&seat];
        let is_visible = |(offset, said): &&(Offset, Said)| {
            let is_addressed = said.to.as_ref().is_none_or(|to| to.contains(*me));
            let is_there = said.is_kept && *offset >= from && *offset < before;
            is_there && !said.is_presence && (is_addressed || said.by == *me)
        };
        let log = self.rooms[room].log.iter().rev().filter(is_visible);
        log.map(|(offset, _)| *offset).collect()
    }
}
