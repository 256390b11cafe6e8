//! Framed channels: what a client says in `oneport.v1`, and what it is answered.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use oneport_link::ChannelId;
use oneport_wire::frame::{
    Ack, Bye, Change, Class, ClientBody, ClientFrame, Hello, Kick, LeaveReason, Left, Limits,
    Members, MembersPage, Publish, Rejection, ServerFrame, Update, Version, Welcome,
};
use oneport_wire::{ByeCode, CLIENT_FRAME_BYTES_MAX, ErrorCode, Kind, Offset, RequestId, RoomName};

use crate::client::{Channel, Role};
use crate::hub::{Profile, Publication, SeatId};
use crate::lossy::Waiting;
use crate::published::PublishedIds;
use crate::rate::Bucket;
use crate::relay::{Carrier, Holder};
use crate::sessions::{Outbox, SILENCE_MAX, Session, SessionKey, Stay};
use crate::{LinkId, Relay};

/// How many frames in a row may be refused. A client that goes on after that is not mistaken but
/// hostile, or too broken to be helped.
const REFUSED_IN_A_ROW_MAX: u32 = 1000;

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
        let now = self.now;
        if let Some(session) = self.session_of(id) {
            session.heard = now;
        }
        let (request, room, answer) = self.try_frame(id, kind, bytes, is_lossy);
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
            let limit = u32::try_from(CLIENT_FRAME_BYTES_MAX).unwrap_or(u32::MAX);
            return (None, None, Err(Rejection::too_large(limit)));
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

    /// `hello`: begins a session, or goes on with one, whose other link ends at once.
    fn hello(&mut self, id: LinkId, request: Option<RequestId>, hello: &Hello) -> Answer {
        let found = hello
            .resume
            .as_ref()
            .and_then(|token| self.sessions.find(token));
        let key = match found {
            Some(key) => {
                self.replace_link(key);
                key
            }
            None => self.begin_session()?,
        };
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        session.link = Some(id);
        session.heard = self.now;
        session.pinged = self.now;
        session.resumed_until = found.map(|_| self.now + self.config.grace);
        session.outbox.clear();
        self.links[id].session = Some(key);
        let millis = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let verb = if found.is_some() { "resumed" } else { "began" };
        log::info!(
            "link {} {verb} session {}",
            self.links[id].number,
            session.label
        );
        let welcome = Welcome {
            id: request,
            version: Version,
            session: session.label,
            resume: session.resume,
            resumed: found.is_some(),
            ping_ms: millis(self.config.ping_interval),
            grace_ms: millis(self.config.grace),
            limits: Limits {
                frame_bytes: count(CLIENT_FRAME_BYTES_MAX),
                rooms: count(self.config.rooms_per_session_max),
                history: count(self.config.history_max),
                publish_ids: count(self.config.publish_ids_max),
                frames_per_s: self.config.rate.messages,
                bytes_per_s: self.config.rate.bytes,
            },
        };
        Ok(Some(welcome.into()))
    }

    fn begin_session(&mut self) -> Result<SessionKey, Rejection> {
        if self.sessions.len() >= self.config.sessions_max {
            return Err(Rejection::of(ErrorCode::Memory));
        }
        let owner = self.hub.add_owner();
        let key = self.sessions.insert(Session {
            label: self.secrets.session_label(),
            resume: self.secrets.resume_token(),
            owner,
            link: None,
            rooms: BTreeMap::new(),
            outbox: Outbox::default(),
            bucket: Bucket::new(self.config.rate, self.unix_now()),
            published: PublishedIds::default(),
            receipts: VecDeque::new(),
            resumed_until: None,
            refused_in_a_row: 0,
            heard: self.now,
            pinged: self.now,
            ping: 0,
        });
        self.carriers.insert(owner, Carrier::Session(key));
        self.lossy.insert(owner, Waiting::new());
        Ok(key)
    }

    /// Another link speaks for the session from now on: nobody sees its members go or come.
    fn replace_link(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let Some(old) = session.link.take() else {
            return;
        };
        for stay in session.rooms.values_mut() {
            if let Some(reader) = stay.reader.take() {
                self.hub.remove_reader(reader);
            }
        }
        if let Some(client) = self.links.get_mut(old) {
            client.session = None;
        }
        self.end_link(old, ByeCode::Replaced);
    }

    /// A link no longer speaks for its session, which goes on for the grace time without one.
    pub(crate) fn detach(&mut self, id: LinkId) {
        let Some(key) = self.links[id].session.take() else {
            return;
        };
        let now = self.unix_now();
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.link = None;
        session.heard = self.now;
        session.outbox.clear();
        for stay in session.rooms.values_mut() {
            if let Some(reader) = stay.reader.take() {
                self.hub.remove_reader(reader);
            }
            self.hub.set_away(now, stay.seat, true);
        }
        self.schedule(key);
    }

    pub(crate) fn schedule(&mut self, key: SessionKey) {
        let now = self.unix_now();
        let deadline = self.sessions.get(key).map(|session| {
            let due = session.deadline(self.config.ping_interval, self.config.grace);
            let expires = session.expires().map(|at| {
                let millis = at.get().saturating_sub(now.get());
                self.now + Duration::from_millis(millis)
            });
            expires.map_or(due, |expires| due.min(expires))
        });
        self.session_deadlines.set(key, deadline);
    }

    /// A session is due: it is asked whether it is still there, or its link or itself ends.
    pub(crate) fn wake_session(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            self.session_deadlines.set(key, None);
            return;
        };
        let Some(link) = session.link else {
            if self.now - session.heard >= self.config.grace {
                return self.end_session(key, LeaveReason::Lost);
            }
            self.leave_expired(key);
            self.finish_due_receipts(key);
            return self.schedule(key);
        };
        if self.now - session.heard >= SILENCE_MAX {
            self.session_deadlines.set(key, None);
            return self.end_link(link, ByeCode::Idle);
        }
        if self.now - session.heard.max(session.pinged) >= self.config.ping_interval {
            session.pinged = self.now;
            session.ping = session.ping.wrapping_add(1);
            let n = session.ping;
            session.outbox.push(ServerFrame::Ping { n });
            self.hub.wake(session.owner);
        }
        if session.resumed_until.is_some_and(|until| until <= self.now) {
            session.resumed_until = None;
            self.leave_abandoned(key);
        }
        self.leave_expired(key);
        self.finish_due_receipts(key);
        self.schedule(key);
    }

    /// The rooms are left that the session's access tokens no longer let it be in.
    fn leave_expired(&mut self, key: SessionKey) {
        let now = self.unix_now();
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let reason = LeaveReason::Expired;
        let is_expired = |stay: &Stay| stay.grant.expires.is_some_and(|at| at <= now);
        for (room, stay) in session.rooms.extract_if(.., |_, stay| is_expired(stay)) {
            self.holders.remove(stay.seat);
            self.hub.leave(now, stay.seat, reason);
            let (id, message) = (None, None);
            session.outbox.push(Left {
                id,
                room,
                reason,
                message,
            });
        }
        self.hub.wake(session.owner);
    }

    /// The rooms that a resumed session did not come back to in time are left.
    fn leave_abandoned(&mut self, key: SessionKey) {
        let now = self.unix_now();
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.rooms.retain(|_, stay| {
            let is_back = stay.reader.is_some();
            if !is_back {
                self.holders.remove(stay.seat);
                self.hub.leave(now, stay.seat, LeaveReason::Lost);
            }
            is_back
        });
    }

    pub(crate) fn end_session(&mut self, key: SessionKey, reason: LeaveReason) {
        let now = self.unix_now();
        self.session_deadlines.set(key, None);
        let Some(session) = self.sessions.remove(key) else {
            return;
        };
        if let Some(client) = session.link.and_then(|link| self.links.get_mut(link)) {
            client.session = None;
        }
        self.forget_receipts(session.receipts);
        self.hub.remove_owner(session.owner);
        self.carriers.remove(session.owner);
        self.lossy.remove(session.owner);
        for stay in session.rooms.values() {
            self.holders.remove(stay.seat);
            self.hub.leave(now, stay.seat, reason);
        }
        log::info!("session {} ended", session.label);
    }

    /// Ends a link and says why.
    pub(crate) fn end_link(&mut self, id: LinkId, code: ByeCode) {
        self.say_bye(id, code);
        if let Some(client) = self.links.get_mut(id) {
            client.link.close(self.now, code.as_str());
            self.unsettled.push_back(id);
        }
    }

    pub(crate) fn say_bye(&mut self, id: LinkId, code: ByeCode) {
        let bye = Bye {
            code,
            message: code.meaning().into(),
            retry_after_ms: code.retry_helps().then_some(0),
        };
        self.write_now(id, &bye.into());
    }

    fn leave_room(&mut self, key: SessionKey, id: Option<RequestId>, room: RoomName) -> Answer {
        let now = self.unix_now();
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        let stay = session.rooms.remove(&room);
        let stay = stay.ok_or_else(|| Rejection::of(ErrorCode::NotInRoom))?;
        self.holders.remove(stay.seat);
        self.hub.leave(now, stay.seat, LeaveReason::Left);
        let reason = LeaveReason::Left;
        let message = None;
        Ok(Some(
            Left {
                id,
                room,
                reason,
                message,
            }
            .into(),
        ))
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
        let of = self
            .hub
            .audience_size(stay.seat, publish.to.as_ref(), publish.echo);
        let payload = publish.payload.into_owned();
        let payload = self.judge(stay.seat, &publish.topic, payload);
        let payload = payload.map_err(|why| Rejection::new(ErrorCode::Refused, why))?;
        let publication = Publication {
            topic: publish.topic,
            to: publish.to,
            echo: publish.echo,
            is_kept: class == Class::Kept,
            payload,
        };
        if class == Class::Lossy {
            self.publish_lossy(stay.seat, publication)
                .map_err(Rejection::of)?;
            return Ok(ack(request, publish.room));
        }
        let now = self.unix_now();
        let offset = self.hub.publish(now, stay.seat, publication);
        let offset = offset.map_err(Rejection::of)?;
        if publish.delivery.receipt() {
            let subject = (publish.room.clone(), offset);
            self.want_receipt(key, request.clone(), subject, of);
        }
        let Some(id) = request else {
            return Ok(None);
        };
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        let count_max = self.config.publish_ids_max;
        session.published.insert(id.clone(), offset, count_max);
        Ok(Some(published(id, publish.room, offset, false)))
    }

    fn members(&mut self, key: SessionKey, id: Option<RequestId>, ask: &Members) -> Answer {
        let stay = self.stay(key, &ask.room)?;
        let page = self
            .members_page(stay.seat, id, ask.after)
            .ok_or_else(internal)?;
        Ok(Some(page.into()))
    }

    pub(crate) fn members_page(
        &self,
        seat: SeatId,
        id: Option<RequestId>,
        after: Option<oneport_wire::MemberId>,
    ) -> Option<MembersPage> {
        let view = self.hub.room(seat)?;
        let mut members = view.members_after(after);
        let page: Vec<_> = members
            .by_ref()
            .take(oneport_wire::frame::Member::PAGE_MAX)
            .collect();
        Some(MembersPage {
            id,
            room: view.name().clone(),
            offset: view.end(),
            total: u32::try_from(view.members_count()).unwrap_or(u32::MAX),
            more: members.next().is_some(),
            members: page,
        })
    }

    fn update(&mut self, key: SessionKey, request: Option<RequestId>, update: Update) -> Answer {
        let stay = self.stay(key, &update.room)?;
        let view = self.hub.room(stay.seat).ok_or_else(internal)?;
        let mut profile: Profile = view.my_profile().clone();
        match update.name {
            // A name that is prescribed stays.
            _ if stay.grant.name.is_some() => {}
            Change::Keep => {}
            Change::Clear => profile.name = None,
            Change::Set(name) => profile.name = Some(name),
        }
        match update.meta {
            Change::Keep => {}
            Change::Clear => profile.meta = None,
            Change::Set(meta) => profile.meta = Some(meta),
        }
        let now = self.unix_now();
        self.hub.update(now, stay.seat, profile);
        Ok(ack(request, update.room))
    }

    fn kick(&mut self, key: SessionKey, request: Option<RequestId>, kick: Kick) -> Answer {
        let stay = self.stay(key, &kick.room)?;
        if !stay.grant.rights.kick {
            return reject(ErrorCode::Forbidden);
        }
        let seat = self
            .hub
            .room(stay.seat)
            .and_then(|view| view.seat(kick.member));
        let seat = seat.ok_or_else(|| Rejection {
            member: Some(kick.member),
            ..Rejection::of(ErrorCode::NoSuchMember)
        })?;
        match self.holders.get(seat).copied() {
            Some(Holder::Plain(link)) => {
                self.links[link].link.close(self.now, "kicked");
                self.unsettled.push_back(link);
            }
            Some(Holder::Session(other)) => {
                let now = self.unix_now();
                self.holders.remove(seat);
                self.hub.leave(now, seat, LeaveReason::Kicked);
                if let Some(session) = self.sessions.get_mut(other) {
                    session.rooms.remove(&kick.room);
                    session.outbox.push(Left {
                        id: None,
                        room: kick.room.clone(),
                        reason: LeaveReason::Kicked,
                        message: kick.message,
                    });
                    self.hub.wake(session.owner);
                }
            }
            None => {}
        }
        Ok(ack(request, kick.room))
    }
}

pub(crate) fn internal() -> Rejection {
    Rejection::of(ErrorCode::Internal)
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

fn ack(request: Option<RequestId>, room: RoomName) -> Option<ServerFrame<'static>> {
    request.map(|id| {
        let ack = Ack {
            id,
            room,
            offset: None,
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
