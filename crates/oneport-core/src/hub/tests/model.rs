//! A hub without rings and cursors: each room has a log of all that ever happened, each reader a queue
//! of what it is owed. Slow and simple, to compare the real one with.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::{Filter, HubLimits, Lag};

/// A message or news of a member; ids are numbers here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Message {
        from: u32,
        topic: String,
        to: Option<Vec<u32>>,
        echo: bool,
        text: String,
    },
    Presence {
        member: u32,
        change: String,
    },
}

#[derive(Debug)]
pub(super) struct Logged {
    pub(super) what: What,
    pub(super) is_kept: bool,
    time: u32,
    sequence: u64,
    is_evicted: bool,
    owed: BTreeSet<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Room {
    /// What comes at which offset.
    pub(super) log: Vec<Logged>,
    pub(super) members: BTreeSet<u32>,
    /// The latest name of each member that ever had one.
    pub(super) names: BTreeMap<u32, &'static str>,
    pub(super) complete_from: usize,
    empty_since: Option<u32>,
    next_member: u32,
}

#[derive(Debug)]
struct Reader {
    owner: usize,
    room: String,
    member: u32,
    filter: Filter,
    lag: Lag,
    queue: VecDeque<usize>,
}

/// What [`Hub::next`](super::super::Hub::next) should answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Idle,
    Slow,
    /// Reader, offset.
    Entry(usize, usize),
    /// Reader, from, to.
    Gap(usize, usize, usize),
}

#[derive(Debug)]
pub(super) struct Model {
    limits: HubLimits,
    pub(super) rooms: BTreeMap<String, Room>,
    readers: BTreeMap<usize, Reader>,
    next_sequence: u64,
}

impl Logged {
    fn is_there(&self) -> bool {
        !self.is_evicted && (self.is_kept || !self.owed.is_empty())
    }
}

impl What {
    /// Whether a member takes it through a reader with this filter.
    fn is_for(&self, reader: u32, filter: &Filter) -> bool {
        match (self, filter) {
            (_, Filter::Nothing) | (Self::Presence { .. }, Filter::Topic(_)) => false,
            (Self::Presence { member, .. }, Filter::Everything) => *member != reader,
            (Self::Message { from, echo, .. }, Filter::Everything) if *from == reader => *echo,
            (
                Self::Message {
                    from, topic, to, ..
                },
                filter,
            ) => {
                let is_topic = match filter {
                    Filter::Topic(wanted) => wanted.as_str() == topic && *from != reader,
                    _ => true,
                };
                is_topic && to.as_ref().is_none_or(|to| to.contains(&reader))
            }
        }
    }
}

impl Room {
    fn start(&self) -> usize {
        let there = self.log.iter().position(Logged::is_there);
        there.unwrap_or(self.log.len())
    }

    fn evict(&mut self, limits: &HubLimits, now: u32) {
        let age_max = limits.ring_age_max.as_millis();
        loop {
            let count = self.log.iter().filter(|entry| entry.is_there()).count();
            let start = self.start();
            let Some(oldest) = self.log.get_mut(start) else {
                return;
            };
            let is_old = u128::from(now - oldest.time) > age_max;
            if count <= limits.ring_messages_max && !is_old {
                return;
            }
            oldest.is_evicted = true;
            if oldest.is_kept {
                self.complete_from = start + 1;
            }
        }
    }
}

impl Model {
    pub(super) fn new(limits: HubLimits) -> Self {
        Self {
            limits,
            rooms: BTreeMap::new(),
            readers: BTreeMap::new(),
            next_sequence: 0,
        }
    }

    /// The new member's id; `None` if it is refused.
    pub(super) fn join(&mut self, now: u32, name: &str) -> Option<u32> {
        if !self.rooms.contains_key(name) {
            if self.rooms.len() >= self.limits.rooms_max {
                let empty = self
                    .rooms
                    .iter()
                    .filter_map(|(name, room)| Some((room.empty_since?, name)));
                let (_, longest) = empty.min()?;
                let longest = longest.clone();
                self.rooms.remove(&longest);
            }
            self.rooms.insert(name.to_string(), Room::default());
        }
        let room = self.rooms.get_mut(name)?;
        if room.members.len() >= self.limits.members_per_room_max {
            return None;
        }
        room.empty_since = None;
        room.next_member += 1;
        let member = room.next_member;
        room.members.insert(member);
        self.tell(now, name, member, "joined");
        Some(member)
    }

    pub(super) fn leave(&mut self, now: u32, name: &str, member: u32) {
        let its = |reader: &Reader| reader.room == name && reader.member == member;
        let its: Vec<_> = self
            .readers
            .iter()
            .filter(|(_, r)| its(r))
            .map(|(n, _)| *n)
            .collect();
        its.into_iter()
            .for_each(|reader| self.remove_reader(reader));
        self.tell(now, name, member, "left");
        let room = self.rooms.get_mut(name).expect("a room");
        room.members.remove(&member);
        if room.members.is_empty() {
            room.empty_since = Some(now);
        }
        self.remove_if_void(name);
    }

    fn remove_if_void(&mut self, name: &str) {
        let room = &self.rooms[name];
        if room.empty_since.is_some() && !room.log.iter().any(Logged::is_there) {
            self.rooms.remove(name);
        }
    }

    pub(super) fn rename(&mut self, room: &str, member: u32, name: &'static str) {
        let room = self.rooms.get_mut(room).expect("a room");
        room.names.insert(member, name);
    }

    /// The members that have left, have a name, and have a message that is kept, by id.
    pub(super) fn departed(&self, room: &str) -> BTreeMap<u32, &'static str> {
        let room = &self.rooms[room];
        let kept = |entry: &&Logged| entry.is_kept && !entry.is_evicted;
        let author = |entry: &Logged| match entry.what {
            What::Message { from, .. } => Some((from, *room.names.get(&from)?)),
            What::Presence { .. } => None,
        };
        let named = room.log.iter().filter(kept).filter_map(author);
        named
            .filter(|(from, _)| !room.members.contains(from))
            .collect()
    }

    pub(super) fn tell(&mut self, now: u32, room: &str, member: u32, change: &str) {
        let change = change.to_string();
        self.append(now, room, What::Presence { member, change }, true);
    }

    pub(super) fn append(&mut self, now: u32, name: &str, what: What, is_kept: bool) {
        let room = self.rooms.get_mut(name).expect("a room");
        let offset = room.log.len();
        let mut owed = BTreeSet::new();
        for (number, reader) in &mut self.readers {
            if reader.room == name && what.is_for(reader.member, &reader.filter) {
                owed.insert(*number);
                reader.queue.push_back(offset);
            }
        }
        room.log.push(Logged {
            what,
            is_kept,
            time: now,
            sequence: self.next_sequence,
            is_evicted: false,
            owed,
        });
        self.next_sequence += 1;
        room.evict(&self.limits, now);
    }

    pub(super) fn expire(&mut self, now: u32) {
        let names: Vec<_> = self.rooms.keys().cloned().collect();
        for name in names {
            let room = self.rooms.get_mut(&name).expect("a room");
            room.evict(&self.limits, now);
            let age_max = self.limits.empty_room_age_max.as_millis();
            let is_old = |since| u128::from(now - since) >= age_max;
            if room.empty_since.is_some_and(is_old) {
                self.rooms.remove(&name);
            } else {
                self.remove_if_void(&name);
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one for each thing that a reader is"
    )]
    pub(super) fn add_reader(
        &mut self,
        number: usize,
        owner: usize,
        room: &str,
        member: u32,
        filter: Filter,
        lag: Lag,
        since: Option<usize>,
    ) {
        let log = &mut self.rooms.get_mut(room).expect("a room").log;
        let mut queue = VecDeque::new();
        for (offset, entry) in log.iter_mut().enumerate().skip(since.unwrap_or(usize::MAX)) {
            if entry.is_kept && entry.is_there() && entry.what.is_for(member, &filter) {
                entry.owed.insert(number);
                queue.push_back(offset);
            }
        }
        let room = room.to_string();
        self.readers.insert(
            number,
            Reader {
                owner,
                room,
                member,
                filter,
                lag,
                queue,
            },
        );
    }

    pub(super) fn remove_reader(&mut self, number: usize) {
        let reader = self.readers.remove(&number).expect("a reader");
        let log = &mut self.rooms.get_mut(&reader.room).expect("a room").log;
        for offset in reader.queue {
            log[offset].owed.remove(&number);
        }
    }

    /// The readers of an owner, the oldest first.
    pub(super) fn readers_of(&self, owner: usize) -> Vec<usize> {
        let its = self
            .readers
            .iter()
            .filter(|(_, reader)| reader.owner == owner);
        its.map(|(number, _)| *number).collect()
    }

    /// Who would get a message that is not in the ring.
    pub(super) fn audience(&self, name: &str, what: &What) -> Vec<usize> {
        let is_for =
            |reader: &Reader| reader.room == name && what.is_for(reader.member, &reader.filter);
        let readers = self.readers.iter().filter(|(_, reader)| is_for(reader));
        readers.map(|(number, _)| *number).collect()
    }

    /// For whom a reader takes entries.
    pub(super) fn reads_for(&self, number: usize) -> (String, u32) {
        let reader = &self.readers[&number];
        (reader.room.clone(), reader.member)
    }

    /// The first offset that a reader still needs, for when it comes back.
    pub(super) fn position(&self, number: usize) -> usize {
        let reader = &self.readers[&number];
        let end = self.rooms[&reader.room].log.len();
        reader.queue.front().copied().unwrap_or(end)
    }

    pub(super) fn next(&mut self, owner: usize) -> Next {
        let mut first: Option<(u64, Next)> = None;
        for (number, reader) in self.readers.iter_mut().filter(|(_, r)| r.owner == owner) {
            let room = &self.rooms[&reader.room];
            let is_gone = |offset: &usize| room.log[*offset].is_evicted;
            match (reader.queue.front(), reader.lag) {
                (Some(offset), Lag::Disconnect) if is_gone(offset) => return Next::Slow,
                (Some(offset), Lag::Gap) if is_gone(offset) => {
                    return Next::Gap(*number, *offset, room.start());
                }
                _ => reader.queue.retain(|offset| !is_gone(offset)),
            }
            if let Some(offset) = reader.queue.front() {
                let sequence = room.log[*offset].sequence;
                if first.as_ref().is_none_or(|(other, _)| sequence < *other) {
                    first = Some((sequence, Next::Entry(*number, *offset)));
                }
            }
        }
        first.map_or(Next::Idle, |(_, next)| next)
    }

    /// What [`Self::next`] said was taken.
    pub(super) fn taken(&mut self, number: usize) {
        let reader = self.readers.get_mut(&number).expect("a reader");
        let log = &mut self.rooms.get_mut(&reader.room).expect("a room").log;
        let Some(offset) = reader.queue.front().copied() else {
            return;
        };
        if log[offset].is_evicted {
            reader.queue.retain(|offset| !log[*offset].is_evicted);
        } else {
            reader.queue.pop_front();
            log[offset].owed.remove(&number);
        }
    }

    /// Messages before an offset that a member may see, latest first.
    pub(super) fn history(&self, name: &str, member: u32) -> Vec<usize> {
        let is_visible = |entry: &Logged| match &entry.what {
            What::Message { from, to, .. } => {
                let is_addressed = to.as_ref().is_none_or(|to| to.contains(&member));
                entry.is_kept && !entry.is_evicted && (is_addressed || *from == member)
            }
            What::Presence { .. } => false,
        };
        let log = self.rooms[name].log.iter().enumerate().rev();
        log.filter(|(_, entry)| is_visible(entry))
            .map(|(offset, _)| offset)
            .collect()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.readers.values().all(|reader| reader.queue.is_empty())
    }
}
