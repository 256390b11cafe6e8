//! Rooms, their messages, and who has to take which: pure data, no transport.
//!
//! A room keeps its messages in one ring, in one order. Each subscription has a cursor into it. The
//! ring *is* the send queue: a message is stored once, a receiver costs a cursor, and memory is
//! bounded however slow a receiver is. One that falls off the ring is told to its owner, who closes
//! it ([`Next::Slow`]); the publisher is never slowed.

mod limits;
mod ring;

use std::collections::{HashMap, VecDeque};

use oneport_link::Kind;
use oneport_wire::{Refusal, RoomName};
use slotmap::{SlotMap, new_key_type};

pub use limits::HubLimits;
use ring::Ring;
pub use ring::{Entry, Offset};

new_key_type! {
    /// A room of a hub.
    struct RoomId;
    /// A class of messages within a room: a plain channel's label.
    struct TopicId;
    /// A participant of a room.
    pub struct MemberId;
    /// A member's wish to take the messages of one topic, and its right to publish there.
    pub struct SubscriptionId;
}

/// What a member is to take next.
#[derive(Debug)]
pub enum Next<'a> {
    /// Nothing.
    Idle,
    /// This entry, for this subscription. [`Hub::taken`] goes on.
    Entry(SubscriptionId, &'a Entry),
    /// Messages that a reliable subscription was owed are gone.
    Slow,
}

/// What went through a hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubStats {
    /// Messages that were published.
    pub published: u64,
    /// Messages that were taken, once for each receiver.
    pub delivered: u64,
    /// Messages that left the ring before a receiver took them, once for each such receiver.
    pub evicted: u64,
}

/// All rooms of a relay.
#[derive(Debug)]
pub struct Hub {
    limits: HubLimits,
    rooms: SlotMap<RoomId, Room>,
    room_by_name: HashMap<RoomName, RoomId>,
    members: SlotMap<MemberId, Member>,
    subscriptions: SlotMap<SubscriptionId, Subscription>,
    /// The members that have something to take, each once, first come first served.
    ready: VecDeque<MemberId>,
    stats: HubStats,
}

#[derive(Debug)]
struct Room {
    name: RoomName,
    members: usize,
    topics: SlotMap<TopicId, Topic>,
    topic_by_label: HashMap<String, TopicId>,
    ring: Ring,
}

#[derive(Debug)]
struct Topic {
    label: String,
    subscriptions: Vec<SubscriptionId>,
    last: Option<Offset>,
}

#[derive(Debug)]
struct Member {
    room: RoomId,
    subscriptions: Vec<SubscriptionId>,
    is_ready: bool,
}

#[derive(Debug)]
struct Subscription {
    member: MemberId,
    topic: TopicId,
    is_reliable: bool,
    /// The next entry to take, if there is one.
    cursor: Option<Offset>,
}

impl Hub {
    /// A hub without rooms.
    pub fn new(limits: HubLimits) -> Self {
        Self {
            limits,
            rooms: SlotMap::with_key(),
            room_by_name: HashMap::new(),
            members: SlotMap::with_key(),
            subscriptions: SlotMap::with_key(),
            ready: VecDeque::new(),
            stats: HubStats::default(),
        }
    }

    /// Whether [`Self::join`] would succeed.
    ///
    /// # Errors
    ///
    /// [`Refusal::RoomFull`], [`Refusal::TooManyRooms`].
    pub fn admits(&self, room: &RoomName) -> Result<(), Refusal> {
        match self.room_by_name.get(room) {
            Some(id) if self.rooms[*id].members >= self.limits.members_per_room_max => {
                Err(Refusal::RoomFull)
            }
            None if self.rooms.len() >= self.limits.rooms_max => Err(Refusal::TooManyRooms),
            _ => Ok(()),
        }
    }

    /// Adds a member to a room, which comes into being with its first one.
    ///
    /// # Errors
    ///
    /// As [`Self::admits`].
    pub fn join(&mut self, name: &RoomName) -> Result<MemberId, Refusal> {
        self.admits(name)?;
        let rooms = &mut self.rooms;
        let by_name = self.room_by_name.entry(name.clone());
        let room = *by_name.or_insert_with(|| rooms.insert(Room::new(name.clone())));
        self.rooms[room].members += 1;
        Ok(self.members.insert(Member {
            room,
            subscriptions: Vec::new(),
            is_ready: false,
        }))
    }

    /// Removes a member with its subscriptions. The room goes with its last member.
    pub fn leave(&mut self, member: MemberId) {
        let Some(subscriptions) = self.members.get(member).map(|m| m.subscriptions.clone()) else {
            return;
        };
        for subscription in subscriptions {
            self.unsubscribe(subscription);
        }
        let Some(member) = self.members.remove(member) else {
            return;
        };
        let room = &mut self.rooms[member.room];
        room.members -= 1;
        if room.members == 0 {
            self.room_by_name.remove(&room.name);
            self.rooms.remove(member.room);
        }
    }

    /// From now on the member takes what others publish under this label. With `is_reliable`, all of
    /// it or [`Next::Slow`]; otherwise what it can. `None` if there is no such member.
    pub fn subscribe(
        &mut self,
        member_id: MemberId,
        label: &str,
        is_reliable: bool,
    ) -> Option<SubscriptionId> {
        let member = self.members.get_mut(member_id)?;
        let room = &mut self.rooms[member.room];
        let topic = room.topic(label);
        let subscription = self.subscriptions.insert(Subscription {
            member: member_id,
            topic,
            is_reliable,
            cursor: None,
        });
        room.topics[topic].subscriptions.push(subscription);
        member.subscriptions.push(subscription);
        Some(subscription)
    }

    /// The member no longer takes part in the topic. What the subscription was owed is forgotten.
    pub fn unsubscribe(&mut self, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.remove(id) else {
            return;
        };
        let member = &mut self.members[subscription.member];
        member.subscriptions.retain(|other| *other != id);
        let room = &mut self.rooms[member.room];
        let mut owed = room.pending(&subscription);
        while let Some(offset) = owed {
            owed = room.ring.following(offset, subscription.member);
            room.ring.settle(offset);
        }
        let topic = &mut room.topics[subscription.topic];
        topic.subscriptions.retain(|other| *other != id);
        if topic.subscriptions.is_empty() {
            room.topic_by_label.remove(&topic.label);
            room.topics.remove(subscription.topic);
        }
    }

    /// Publishes a message to the subscriptions of the same topic of all other members, and answers
    /// how many those are.
    pub fn publish(&mut self, from: SubscriptionId, kind: Kind, payload: Vec<u8>) -> usize {
        let Some(&Subscription { member, topic, .. }) = self.subscriptions.get(from) else {
            return 0;
        };
        self.stats.published += 1;
        let room = &mut self.rooms[self.members[member].room];
        let Room { topics, ring, .. } = room;
        let topic_state = &mut topics[topic];
        let is_receiver = |id: &&SubscriptionId| self.subscriptions[**id].member != member;
        let owed = topic_state.subscriptions.iter().filter(is_receiver).count();
        if owed == 0 {
            return 0;
        }
        let offset = ring.push(topic, member, kind, payload, owed, topic_state.last);
        topic_state.last = Some(offset);
        for id in &topic_state.subscriptions {
            let subscription = &mut self.subscriptions[*id];
            if subscription.member != member {
                subscription.cursor.get_or_insert(offset);
                let receiver = &mut self.members[subscription.member];
                receiver.mark_ready(subscription.member, &mut self.ready);
            }
        }
        self.evict_beyond_limits(member);
        owed
    }

    /// Makes the ring as small as it must be. Those who lose something by it become ready, to learn
    /// it at once.
    fn evict_beyond_limits(&mut self, publisher: MemberId) {
        let room = &mut self.rooms[self.members[publisher].room];
        while room.ring.len() > self.limits.ring_messages_max
            || room.ring.bytes() > self.limits.ring_bytes_max
        {
            let Some(entry) = room.ring.evict() else {
                break;
            };
            self.stats.evicted += entry.owed as u64;
            if entry.owed > 0 {
                for id in &room.topics[entry.topic].subscriptions {
                    let member = self.subscriptions[*id].member;
                    self.members[member].mark_ready(member, &mut self.ready);
                }
            }
        }
    }

    /// The next member that has something to take, or may have: it leaves the queue.
    pub fn poll_ready(&mut self) -> Option<MemberId> {
        loop {
            let id = self.ready.pop_front()?;
            if let Some(member) = self.members.get_mut(id) {
                member.is_ready = false;
                return Some(id);
            }
        }
    }

    /// Whether [`Self::poll_ready`] has something to say.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Puts a member that had no room for its messages back into the queue.
    pub fn wake(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(id) {
            member.mark_ready(id, &mut self.ready);
        }
    }

    /// What the member is to take next, over all its subscriptions, in the room's order.
    pub fn next(&mut self, member: MemberId) -> Next<'_> {
        let Some(Member {
            room,
            subscriptions,
            ..
        }) = self.members.get(member)
        else {
            return Next::Idle;
        };
        let room = &self.rooms[*room];
        let mut first: Option<(Offset, SubscriptionId)> = None;
        for id in subscriptions {
            let subscription = &mut self.subscriptions[*id];
            let Some(cursor) = subscription.cursor else {
                continue;
            };
            if room.ring.get(cursor).is_none() {
                if subscription.is_reliable {
                    return Next::Slow;
                }
                subscription.cursor = room.pending(subscription);
            }
            if let Some(cursor) = subscription.cursor
                && first.is_none_or(|(offset, _)| cursor < offset)
            {
                first = Some((cursor, *id));
            }
        }
        let entry = first.and_then(|(offset, id)| Some((id, room.ring.get(offset)?)));
        entry.map_or(Next::Idle, |(id, entry)| Next::Entry(id, entry))
    }

    /// The subscription has taken the entry that [`Self::next`] showed for it.
    pub fn taken(&mut self, id: SubscriptionId) {
        self.stats.delivered += 1;
        self.pass(id);
    }

    /// The subscription will never take the entry that [`Self::next`] showed for it.
    pub fn skip(&mut self, id: SubscriptionId) {
        self.pass(id);
    }

    fn pass(&mut self, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        let Some(offset) = subscription.cursor else {
            return;
        };
        let room = &mut self.rooms[self.members[subscription.member].room];
        subscription.cursor = room.ring.following(offset, subscription.member);
        room.ring.settle(offset);
    }

    /// How many rooms there are.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// How many members the member's room has, and its name.
    pub fn room_of(&self, member: MemberId) -> Option<(&RoomName, usize)> {
        let room = &self.rooms[self.members.get(member)?.room];
        Some((&room.name, room.members))
    }

    /// What went through.
    pub fn stats(&self) -> HubStats {
        self.stats
    }

    /// The memory that waiting messages take, in bytes; at most [`HubLimits::bytes_max`].
    pub fn ring_bytes(&self) -> usize {
        self.rooms.values().map(|room| room.ring.bytes()).sum()
    }
}

impl Room {
    fn new(name: RoomName) -> Self {
        Self {
            name,
            members: 0,
            topics: SlotMap::with_key(),
            topic_by_label: HashMap::new(),
            ring: Ring::default(),
        }
    }

    fn topic(&mut self, label: &str) -> TopicId {
        if let Some(topic) = self.topic_by_label.get(label) {
            return *topic;
        }
        let topic = self.topics.insert(Topic {
            label: label.to_string(),
            subscriptions: Vec::new(),
            last: None,
        });
        self.topic_by_label.insert(label.to_string(), topic);
        topic
    }

    /// The first entry that the subscription is owed and that is still there.
    fn pending(&self, subscription: &Subscription) -> Option<Offset> {
        let cursor = subscription.cursor?;
        if self.ring.get(cursor).is_some() {
            return Some(cursor);
        }
        self.ring.first_of(subscription.topic, subscription.member)
    }
}

impl Member {
    fn mark_ready(&mut self, id: MemberId, ready: &mut VecDeque<MemberId>) {
        if !self.is_ready {
            self.is_ready = true;
            ready.push_back(id);
        }
    }
}

#[cfg(test)]
mod tests;
