//! What members do.

use std::collections::BTreeSet;
use std::time::Duration;

use oneport_client::{Change, History, Kick, Members, Publish, Update};
use oneport_core::RoomName;
use oneport_wire::frame::Class;
use oneport_wire::{MemberId, Recipients, RequestId};

use super::Stage;
use super::house::FORBIDDEN;
use super::weather::set_weather;
use crate::oracle::{delivery, payload};
use crate::{Operation, Size, Weather};

/// How many members there are at a time, the dead not counted.
const MEMBERS_MAX: usize = 6;

/// How many messages a flood is: more bytes than the smallest ring and a link's buffer hold.
const FLOOD: usize = 32;

impl Stage {
    pub(super) fn carry_out_of_member(&mut self, operation: Operation) {
        match operation {
            Operation::Join { who, room, history } => self.join(who, room, history),
            Operation::Leave { who, room } => self.leave(who, room),
            Operation::Publish {
                who,
                room,
                size,
                class,
                flags,
            } => self.publish(who, room, size, class, flags),
            Operation::Burst { who, room, count } => {
                for _ in 0..u16::from(count) * 4 {
                    self.publish(who, room, Size::Small, 0, 1);
                }
            }
            Operation::Flood { who, room, whom } => self.flood(who, room, whom),
            Operation::Repeat { who } => self.repeat(who),
            Operation::Return { who } => self.come_back(who),
            Operation::Forbidden { who, room } => self.publish_forbidden(who, room),
            Operation::Rename { who, room } => self.rename(who, room),
            Operation::Kick { who, room, whom } => self.kick(who, room, whom),
            Operation::History { who, room, count } => self.ask_history(who, room, count),
            Operation::Members { who, room } => self.ask_members(who, room),
            Operation::Quit { who } => self.quit(who),
            Operation::Die { who } => self.die(who),
            Operation::Cut {
                who,
                direction,
                tenths_s,
            } => self.cut(who, direction, tenths_s),
            of_way => self.carry_out_of_way(of_way),
        }
    }

    /// What needs nothing but a member.
    fn carry_out_of_way(&mut self, operation: Operation) {
        let (Operation::Sleep { who, .. }
        | Operation::Reconnect { who }
        | Operation::Check { who }
        | Operation::Rebind { who }
        | Operation::LoseAnswer { who }
        | Operation::Weather { who, .. }) = operation
        else {
            return;
        };
        let Some(index) = self.who(who) else {
            return;
        };
        let now = self.now();
        let port = 1024 + self.dice.below(60_000) as u16;
        let member = self.world.member_mut(index);
        match operation {
            Operation::Sleep { is_asleep, .. } => {
                member.is_asleep = is_asleep;
                self.oracle.sleeps(index);
            }
            Operation::Reconnect { .. } => member.offer = member.client.reconnect(now).ok(),
            Operation::Check { .. } => member.client.check(now),
            Operation::Rebind { .. } => member.access.outside.set_port(port),
            Operation::LoseAnswer { .. } => member.answers_to_lose += 1,
            Operation::Weather { kind, .. } => set_weather(&mut member.access, kind),
            _ => {}
        }
    }

    pub(super) fn arrive(&mut self, room: u8, history: u8) {
        if self.alive.len() >= MEMBERS_MAX {
            return;
        }
        let index = self.world.add();
        self.alive.insert(index, BTreeSet::new());
        self.join_as(index, &self.room(room), history);
    }

    fn join(&mut self, who: u8, room: u8, history: u8) {
        if let Some(index) = self.who(who) {
            self.join_as(index, &self.room(room), history);
        }
    }

    fn join_as(&mut self, index: usize, room: &RoomName, history: u8) {
        let rooms = self.alive.entry(index).or_default();
        let mut join = oneport_client::join(room.clone());
        join.name = format!("m{index}").parse().ok();
        join.history = history.into();
        self.oracle.wants_name(index, room, join.name.clone());
        let now = self.world.now();
        if self.world.member_mut(index).client.join(now, join).is_ok() {
            rooms.insert(room.clone());
        }
    }

    fn leave(&mut self, who: u8, room: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        let (now, room) = (self.now(), self.room_of(index, room));
        let member = self.world.member_mut(index);
        // Who sleeps does not leave: what it was told before is still to be heard.
        if !member.is_asleep && member.client.leave(now, &room).is_ok() {
            self.alive.entry(index).or_default().remove(&room);
            self.oracle.leaves(index, &room);
        }
    }

    fn publish(&mut self, who: u8, room: u8, size: Size, class: u8, flags: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        let room = self.room_of(index, room);
        let class = match class {
            0..5 => Class::Kept,
            5..7 => Class::Transient,
            _ => Class::Lossy,
        };
        let bytes = match size {
            Size::Small => 8 + self.dice.index(24),
            Size::Medium => 200 + self.dice.index(800),
            Size::Large => 2000 + self.dice.index(30_000),
            Size::Largest => 200_000,
        };
        let number = self.oracle.next_said();
        let to = (flags & 0b1_1100 == 0)
            .then(|| self.some_others(index, &room))
            .flatten();
        // Who sleeps does not know whose the ids are that it knows: the room may have begun anew.
        let to = to.filter(|_| !self.world.member(index).is_asleep);
        // What has no id is heard by its author, else nobody knows what became of it.
        let has_id = class != Class::Lossy && (flags & 3 != 0 || to.is_some());
        let publish = Publish {
            topic: ["", "chat", "a/b"][usize::from(flags >> 6) % 3]
                .parse()
                .expect("a topic"),
            to,
            echo: flags & 32 != 0 || !has_id,
            delivery: delivery(class, flags & 64 != 0),
            ..Publish::new(room, payload(number, flags & 128 != 0, bytes))
        };
        let id = has_id.then(|| id(number));
        self.publish_as(index, id, publish);
    }

    fn some_others(&mut self, index: usize, room: &RoomName) -> Option<Recipients> {
        let others = self.oracle.others(index, room);
        let count = others.len().min(1 + self.dice.index(2));
        let chosen: Vec<MemberId> = (0..count).map(|_| *self.dice.pick(&others)).collect();
        if chosen.is_empty() {
            return None;
        }
        Recipients::new(chosen).ok()
    }

    fn publish_forbidden(&mut self, who: u8, room: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        let number = self.oracle.next_said();
        let publish = Publish {
            topic: FORBIDDEN.parse().expect("a topic"),
            ..Publish::new(self.room_of(index, room), payload(number, false, 20))
        };
        self.publish_as(index, Some(id(number)), publish);
    }

    fn publish_as(&mut self, index: usize, id: Option<RequestId>, publish: Publish<'static>) {
        let now = self.now();
        // It must be known before the relay can hear it.
        let member = self.world.member_mut(index);
        if member.publish(now, id.clone(), publish.clone()).is_ok() {
            self.oracle.publishes(index, id, &publish);
        }
    }

    /// Much for all in the room, one of whom is at the end of a narrow way.
    fn flood(&mut self, who: u8, room: u8, whom: u8) {
        let (Some(index), Some(slow)) = (self.who(who), self.who(whom)) else {
            return;
        };
        if index == slow {
            return;
        }
        set_weather(&mut self.world.member_mut(slow).access, Weather::Trickle);
        let room = self.room_of(index, room);
        for _ in 0..FLOOD {
            let number = self.oracle.next_said();
            let publish = Publish::new(room.clone(), payload(number, false, 16 * 1024));
            self.publish_as(index, Some(id(number)), publish);
        }
    }

    /// The same id once more. In the session that it was acknowledged in, the relay must remember it.
    fn repeat(&mut self, who: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        let Some((id, room)) = self.oracle.last_acknowledged(index) else {
            return;
        };
        let waiting = self.world.member(index).client.unacknowledged();
        if waiting < self.config.publish_ids_max / 2 {
            let number = self.oracle.next_said();
            let publish = Publish::new(room, payload(number, false, 20));
            self.publish_as(index, Some(id), publish);
        }
    }

    /// Another program in the place of one that died, with its places in rooms and its ids.
    fn come_back(&mut self, who: u8) {
        let Some(old) = self.who(who) else {
            return;
        };
        let places = self.oracle.places_of(old);
        self.die(who);
        let new = self.world.add();
        self.oracle.succeeds(old, new);
        self.alive.insert(new, BTreeSet::new());
        for (room, since) in places {
            let mut join = oneport_client::join(room.clone());
            join.since = Some(since);
            self.oracle.wants_name(new, &room, None);
            let now = self.now();
            if self.world.member_mut(new).client.join(now, join).is_ok() {
                self.oracle.returns(new, &room);
                self.report.count("came back without a session", 1);
                self.alive.entry(new).or_default().insert(room);
            }
        }
    }

    fn rename(&mut self, who: u8, room: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        let room = self.room_of(index, room);
        let name = match self.dice.below(1000) {
            0..200 => None,
            number => Some(format!("n{number}").parse().expect("a name")),
        };
        self.oracle.wants_name(index, &room, name.clone());
        let update = Update {
            room,
            name: name.map_or(Change::Clear, Change::Set),
            meta: Change::Keep,
        };
        let now = self.now();
        let _ = self
            .world
            .member_mut(index)
            .client
            .update(now, None, update);
    }

    fn kick(&mut self, who: u8, room: u8, whom: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        let room = self.room_of(index, room);
        let others = self.oracle.others(index, &room);
        let Some(member) = usize::from(whom).checked_rem(others.len()) else {
            return;
        };
        let kick = Kick {
            room,
            member: others[member],
            message: None,
        };
        self.oracle.kicks(&kick.room, kick.member);
        let now = self.now();
        let _ = self.world.member_mut(index).client.kick(now, None, kick);
    }

    fn ask_history(&mut self, who: u8, room: u8, count: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        let ask = History {
            room: self.room_of(index, room),
            before: None,
            count: u32::from(count) + 1,
        };
        let now = self.now();
        let member = self.world.member_mut(index);
        if member.client.history(now, None, ask).is_ok() {
            self.oracle.asks_history(index);
        }
    }

    fn ask_members(&mut self, who: u8, room: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        let room = self.room_of(index, room);
        let now = self.now();
        let ask = Members { room, after: None };
        let _ = self.world.member_mut(index).client.members(now, None, ask);
    }

    pub(super) fn quit(&mut self, who: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        let now = self.now();
        self.listen();
        self.world.member_mut(index).client.close(now);
        self.alive.remove(&index);
        self.oracle.dies(index);
    }

    pub(super) fn die(&mut self, who: u8) {
        let Some(index) = self.who(who) else {
            return;
        };
        self.listen();
        self.world.member_mut(index).is_dead = true;
        self.alive.remove(&index);
        self.oracle.dies(index);
    }

    fn cut(&mut self, who: u8, direction: u8, tenths_s: u16) {
        let Some(index) = self.who(who) else {
            return;
        };
        let until = self.now() + Duration::from_millis(100) * u32::from(tenths_s);
        let access = &mut self.world.member_mut(index).access;
        access.up.is_cut |= direction != 1;
        access.down.is_cut |= direction != 2;
        let known = self.cuts.entry(index).or_insert(until);
        *known = until.max(*known);
    }
}

fn id(number: usize) -> RequestId {
    format!("p{number}").parse().expect("an id")
}
