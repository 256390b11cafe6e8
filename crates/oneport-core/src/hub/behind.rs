//! Who is furthest behind, for an operator who wants to know.

use std::time::Duration;

use oneport_wire::{RoomName, UnixMillis};

use super::{Body, Entry, Hub, OwnerId, ReaderId};

/// How many readers are looked at: about a millisecond of work. Where there are more, the others are not.
const READERS_MAX: usize = 20_000;

/// Somebody who is owed entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Who carries them.
    pub owner: OwnerId,
    /// The room that they are in.
    pub room: RoomName,
    /// How many there are.
    pub entries: usize,
    /// What they say, in bytes.
    pub bytes: usize,
    /// The age of the first one, or of the ring's first where that is gone already.
    pub waits: Duration,
}

impl Hub {
    /// The readers whose next entry is the oldest, at most so many, in no order. Entries of this very
    /// millisecond count for nothing: nobody had a chance to take them.
    pub fn behind(&self, now: UnixMillis, count_max: usize) -> Vec<Behind> {
        let mut waiting: Vec<_> = (self.readers.iter().take(READERS_MAX))
            .filter_map(|(id, _)| Some((self.waits_ms(now, id)?, id)))
            .filter(|(waits_ms, _)| *waits_ms > 0)
            .collect();
        if waiting.len() > count_max {
            waiting.select_nth_unstable_by(count_max, |a, b| b.cmp(a));
            waiting.truncate(count_max);
        }
        let describe = |(waits_ms, id)| self.describe(waits_ms, id);
        waiting.into_iter().map(describe).collect()
    }

    /// For how long the next entry of a reader has been waiting; `None` where there is none.
    fn waits_ms(&self, now: UnixMillis, id: ReaderId) -> Option<u64> {
        let reader = &self.readers[id];
        let ring = &self.rooms[self.seats[reader.seat].room].ring;
        let first = ring.from(reader.cursor?).next()?;
        Some(now.get().saturating_sub(first.time.get()))
    }

    fn describe(&self, waits_ms: u64, id: ReaderId) -> Behind {
        let reader = &self.readers[id];
        let seat = &self.seats[reader.seat];
        let room = &self.rooms[seat.room];
        let cursor = reader.cursor.unwrap_or_default();
        let owed = room.ring.from(cursor);
        let owed = owed.filter(|entry| entry.is_for(seat.member, &reader.filter));
        let (mut entries, mut bytes) = (0, 0);
        owed.for_each(|entry| {
            entries += 1;
            bytes += content_bytes(entry);
        });
        Behind {
            owner: reader.owner,
            room: room.name.clone(),
            entries,
            bytes,
            waits: Duration::from_millis(waits_ms),
        }
    }
}

fn content_bytes(entry: &Entry) -> usize {
    match &entry.body {
        Body::Message { message, .. } => message.payload.as_bytes().len(),
        Body::Presence(_) => 0,
    }
}
