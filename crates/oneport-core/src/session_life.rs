//! How sessions begin, lose their links, come back, and end.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use oneport_wire::frame::{
    Bye, Hello, LeaveReason, Left, Limits, Rejection, ServerFrame, Version, Welcome,
};
use oneport_wire::{
    ByeCode, CLIENT_FRAME_BYTES_MAX, ErrorCode, RequestId, ResumeToken, RoomName, SessionId,
    SessionLabel,
};

use crate::framed::{Answer, full, internal};
use crate::holder::Carrier;
use crate::lossy::Waiting;
use crate::published::PublishedIds;
use crate::rate::Bucket;
use crate::sessions::{Outbox, SILENCE_MAX, Session, SessionKey, Stay};
use crate::{LinkId, Relay};

impl Relay {
    /// `hello`: begins a session, or goes on with one, whose other link ends at once.
    pub(crate) fn hello(
        &mut self,
        id: LinkId,
        request: Option<RequestId>,
        hello: &Hello,
    ) -> Answer {
        let found = hello
            .resume
            .as_ref()
            .and_then(|token| self.sessions.find(token));
        let client = &self.links[id];
        let url = (client.room.clone(), client.session_id);
        let key = match found {
            Some(key) => {
                self.replace_link(key);
                self.sessions.set_url(key, url);
                key
            }
            None => self.begin_session(url)?,
        };
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        session.link = Some(id);
        session.heard = self.now;
        session.pinged = self.now;
        session.resumed_until = found.map(|_| self.now + self.config.grace);
        session.away_at = None;
        session.outbox.clear();
        self.links[id].session = Some(key);
        self.links[id].label = Some(session.label);
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

    fn begin_session(&mut self, url: (RoomName, SessionId)) -> Result<SessionKey, Rejection> {
        let bytes = self.config.session_bytes_max();
        if self.sessions.len() >= self.config.sessions_max || !self.make_place(bytes) {
            return Err(full(ErrorCode::Memory));
        }
        let (label, resume) = (self.secrets.session_label(), self.secrets.resume_token());
        Ok(self.add_session(label, resume, url))
    }

    /// Adds a session without a link, in no room.
    pub(crate) fn add_session(
        &mut self,
        label: SessionLabel,
        resume: ResumeToken,
        url: (RoomName, SessionId),
    ) -> SessionKey {
        let owner = self.hub.add_owner();
        let key = self.sessions.insert(Session {
            label,
            resume,
            owner,
            link: None,
            url,
            rooms: BTreeMap::new(),
            outbox: Outbox::default(),
            bucket: Bucket::new(self.config.rate, self.unix_now()),
            published: PublishedIds::default(),
            receipts: VecDeque::new(),
            resumed_until: None,
            away_at: None,
            refused_in_a_row: 0,
            heard: self.now,
            pinged: self.now,
            ping: 0,
        });
        self.carriers.insert(owner, Carrier::Session(key));
        self.lossy.insert(owner, Waiting::new());
        key
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

    /// A link no longer speaks for its session, which goes on for the grace time without one. In no
    /// room there is nothing to come back to: it would only take another's place.
    pub(crate) fn detach(&mut self, id: LinkId) {
        let Some(key) = self.links[id].session.take() else {
            return;
        };
        let now = self.unix_now();
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if session.rooms.is_empty() {
            return self.end_session(key, LeaveReason::Left);
        }
        session.link = None;
        session.heard = self.now;
        session.outbox.clear();
        for stay in session.rooms.values_mut() {
            if let Some(reader) = stay.reader.take() {
                self.hub.remove_reader(reader);
            }
            // Of a relay that goes down everybody is lost, and is soon back at the next one: who is not
            // is away then.
            if self.shutdown.is_none() {
                self.hub.set_away(now, stay.seat, true);
            }
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
        self.session_deadlines.set(self.now, key, deadline);
    }

    /// A session is due: it is asked whether it is still there, or its link or itself ends.
    pub(crate) fn wake_session(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            self.session_deadlines.set(self.now, key, None);
            return;
        };
        let Some(link) = session.link else {
            if self.now - session.heard >= self.config.grace {
                return self.end_session(key, LeaveReason::Lost);
            }
            self.be_away_if_due(key);
            self.leave_expired(key);
            self.finish_due_receipts(key);
            return self.schedule(key);
        };
        if self.now - session.heard >= SILENCE_MAX {
            self.session_deadlines.set(self.now, key, None);
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

    /// The others learn of a session that has not come back since the relay before this one that its
    /// link is lost.
    fn be_away_if_due(&mut self, key: SessionKey) {
        let now = self.unix_now();
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if session.away_at.take_if(|at| *at <= self.now).is_some() {
            for stay in session.rooms.values() {
                self.hub.set_away(now, stay.seat, true);
            }
        }
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
        self.session_deadlines.set(self.now, key, None);
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

    /// Ends a link and says why. Where it should not come back, its session ends as well.
    pub(crate) fn end_link(&mut self, id: LinkId, code: ByeCode) {
        self.say_bye(id, code);
        let Some(client) = self.links.get_mut(id) else {
            return;
        };
        client.link.close(self.now, code.as_str());
        self.unsettled.push_back(id);
        if !code.retry_helps()
            && let Some(key) = client.session
        {
            let reason = match code {
                ByeCode::Expired => LeaveReason::Expired,
                ByeCode::Kicked => LeaveReason::Kicked,
                _ => LeaveReason::Lost,
            };
            self.end_session(key, reason);
        }
    }

    pub(crate) fn say_bye(&mut self, id: LinkId, code: ByeCode) {
        let retry_after_ms = match code {
            // All at once they would be a burst.
            ByeCode::Shutdown => Some(self.retry_after_ms()),
            _ => code.retry_helps().then_some(0),
        };
        let bye = Bye {
            code,
            message: code.meaning().into(),
            retry_after_ms,
        };
        self.write_now(id, &bye.into());
    }
}
