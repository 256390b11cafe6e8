//! One relay goes on where another has stopped.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Instant;

use oneport_wire::frame::LeaveReason;
use oneport_wire::{MemberId, RoomName, UnixMillis};

use crate::holder::Holder;
use crate::hub::StoredRoom;
use crate::sessions::{Session, SessionKey, Stay};
use crate::state::{SessionState, StayState};
use crate::{Relay, RelayConfig, State, StateError};

/// What became of a [`State`]: what was restored, and what had no place under the new limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Rooms that are there again.
    pub rooms: usize,
    /// Sessions that can be resumed.
    pub sessions: usize,
    /// Messages and news of members that rooms have kept.
    pub entries: usize,
    /// Rooms that were beyond a limit. Their members are told `not_a_member` if they come back.
    pub rooms_dropped: usize,
    /// Sessions that were beyond a limit. Whoever wants to resume one is told that there is none.
    pub sessions_dropped: usize,
    /// Stays in a room that were beyond a limit of the room or of the session.
    pub stays_dropped: usize,
    /// Entries that were too old, or that no ring had place for.
    pub entries_dropped: usize,
}

/// The rooms that were stored.
type StoredRooms = BTreeMap<RoomName, StoredRoom>;

/// How far restoring is.
#[derive(Default)]
struct Restoring {
    /// The rooms that are not open again yet.
    closed: StoredRooms,
    /// How many members of each room have their session.
    held: BTreeMap<RoomName, usize>,
    restored: Restored,
}

impl Relay {
    /// What the next relay needs to [go on](Self::restore) where this one is. What is in it is the
    /// latest when all links are gone: [`Machine::is_finished`](crate::Machine::is_finished).
    ///
    /// Messages that are not kept are not in it (who comes back is told so), and members without a
    /// session, those of plain channels, have left in the eyes of the next relay.
    pub fn state(&self) -> State<'_> {
        let stay = |(room, stay): (&RoomName, &Stay)| {
            let member = self.hub.room(stay.seat)?.me();
            Some(StayState::new(room.clone(), member, stay))
        };
        let session = |session: &Session| SessionState {
            label: session.label,
            resume: session.resume,
            url: session.url.clone(),
            stays: session.rooms.iter().filter_map(stay).collect(),
            published: session.published.iter().collect(),
        };
        let sessions = self.sessions.iter();
        State {
            rooms: self.hub.states().collect(),
            // In no room there is nothing to come back to.
            sessions: sessions
                .filter(|session| !session.rooms.is_empty())
                .map(session)
                .collect(),
            announced: self.announced.iter().collect(),
        }
    }

    /// A relay that goes on where another one has stopped. All sessions are without a link, and have
    /// the whole grace time from now on; who does not come back in half of it is away in the eyes of
    /// the others.
    ///
    /// The limits are those of this relay. A session that is beyond one does not come back, and its
    /// members have left; rooms without members come last, the latest first; rings are shortened as
    /// ever, and by the clock.
    ///
    /// # Errors
    ///
    /// [`StateError`], where the state is none that a relay can have been in.
    ///
    /// # Panics
    ///
    /// As [`Self::new`].
    pub fn restore(
        now: Instant,
        config: RelayConfig,
        seed: [u8; 32],
        state: State<'_>,
    ) -> Result<(Self, Restored), StateError> {
        let mut rooms = StoredRooms::new();
        for room in state.rooms {
            let room = room.open()?;
            if rooms.insert(room.name().clone(), room).is_some() {
                return Err(StateError::Impossible("a room twice"));
            }
        }
        check(&state.sessions, &rooms)?;
        let mut relay = Self::new(now, config, seed);
        let mut restoring = Restoring {
            closed: rooms,
            ..Restoring::default()
        };
        for session in state.sessions {
            relay.restore_session(session, &mut restoring);
        }
        let Restoring {
            closed,
            mut restored,
            ..
        } = restoring;
        let mut rooms: Vec<_> = closed.into_values().collect();
        rooms.sort_by_key(|room| std::cmp::Reverse(room.empty_since().unwrap_or(UnixMillis::MAX)));
        for room in rooms {
            let ring_bytes_max = relay.config.hub.ring_bytes_max;
            let is_place = relay.hub.rooms() < relay.config.hub.rooms_max
                && relay.has_place_beside_empty(ring_bytes_max);
            match is_place {
                true => relay.reopen(room, &mut restored),
                false => restored.rooms_dropped += 1,
            }
        }
        for (key, offset) in state.announced {
            relay.announced.insert(key, offset);
        }
        relay.leave_unheld();
        Ok((relay, restored))
    }

    fn restore_session(&mut self, stored: SessionState, restoring: &mut Restoring) {
        let stays = stored.stays.iter();
        let closed = stays.filter(|stay| restoring.closed.contains_key(&stay.room));
        let closed = closed.count();
        let bytes = self.config.session_bytes_max() + closed * self.config.hub.ring_bytes_max;
        if self.sessions.len() >= self.config.sessions_max
            || self.hub.rooms() + closed > self.config.hub.rooms_max
            || !self.has_place_beside_empty(bytes)
        {
            restoring.restored.sessions_dropped += 1;
            return;
        }
        let key = self.add_session(stored.label, stored.resume, stored.url);
        if let Some(session) = self.sessions.get_mut(key) {
            session.away_at = Some(self.now + self.config.grace / 2);
            for (id, offset) in stored.published {
                session
                    .published
                    .insert(id, offset, self.config.publish_ids_max);
            }
        }
        restoring.restored.sessions += 1;
        for stay in stored.stays {
            if let Some(room) = restoring.closed.remove(&stay.room) {
                self.reopen(room, &mut restoring.restored);
            }
            let held = restoring.held.entry(stay.room.clone()).or_default();
            match *held < self.config.hub.members_per_room_max && self.restore_stay(key, &stay) {
                true => *held += 1,
                false => restoring.restored.stays_dropped += 1,
            }
        }
        self.schedule(key);
    }

    /// Answers whether the session has place for it.
    fn restore_stay(&mut self, key: SessionKey, stored: &StayState) -> bool {
        let seat = self.hub.seat_in(&stored.room, stored.member);
        let (Some(seat), Some(session)) = (seat, self.sessions.get_mut(key)) else {
            return false;
        };
        if session.rooms.len() >= self.config.rooms_per_session_max {
            return false;
        }
        let stay = Stay {
            seat,
            began: stored.began,
            reader: None,
            grant: stored.grant(),
        };
        session.rooms.insert(stored.room.clone(), stay);
        self.holders.insert(seat, Holder::Session(key));
        true
    }

    fn reopen(&mut self, room: StoredRoom, restored: &mut Restored) {
        let entries = room.entries();
        let dropped = self.hub.reopen(self.unix_now(), room);
        restored.rooms += 1;
        restored.entries += entries - dropped;
        restored.entries_dropped += dropped;
    }

    /// Members that nobody can come back as have left.
    fn leave_unheld(&mut self) {
        let now = self.unix_now();
        let is_unheld = |seat: &_| !self.holders.contains_key(*seat);
        let unheld: Vec<_> = self.hub.seats().filter(is_unheld).collect();
        for seat in unheld {
            self.hub.leave(now, seat, LeaveReason::Lost);
        }
    }
}

/// Whether sessions and rooms belong together: each member is of one session, and no two sessions are
/// the same.
fn check(sessions: &[SessionState], rooms: &StoredRooms) -> Result<(), StateError> {
    let mut tokens = HashSet::new();
    let mut urls = HashSet::new();
    let mut members = BTreeSet::<(&RoomName, MemberId)>::new();
    for session in sessions {
        if !tokens.insert(session.resume) || !urls.insert(session.url.1) {
            return Err(StateError::Impossible("a session twice"));
        }
        for stay in &session.stays {
            let is_member = rooms
                .get(&stay.room)
                .is_some_and(|room| room.has(stay.member) && stay.began <= room.end());
            if !is_member || !members.insert((&stay.room, stay.member)) {
                return Err(StateError::Impossible("a session that is not in its room"));
            }
        }
        let rooms: BTreeSet<_> = session.stays.iter().map(|stay| &stay.room).collect();
        if rooms.is_empty() || rooms.len() < session.stays.len() {
            return Err(StateError::Impossible(
                "a session in no room or twice in one",
            ));
        }
    }
    Ok(())
}
