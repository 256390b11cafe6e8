//! What can be judged only when all is told.

use std::collections::BTreeMap;

use oneport_wire::frame::{Class, Member};
use oneport_wire::{Epoch, MemberId, Offset, RoomName};

use super::Oracle;
use super::ledger::Entry;
use super::said::{Outcome, Said, SaidId};
use super::stay::Stay;

/// Entries that a ring is said to have lost: they must have been too many, too large or too old.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    pub(super) room: RoomName,
    pub(super) epoch: Epoch,
    pub(super) from: Offset,
    /// Up to here the ring had entries; the end of the ledger if nobody said so.
    pub(super) end: Option<Offset>,
}

/// What an entry takes in a ring besides its payload, at most.
const ENTRY_BYTES: usize = 4096;

impl Oracle {
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
            let fault = self.judge_said(number, said, is_settled && alive(said.author));
            faults.extend(fault.map(|fault| format!("{number} {fault}: {said:?}")));
        }
        if is_settled {
            faults.extend(self.judge_lists(alive));
            faults.extend(self.judge_rooms());
            let groundless = self.losses.iter().filter(|loss| !self.is_grounded(loss));
            faults.extend(groundless.map(|loss| format!("the ring had room: {loss:?}")));
        }
        faults
    }

    /// What is wrong with one publication. `is_settled` if its author must know by now.
    fn judge_said(&self, number: SaidId, said: &Said, is_settled: bool) -> Option<&'static str> {
        let is_there = self.places.contains_key(&number);
        match said.outcome {
            Outcome::Rejected(_) if is_there => Some("was rejected, and is there"),
            Outcome::Repeated if is_there => Some("has the id of another, and is there"),
            Outcome::Waiting if is_settled && said.id.is_some() => Some("has no answer"),
            Outcome::Waiting if is_settled && !is_there && self.must_be_there(number, said) => {
                Some("had no id, and is lost")
            }
            Outcome::Acknowledged(Some(at)) if !self.may_be_at(number, said, at) => {
                Some("was acknowledged, and another is in its place")
            }
            _ => None,
        }
    }

    /// Whether a message without an id is in the order, whatever happened: its author has heard no
    /// refusal, and stays where it was over the same link.
    fn must_be_there(&self, number: SaidId, said: &Said) -> bool {
        let session = &self.sessions[&said.author];
        let stays = self.stays.get(&(said.author, said.room.clone()));
        let stay = stays.and_then(|stays| stays.last());
        said.class != Class::Lossy
            && said.echo
            && said.link == session.link
            && session.number > 0
            && session.anonymous_refusals == 0
            && stay.is_some_and(|stay| stay.is_open && !stay.was_slow() && stay.began <= number)
    }

    /// Whether nobody was told of anything else at this place, in one life of the room at least that the
    /// author was in.
    fn may_be_at(&self, number: SaidId, said: &Said, at: Offset) -> bool {
        let stays = self.stays.get(&(said.author, said.room.clone()));
        stays.into_iter().flatten().any(|stay| {
            let entry = self.ledgers[&(said.room.clone(), stay.epoch)]
                .entries
                .get(&at);
            entry
                .is_none_or(|entry| matches!(entry, Entry::Message { said, .. } if *said == number))
        })
    }

    /// Nobody is in more rooms than a session may be in.
    fn judge_rooms(&self) -> Vec<String> {
        let mut rooms: BTreeMap<usize, usize> = BTreeMap::new();
        for ((member, _), stays) in &self.stays {
            let is_in = stays.last().is_some_and(|stay| stay.is_open);
            *rooms.entry(*member).or_default() += usize::from(is_in);
        }
        let max = self.config.rooms_per_session_max;
        let excess = rooms.into_iter().filter(|(_, count)| *count > max);
        let fault = |(member, count)| format!("member {member} is in {count} rooms");
        excess.map(fault).collect()
    }

    /// Members of one room know the same of everybody else.
    fn judge_lists(&self, alive: &dyn Fn(usize) -> bool) -> Vec<String> {
        let mut known: BTreeMap<(&RoomName, Epoch), Vec<&Stay>> = BTreeMap::new();
        for ((member, room), stays) in &self.stays {
            let stay = stays.last().filter(|stay| stay.is_open && alive(*member));
            if let Some(stay) = stay.filter(|stay| stay.members.is_some()) {
                known.entry((room, stay.epoch)).or_default().push(stay);
            }
        }
        let mut faults = Vec::new();
        for ((room, _), stays) in known {
            for pair in stays.windows(2) {
                let [a, b] = pair else {
                    continue;
                };
                let [of_a, of_b] = [a, b].map(|stay| others(stay, [a.you, b.you]));
                let knows =
                    |stay: &Stay, id| stay.members.as_ref().is_some_and(|m| m.contains_key(&id));
                if of_a != of_b || !knows(a, b.you) || !knows(b, a.you) {
                    faults.push(format!(
                        "in {room}, {:?} knows {of_a:?} and {:?} knows {of_b:?}",
                        a.you, b.you
                    ));
                }
            }
        }
        faults
    }

    /// Whether a ring can have lost what it is said to have lost.
    fn is_grounded(&self, loss: &Loss) -> bool {
        let limits = &self.config.hub;
        if limits.ring_age_max.as_secs() < 3600 {
            return true;
        }
        let ledger = &self.ledgers[&(loss.room.clone(), loss.epoch)];
        let after_last = |last: &Offset| last.next().unwrap_or(*last);
        let end = loss
            .end
            .or_else(|| ledger.entries.keys().next_back().map(after_last))
            .map_or(loss.from, |end| end.max(loss.from));
        let count = (end.get() - loss.from.get()) as usize;
        // Later entries say nothing about this loss.
        let entries: Vec<_> = ledger.entries.range(loss.from..end).collect();
        let bytes = |entry: &Entry| match entry {
            Entry::Message { said, .. } => 2 * self.said[*said].bytes,
            _ => 0,
        };
        let sum: usize = entries
            .iter()
            .map(|(_, entry)| ENTRY_BYTES + bytes(entry))
            .sum();
        // What nobody was told of may have been as large as a message can be.
        let unknown = count.saturating_sub(entries.len());
        count >= limits.ring_messages_max || sum > limits.ring_bytes_max || unknown > 0
    }
}

fn others(stay: &Stay, not: [MemberId; 2]) -> Vec<&Member> {
    let members = stay.members.iter().flat_map(BTreeMap::values);
    members.filter(|member| !not.contains(&member.id)).collect()
}
