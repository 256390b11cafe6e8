//! What a room leaves to the next relay: who is in it, and what was said.
//!
//! An entry is stored as its frame of `oneport.v1`, which says everything about it that its receivers
//! may know, and whose reader trusts nobody. Only entries that are kept are stored: the others were for
//! those who were there, and whoever comes back is told that it has missed some.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use oneport_wire::frame::{Presence, ServerFrame};
use oneport_wire::{Epoch, Kind, MemberId, MemberName, Meta, Offset, RoomName, UnixMillis};
use serde::{Deserialize, Serialize};

use super::ring::Ring;
use super::room::Room;
use super::seat::Seat;
use super::{Body, Entry, Hub, Profile, SeatId};

/// Offsets and sequence numbers beyond this are no relay's: there must be some left for what comes.
const NUMBER_MAX: u64 = 1 << 52;

/// What is wrong with a state. Nothing of it is used then.
pub(crate) type Flaw = &'static str;

/// A room, as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct RoomState<'a> {
    name: RoomName,
    epoch: Epoch,
    next_member: u32,
    end: Offset,
    complete_from: Offset,
    last_transient: Option<Offset>,
    empty_since: Option<UnixMillis>,
    members: Vec<MemberState>,
    #[serde(borrow)]
    entries: Vec<EntryState<'a>>,
    /// The names of authors that have left, by id.
    pub(super) departed: Vec<(MemberId, MemberName)>,
}

/// A member, as it is stored.
#[derive(Serialize, Deserialize)]
struct MemberState {
    id: MemberId,
    name: Option<MemberName>,
    /// As JSON.
    meta: Option<String>,
    is_away: bool,
}

/// An entry, as it is stored.
#[derive(Serialize, Deserialize)]
struct EntryState<'a> {
    sequence: u64,
    /// Whether its author is to get it as well.
    echo: bool,
    is_text: bool,
    #[serde(borrow, with = "serde_bytes")]
    frame: Cow<'a, [u8]>,
}

/// A room that was stored and can be opened again: everything in it was looked at.
pub(crate) struct StoredRoom {
    room: Room,
    /// With what is known of each, and whether it is away.
    members: BTreeMap<MemberId, (Profile, bool)>,
}

impl Hub {
    /// All rooms, to be stored.
    pub(crate) fn states(&self) -> impl Iterator<Item = RoomState<'_>> {
        self.rooms.values().map(|room| {
            let member = |(id, seat): (&MemberId, &SeatId)| {
                let Seat {
                    profile, is_away, ..
                } = &self.seats[*seat];
                MemberState {
                    id: *id,
                    name: profile.name.clone(),
                    meta: profile.meta.as_ref().map(|meta| meta.as_json().to_owned()),
                    is_away: *is_away,
                }
            };
            let entries = room.ring.from(Offset::default());
            RoomState {
                name: room.name.clone(),
                epoch: room.epoch,
                next_member: room.next_member(),
                end: room.ring.end(),
                complete_from: room.ring.complete_from(),
                last_transient: room.ring.last_transient(),
                empty_since: room.empty_since,
                members: room.members.iter().map(member).collect(),
                entries: entries
                    .filter(|entry| entry.is_kept)
                    .map(EntryState::of)
                    .collect(),
                departed: room
                    .ring
                    .departed()
                    .iter()
                    .map(|(member, name)| (member, name.clone()))
                    .collect(),
            }
        })
    }

    /// Opens a room again, with all its members, as far as the limits of rings allow. There must be
    /// none of that name. Answers how many entries had to go.
    pub(crate) fn reopen(&mut self, now: UnixMillis, stored: StoredRoom) -> usize {
        let StoredRoom { room, members } = stored;
        let next = room
            .ring
            .from(Offset::default())
            .map(|entry| entry.sequence + 1);
        self.next_sequence = next.fold(self.next_sequence, u64::max);
        let last_messages = room.ring.last_messages();
        let name = room.name.clone();
        let id = self.rooms.insert(room);
        self.room_by_name.insert(name, id);
        for (member, (profile, is_away)) in members {
            let seat = Seat {
                is_away,
                last_message: last_messages.get(&member).copied(),
                ..Seat::new(id, member, profile)
            };
            let seat = self.seats.insert(seat);
            self.rooms[id].members.insert(member, seat);
        }
        let entries = |hub: &Self| hub.rooms[id].ring.len();
        let before = entries(self);
        self.evict(now, id);
        before - entries(self)
    }

    /// The seat of a member of a room, if both are there.
    pub(crate) fn seat_in(&self, room: &RoomName, member: MemberId) -> Option<SeatId> {
        let room = *self.room_by_name.get(room)?;
        self.rooms[room].members.get(&member).copied()
    }

    /// All seats, by their members' places in the hub.
    pub(crate) fn seats(&self) -> impl Iterator<Item = SeatId> {
        self.seats.keys()
    }
}

impl<'a> EntryState<'a> {
    fn of(entry: &'a Entry) -> Self {
        let (kind, frame) = entry.frame();
        Self {
            sequence: entry.sequence,
            echo: matches!(entry.body, Body::Message { echo: true, .. }),
            is_text: kind == Kind::Text,
            frame: frame.into(),
        }
    }

    fn open(&self, room: &RoomName) -> Result<Entry, Flaw> {
        let kind = match self.is_text {
            true => Kind::Text,
            false => Kind::Binary,
        };
        let (name, offset, time, body) = match ServerFrame::decode(kind, &self.frame) {
            Ok(ServerFrame::Message(message)) => {
                let message = message.into_owned();
                let (name, offset, time) = (message.room.clone(), message.offset, message.time);
                let echo = self.echo;
                (name, offset, time, Body::Message { message, echo })
            }
            Ok(ServerFrame::Presence(presence)) => {
                let Presence {
                    room, offset, time, ..
                } = &presence;
                (room.clone(), Some(*offset), *time, Body::Presence(presence))
            }
            _ => return Err("an entry is none"),
        };
        if name != *room || self.sequence > NUMBER_MAX {
            return Err("an entry of another room");
        }
        Ok(Entry {
            offset: offset.ok_or("an entry without a place")?,
            time,
            body,
            is_kept: true,
            sequence: self.sequence,
            owed: 0,
            frame: OnceCell::new(),
        })
    }
}

impl RoomState<'_> {
    /// The room that it was, if it can have been one.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn open(self) -> Result<StoredRoom, Flaw> {
        let mut entries = Vec::with_capacity(self.entries.len());
        let mut from = self.complete_from;
        for stored in &self.entries {
            let entry = stored.open(&self.name)?;
            if entry.offset < from {
                return Err("entries out of order");
            }
            from = entry.offset.next().ok_or("an entry beyond the last")?;
            entries.push(entry);
        }
        let ends = [Some(from), self.last_transient.and_then(Offset::next)];
        if ends.into_iter().flatten().any(|end| end > self.end) || self.end.get() > NUMBER_MAX {
            return Err("a room that ends before its entries");
        }
        if self.members.is_empty() != self.empty_since.is_some() {
            return Err("a room that is empty and is not");
        }
        let count = self.members.len();
        let members = self.members.into_iter().map(MemberState::open);
        let members = members.collect::<Result<BTreeMap<_, _>, _>>()?;
        // 0 is the relay itself.
        let is_known = |id: &MemberId| (1..self.next_member).contains(&id.get());
        if members.len() < count || self.next_member == 0 || !members.keys().all(is_known) {
            return Err("a member that is another one");
        }
        let mut ring = Ring::reopened(entries, self.end, self.complete_from, self.last_transient);
        let last_messages = ring.last_messages();
        for (member, name) in self.departed {
            let last_message = last_messages.get(&member);
            let is_new = is_known(&member) && ring.departed().name(member).is_none();
            match last_message.filter(|_| is_new && !members.contains_key(&member)) {
                Some(offset) => ring.keep_name(*offset, member, name),
                None => return Err("a name of nobody"),
            }
        }
        let mut room = Room::new(self.name, self.epoch);
        room.reopen(ring, self.next_member, self.empty_since);
        Ok(StoredRoom { room, members })
    }
}

impl MemberState {
    fn open(self) -> Result<(MemberId, (Profile, bool)), Flaw> {
        let meta = self.meta.map(|json| json.parse::<Meta>()).transpose();
        let profile = Profile {
            name: self.name,
            meta: meta.map_err(|_| "metadata that is none")?,
        };
        Ok((self.id, (profile, self.is_away)))
    }
}

impl StoredRoom {
    /// Its name.
    pub(crate) fn name(&self) -> &RoomName {
        &self.room.name
    }

    /// Whether it has this member.
    pub(crate) fn has(&self, member: MemberId) -> bool {
        self.members.contains_key(&member)
    }

    /// The offset of its next entry.
    pub(crate) fn end(&self) -> Offset {
        self.room.ring.end()
    }

    /// How many entries it has.
    pub(crate) fn entries(&self) -> usize {
        self.room.ring.len()
    }

    /// Since when nobody is in it.
    pub(crate) fn empty_since(&self) -> Option<UnixMillis> {
        self.room.empty_since
    }
}
