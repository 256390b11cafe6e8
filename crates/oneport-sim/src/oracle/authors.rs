//! The names of authors in the history.

use oneport_wire::frame::HistoryBegin;
use oneport_wire::{MemberId, MemberName, RoomName};

use super::Oracle;

impl Oracle {
    /// A member wants this name in a room, or none.
    pub(crate) fn wants_name(&mut self, member: usize, room: &RoomName, name: Option<MemberName>) {
        let names = self.names.entry((member, room.clone())).or_default();
        names.insert(name);
    }

    /// An answer of history begins: each author has a name that it asked for.
    pub(super) fn begin_history(
        &mut self,
        member: usize,
        begin: &HistoryBegin,
    ) -> Result<(), String> {
        let epoch = self.stay(member, &begin.room)?.epoch;
        let ids: Vec<_> = begin.authors.iter().map(|author| author.id).collect();
        if !ids.is_sorted_by(|a, b| a < b) {
            return Err("authors in another order".into());
        }
        let ledger = self.ledgers.get(&(begin.room.clone(), epoch));
        for author in &begin.authors {
            // Of somebody whose `joined` was lost nobody knows who it is.
            let who = ledger.and_then(|ledger| ledger.members.get(&author.id));
            if let Some(who) = who
                && !self.may_be_called(*who, &begin.room, Some(&author.name))
            {
                return Err(format!("{:?} was never called {}", author.id, author.name));
            }
        }
        self.stay(member, &begin.room)?.telling = Some(ids.into_iter().collect());
        Ok(())
    }

    pub(super) fn end_history(&mut self, member: usize, room: &RoomName) {
        if let Ok(stay) = self.stay(member, room) {
            stay.telling = None;
        }
    }

    /// A message of the history came: its author was named, if it has a name.
    pub(super) fn check_author(
        &mut self,
        member: usize,
        room: &RoomName,
        from: MemberId,
    ) -> Result<(), String> {
        let stay = self.stay(member, room)?;
        let epoch = stay.epoch;
        let named = stay.telling.as_ref().ok_or("history without its begin")?;
        if named.contains(&from) {
            return Ok(());
        }
        let ledger = self.ledgers.get(&(room.clone(), epoch));
        let who = ledger.and_then(|ledger| ledger.members.get(&from));
        match who {
            Some(who) if !self.may_be_called(*who, room, None) => {
                Err(format!("{from:?} has a name and is not among the authors"))
            }
            _ => Ok(()),
        }
    }

    fn may_be_called(&self, who: usize, room: &RoomName, name: Option<&MemberName>) -> bool {
        let names = self.names.get(&(who, room.clone()));
        names.is_some_and(|names| names.contains(&name.cloned()))
    }
}
