//! What members are told of rooms: that they are in, what happens there, and what they do not get.

use oneport_core::SlowPolicy;
use oneport_wire::frame::{
    Class, Gap, GapReason, Joined, Message, NotRecovered, Presence, Recovery,
};
use oneport_wire::{Epoch, Offset, RoomName};

use super::ledger::Entry;
use super::said::{self, SaidId};
use super::stay::Stay;
use super::verdict::Loss;
use super::{FOREIGN, Oracle};

impl Oracle {
    pub(super) fn joined(&mut self, member: usize, joined: &Joined) -> Result<(), String> {
        let Joined {
            room, epoch, you, ..
        } = joined;
        let ledger = self.ledgers.entry((room.clone(), *epoch)).or_default();
        ledger.admit(*you, member)?;
        let ids: Vec<_> = joined.members.iter().map(|member| member.id).collect();
        if !ids.is_sorted_by(|a, b| a < b) || joined.total != ids.len() as u32 || !ids.contains(you)
        {
            return Err(format!("a list of members that is none: {ids:?}"));
        }
        let returns = self.returning.remove(&(member, room.clone()));
        let began = self.said.len();
        let stays = self.stays.entry((member, room.clone())).or_default();
        let last = stays.last_mut().filter(|stay| stay.is_open);
        let is_same = last
            .as_ref()
            .is_some_and(|s| (s.epoch, s.you) == (*epoch, *you));
        let mut fault = None;
        match (joined.recovery, last) {
            (Recovery::Recovered, Some(last)) if is_same => {
                last.list(joined);
                return Ok(());
            }
            (Recovery::Recovered, last) => {
                return Err(format!("recovered, but from what? {last:?}"));
            }
            (Recovery::Fresh, last) => {
                if returns || last.is_some() {
                    fault = Some("it was there".to_string());
                }
            }
            (Recovery::NotRecovered(reason), Some(last)) => {
                let from = last.position();
                fault = match reason {
                    NotRecovered::UnknownOffset => Some(format!("it was at {from:?}")),
                    NotRecovered::EpochChanged if last.epoch == *epoch => Some("it has not".into()),
                    NotRecovered::FellOff if last.epoch != *epoch => {
                        Some("it has another epoch".into())
                    }
                    _ => None,
                };
                if reason == NotRecovered::FellOff {
                    self.losses.push(Loss {
                        room: room.clone(),
                        epoch: *epoch,
                        from,
                        end: Some(joined.offset),
                    });
                }
                last.is_open = false;
            }
            (Recovery::NotRecovered(_), None) => {
                if !returns {
                    fault = Some("it was not there".to_string());
                }
            }
        }
        let mut stay = Stay::new(joined, began);
        stay.list(joined);
        stays.push(stay);
        fault.map_or(Ok(()), Err)
    }

    pub(super) fn gap(&mut self, member: usize, gap: &Gap) -> Result<(), String> {
        let policy = self.config.slow_policies.of(&gap.room);
        let stay = self.stay(member, &gap.room)?;
        stay.miss(gap.clone())?;
        if gap.reason == GapReason::Slow {
            let (epoch, from) = (stay.epoch, gap.span.from());
            let (room, end) = (gap.room.clone(), None);
            self.losses.push(Loss {
                room,
                epoch,
                from,
                end,
            });
            if policy != SlowPolicy::Gap {
                return Err("is not how the slow are treated here".into());
            }
        }
        Ok(())
    }

    pub(super) fn message(
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
        if is_history {
            self.check_author(member, &message.room, message.from)?;
        }
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

    pub(super) fn presence(&mut self, member: usize, presence: &Presence) -> Result<(), String> {
        self.delivered += 1;
        let stay = self.stay(member, &presence.room)?;
        if presence.member.id == stay.you {
            return Err("is about oneself".into());
        }
        stay.take(presence.offset)?;
        stay.update(presence);
        let epoch = stay.epoch;
        let entry = Entry::Presence {
            member: presence.member.id,
            change: presence.change,
        };
        self.record(&presence.room, epoch, presence.offset, entry)
    }

    pub(super) fn record(
        &mut self,
        room: &RoomName,
        epoch: Epoch,
        offset: Offset,
        entry: Entry,
    ) -> Result<(), String> {
        if let Entry::Message { said, .. } = entry {
            let place = (room.clone(), epoch, offset);
            let known = self.places.entry(said).or_insert_with(|| place.clone());
            if *known != place {
                return Err(format!("{said} is there twice: at {known:?} and {place:?}"));
            }
            if self.said[said].to_epoch.is_some_and(|meant| meant != epoch) {
                return Err(format!("{said} was for members of another epoch"));
            }
        }
        let ledger = self.ledgers.entry((room.clone(), epoch)).or_default();
        ledger.record(offset, entry)
    }
}
