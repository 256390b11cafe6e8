//! Taking clients in.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

#[cfg(doc)]
use oneport_link::LinkConfig;
use oneport_link::{Link, Offer, OfferError};
use oneport_wire::frame::LeaveReason;
use oneport_wire::{ErrorCode, OFFER_BYTES_MAX, Refusal, RoomName, SessionId};

use crate::client::Client;
use crate::holder::Holder;
use crate::places::Vacancy;
use crate::relay::CROWDED_OUT;
use crate::{Connected, Grant, Relay};

impl Relay {
    /// Accepts a client's [offer](parse_offer) and answers it. The client is reached as soon as its checks arrive; it
    /// has [`LinkConfig::handshake_timeout`] for that. The room is the one of its plain channels: the
    /// first of them makes it a member. A framed channel joins rooms by itself.
    ///
    /// `client` is where the offer came from, as far as signaling knows: the number of links that
    /// are in their handshake is capped for each address. `grant` is what signaling lets it do in the
    /// room, [`Grant::default`] where nobody is asked.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] says whose fault it is and whether a retry can help.
    pub fn connect(
        &mut self,
        now: Instant,
        room: &RoomName,
        offer: &Offer,
        client: IpAddr,
        grant: Grant,
    ) -> Result<Connected, Refusal> {
        self.advance(now);
        let connected = self.try_connect(room, offer, client, grant);
        if let Err(refusal) = &connected {
            *self.stats.refused.entry(refusal.code()).or_default() += 1;
            log::debug!("refused for room {room}: {refusal}");
        }
        connected
    }

    fn try_connect(
        &mut self,
        room: &RoomName,
        offer: &Offer,
        address: IpAddr,
        grant: Grant,
    ) -> Result<Connected, Refusal> {
        if self.shutdown.is_some() {
            return Err(Refusal::ShuttingDown);
        }
        let vacancy = self.places.find(address)?;
        match self.hub.admits(room) {
            // It may be one of its members who has lost its link. Who is not is told when it joins.
            Err(ErrorCode::RoomFull) if self.has_sessions(room) => {}
            Err(ErrorCode::RoomFull) => return Err(Refusal::RoomFull),
            Err(_) => return Err(Refusal::TooManyRooms),
            Ok(()) => {}
        }
        let client_bytes = self.config.client_bytes_max();
        if !self.has_place(client_bytes + self.room_bytes(room)) {
            return Err(Refusal::Memory);
        }
        let credentials = self.unused_credentials();
        let ufrag = credentials.ufrag.clone();
        let link_config = Arc::clone(&self.link_config);
        let (link, answer) =
            Link::answer(self.now, link_config, credentials, offer).map_err(refusal)?;
        self.make_place(client_bytes);
        if let Vacancy::InsteadOf(silent) = vacancy {
            self.links[silent].link.close(self.now, CROWDED_OUT);
            self.settle(silent);
        }
        let session_id = self.secrets.session_id();
        self.last_number += 1;
        let id = self.links.insert(Box::new(Client {
            link,
            number: self.last_number,
            session_id,
            ufrag: ufrag.clone(),
            restarting: None,
            address,
            room: room.clone(),
            grant,
            owner: self.hub.add_owner(),
            seat: None,
            session: None,
            label: None,
            framed_since: None,
            unacknowledged: VecDeque::new(),
            channels: Vec::new(),
            in_handshake: true,
            is_full: false,
            full_since: None,
            is_fed: false,
            is_sending: false,
        }));
        self.places.take(address, self.last_number, id);
        self.demux.add_ufrag(ufrag.clone(), id);
        self.by_session_id.insert(session_id, id);
        self.settle(id);
        Ok(Connected {
            answer,
            session: session_id,
            ice_session: ufrag,
        })
    }

    /// Whether a room has members that can come back over another link.
    fn has_sessions(&self, room: &RoomName) -> bool {
        let mut holders = self.hub.seats_of(room).map(|seat| self.holders.get(seat));
        holders.any(|holder| matches!(holder, Some(Holder::Session(_))))
    }

    /// Ends a link of a room and its client's stay: its members leave at once, in all rooms, also if
    /// the link is lost already and the session is in its grace time. The client's `onclose` fires, and
    /// there is nothing to resume. Answers whether there was such a link or session. The URL of a link
    /// that another has replaced is none.
    pub fn disconnect(&mut self, now: Instant, room: &RoomName, session: SessionId) -> bool {
        self.advance(now);
        let framed = self.sessions.at_url(room, session);
        if let Some(key) = framed {
            self.end_session(key, LeaveReason::Left);
        }
        let link = self.by_session_id.get(&session).copied();
        let link = link.filter(|id| self.links[*id].room == *room);
        if let Some(id) = link {
            self.links[id].link.close(self.now, "left");
            self.settle(id);
        }
        framed.is_some() || link.is_some()
    }
}

/// Parses a client's offer for [`Relay::connect`]. Parse on another thread than the relay's where there is one:
/// what strangers send then costs the relay nothing.
///
/// # Errors
///
/// A [`Refusal`] where the offer cannot be answered.
pub fn parse_offer(sdp: &str) -> Result<Offer, Refusal> {
    if sdp.len() > OFFER_BYTES_MAX {
        return Err(Refusal::OfferTooLarge);
    }
    Offer::parse(sdp).map_err(refusal)
}

fn refusal(error: OfferError) -> Refusal {
    match error {
        OfferError::NoDataChannel => Refusal::NoDataChannel,
        other => Refusal::BadOffer(other.to_string()),
    }
}
