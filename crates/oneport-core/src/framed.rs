//! Framed channels: what a client says in `oneport.v1`, and what it is answered.

use oneport_link::ChannelId;
use oneport_wire::frame::{Ack, Class, ClientBody, ClientFrame, Publish, Rejection, ServerFrame};
use oneport_wire::{
    ByeCode, CLIENT_FRAME_BYTES_MAX, ErrorCode, Fault, Kind, Offset, RequestId, RoomName,
};

use crate::client::{Channel, Role};
use crate::hub::Publication;
use crate::sessions::{Session, SessionKey, Stay};
use crate::{LinkId, Relay};

/// How many frames in a row may be refused. A client that goes on after that is not mistaken but
/// hostile, or too broken to be helped.
const REFUSED_IN_A_ROW_MAX: u32 = 1000;

/// When to ask again where there is no place: places become free by people leaving. Signaling says
/// the same.
const FULL_RETRY_MS: u32 = 30_000;

/// A carried-out frame's answer, or why it was not.
pub(crate) type Answer = Result<Option<ServerFrame<'static>>, Rejection>;

impl Relay {
    /// A second channel of the same kind would be a second order: it is closed.
    pub(crate) fn open_framed(&mut self, id: LinkId, channel: ChannelId, role: Role) {
        let client = &mut self.links[id];
        if client.channel_with(&role).is_some() {
            client.link.close_channel(self.now, channel);
            return;
        }
        if role == Role::Framed {
            client.framed_since = Some(self.now);
        }
        client.channels.push(Channel { id: channel, role });
    }

    /// Carries out a client's frame and answers it.
    pub(crate) fn handle_frame(&mut self, id: LinkId, kind: Kind, bytes: &[u8], is_lossy: bool) {
        if self.is_shutting_down() {
            // Without an answer nobody knows: the client asks the next relay.
            let unheard = ByeCode::Shutdown.as_str();
            *self.stats.frames_refused.entry(unheard).or_default() += 1;
            return;
        }
        let (request, room, answer) = self.try_frame(id, kind, bytes, is_lossy);
        self.finish_frame(id, request, room, answer);
    }

    /// What the link could not pass on is no frame, and is answered like any other that is none.
    pub(crate) fn handle_no_frame(&mut self, id: LinkId, rejection: oneport_link::Rejection) {
        let rejection = match rejection {
            oneport_link::Rejection::MessageTooLarge => too_large(),
            other => Rejection::new(ErrorCode::BadFrame, other.to_string()),
        };
        self.finish_frame(id, None, None, Err(rejection));
    }

    fn finish_frame(
        &mut self,
        id: LinkId,
        request: Option<RequestId>,
        room: Option<RoomName>,
        answer: Answer,
    ) {
        let now = self.now;
        if let Some(session) = self.session_of(id) {
            session.heard = now;
        }
        let answer = match answer {
            Ok(answer) => {
                if let Some(session) = self.session_of(id) {
                    session.refused_in_a_row = 0;
                }
                answer
            }
            Err(mut rejection) => {
                rejection.id = rejection.id.or(request);
                rejection.room = rejection.room.or(room);
                self.count_refusal(id, rejection.code);
                Some(rejection.into())
            }
        };
        if let Some(answer) = answer {
            self.answer(id, answer);
        }
        if let Some(key) = self.links.get(id).and_then(|client| client.session) {
            self.schedule(key);
            // What came due while the session had no link.
            if self.session_deadlines.is_due(key, now) {
                self.wake_session(key);
            }
        }
    }

    fn try_frame(
        &mut self,
        id: LinkId,
        kind: Kind,
        bytes: &[u8],
        is_lossy: bool,
    ) -> (Option<RequestId>, Option<RoomName>, Answer) {
        if bytes.len() > CLIENT_FRAME_BYTES_MAX {
            return (None, None, Err(too_large()));
        }
        let ClientFrame { id: request, body } = match ClientFrame::decode(kind, bytes) {
            Ok(frame) => frame,
            Err(rejection) => return (None, None, Err(rejection)),
        };
        let room = room_of(&body).cloned();
        let answer = self.carry_out(id, request.clone(), body, bytes.len(), is_lossy);
        (request, room, answer)
    }

    fn carry_out(
        &mut self,
        id: LinkId,
        request: Option<RequestId>,
        body: ClientBody<'_>,
        bytes: usize,
        is_lossy: bool,
    ) -> Answer {
        match (self.links[id].session, body) {
            (None, ClientBody::Hello(hello)) => self.hello(id, request, &hello),
            (None, _) => reject(ErrorCode::HelloFirst),
            (Some(key), body) => {
                self.spend(key, bytes)?;
                self.carry_out_in(key, request, body, is_lossy)
            }
        }
    }

    fn carry_out_in(
        &mut self,
        key: SessionKey,
        request: Option<RequestId>,
        body: ClientBody<'_>,
        is_lossy: bool,
    ) -> Answer {
        match body {
            ClientBody::Publish(publish) => self.publish_framed(key, request, publish, is_lossy),
            _ if is_lossy => reject(ErrorCode::WrongChannel),
            ClientBody::Join(join) => self.join(key, request, join),
            ClientBody::Leave { room } => self.leave_room(key, request, room),
            ClientBody::History(history) => self.history(key, request, &history),
            ClientBody::Members(members) => self.members(key, request, &members),
            ClientBody::Update(update) => self.update(key, request, update),
            ClientBody::Kick(kick) => self.kick(key, request, kick),
            ClientBody::Ping { n } => Ok(Some(ServerFrame::Pong { id: request, n })),
            ClientBody::Pong { .. } => Ok(None),
            ClientBody::Hello(_) => reject(ErrorCode::DuplicateHello),
        }
    }

    fn spend(&mut self, key: SessionKey, bytes: usize) -> Result<(), Rejection> {
        let now = self.unix_now();
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        session.bucket.spend(now, bytes).map_err(|wait| Rejection {
            retry_after_ms: Some(u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)),
            ..Rejection::of(ErrorCode::Rate)
        })
    }

    fn session_of(&mut self, id: LinkId) -> Option<&mut Session> {
        let key = self.links.get(id)?.session?;
        self.sessions.get_mut(key)
    }

    fn count_refusal(&mut self, id: LinkId, code: ErrorCode) {
        *self.stats.frames_refused.entry(code.as_str()).or_default() += 1;
        let Some(session) = self.session_of(id) else {
            return;
        };
        // A member may have many messages on their way to somebody who has left: that is nobody's fault.
        if code.fault() != Fault::Client {
            return;
        }
        session.refused_in_a_row += 1;
        if session.refused_in_a_row > REFUSED_IN_A_ROW_MAX {
            self.end_link(id, ByeCode::Protocol);
        }
    }

    /// An answer waits in the session's outbox until the link takes it. A link without a session is
    /// answered at once, or not: all that it can hear is that it must say hello.
    fn answer(&mut self, id: LinkId, frame: ServerFrame<'static>) {
        match self.links.get(id).and_then(|client| client.session) {
            Some(key) => {
                if let Some(session) = self.sessions.get_mut(key) {
                    session.outbox.push(frame);
                    self.hub.wake(session.owner);
                }
            }
            None => self.write_now(id, &frame),
        }
    }

    /// The session's stay in a room that it has joined over this link.
    pub(crate) fn stay(&self, key: SessionKey, room: &RoomName) -> Result<Stay, Rejection> {
        let session = self.sessions.get(key).ok_or_else(internal)?;
        let stay = session.rooms.get(room).filter(|stay| stay.reader.is_some());
        stay.cloned()
            .ok_or_else(|| Rejection::of(ErrorCode::NotInRoom))
    }

    fn publish_framed(
        &mut self,
        key: SessionKey,
        request: Option<RequestId>,
        publish: Publish<'_>,
        is_lossy: bool,
    ) -> Answer {
        let stay = self.stay(key, &publish.room)?;
        if !stay.grant.rights.publish {
            return reject(ErrorCode::Forbidden);
        }
        let class = publish.delivery.class();
        if is_lossy && class != Class::Lossy {
            return reject(ErrorCode::WrongChannel);
        }
        let session = self.sessions.get(key).ok_or_else(internal)?;
        if let Some(id) = &request
            && let Some(offset) = session.published.get(id)
        {
            return Ok(Some(published(id.clone(), publish.room, offset, true)));
        }
        let (hub, to) = (&self.hub, publish.to.as_ref());
        if let Some(member) = to.and_then(|to| hub.stranger(stay.seat, to)) {
            return Err(Rejection {
                member: Some(member),
                ..Rejection::of(ErrorCode::NoSuchMember)
            });
        }
        let wants_receipt = publish.delivery.receipt();
        let receivers = wants_receipt.then(|| hub.audience_size(stay.seat, to, publish.echo));
        let publication = Publication {
            topic: publish.topic,
            to: publish.to,
            echo: publish.echo,
            is_kept: class == Class::Kept,
            payload: publish.payload.into_owned(),
        };
        let judged = self.judge(stay.seat, class, publication);
        let publication = judged.map_err(|why| Rejection::new(ErrorCode::Refused, why))?;
        if class == Class::Lossy {
            self.publish_lossy(stay.seat, publication)
                .map_err(Rejection::of)?;
            return Ok(ack(request, publish.room, None));
        }
        let now = self.unix_now();
        let offset = self.hub.publish(now, stay.seat, publication);
        let offset = offset.map_err(Rejection::of)?;
        if let Some(of) = receivers {
            let subject = (publish.room.clone(), offset);
            self.want_receipt(key, request.clone(), subject, of);
        }
        let Some(id) = request else {
            return Ok(None);
        };
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        let window = self.config.publish_ids_max;
        session.published.insert(id.clone(), offset, window);
        Ok(Some(published(id, publish.room, offset, false)))
    }
}

pub(crate) fn internal() -> Rejection {
    Rejection::of(ErrorCode::Internal)
}

fn too_large() -> Rejection {
    Rejection::too_large(u32::try_from(CLIENT_FRAME_BYTES_MAX).unwrap_or(u32::MAX))
}

/// There is no place. Whoever asks again later may find one.
pub(crate) fn full(code: ErrorCode) -> Rejection {
    Rejection {
        retry_after_ms: Some(FULL_RETRY_MS),
        ..Rejection::of(code)
    }
}

pub(crate) fn reject<T>(code: ErrorCode) -> Result<T, Rejection> {
    Err(Rejection::of(code))
}

fn published(
    id: RequestId,
    room: RoomName,
    offset: Offset,
    duplicate: bool,
) -> ServerFrame<'static> {
    let offset = Some(offset);
    let ack = Ack {
        id,
        room,
        offset,
        duplicate,
    };
    ack.into()
}

pub(crate) fn ack(
    request: Option<RequestId>,
    room: RoomName,
    offset: Option<Offset>,
) -> Option<ServerFrame<'static>> {
    request.map(|id| {
        let ack = Ack {
            id,
            room,
            offset,
            duplicate: false,
        };
        ack.into()
    })
}

fn room_of<'a>(body: &'a ClientBody<'_>) -> Option<&'a RoomName> {
    match body {
        ClientBody::Join(join) => Some(&join.room),
        ClientBody::Leave { room } => Some(room),
        ClientBody::Publish(publish) => Some(&publish.room),
        ClientBody::History(history) => Some(&history.room),
        ClientBody::Members(members) => Some(&members.room),
        ClientBody::Update(update) => Some(&update.room),
        ClientBody::Kick(kick) => Some(&kick.room),
        ClientBody::Hello(_) | ClientBody::Ping { .. } | ClientBody::Pong { .. } => None,
    }
}
