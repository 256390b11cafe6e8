//! ICE restarts: a client that has moved goes on with its link.

use std::time::Instant;

use oneport_link::Credentials;
use oneport_wire::{IceFragment, RestartRefusal, RoomName, SessionId};

use crate::Relay;
use crate::command::Restarted;
use crate::relay::LinkId;

/// An ICE session that its client has not begun to use.
#[derive(Debug)]
pub(crate) struct Restarting {
    /// Ours, by which its checks are known.
    pub(crate) ufrag: String,
    /// What the client has sent, and what it was answered: it may ask again, if the answer got lost.
    fragment: IceFragment,
    answer: String,
}

impl Relay {
    /// Restarts ICE for a client that has moved to another network, or cannot reach us any more over
    /// the old one: its channels, and what is on its way in them, survive that. The credentials before
    /// hold until the client has nominated a path with the new ones, so a restart that comes to nothing
    /// changes nothing, and the latest one counts.
    ///
    /// `follows` are the ICE sessions ([`Connected::ice_session`](crate::Connected::ice_session),
    /// [`Restarted::ice_session`]) of which one must be the latest; `None` if any may be.
    ///
    /// # Errors
    ///
    /// [`RestartRefusal::NoSuchSession`] where the link is gone, or never was one of that room;
    /// [`RestartRefusal::Outdated`].
    pub fn restart_ice(
        &mut self,
        now: Instant,
        room: &RoomName,
        session: SessionId,
        follows: Option<&[String]>,
        fragment: IceFragment,
    ) -> Result<Option<Restarted>, RestartRefusal> {
        self.advance(now);
        let restarted = self.try_restart(room, session, follows, fragment);
        if let Err(refusal) = &restarted {
            *self
                .stats
                .restarts_refused
                .entry(refusal.code())
                .or_default() += 1;
            log::debug!("no ICE restart in room {room}: {refusal}");
        }
        restarted
    }

    fn try_restart(
        &mut self,
        room: &RoomName,
        session: SessionId,
        follows: Option<&[String]>,
        fragment: IceFragment,
    ) -> Result<Option<Restarted>, RestartRefusal> {
        let id = self.by_session_id.get(&session).copied();
        let id = id.filter(|id| self.links[*id].room == *room);
        let id = id.ok_or(RestartRefusal::NoSuchSession)?;
        let client = &self.links[id];
        let latest = client.restarting.as_ref();
        let ice_session = latest.map_or(&client.ufrag, |latest| &latest.ufrag);
        if follows.is_some_and(|follows| !follows.contains(ice_session)) {
            return Err(RestartRefusal::Outdated);
        }
        let is_latest = latest.is_some_and(|latest| latest.fragment == fragment);
        if is_latest && follows.is_none() {
            return Ok(latest.map(|latest| latest.told()));
        }
        // The same user: candidates of an ICE session that there is, which we do not need.
        if is_latest || client.link.peer_ufrag() == fragment.ufrag() {
            return Ok(None);
        }
        let restarting = self.begin_restart(id, fragment);
        let told = restarting.told();
        self.links[id].restarting = Some(Box::new(restarting));
        Ok(Some(told))
    }

    fn begin_restart(&mut self, id: LinkId, fragment: IceFragment) -> Restarting {
        let ours = self.unused_credentials();
        let client = &mut self.links[id];
        log::debug!("link {} restarts ICE", client.number);
        if let Some(given_up) = client.restarting.take() {
            self.demux.remove_ufrag(&given_up.ufrag);
        }
        self.demux.add_ufrag(ours.ufrag.clone(), id);
        let candidates = client.link.candidates();
        let restarting = Restarting {
            ufrag: ours.ufrag.clone(),
            answer: fragment.answer(&ours.ufrag, &ours.password, &candidates),
            fragment,
        };
        let peers = Credentials {
            ufrag: restarting.fragment.ufrag().into(),
            password: restarting.fragment.password().into(),
        };
        client.link.restart_ice(self.now, ours, peers);
        restarting
    }

    /// The client uses the new credentials.
    pub(crate) fn ice_restarted(&mut self, id: LinkId) {
        self.stats.ice_restarts += 1;
        let client = &mut self.links[id];
        log::debug!("link {} has restarted ICE", client.number);
        if let Some(restarting) = client.restarting.take() {
            let before = std::mem::replace(&mut client.ufrag, restarting.ufrag);
            self.demux.remove_ufrag(&before);
        }
    }

    /// Credentials whose user no link has.
    pub(crate) fn unused_credentials(&mut self) -> Credentials {
        loop {
            let credentials = self.secrets.credentials();
            if !self.demux.has_ufrag(&credentials.ufrag) {
                return credentials;
            }
        }
    }
}

impl Restarting {
    fn told(&self) -> Restarted {
        Restarted {
            answer: self.answer.clone(),
            ice_session: self.ufrag.clone(),
        }
    }
}
