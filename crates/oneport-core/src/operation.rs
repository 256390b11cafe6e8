//! What the operator asks, as one type, for drivers that carry it between threads.

use std::time::Instant;

use oneport_wire::{Epoch, MemberId, Notice, RoomName, RoomPattern};

use crate::hub::RoomSummary;
use crate::operator::{
    Announced, Announcement, Excerpt, GuestsPage, MessagesPage, OperatorError, RoomsPage,
};
use crate::{Relay, Reply};

/// What the operator asks. Each is also a method of [`Relay`].
#[derive(Clone, Debug)]
pub enum Operation {
    /// [`Relay::rooms`].
    Rooms {
        /// Which rooms.
        rooms: RoomPattern,
        /// The last one of the page before.
        after: Option<RoomName>,
    },
    /// [`Relay::room`].
    Room {
        /// Which room.
        room: RoomName,
    },
    /// [`Relay::guests`].
    Guests {
        /// Of which room.
        room: RoomName,
        /// The last one of the page before.
        after: Option<MemberId>,
    },
    /// [`Relay::announce`].
    Announce {
        /// In which room.
        room: RoomName,
        /// What.
        announcement: Announcement,
    },
    /// [`Relay::kick_out`].
    KickOut {
        /// Of which room.
        room: RoomName,
        /// Whom.
        member: MemberId,
        /// What to tell it.
        message: Option<Notice>,
    },
    /// [`Relay::close_room`].
    CloseRoom {
        /// Which room.
        room: RoomName,
        /// What to tell its members.
        message: Option<Notice>,
    },
    /// [`Relay::messages`].
    Messages {
        /// Of which room.
        room: RoomName,
        /// Of which epoch of it; the present one if none is named.
        epoch: Option<Epoch>,
        /// Which.
        excerpt: Excerpt,
        /// How many at most.
        count: usize,
    },
}

/// What came of an [`Operation`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Of [`Operation::Rooms`].
    Rooms(RoomsPage),
    /// Of [`Operation::Room`].
    Room(RoomSummary),
    /// Of [`Operation::Guests`].
    Guests(GuestsPage),
    /// Of [`Operation::Announce`].
    Announced(Announced),
    /// Of [`Operation::KickOut`].
    KickedOut,
    /// Of [`Operation::CloseRoom`].
    Closed {
        /// How many were in it.
        members: usize,
    },
    /// Of [`Operation::Messages`].
    Messages(MessagesPage),
}

impl Relay {
    /// Carries out what the operator asks.
    pub(crate) fn operate(&mut self, now: Instant, operation: Operation) -> Reply {
        Reply::Operated(self.try_operate(now, operation).map(Box::new))
    }

    fn try_operate(
        &mut self,
        now: Instant,
        operation: Operation,
    ) -> Result<Outcome, OperatorError> {
        Ok(match operation {
            Operation::Rooms { rooms, after } => Outcome::Rooms(self.rooms(&rooms, after.as_ref())),
            Operation::Room { room } => Outcome::Room(self.room(&room)?),
            Operation::Guests { room, after } => Outcome::Guests(self.guests(&room, after)?),
            Operation::Announce { room, announcement } => {
                Outcome::Announced(self.announce(now, &room, announcement)?)
            }
            Operation::KickOut {
                room,
                member,
                message,
            } => {
                self.kick_out(now, &room, member, message)?;
                Outcome::KickedOut
            }
            Operation::CloseRoom { room, message } => {
                let members = self.close_room(now, &room, message.as_ref())?;
                Outcome::Closed { members }
            }
            Operation::Messages {
                room,
                epoch,
                excerpt,
                count,
            } => Outcome::Messages(self.messages(&room, epoch, excerpt, count)?),
        })
    }
}
