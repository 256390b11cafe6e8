//! Who takes what next.

use oneport_wire::{Offset, Span};

use super::reader::Reader;
use super::room::Room;
use super::{Entry, Filter, Hub, Lag, Next, Owner, OwnerId, ReaderId, SeatId};

impl Hub {
    /// Somebody new who carries entries.
    pub fn add_owner(&mut self) -> OwnerId {
        self.owners.insert(Owner::default())
    }

    /// Forgets an owner with its readers.
    pub fn remove_owner(&mut self, owner: OwnerId) {
        let readers = self.owners.get(owner).map(|o| o.readers.clone());
        for reader in readers.unwrap_or_default() {
            self.remove_reader(reader);
        }
        self.owners.remove(owner);
    }

    /// From now on the owner carries what this member is to take. With `since`, beginning with what
    /// was kept from that offset on; otherwise only what comes.
    pub fn add_reader(
        &mut self,
        owner: OwnerId,
        seat_id: SeatId,
        filter: Filter,
        lag: Lag,
        since: Option<Offset>,
    ) -> Option<ReaderId> {
        let carrier = self.owners.get_mut(owner)?;
        let seat = self.seats.get_mut(seat_id)?;
        let room = &mut self.rooms[seat.room];
        let owed: Vec<Offset> = since.map_or_else(Vec::new, |since| {
            let is_owed = |entry: &&Entry| entry.is_kept && entry.is_for(seat.member, &filter);
            let entries = room.ring.from(since).filter(is_owed);
            entries.map(|entry| entry.offset).collect()
        });
        let live_from = room.ring.end();
        owed.iter().for_each(|offset| room.ring.owe(*offset));
        let cursor = owed.first().copied();
        let reader = self.readers.insert(Reader {
            seat: seat_id,
            owner,
            filter,
            lag,
            live_from,
            cursor,
        });
        seat.readers.push(reader);
        room.readers.push(reader);
        carrier.readers.push(reader);
        if cursor.is_some() {
            self.wake(owner);
        }
        Some(reader)
    }

    /// The reader takes no more. What it was owed is forgotten.
    pub fn remove_reader(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.remove(id) else {
            return;
        };
        let seat = &mut self.seats[reader.seat];
        seat.readers.retain(|other| *other != id);
        let room = &mut self.rooms[seat.room];
        room.readers.retain(|other| *other != id);
        let mut owed = reader.cursor;
        while let Some(offset) = owed {
            room.ring.settle(offset);
            let following = offset.next().unwrap_or(offset);
            owed = room.ring.first_for(following, seat.member, &reader);
        }
        if let Some(owner) = self.owners.get_mut(reader.owner) {
            owner.readers.retain(|other| *other != id);
        }
    }

    /// The next owner that has something to carry, or may have: it leaves the queue.
    pub fn poll_ready(&mut self) -> Option<OwnerId> {
        loop {
            let Some(id) = self.ready.pop_front() else {
                self.untaken_messages = 0;
                self.untaken_bytes = 0;
                return None;
            };
            if let Some(owner) = self.owners.get_mut(id) {
                owner.is_ready = false;
                return Some(id);
            }
        }
    }

    /// Whether so much was appended since [`Self::poll_ready`] was last empty that a ring may lose
    /// entries that nobody had a chance to take.
    pub fn is_pressed(&self) -> bool {
        self.untaken_messages >= self.limits.ring_messages_max / 4
            || self.untaken_bytes >= self.limits.ring_bytes_max / 4
    }

    /// Whether [`Self::poll_ready`] has something to say.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Puts an owner that could not carry all into the queue again.
    pub fn wake(&mut self, id: OwnerId) {
        if let Some(owner) = self.owners.get_mut(id) {
            owner.mark_ready(id, &mut self.ready);
        }
    }

    /// What the owner is to carry next, over all its readers, in the order in which it was taken in.
    pub fn next(&mut self, owner: OwnerId) -> Next<'_> {
        let Some(owner) = self.owners.get(owner) else {
            return Next::Idle;
        };
        let mut first: Option<(&Entry, ReaderId)> = None;
        for id in &owner.readers {
            let reader = &mut self.readers[*id];
            let Some(cursor) = reader.cursor else {
                continue;
            };
            let seat = &self.seats[reader.seat];
            let Room { ring, name, .. } = &self.rooms[seat.room];
            if ring.get(cursor).is_none() {
                match reader.lag {
                    Lag::Disconnect => return Next::Slow,
                    Lag::Gap => {
                        let span = Span::new(cursor, ring.start());
                        let span = span.expect("what is gone lies before what is there");
                        let (reader, room) = (*id, name);
                        return Next::Gap { reader, room, span };
                    }
                    Lag::Skip => {
                        reader.cursor = ring.first_for(cursor, seat.member, reader);
                    }
                }
            }
            if let Some(entry) = reader.cursor.and_then(|cursor| ring.get(cursor))
                && first.is_none_or(|(other, _)| entry.sequence < other.sequence)
            {
                first = Some((entry, *id));
            }
        }
        first.map_or(Next::Idle, |(entry, reader)| Next::Entry(reader, entry))
    }

    /// Whether the owner has something to carry, or is to learn that it is gone.
    pub fn has_next(&self, owner: OwnerId) -> bool {
        let readers = self.owners.get(owner).map(|owner| &owner.readers);
        let mut readers = readers.into_iter().flatten();
        readers.any(|reader| self.readers[*reader].cursor.is_some())
    }

    /// The offset of the next entry that a reader is owed, if there is one.
    pub fn cursor(&self, reader: ReaderId) -> Option<Offset> {
        self.readers.get(reader)?.cursor
    }

    /// Whether the entry at this offset was for a reader from the moment that it was published: not part
    /// of what it was given to catch up.
    pub fn is_live(&self, reader: ReaderId, offset: Offset) -> bool {
        self.readers
            .get(reader)
            .is_some_and(|reader| offset >= reader.live_from)
    }

    /// The owner has carried what [`Self::next`] showed for this reader.
    pub fn taken(&mut self, id: ReaderId) {
        self.stats.delivered += 1;
        self.skip(id);
    }

    /// The owner will never carry what [`Self::next`] showed for this reader.
    pub fn skip(&mut self, id: ReaderId) {
        let Some(reader) = self.readers.get_mut(id) else {
            return;
        };
        let seat = &self.seats[reader.seat];
        let ring = &mut self.rooms[seat.room].ring;
        let Some(cursor) = reader.cursor else {
            return;
        };
        // Behind a gap, the first entry that is still there has not been shown yet.
        let from = if ring.get(cursor).is_none() {
            ring.start()
        } else {
            ring.settle(cursor);
            cursor.next().unwrap_or(cursor)
        };
        reader.cursor = ring.first_for(from, seat.member, reader);
    }
}
