//! A room as its member keeps it: what to join with, and the position in its stream
//! (`PROTOCOL.md` section 7).

use std::time::Instant;

use oneport_wire::frame::{Change, Gap, GapReason, Join, Joined, Recovery, Since, Update};
use oneport_wire::{Offset, RequestId, RoomName};

/// A `join` of this room with nothing else in it: no name, no history.
pub fn join(room: RoomName) -> Join {
    Join {
        room,
        name: None,
        meta: None,
        token: None,
        since: None,
        history: 0,
    }
}

/// Where the session stands with a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is to be joined as soon as there is a link.
    Wanted,
    /// It is to be joined then: the relay refused it for now.
    Held(Instant),
    /// `join` was sent.
    Joining(RequestId),
    /// `joined` came.
    Live,
    /// `leave` was sent.
    Leaving,
}

/// Whose history is being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    /// That of the join, of which the owner may have a part.
    Join,
    /// One that the owner has asked for.
    Asked,
}

/// A room that the owner wants to be in.
#[derive(Debug)]
pub(crate) struct Room {
    /// What to join with; its `since` is the position.
    join: Join,
    pub(crate) stage: Stage,
    /// The `id` of the latest join.
    join_id: Option<RequestId>,
    telling: Option<Telling>,
    /// Whether the history of the join is still to come.
    awaits_history: bool,
    /// Of messages in this epoch and before this offset the owner has what it wanted.
    told: Option<Since>,
}

impl Room {
    pub(crate) fn new(join: Join) -> Self {
        Self {
            told: join.since,
            join,
            stage: Stage::Wanted,
            join_id: None,
            telling: None,
            awaits_history: false,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }

    /// Whether it is joined, and the history that came with that is told.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_live() && !self.awaits_history
    }

    /// What to send, under this id.
    pub(crate) fn joining(&mut self, id: RequestId) -> Join {
        self.stage = Stage::Joining(id.clone());
        self.join_id = Some(id);
        self.telling = None;
        self.join.clone()
    }

    /// Returns whether the members whose ids the owner knows are not those of the room any more.
    pub(crate) fn joined(&mut self, joined: &Joined) -> bool {
        let was = self.join.since;
        self.stage = Stage::Live;
        self.awaits_history = self.join.history > 0 && joined.recovery != Recovery::Recovered;
        let is_same_epoch = |since: &Since| since.epoch == joined.epoch;
        if joined.recovery == Recovery::Recovered && was.is_some() {
            return false;
        }
        self.told = was.filter(is_same_epoch);
        self.join.since = Some(Since {
            epoch: joined.epoch,
            offset: joined.offset,
        });
        was.is_some_and(|since| since.epoch != joined.epoch)
    }

    /// The link is lost; the position stays. False for a room that was being left.
    pub(crate) fn link_lost(&mut self) -> bool {
        self.telling = None;
        let stays = self.stage != Stage::Leaving;
        self.stage = Stage::Wanted;
        stays
    }

    pub(crate) fn begin_history(&mut self, id: Option<&RequestId>) {
        let is_of_join = id.is_some() && id == self.join_id.as_ref();
        self.telling = Some(match is_of_join {
            true => Telling::Join,
            false => Telling::Asked,
        });
    }

    pub(crate) fn end_history(&mut self) {
        self.awaits_history &= self.telling != Some(Telling::Join);
        self.telling = None;
    }

    pub(crate) fn is_telling(&self) -> bool {
        self.telling.is_some()
    }

    /// Whether an entry is new to the owner; if it is one of the stream, the position moves on.
    pub(crate) fn take(&mut self, offset: Offset) -> bool {
        match self.telling {
            Some(Telling::Asked) => true,
            Some(Telling::Join) => self.told.is_none_or(|told| offset >= told.offset),
            None => self.move_to(offset.next().unwrap_or(Offset::MAX)),
        }
    }

    pub(crate) fn gap(&mut self, gap: &Gap) {
        if gap.reason != GapReason::Transient {
            self.move_to(gap.span.to());
        }
    }

    /// False if the position is there already.
    fn move_to(&mut self, next: Offset) -> bool {
        let Some(since) = &mut self.join.since else {
            return true;
        };
        let is_new = next > since.offset;
        since.offset = since.offset.max(next);
        is_new
    }

    /// The next join is under the name that the relay knows now.
    pub(crate) fn updated(&mut self, update: Update) {
        match update.name {
            Change::Keep => {}
            Change::Clear => self.join.name = None,
            Change::Set(name) => self.join.name = Some(name),
        }
        match update.meta {
            Change::Keep => {}
            Change::Clear => self.join.meta = None,
            Change::Set(meta) => self.join.meta = Some(meta),
        }
    }
}

#[cfg(test)]
mod tests {
    use oneport_wire::frame::NotRecovered;
    use oneport_wire::{Epoch, MemberId, Span};

    use super::*;

    const EPOCH: Epoch = Epoch::from_random([1; 8]);

    fn joined(offset: u32, recovery: Recovery) -> Joined {
        Joined {
            id: None,
            room: "lobby".parse().expect("a name"),
            epoch: EPOCH,
            offset: offset.into(),
            you: MemberId::new(1),
            recovery,
            total: 1,
            members: Vec::new(),
        }
    }

    fn position(room: &Room) -> u64 {
        room.join.since.map_or(0, |since| since.offset.get())
    }

    fn gap(from: u32, to: u32, reason: GapReason) -> Gap {
        Gap {
            room: "lobby".parse().expect("a name"),
            span: Span::new(from.into(), to.into()).expect("forward"),
            reason,
        }
    }

    #[test]
    fn the_position_follows_the_stream() {
        let mut room = Room::new(join("lobby".parse().expect("a name")));
        room.joined(&joined(17, Recovery::Fresh));
        assert_eq!(position(&room), 17);
        assert!(room.take(19.into()) && !room.take(19.into()) && !room.take(18.into()));
        assert_eq!(position(&room), 20);
        room.gap(&gap(20, 25, GapReason::Transient));
        assert_eq!(position(&room), 20);
        room.gap(&gap(20, 25, GapReason::Slow));
        assert_eq!(position(&room), 25);
        room.joined(&joined(40, Recovery::Recovered));
        assert_eq!(position(&room), 25);
        room.begin_history(None);
        assert!(room.take(3.into()));
        room.end_history();
        assert_eq!(position(&room), 25);
    }

    #[test]
    fn the_history_of_a_second_join_tells_only_what_is_new() {
        let mut room = Room::new(join("lobby".parse().expect("a name")));
        room.joined(&joined(17, Recovery::Fresh));
        let id: RequestId = "2".parse().expect("an id");
        room.joining(id.clone());
        room.joined(&joined(40, Recovery::NotRecovered(NotRecovered::FellOff)));
        room.begin_history(Some(&id));
        assert!(!room.take(16.into()) && room.take(17.into()));
        room.end_history();
        assert_eq!(position(&room), 40);
    }
}
