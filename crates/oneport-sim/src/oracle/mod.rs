//! Who must get what: a model of rooms that knows only what was published and what members were told,
//! and nothing of how the relay does it.
//!
//! It judges the promises of PROTOCOL.md sections 7 to 9:
//!
//! 1. A room has one order: whoever is told of an offset is told of the same entry.
//! 2. A member gets every entry that is for it in that order, each once, or a `gap` that says where
//!    some are missing. It gets nothing that is for others, and nothing of other rooms.
//! 3. Nobody speaks in another's name, and payloads are what they were, to the last byte.
//! 4. What one member publishes keeps its order, and is there once, however often it was sent.
//! 5. Each message with an id has one outcome. Acknowledged is in the order; rejected never is.
//! 6. A resumed stay goes on where it was, under the same id; a session is there for as long as it was
//!    promised, and what cannot be brought back has left the ring.
//! 7. What has no id is in the order too if its author's link lasts.
//! 8. In the end all members of a room know the same of each other.
//! 9. History names each author that has a name, also one that has left.

mod authors;
mod ledger;
mod rooms;
mod said;
mod session;
mod stay;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use oneport_client::Event;
use oneport_core::RelayConfig;
use oneport_wire::frame::{Ack, Class, Publish, Receipt, Rejection, Since};
use oneport_wire::{Epoch, MemberId, MemberName, Payload, RequestId, RoomName};

use ledger::{Entry, Ledger};
use said::{Outcome, Said};
pub(crate) use said::{SaidId, delivery, payload};
use session::Session;
use stay::Stay;
use verdict::Loss;

/// What begins the payloads of those who have no client: the oracle did not hear them publish.
pub(crate) const FOREIGN: &[u8] = b"guest";

/// A model of the rooms, fed with what members publish and are told.
#[derive(Debug)]
pub struct Oracle {
    /// What the relay may do.
    config: RelayConfig,
    said: Vec<Said>,
    by_id: BTreeMap<(usize, RequestId), SaidId>,
    ledgers: BTreeMap<(RoomName, Epoch), Ledger>,
    /// Where each publication is.
    places: BTreeMap<SaidId, (RoomName, Epoch, oneport_wire::Offset)>,
    /// Of each member of the world and each room, all stays, the latest last.
    stays: BTreeMap<(usize, RoomName), Vec<Stay>>,
    lossy_got: BTreeSet<(usize, SaidId)>,
    /// Members that asked for history: they may get a message of it several times.
    askers: BTreeSet<usize>,
    sessions: BTreeMap<usize, Session>,
    /// Of each member, its latest message that was acknowledged and whose id the relay remembers.
    acknowledged: BTreeMap<usize, SaidId>,
    /// Members that say where they were in a room, but were not there in this session.
    returning: BTreeSet<(usize, RoomName)>,
    /// When the relay began anew.
    restarted: Option<Instant>,
    /// What rings are said to have lost.
    losses: Vec<Loss>,
    delivered: u64,
    faults: Vec<String>,
    /// Whom somebody has asked to remove.
    kicks: BTreeSet<(RoomName, MemberId)>,
    /// Of each member of the world and each room, the names that it has asked for there; `None` if it
    /// has taken its name away.
    names: BTreeMap<(usize, RoomName), BTreeSet<Option<MemberName>>>,
}

impl Oracle {
    /// For a relay with this configuration.
    pub fn new(config: RelayConfig) -> Self {
        Self {
            config,
            said: Vec::new(),
            by_id: BTreeMap::new(),
            ledgers: BTreeMap::new(),
            places: BTreeMap::new(),
            stays: BTreeMap::new(),
            lossy_got: BTreeSet::new(),
            askers: BTreeSet::new(),
            kicks: BTreeSet::new(),
            names: BTreeMap::new(),
            sessions: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            returning: BTreeSet::new(),
            restarted: None,
            losses: Vec::new(),
            delivered: 0,
            faults: Vec::new(),
        }
    }

    /// The number that the next publication will have.
    pub(crate) fn next_said(&self) -> SaidId {
        self.said.len()
    }

    /// A member has published this, and its client has taken it.
    pub(crate) fn publishes(
        &mut self,
        member: usize,
        id: Option<RequestId>,
        publish: &Publish<'_>,
    ) {
        let number = self.said.len();
        let latest = self.acknowledged.get(&member).copied();
        let is_same = |said: &SaidId| self.said[*said].id == id;
        let repeats = latest.filter(|latest| id.is_some() && is_same(latest));
        if let Some(id) = &id {
            self.by_id.insert((member, id.clone()), number);
        }
        let link = self.sessions.entry(member).or_default().link;
        let stay = self.stay(member, &publish.room).ok();
        let to_epoch = stay.map(|stay| stay.epoch).filter(|_| publish.to.is_some());
        let said = Said::new(member, id, publish);
        self.said.push(Said {
            to_epoch,
            link,
            repeats,
            ..said
        });
    }

    /// Which id of a member was acknowledged last, and for which room, if it is free.
    pub(crate) fn last_acknowledged(&self, member: usize) -> Option<(RequestId, RoomName)> {
        let said = &self.said[*self.acknowledged.get(&member)?];
        let id = said.id.clone().filter(|_| !said.wants_receipt)?;
        let latest = self.by_id.get(&(member, id.clone()));
        let is_free = latest.is_none_or(|latest| self.said[*latest].outcome != Outcome::Waiting);
        is_free.then(|| (id, said.room.clone()))
    }

    /// Where a member is in which rooms.
    pub(crate) fn places_of(&self, member: usize) -> Vec<(RoomName, Since)> {
        let its = self.stays.iter().filter(|((who, _), _)| *who == member);
        let place = |((_, room), stays): (&(usize, RoomName), &Vec<Stay>)| {
            let stay = stays.last().filter(|stay| stay.is_open)?;
            let (epoch, offset) = (stay.epoch, stay.position());
            Some((room.clone(), Since { epoch, offset }))
        };
        its.filter_map(place).collect()
    }

    /// A program has the ids of another, which was another session.
    pub(crate) fn succeeds(&mut self, old: usize, new: usize) {
        if let Some(said) = self.acknowledged.get(&old).copied() {
            self.acknowledged.insert(new, said);
        }
    }

    /// A member will say that it was in a room, which another session was.
    pub(crate) fn returns(&mut self, member: usize, room: &RoomName) {
        self.returning.insert((member, room.clone()));
    }

    /// A member does not listen for a while.
    pub(crate) fn sleeps(&mut self, member: usize) {
        self.sessions.entry(member).or_default().has_slept = true;
    }

    /// The relay begins anew, and knows nobody.
    pub(crate) fn relay_restarts(&mut self, now: Instant) {
        self.restarted = Some(now);
    }

    /// A member asks for history.
    pub(crate) fn asks_history(&mut self, member: usize) {
        self.askers.insert(member);
    }

    /// How many publications there were.
    pub fn published(&self) -> usize {
        self.said.len()
    }

    /// How many publications had the id of an earlier one: in the same session, and in another.
    pub(crate) fn repeated(&self) -> [usize; 2] {
        let again = self.said.iter().filter(|said| said.repeats.is_some());
        let taken = |said: &&Said| matches!(said.outcome, Outcome::Acknowledged(_));
        let same = self
            .said
            .iter()
            .filter(|said| said.outcome == Outcome::Repeated);
        [same.count(), again.filter(taken).count()]
    }

    /// How many entries members got.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// A member's latest id in a room, and those of all others that it may know, if it is in.
    pub(crate) fn others(&self, member: usize, room: &RoomName) -> Vec<MemberId> {
        let stay = self
            .stays
            .get(&(member, room.clone()))
            .and_then(|s| s.last());
        let Some(stay) = stay.filter(|stay| stay.is_open) else {
            return Vec::new();
        };
        let ledger = self.ledgers.get(&(room.clone(), stay.epoch));
        let members = ledger.into_iter().flat_map(|ledger| ledger.members.keys());
        members.copied().filter(|id| *id != stay.you).collect()
    }

    /// Whether a member is in a room, as far as it was told.
    pub(crate) fn is_in(&self, member: usize, room: &RoomName) -> bool {
        let stay = self
            .stays
            .get(&(member, room.clone()))
            .and_then(|s| s.last());
        stay.is_some_and(|stay| stay.is_open)
    }

    /// Whether a member is in some room for certain: who was kicked may not have been told.
    fn is_in_any(&self, member: usize) -> bool {
        let of_member = self.stays.iter().filter(|((who, _), _)| *who == member);
        let mut latest = of_member.filter_map(|((_, room), stays)| Some((room, stays.last()?)));
        latest.any(|(room, stay)| {
            stay.is_open && stay.is_of_session && !self.kicks.contains(&(room.clone(), stay.you))
        })
    }

    /// A member asks that another be removed.
    pub(crate) fn kicks(&mut self, room: &RoomName, whom: MemberId) {
        self.kicks.insert((room.clone(), whom));
    }

    /// A member was told this.
    pub fn hear(&mut self, now: Instant, member: usize, event: &Event) {
        let is_kept = self.is_in_any(member);
        let session = self.sessions.entry(member).or_default();
        let heard = match event {
            Event::Connected { resumed, .. } => {
                let stays = self.stays.iter_mut().filter(|((who, _), _)| *who == member);
                let latest = stays.filter_map(|(_, stays)| stays.last_mut());
                latest.for_each(|stay| stay.is_of_session &= resumed);
                session.connected(now, *resumed, is_kept, self.restarted)
            }
            Event::Disconnected { .. } => {
                session.link += 1;
                Ok(())
            }
            Event::Unanswered { id: None, .. } | Event::Rejected(Rejection { id: None, .. }) => {
                session.anonymous_refusals += 1;
                Ok(())
            }
            Event::Joined(joined) => self.joined(member, joined),
            Event::Message {
                message,
                is_history,
            } => self.message(member, message, *is_history),
            Event::HistoryBegin(begin) => self.begin_history(member, begin),
            Event::HistoryEnd(end) => {
                self.end_history(member, &end.room);
                Ok(())
            }
            Event::Presence(presence) => self.presence(member, presence),
            Event::Gap(gap) => self.gap(member, gap),
            Event::Left(left) => {
                self.leaves(member, &left.room);
                Ok(())
            }
            Event::NotJoined {
                room, is_retried, ..
            } => {
                if !is_retried {
                    self.leaves(member, room);
                }
                Ok(())
            }
            Event::Closed(_) => {
                self.close(member, None);
                Ok(())
            }
            Event::Ack(ack) => self.ack(member, ack),
            Event::Receipt(receipt) => self.receipt(member, receipt),
            Event::Rejected(rejection) => self.rejected(member, rejection),
            Event::Unanswered { id: Some(id), .. } => {
                self.settle(member, id, Outcome::Unanswered).map(drop)
            }
            _ => Ok(()),
        };
        // What the relay says, not what the client knows by itself.
        if matches!(
            event,
            Event::Message { .. } | Event::Presence(_) | Event::Ack(_) | Event::Joined(_)
        ) {
            self.sessions.entry(member).or_default().hear(now);
        }
        if let Err(fault) = heard {
            self.faults
                .push(format!("member {member}: {fault} ({event:?})"));
        }
    }

    /// A member is not in a room any more, or will not come back to it: its next join names no position.
    pub(crate) fn leaves(&mut self, member: usize, room: &RoomName) {
        self.returning.remove(&(member, room.clone()));
        self.close(member, Some(room));
    }

    /// A member's program is gone: it will be told nothing more.
    pub(crate) fn dies(&mut self, member: usize) {
        self.close(member, None);
    }

    /// What went wrong so far.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    fn stay(&mut self, member: usize, room: &RoomName) -> Result<&mut Stay, String> {
        let stay = self.stays.get_mut(&(member, room.clone()));
        let stay = stay.and_then(|stays| stays.last_mut());
        stay.filter(|stay| stay.is_open)
            .ok_or_else(|| format!("is not in {room}"))
    }

    fn close(&mut self, member: usize, room: Option<&RoomName>) {
        let stays = self.stays.iter_mut();
        let meant =
            stays.filter(|((who, name), _)| *who == member && room.is_none_or(|r| r == name));
        for stay in meant.filter_map(|(_, stays)| stays.last_mut()) {
            stay.is_open = false;
        }
    }

    fn ack(&mut self, member: usize, ack: &Ack) -> Result<(), String> {
        // Of what was not published, only the id is known.
        let outcome = Outcome::Acknowledged(ack.offset);
        let Some(number) = self.settle(member, &ack.id, outcome)? else {
            return Ok(());
        };
        let said = &self.said[number];
        let is_lossy = said.class == Class::Lossy;
        if is_lossy != ack.offset.is_none() || said.room != ack.room {
            return Err(format!("is the answer to {said:?}"));
        }
        let session = self.sessions.entry(member).or_default();
        session.acknowledged += 1;
        let here = (session.number, session.acknowledged);
        if let Some(earlier) = said.repeats.map(|earlier| &self.said[earlier]) {
            let (in_session, count) = earlier.acknowledged_in;
            // The relay may have taken messages whose acknowledgements have not arrived.
            let taken_max = here.1 - count.min(here.1) + self.unheard(member);
            let is_remembered = taken_max < self.config.publish_ids_max;
            let is_same_session = earlier.author == member && in_session == here.0;
            let is_repeated = ack.duplicate && earlier.outcome == outcome;
            if is_same_session && (is_repeated || is_remembered) {
                self.said[number].outcome = Outcome::Repeated;
                return is_repeated
                    .then_some(())
                    .ok_or_else(|| "has an id that was taken".to_string());
            }
        }
        self.said[number].acknowledged_in = here;
        self.acknowledged.insert(member, number);
        // Of a second one, nobody knows in which life of the room the first one was taken.
        let stay = self.stay(member, &ack.room).ok().filter(|_| !ack.duplicate);
        if let (Some(offset), Some(stay)) = (ack.offset, stay) {
            let (epoch, from) = (stay.epoch, stay.you);
            let entry = Entry::Message { from, said: number };
            self.record(&ack.room, epoch, offset, entry)?;
        }
        Ok(())
    }

    /// How many of a member's messages with an id may have been taken without its knowledge.
    fn unheard(&self, member: usize) -> usize {
        let is_unheard = |said: &&Said| {
            said.author == member
                && said.id.is_some()
                && matches!(said.outcome, Outcome::Waiting | Outcome::Unanswered)
        };
        self.said.iter().filter(is_unheard).count()
    }

    fn receipt(&mut self, member: usize, receipt: &Receipt) -> Result<(), String> {
        let Some(id) = &receipt.id else {
            return Ok(());
        };
        let Some(number) = self.by_id.get(&(member, id.clone())) else {
            return Err("for what nobody has said".into());
        };
        let said = &mut self.said[*number];
        let is_right = said.wants_receipt && !said.has_receipt && receipt.delivered <= receipt.of;
        said.has_receipt = true;
        is_right
            .then_some(())
            .ok_or_else(|| format!("for {said:?}"))
    }

    fn rejected(&mut self, member: usize, rejection: &Rejection) -> Result<(), String> {
        let Some(id) = &rejection.id else {
            return Ok(());
        };
        self.settle(member, id, Outcome::Rejected(rejection.code))
            .map(drop)
    }

    /// A command has its outcome. Answers which publication it was, if it was one.
    fn settle(
        &mut self,
        member: usize,
        id: &RequestId,
        outcome: Outcome,
    ) -> Result<Option<SaidId>, String> {
        let Some(number) = self.by_id.get(&(member, id.clone())) else {
            return Ok(None);
        };
        let said = &mut self.said[*number];
        let was = std::mem::replace(&mut said.outcome, outcome);
        match was {
            Outcome::Waiting => Ok(Some(*number)),
            _ => Err(format!("{number} had its outcome: {was:?}")),
        }
    }
}

/// Payloads of those without a client.
pub(crate) fn foreign(number: u64) -> Payload<'static> {
    Payload::Text(format!("guest {number}").into())
}
