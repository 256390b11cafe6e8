//! What the operator asks of a relay and does in its rooms, without being in any.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use oneport_wire::frame::{LeaveReason, Member, Message};
use oneport_wire::{
    Epoch, ErrorCode, MemberId, MemberName, Notice, Offset, Payload, Recipients, RequestId,
    RoomName, RoomPattern, SessionLabel, Topic, UnixMillis,
};

use crate::Relay;
use crate::holder::Holder;
use crate::hub::{Publication, RoomSummary, SeatId};

/// How many rooms one page of them has.
pub const ROOMS_PAGE_MAX: usize = 100;

/// How many bytes of messages one page of history has at most, beyond the first message: as much as
/// one of the largest messages.
const MESSAGES_BYTES_MAX: usize = 256 * 1024;

/// A page of the rooms, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomsPage {
    /// The rooms, at most [`ROOMS_PAGE_MAX`].
    pub rooms: Vec<RoomSummary>,
    /// Whether others follow.
    pub more: bool,
}

/// A member as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// As the others see it.
    pub member: Member,
    /// Its session; one that speaks over plain channels has none.
    pub session: Option<SessionLabel>,
}

/// A page of a room's members, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestsPage {
    /// The room.
    pub room: RoomSummary,
    /// The members, at most [`Member::PAGE_MAX`].
    pub members: Vec<Guest>,
    /// Whether others follow.
    pub more: bool,
}

/// A message of the relay itself: its members see [`MemberId::RELAY`] as its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// What makes a second one with the same id in the same epoch of the room harmless.
    pub id: Option<RequestId>,
    /// What it is about: on plain channels, the label.
    pub topic: Topic,
    /// For whom it is, if not for all.
    pub to: Option<Recipients>,
    /// Whether it stays for history and resume. Otherwise it is for who is there now.
    pub is_kept: bool,
    /// What it carries.
    pub payload: Payload<'static>,
}

/// Where an [`Announcement`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The room's epoch.
    pub epoch: Epoch,
    /// Its place there.
    pub offset: Offset,
    /// Whether one with its id was made before. It was not made again, and this is where that went.
    pub duplicate: bool,
}

/// Which part of a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excerpt {
    /// The first messages from this offset on.
    Since(Offset),
    /// The last messages before this offset.
    Before(Offset),
    /// The last messages.
    Latest,
}

/// A part of a room's history.
#[derive(Clone, Debug, PartialEq)]
pub struct MessagesPage {
    /// The room.
    pub room: RoomSummary,
    /// Everything that is kept with an offset from here on ...
    pub from: Offset,
    /// ... to here, without this one, is among the messages.
    pub to: Offset,
    /// Whether the room has more of it: after these of [`Excerpt::Since`], else before them.
    pub more: bool,
    /// The messages, in their order, whomever they were for.
    pub messages: Vec<Message<'static>>,
    /// The latest names of their authors, of those that have one.
    pub authors: BTreeMap<MemberId, MemberName>,
}

/// Why the operator does not get what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorError {
    /// There is no room of this name.
    NoSuchRoom,
    /// A member that was named is not in the room.
    NoSuchMember,
    /// The room has ended since, and another epoch has begun.
    EpochChanged,
    /// The message is larger than members take.
    TooLarge {
        /// How large its frame may be, in bytes.
        bytes_max: usize,
    },
    /// The relay ends.
    ShuttingDown,
}

impl Relay {
    /// The rooms of this pattern after this one.
    pub fn rooms(&self, rooms: &RoomPattern, after: Option<&RoomName>) -> RoomsPage {
        let mut matching = self.hub.rooms_after(rooms, after);
        let rooms = matching.by_ref().take(ROOMS_PAGE_MAX).collect();
        let more = matching.next().is_some();
        RoomsPage { rooms, more }
    }

    /// A room.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NoSuchRoom`].
    pub fn room(&self, room: &RoomName) -> Result<RoomSummary, OperatorError> {
        let room = self.hub.outside(room).ok_or(OperatorError::NoSuchRoom)?;
        Ok(room.summary())
    }

    /// The members of a room after this one.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NoSuchRoom`].
    pub fn guests(
        &self,
        room: &RoomName,
        after: Option<MemberId>,
    ) -> Result<GuestsPage, OperatorError> {
        let room = self.hub.outside(room).ok_or(OperatorError::NoSuchRoom)?;
        let mut members = room.members_after(after);
        let page = members.by_ref().take(Member::PAGE_MAX);
        let guest = |(seat, member)| Guest {
            member,
            session: self.session_of_seat(seat),
        };
        Ok(GuestsPage {
            room: room.summary(),
            members: page.map(guest).collect(),
            more: members.next().is_some(),
        })
    }

    fn session_of_seat(&self, seat: SeatId) -> Option<SessionLabel> {
        match self.holders.get(seat)? {
            Holder::Plain(_) => None,
            Holder::Session(key) => Some(self.sessions.get(*key)?.label),
        }
    }

    /// Publishes a message of the relay itself. No [`Gate`](crate::Gate) is asked: whoever may call
    /// this may say what it likes.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]; the message was then not published.
    pub fn announce(
        &mut self,
        now: Instant,
        room: &RoomName,
        announcement: Announcement,
    ) -> Result<Announced, OperatorError> {
        self.advance(now);
        if self.shutdown.is_some() {
            return Err(OperatorError::ShuttingDown);
        }
        let epoch = self.room(room)?.epoch;
        let key = announcement.id.map(|id| (room.clone(), epoch, id));
        if let Some(offset) = key.as_ref().and_then(|key| self.announced.get(key)) {
            let duplicate = true;
            return Ok(Announced {
                epoch,
                offset,
                duplicate,
            });
        }
        let draft = Message {
            room: room.clone(),
            offset: Some(Offset::MAX),
            from: MemberId::RELAY,
            time: UnixMillis::MAX,
            topic: announcement.topic,
            to: announcement.to,
            payload: announcement.payload,
        };
        let bytes_max = self.config.link.message_bytes_max;
        let mut frame = Vec::new();
        draft.encode_into(&mut frame);
        if frame.len() > bytes_max {
            return Err(OperatorError::TooLarge { bytes_max });
        }
        let publication = Publication {
            topic: draft.topic,
            to: draft.to,
            echo: false,
            is_kept: announcement.is_kept,
            payload: draft.payload,
        };
        let offset = self.hub.announce(self.unix_now(), room, publication);
        let offset = offset.map_err(|code| match code {
            ErrorCode::NoSuchMember => OperatorError::NoSuchMember,
            _ => OperatorError::NoSuchRoom,
        })?;
        if let Some(key) = key {
            self.announced.insert(key, offset);
        }
        // A burst of them must not push out of the ring what nobody had a chance to take.
        if self.hub.is_pressed() {
            self.pump_ready();
        }
        Ok(Announced {
            epoch,
            offset,
            duplicate: false,
        })
    }

    /// Removes a member from a room, as another member with the right to do so would.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NoSuchRoom`], [`OperatorError::NoSuchMember`].
    pub fn kick_out(
        &mut self,
        now: Instant,
        room: &RoomName,
        member: MemberId,
        message: Option<Notice>,
    ) -> Result<(), OperatorError> {
        self.advance(now);
        let outside = self.hub.outside(room).ok_or(OperatorError::NoSuchRoom)?;
        let seat = outside.seat(member).ok_or(OperatorError::NoSuchMember)?;
        log::info!("the operator removed member {member} from room {room}");
        self.expel(room, seat, message);
        Ok(())
    }

    /// Ends a room: all who are in it are told so (`left`, with the reason `closed`; the links of those
    /// who speak over plain channels end), its history is gone, and its epoch has ended. Whoever joins
    /// afterwards begins a new one. Answers how many were in it.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NoSuchRoom`].
    pub fn close_room(
        &mut self,
        now: Instant,
        room: &RoomName,
        message: Option<&Notice>,
    ) -> Result<usize, OperatorError> {
        self.advance(now);
        let now = self.unix_now();
        let seats = self.hub.close(now, room);
        let seats = seats.ok_or(OperatorError::NoSuchRoom)?;
        log::info!(
            "the operator closed room {room} with {} members",
            seats.len()
        );
        self.finish_receipts_in(room);
        let reason = LeaveReason::Closed;
        for seat in &seats {
            match self.holders.remove(*seat) {
                Some(Holder::Plain(link)) => {
                    self.leave_plain(link, reason);
                    self.links[link].link.close(self.now, reason.as_str());
                    self.unsettled.push_back(link);
                }
                Some(Holder::Session(key)) => {
                    self.send_away(key, room, reason, message.cloned());
                }
                None => {}
            }
        }
        Ok(seats.len())
    }

    /// A part of a room's history, at most so many messages and about 256 KiB of them. Offsets mean
    /// something only within an epoch: where they are from one, it should be named.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NoSuchRoom`], [`OperatorError::EpochChanged`].
    pub fn messages(
        &self,
        room: &RoomName,
        epoch: Option<Epoch>,
        excerpt: Excerpt,
        count: usize,
    ) -> Result<MessagesPage, OperatorError> {
        let outside = self.hub.outside(room).ok_or(OperatorError::NoSuchRoom)?;
        let room = outside.summary();
        if epoch.is_some_and(|epoch| epoch != room.epoch) {
            return Err(OperatorError::EpochChanged);
        }
        let count_max = self.config.history_max.min(count);
        let end = room.offset;
        let (since, before) = match excerpt {
            Excerpt::Since(since) => (since.min(end), end),
            Excerpt::Before(before) => (Offset::default(), before.min(end)),
            Excerpt::Latest => (Offset::default(), end),
        };
        let is_forward = matches!(excerpt, Excerpt::Since(_));
        let all = outside.messages_from(since);
        let (mut forward, mut backward) = (all.clone(), all.rev());
        let mut next = || match is_forward {
            true => forward.next(),
            false => backward.find(|message| message.offset < Some(before)),
        };
        let mut bytes = 0;
        let mut messages: Vec<Message<'static>> = Vec::new();
        let mut authors = BTreeMap::new();
        let more = loop {
            let Some(message) = next() else {
                break false;
            };
            if messages.len() >= count_max || bytes >= MESSAGES_BYTES_MAX {
                break true;
            }
            bytes += message.payload.as_bytes().len();
            if let Some(name) = outside.name_of(message.from) {
                authors.insert(message.from, name.clone());
            }
            messages.push(message.clone());
        };
        if !is_forward {
            messages.reverse();
        }
        let place = |message: Option<&Message<'_>>| message.and_then(|message| message.offset);
        let complete_from = outside.complete_from();
        let (from, to) = match (is_forward, more) {
            (true, false) => (since.max(complete_from), end),
            (true, true) => {
                let last = place(messages.last()).and_then(Offset::next);
                let from = since.max(complete_from);
                (from, last.unwrap_or(from))
            }
            (false, false) => (complete_from.min(before), before),
            (false, true) => (place(messages.first()).unwrap_or(before), before),
        };
        Ok(MessagesPage {
            room,
            from,
            to,
            more,
            messages,
            authors,
        })
    }
}

impl OperatorError {
    /// Its code, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchRoom => "no_such_room",
            Self::NoSuchMember => "no_such_member",
            Self::EpochChanged => "epoch_changed",
            Self::TooLarge { .. } => "too_large",
            Self::ShuttingDown => "shutting_down",
        }
    }
}

impl fmt::Display for OperatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchRoom => f.write_str("there is no room of this name"),
            Self::NoSuchMember => f.write_str("there is no such member in this room"),
            Self::EpochChanged => f.write_str("the room ended and has begun anew"),
            Self::TooLarge { bytes_max } => {
                write!(f, "the message is more than {bytes_max} bytes as a frame")
            }
            Self::ShuttingDown => f.write_str("the relay is going down"),
        }
    }
}

impl std::error::Error for OperatorError {}
