//! Who is in a room.

use oneport_wire::frame::{LeaveReason, Member, Presence, PresenceChange};
use oneport_wire::{Epoch, ErrorCode, Offset, RoomName, UnixMillis};

use super::room::Room;
use super::seat::Seat;
use super::{Body, Event, Hub, Profile, RoomId, SeatId};

impl Hub {
    /// Whether [`Self::join`] would succeed.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::RoomFull`], [`ErrorCode::TooManyRooms`].
    pub fn admits(&self, room: &RoomName) -> Result<(), ErrorCode> {
        match self.room_by_name.get(room) {
            Some(id) if self.rooms[*id].members.len() >= self.limits.members_per_room_max => {
                Err(ErrorCode::RoomFull)
            }
            None if self.rooms.len() >= self.limits.rooms_max && self.longest_empty().is_none() => {
                Err(ErrorCode::TooManyRooms)
            }
            _ => Ok(()),
        }
    }

    /// Adds a member to a room and tells the others. A room comes into being with its first member,
    /// and with this epoch, which must be random.
    ///
    /// # Errors
    ///
    /// As [`Self::admits`].
    pub fn join(
        &mut self,
        now: UnixMillis,
        name: &RoomName,
        epoch: Epoch,
        profile: Profile,
    ) -> Result<SeatId, ErrorCode> {
        self.admits(name)?;
        let room = match self.room_by_name.get(name) {
            Some(room) => *room,
            None => self.add_room(now, name, epoch),
        };
        self.rooms[room].empty_since = None;
        let member = self.rooms[room].new_member();
        let seat = Seat::new(room, member, profile);
        let seat = self.seats.insert(seat);
        self.rooms[room].members.insert(member, seat);
        self.tell(now, seat, PresenceChange::Joined);
        Ok(seat)
    }

    fn add_room(&mut self, time: UnixMillis, name: &RoomName, epoch: Epoch) -> RoomId {
        if self.rooms.len() >= self.limits.rooms_max {
            self.drop_empty_room(time);
        }
        let room = self.rooms.insert(Room::new(name.clone(), epoch));
        self.room_by_name.insert(name.clone(), room);
        if let Some(observer) = &mut self.observer {
            let room = name;
            observer.observe(Event::RoomOpened { room, epoch, time });
        }
        room
    }

    /// How many members a room has, if there is such a room.
    pub fn members_of(&self, room: &RoomName) -> Option<usize> {
        let id = self.room_by_name.get(room)?;
        Some(self.rooms[*id].members.len())
    }

    /// The seats of a room's members, if there is such a room.
    pub fn seats_of(&self, room: &RoomName) -> impl Iterator<Item = SeatId> {
        let id = self.room_by_name.get(room);
        let members = id.map(|id| self.rooms[*id].members.values().copied());
        members.into_iter().flatten()
    }

    /// How many rooms have no members and only keep their history for a while.
    pub fn empty_rooms(&self) -> usize {
        let is_empty = |room: &&Room| room.empty_since.is_some();
        self.rooms.values().filter(is_empty).count()
    }

    /// Removes the room that has been empty for longest. Answers whether there was one.
    pub fn drop_empty_room(&mut self, now: UnixMillis) -> bool {
        let room = self.longest_empty();
        if let Some(room) = room {
            self.remove_room(now, room);
        }
        room.is_some()
    }

    /// A room without members only keeps its history for a while.
    fn longest_empty(&self) -> Option<RoomId> {
        let empty = |(id, room): (RoomId, &Room)| room.empty_since.map(|since| (since, id));
        self.rooms.iter().filter_map(empty).min().map(|(_, id)| id)
    }

    pub(super) fn remove_room(&mut self, time: UnixMillis, room: RoomId) -> Option<Room> {
        let room = self.rooms.remove(room)?;
        self.room_by_name.remove(&room.name);
        if let Some(observer) = &mut self.observer {
            let (room, epoch) = (&room.name, room.epoch);
            observer.observe(Event::RoomClosed { room, epoch, time });
        }
        Some(room)
    }

    /// Removes a member and tells the others why.
    pub fn leave(&mut self, now: UnixMillis, id: SeatId, reason: LeaveReason) {
        let Some(seat) = self.seats.get(id) else {
            return;
        };
        for reader in seat.readers.clone() {
            self.remove_reader(reader);
        }
        // Before the presence entry: appending that shortens the ring, which counts the name.
        self.keep_name(id);
        self.tell(now, id, PresenceChange::Left { reason });
        let Some(seat) = self.seats.remove(id) else {
            return;
        };
        let room = &mut self.rooms[seat.room];
        room.members.remove(&seat.member);
        if room.members.is_empty() {
            room.empty_since = Some(now);
            if room.ring.is_empty() {
                self.remove_room(now, seat.room);
            }
        }
    }

    fn keep_name(&mut self, id: SeatId) {
        let Some(seat) = self.seats.get(id) else {
            return;
        };
        if let (Some(last_message), Some(name)) = (seat.last_message, seat.profile.name.clone()) {
            let ring = &mut self.rooms[seat.room].ring;
            ring.keep_name(last_message, seat.member, name);
        }
    }

    /// The member's link is lost, or it came back: the others are told.
    pub fn set_away(&mut self, now: UnixMillis, id: SeatId, is_away: bool) {
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        if seat.is_away != is_away {
            seat.is_away = is_away;
            let change = if is_away {
                PresenceChange::Away
            } else {
                PresenceChange::Back
            };
            self.tell(now, id, change);
        }
    }

    /// The member has another name or other metadata: the others are told. Answers the place of the
    /// entry that came of it, if something changed.
    pub fn update(&mut self, now: UnixMillis, id: SeatId, profile: Profile) -> Option<Offset> {
        let seat = self.seats.get_mut(id)?;
        if seat.profile == profile {
            return None;
        }
        seat.profile = profile;
        let offset = self.rooms[seat.room].ring.end();
        self.tell(now, id, PresenceChange::Updated);
        Some(offset)
    }

    pub(super) fn tell(&mut self, now: UnixMillis, id: SeatId, change: PresenceChange) {
        let Some(seat) = self.seats.get(id) else {
            return;
        };
        let room_id = seat.room;
        let room = &self.rooms[room_id];
        let (name, member) = (&room.name, seat.member);
        match change {
            PresenceChange::Joined => log::info!("member {member} joined room {name}"),
            PresenceChange::Left { reason } => {
                log::info!("member {member} left room {name}: {}", reason.as_str());
            }
            PresenceChange::Away => log::debug!("member {member} of room {name} is away"),
            PresenceChange::Back => log::debug!("member {member} of room {name} is back"),
            PresenceChange::Updated => log::debug!("member {member} of room {name} changed"),
        }
        let presence = Presence {
            room: room.name.clone(),
            offset: room.ring.end(),
            time: now,
            change,
            member: Member {
                // Who has left is not away any longer.
                away: seat.is_away && !matches!(change, PresenceChange::Left { .. }),
                ..seat.as_member()
            },
        };
        self.stats.announced += 1;
        self.append(now, room_id, Body::Presence(presence), true);
    }
}
