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
//! 6. A resumed stay goes on where it was, under the same id.

mod ledger;
mod said;
mod stay;

use std::collections::{BTreeMap, BTreeSet};

use oneport_client::Event;
use oneport_wire::frame::{
    Ack, Class, Joined, Message, Presence, Publish, Receipt, Recovery, Rejection,
};
use oneport_wire::{Epoch, MemberId, Payload, RequestId, RoomName};

use ledger::{Entry, Ledger};
use said::{Outcome, Said};
pub(crate) use said::{SaidId, delivery, payload};
use stay::Stay;

/// What begins the payloads of those who have no client: the oracle did not hear them publish.
pub(crate) const FOREIGN: &[u8] = b"guest";

/// A model of the rooms, fed with what members publish and are told.
#[derive(Debug, Default)]
pub struct Oracle {
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
    delivered: u64,
    faults: Vec<String>,
}

impl Oracle {
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
        if let Some(id) = &id {
            self.by_id.insert((member, id.clone()), number);
        }
        self.said.push(Said::new(member, id, publish));
    }

    /// A member asks for history.
    pub(crate) fn asks_history(&mut self, member: usize) {
        self.askers.insert(member);
    }

    /// How many publications there were.
    pub fn published(&self) -> usize {
        self.said.len()
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

    /// A member was told this.
    pub fn hear(&mut self, member: usize, event: &Event) {
        let heard = match event {
            Event::Joined(joined) => self.joined(member, joined),
            Event::Message {
                message,
                is_history,
            } => self.message(member, message, *is_history),
            Event::Presence(presence) => self.presence(member, presence),
            Event::Gap(gap) => self
                .stay(member, &gap.room)
                .and_then(|stay| stay.miss(gap.clone())),
            Event::Left(left) => {
                self.close(member, Some(&left.room));
                Ok(())
            }
            Event::NotJoined {
                room, is_retried, ..
            } => {
                if !is_retried {
                    self.close(member, Some(room));
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
        if let Err(fault) = heard {
            self.faults
                .push(format!("member {member}: {fault} ({event:?})"));
        }
    }

    /// A member leaves a room, and hears nothing more of it.
    pub(crate) fn leaves(&mut self, member: usize, room: &RoomName) {
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

    /// Judges everything. `is_settled` says that the network works again and everybody has had time:
    /// then everything must have come, and been answered, for the members that are `alive`.
    pub fn verdict(&self, is_settled: bool, alive: &dyn Fn(usize) -> bool) -> Vec<String> {
        let mut faults = self.faults.clone();
        for ((room, epoch), ledger) in &self.ledgers {
            let of_room = |fault| format!("room {room} {epoch:?}: {fault}");
            faults.extend(ledger.verify(&self.said).into_iter().map(of_room));
        }
        for ((member, room), stays) in &self.stays {
            for stay in stays {
                let ledger = &self.ledgers[&(room.clone(), stay.epoch)];
                let is_whole = is_settled && stay.is_open && alive(*member);
                let lost = stay.verify(ledger, &self.said, is_whole);
                let of_stay =
                    |fault| format!("member {member} as {:?} in {room}: {fault}", stay.you);
                faults.extend(lost.into_iter().map(of_stay));
            }
        }
        for (number, said) in self.said.iter().enumerate() {
            let is_there = self.places.contains_key(&number);
            let is_waiting = said.outcome == Outcome::Waiting && said.id.is_some();
            if matches!(said.outcome, Outcome::Rejected(_)) && is_there {
                faults.push(format!("{number} was rejected, and is there: {said:?}"));
            }
            if is_waiting && is_settled && alive(said.author) {
                faults.push(format!("{number} has no answer: {said:?}"));
            }
        }
        faults
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

    fn joined(&mut self, member: usize, joined: &Joined) -> Result<(), String> {
        let Joined {
            room,
            epoch,
            you,
            offset,
            ..
        } = joined;
        let ledger = self.ledgers.entry((room.clone(), *epoch)).or_default();
        ledger.admit(*you, member)?;
        let ids: Vec<_> = joined.members.iter().map(|member| member.id).collect();
        if !ids.is_sorted_by(|a, b| a < b) || joined.total < ids.len() as u32 {
            return Err(format!("a list of members that is none: {ids:?}"));
        }
        let stays = self.stays.entry((member, room.clone())).or_default();
        if joined.recovery == Recovery::Recovered {
            let last = stays.last();
            let is_same = last.is_some_and(|s| s.is_open && (s.epoch, s.you) == (*epoch, *you));
            return is_same
                .then_some(())
                .ok_or_else(|| format!("recovered, but from what? {last:?}"));
        }
        if let Some(last) = stays.last_mut() {
            last.is_open = false;
        }
        stays.push(Stay::new(*epoch, *you, *offset));
        Ok(())
    }

    fn message(
        &mut self,
        member: usize,
        message: &Message<'_>,
        is_history: bool,
    ) -> Result<(), String> {
        self.delivered += 1;
        let is_foreign = message.payload.as_bytes().starts_with(FOREIGN);
        let number = match is_foreign {
            true => None,
            false => Some(said::read(&message.payload, &self.said)?),
        };
        if let Some(number) = number {
            self.check(member, message, number, is_history)?;
        }
        let Some(offset) = message.offset else {
            // Of guests, only what is lossy for them has no offset.
            return number.map_or(Ok(()), |number| self.lossy(member, number));
        };
        let stay = self.stay(member, &message.room)?;
        let epoch = stay.epoch;
        let had = stay.has(offset);
        if !is_history {
            stay.take(offset)?;
        } else if had && !self.askers.contains(&member) {
            return Err(format!("{offset:?} is history and was live"));
        }
        let entry = match number {
            Some(said) => Entry::Message {
                from: message.from,
                said,
            },
            None => Entry::Foreign {
                from: message.from,
                payload: message.payload.as_bytes().to_vec(),
            },
        };
        self.record(&message.room, epoch, offset, entry)
    }

    /// A message that somebody got: it is what was said, and for whoever got it.
    fn check(
        &mut self,
        member: usize,
        message: &Message<'_>,
        number: SaidId,
        is_history: bool,
    ) -> Result<(), String> {
        let you = self.stay(member, &message.room)?.you;
        let said = &self.said[number];
        let is_as_said = said.room == message.room
            && said.topic == message.topic
            && said.to.as_deref() == message.to.as_ref().map(|to| to.as_slice())
            && (said.class == Class::Lossy) == message.offset.is_none();
        if !is_as_said {
            return Err(format!("was said as {said:?}"));
        }
        // Of history, one gets one's own as well.
        let is_own = message.from == you;
        if !(said.is_for(you, is_own) || is_history && is_own) {
            return Err(format!("is not for {you:?}: {said:?}"));
        }
        if is_history && said.class != Class::Kept {
            return Err(format!("is not kept: {said:?}"));
        }
        Ok(())
    }

    fn lossy(&mut self, member: usize, number: SaidId) -> Result<(), String> {
        match self.lossy_got.insert((member, number)) {
            true => Ok(()),
            false => Err("a lossy message came twice".into()),
        }
    }

    fn presence(&mut self, member: usize, presence: &Presence) -> Result<(), String> {
        self.delivered += 1;
        let stay = self.stay(member, &presence.room)?;
        if presence.member.id == stay.you {
            return Err("is about oneself".into());
        }
        stay.take(presence.offset)?;
        let epoch = stay.epoch;
        let entry = Entry::Presence {
            member: presence.member.id,
            change: presence.change,
        };
        self.record(&presence.room, epoch, presence.offset, entry)
    }

    fn record(
        &mut self,
        room: &RoomName,
        epoch: Epoch,
        offset: oneport_wire::Offset,
        entry: Entry,
    ) -> Result<(), String> {
        if let Entry::Message { said, .. } = entry {
            let place = (room.clone(), epoch, offset);
            let known = self.places.entry(said).or_insert_with(|| place.clone());
            if *known != place {
                return Err(format!("{said} is there twice: at {known:?} and {place:?}"));
            }
        }
        let ledger = self.ledgers.entry((room.clone(), epoch)).or_default();
        ledger.record(offset, entry)
    }

    fn ack(&mut self, member: usize, ack: &Ack) -> Result<(), String> {
        // Of what was not published, only the id is known.
        let Some(number) = self.settle(member, &ack.id, Outcome::Acknowledged)? else {
            return Ok(());
        };
        let said = &self.said[number];
        let is_lossy = said.class == Class::Lossy;
        if is_lossy != ack.offset.is_none() || said.room != ack.room {
            return Err(format!("is the answer to {said:?}"));
        }
        // Of a second one, nobody knows in which life of the room the first one was taken.
        let stay = self.stay(member, &ack.room).ok().filter(|_| !ack.duplicate);
        if let (Some(offset), Some(stay)) = (ack.offset, stay) {
            let (epoch, from) = (stay.epoch, stay.you);
            let entry = Entry::Message { from, said: number };
            self.record(&ack.room, epoch, offset, entry)?;
        }
        Ok(())
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
