//! What follows from what has happened: links that come and go, times that are due, the end.

use std::time::{Duration, Instant};

use oneport_link::{ChannelId, Link, LinkEvent};
use oneport_wire::frame::{ClientBody, Hello, Version};
use oneport_wire::{PROTOCOL, RoomName};

use crate::client::Phase;
use crate::heartbeat::{Beat, Heartbeat};
use crate::pump::{encode, kind_on_wire};
use crate::requests::Request;
use crate::room::{Room, Stage};
use crate::{Client, Ended, Event, Lost, Unanswered};

impl Client {
    /// Draws all conclusions from what has changed.
    pub(crate) fn settle(&mut self) {
        self.is_fed = false;
        while let Some(event) = self.link.as_mut().and_then(Link::poll_event) {
            self.handle_event(event);
        }
        self.beat();
        self.join_rooms();
        self.pump();
        // Writing may end the link.
        while let Some(event) = self.link.as_mut().and_then(Link::poll_event) {
            self.handle_event(event);
        }
        if self.is_finishing {
            self.finish_if_done();
        }
        let is_over = matches!(
            self.phase,
            Phase::Waiting(_) | Phase::Wanting | Phase::Ended
        );
        if is_over && self.link.as_ref().is_some_and(Link::is_done) {
            self.link = None;
        }
    }

    /// The same, if datagrams came since.
    pub(crate) fn settle_fed(&mut self) {
        if self.is_fed {
            self.settle();
        }
    }

    /// First the rooms are left, then the client ends.
    pub(crate) fn finish_if_done(&mut self) {
        if self.phase == Phase::Ended || self.pending.len() > 0 || !self.requests.is_empty() {
            return;
        }
        if !self.rooms.values().all(Room::is_settled) {
            return;
        }
        if self.rooms.is_empty() {
            return self.end(Ended::ByOwner);
        }
        let rooms: Vec<_> = self.rooms.keys().cloned().collect();
        for room in rooms {
            self.send_leave(&room);
        }
        self.pump();
    }

    pub(crate) fn handle_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::ChannelOpen(channel, config) if config.protocol == PROTOCOL => {
                self.greet(channel);
            }
            LinkEvent::ChannelClosed(channel) if self.channel == Some(channel) => {
                self.lose(Lost::ChannelClosed, None);
            }
            LinkEvent::Message {
                channel,
                kind,
                payload,
            } if self.channel == Some(channel) => self.handle_frame(kind_on_wire(kind), &payload),
            LinkEvent::MessageRejected(channel, rejection) if self.channel == Some(channel) => {
                self.lose(Lost::BadFrame(rejection.to_string()), None);
            }
            LinkEvent::Closed(reason) => self.lose(Lost::Link(reason), None),
            _ => {}
        }
    }

    pub(crate) fn greet(&mut self, channel: ChannelId) {
        if self.phase != Phase::Offering {
            return;
        }
        self.channel = Some(channel);
        self.phase = Phase::Greeting;
        self.heartbeat = Heartbeat::new(self.now);
        let hello = Hello {
            version: Version,
            resume: self.resume,
        };
        self.ask(None, Request::Hello, ClientBody::Hello(hello));
    }

    /// Does what is due by time.
    pub(crate) fn beat(&mut self) {
        if let Phase::Waiting(until) = self.phase
            && until <= self.now
        {
            self.phase = Phase::Wanting;
            self.events.push(Event::OfferWanted);
        }
        if self.channel.is_none() {
            return;
        }
        match self.heartbeat.beat(self.now) {
            Beat::Rest => {}
            Beat::Ping(n) => self.ping = Some(n),
            Beat::Dead => self.lose(Lost::Silent, None),
        }
    }

    pub(crate) fn join_rooms(&mut self) {
        if !self.is_live() {
            return;
        }
        let (now, requests, pending) = (self.now, &mut self.requests, &self.pending);
        for (name, room) in &mut self.rooms {
            let is_due = match room.stage {
                Stage::Wanted => true,
                Stage::Held(until) => until <= now,
                _ => false,
            };
            if is_due {
                let request = Request::Join(name.clone());
                let id = requests.add(None, request, |id| pending.contains(id));
                let join = room.joining(id.clone());
                self.outbox
                    .push_back(encode(Some(id), ClientBody::Join(join)));
            }
        }
    }

    /// The link is lost; the session goes on.
    pub(crate) fn lose(&mut self, why: Lost, wait: Option<Duration>) {
        if matches!(
            self.phase,
            Phase::Waiting(_) | Phase::Wanting | Phase::Ended
        ) {
            return;
        }
        let welcomed = match self.phase {
            Phase::Live(since) => Some(since),
            _ => None,
        };
        self.drop_link(why.clone());
        self.backoff.lost(self.now, welcomed);
        let retry_in = self
            .backoff
            .wait(&mut self.secrets)
            .max(wait.unwrap_or_default());
        self.phase = Phase::Waiting(self.now + retry_in);
        self.events.push(Event::Disconnected { why, retry_in });
    }

    pub(crate) fn drop_link(&mut self, why: Lost) {
        log::debug!("link lost: {why}");
        if let Some(link) = &mut self.link {
            link.close(self.now, "lost");
        }
        self.channel = None;
        (self.ping, self.pong) = (None, None);
        self.outbox.clear();
        self.pending.link_lost();
        for id in self.requests.link_lost() {
            let (id, why) = (Some(id), Unanswered::LinkLost);
            self.events.push(Event::Unanswered { id, why });
        }
        self.rooms.retain(|_, room| room.link_lost());
    }

    /// The session is over.
    pub(crate) fn end(&mut self, why: Ended) {
        if self.phase == Phase::Ended {
            return;
        }
        self.drop_link(Lost::Abandoned);
        self.phase = Phase::Ended;
        self.rooms.clear();
        for id in self.pending.take_all() {
            let why = Unanswered::Ended;
            self.events.push(Event::Unanswered { id, why });
        }
        self.events.push(Event::Closed(why));
    }

    /// Gives up what was to be sent to a room, and the room itself where nothing is waited for.
    pub(crate) fn abandon_room(&mut self, room: &RoomName, is_gone: bool) {
        for id in self.pending.awaited(room).cloned() {
            self.requests.abandon(id);
        }
        for id in self.pending.room_left(room) {
            let why = Unanswered::RoomLeft;
            self.events.push(Event::Unanswered { id, why });
        }
        if is_gone {
            self.rooms.remove(room);
        }
    }

    pub(crate) fn held_room_until(&self) -> Option<Instant> {
        let held = |room: &Room| match room.stage {
            Stage::Held(until) => Some(until),
            _ => None,
        };
        let rooms = self.rooms.values().filter(|_| self.is_live());
        rooms.filter_map(held).min()
    }
}
