//! What the relay says.

use std::time::{Duration, Instant};

use oneport_wire::frame::{
    Ack, Bye, Joined, Left, Message, Presence, Rejection, ServerFrame, ServerFrameError, Welcome,
};
use oneport_wire::{Kind, Payload, RoomName};

use crate::client::Phase;
use crate::requests::Request;
use crate::room::{Room, Stage};
use crate::{Client, Ended, Event, Lost, Unanswered};

impl Client {
    /// Takes a frame of the relay. Nothing in it can make this fail: a relay that does not keep to
    /// the protocol loses the link.
    pub(crate) fn handle_frame(&mut self, kind: Kind, bytes: &[u8]) {
        if self.events.is_full() {
            return self.lose(Lost::EventsNotTaken, None);
        }
        self.heartbeat.heard(self.now);
        match ServerFrame::decode(kind, bytes) {
            Ok(frame) => self.take_frame(frame),
            Err(ServerFrameError::UnknownType) => {}
            Err(ServerFrameError::BadFrame(why)) => self.lose(Lost::BadFrame(why), None),
        }
    }

    fn take_frame(&mut self, frame: ServerFrame<'_>) {
        match frame {
            ServerFrame::Welcome(welcome) => self.welcomed(welcome),
            ServerFrame::Joined(joined) => self.joined(joined),
            ServerFrame::Message(message) => self.message(message),
            ServerFrame::Presence(presence) => self.presence(presence),
            ServerFrame::Ack(ack) => self.acknowledged(ack),
            ServerFrame::Receipt(receipt) => self.events.push(Event::Receipt(receipt)),
            ServerFrame::HistoryBegin(begin) => {
                if let Some(room) = self.stay(&begin.room) {
                    room.begin_history(begin.id.as_ref());
                    self.events.push(Event::HistoryBegin(begin));
                }
            }
            ServerFrame::HistoryEnd(end) => {
                if let Some(room) = self.rooms.get_mut(&end.room) {
                    room.end_history();
                }
                self.requests.answered(end.id.as_ref());
                self.events.push(Event::HistoryEnd(end));
            }
            ServerFrame::Members(page) => {
                self.requests.answered(page.id.as_ref());
                self.events.push(Event::Members(page));
            }
            ServerFrame::Gap(gap) => {
                if let Some(room) = self.stay(&gap.room) {
                    room.gap(&gap);
                    self.events.push(Event::Gap(gap));
                }
            }
            ServerFrame::Left(left) => self.left(left),
            ServerFrame::Rejection(rejection) => self.rejected(rejection),
            ServerFrame::Bye(bye) => self.bye(bye),
            ServerFrame::Ping { n } => self.pong = Some(n),
            ServerFrame::Pong { .. } => {}
        }
    }

    fn welcomed(&mut self, welcome: Welcome) {
        if self.phase != Phase::Greeting {
            return self.lose(Lost::BadFrame("a second welcome".into()), None);
        }
        self.requests.answered(welcome.id.as_ref());
        self.phase = Phase::Live(self.now);
        if self.resume.replace(welcome.resume).is_some() && !welcome.resumed {
            for id in self.pending.session_lost() {
                let why = Unanswered::SessionLost;
                self.events.push(Event::Unanswered { id, why });
            }
        }
        let limits = &welcome.limits;
        self.heartbeat
            .every(Duration::from_millis(welcome.ping_ms.into()));
        self.pace.grant(limits.frames_per_s, limits.bytes_per_s);
        self.window = (limits.publish_ids as usize).max(1);
        self.frame_bytes_max = self.frame_bytes_max.min(limits.frame_bytes as usize);
        self.events.push(Event::Connected {
            session: welcome.session,
            resumed: welcome.resumed,
            limits: welcome.limits,
        });
    }

    /// A room whose messages the owner wants: not one that it is leaving, or has left and joins again. Some
    /// may still arrive, and lossy ones have no order.
    fn stay(&mut self, room: &RoomName) -> Option<&mut Room> {
        self.rooms.get_mut(room).filter(|room| room.is_live())
    }

    fn joined(&mut self, joined: Joined) {
        self.requests.answered(joined.id.as_ref());
        let Some(room) = self.rooms.get_mut(&joined.room) else {
            return;
        };
        if matches!(room.stage, Stage::Joining(_)) {
            let others_now = room.joined(&joined);
            let room = joined.room.clone();
            self.events.push(Event::Joined(joined));
            if others_now {
                for id in self.pending.epoch_changed(&room) {
                    let why = Unanswered::EpochChanged;
                    self.events.push(Event::Unanswered { id, why });
                }
            }
        }
    }

    fn message(&mut self, message: Message<'_>) {
        let Some(room) = self.stay(&message.room) else {
            return;
        };
        let is_history = message.offset.is_some() && room.is_telling();
        if message.offset.is_some_and(|offset| !room.take(offset)) {
            return;
        }
        let Message {
            room,
            offset,
            from,
            time,
            topic,
            to,
            payload,
        } = message;
        let payload: Payload<'static> = payload.into_owned();
        let message = Message {
            room,
            offset,
            from,
            time,
            topic,
            to,
            payload,
        };
        self.events.push(Event::Message {
            message,
            is_history,
        });
    }

    fn presence(&mut self, presence: Presence) {
        let room = self.stay(&presence.room);
        if room.is_some_and(|room| room.take(presence.offset)) {
            self.events.push(Event::Presence(presence));
        }
    }

    fn acknowledged(&mut self, ack: Ack) {
        if !self.pending.answered(&ack.id) {
            match self.requests.answered(Some(&ack.id)) {
                Some(Request::Update(update)) => {
                    let room = self.rooms.get_mut(&update.room);
                    room.into_iter()
                        .for_each(|room: &mut Room| room.updated(update.clone()));
                }
                Some(Request::Abandoned) => return,
                Some(_) => {}
                // A message's second acknowledgement, or that of a lossy one.
                None if ack.offset.is_some() => return,
                None => {}
            }
        }
        self.events.push(Event::Ack(ack));
    }

    fn left(&mut self, left: Left) {
        self.requests.answered(left.id.as_ref());
        // Somebody who was kicked does not come back by itself.
        self.abandon_room(&left.room, true);
        self.events.push(Event::Left(left));
    }

    fn rejected(&mut self, rejection: Rejection) {
        let retry_after = rejection.retry_after_ms.map(u64::from);
        let retry_at = retry_after.map(|ms| self.now + Duration::from_millis(ms.max(1)));
        match (self.requests.answered(rejection.id.as_ref()), retry_at) {
            (Some(Request::Hello), retry_at) => return self.refused(rejection, retry_at.is_some()),
            (Some(Request::Join(room)), retry_at) => {
                return self.not_joined(room, rejection, retry_at);
            }
            (Some(Request::Abandoned), _) => return,
            (Some(Request::Leave(room)), _) => self.abandon_room(&room, true),
            (Some(Request::Update(_) | Request::Other), _) => {}
            (None, retry_at) => {
                let Some(id) = &rejection.id else {
                    return self.events.push(Event::Rejected(rejection));
                };
                if let Some(at) = retry_at
                    && self.pending.again(id)
                {
                    self.held = Some(at);
                    return;
                }
                self.pending.answered(id);
            }
        }
        self.events.push(Event::Rejected(rejection));
    }

    fn not_joined(&mut self, room: RoomName, rejection: Rejection, retry_at: Option<Instant>) {
        match (self.rooms.get_mut(&room), retry_at) {
            (Some(entry), Some(at)) if entry.stage != Stage::Leaving => {
                entry.stage = Stage::Held(at);
            }
            _ => self.abandon_room(&room, true),
        }
        let is_retried = retry_at.is_some();
        self.events.push(Event::NotJoined {
            room,
            rejection,
            is_retried,
        });
    }

    /// The `hello` was not taken.
    fn refused(&mut self, rejection: Rejection, may_retry: bool) {
        if may_retry || rejection.code.retry_helps() {
            let wait = rejection.retry_after_ms.unwrap_or_default();
            let wait = Duration::from_millis(wait.into());
            self.lose(Lost::Refused(rejection), Some(wait));
        } else {
            self.end(Ended::Refused(rejection));
        }
    }

    fn bye(&mut self, bye: Bye) {
        self.events.push(Event::Bye(bye.clone()));
        match bye.retry_after_ms {
            Some(ms) => {
                let wait = Duration::from_millis(ms.into());
                self.lose(Lost::Bye(bye.code), Some(wait));
            }
            None => self.end(Ended::Bye(bye)),
        }
    }
}
