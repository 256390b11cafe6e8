//! How a link begins: an offer and its answer.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpOffer};
use str0m::net::TcpType;

use crate::offer::{self, Description};
use crate::rtc::{Credentials, build, tcp_candidate};
use crate::{ChannelConfig, Link, LinkConfig, OfferError};

impl Link {
    /// Takes a peer's offer and makes the answer, as an ICE-lite agent (RFC 8445 section 2.5) that
    /// is reached on [`LinkConfig::candidates`].
    ///
    /// # Errors
    ///
    /// [`OfferError`] where the offer cannot be answered. That is the peer's fault.
    pub fn answer(
        now: Instant,
        config: Arc<LinkConfig>,
        credentials: Credentials,
        offer: &str,
    ) -> Result<(Self, String), OfferError> {
        let description = Description::offer(offer)?;
        // str0m's parser and session see what a stranger wrote: a panic there is a bad offer.
        let answered = catch_unwind(AssertUnwindSafe(|| {
            let mut rtc = build(now, &config, credentials, true);
            let offer = SdpOffer::from_sdp_string(&description.sdp)
                .map_err(|error| offer::malformed(&error))?;
            let answer = rtc
                .sdp_api()
                .accept_offer(offer)
                .map_err(|error| offer::malformed(&error))?;
            Ok((rtc, offer::describe(&answer.to_sdp_string(), &config)))
        }));
        let (rtc, answer) = answered
            .unwrap_or_else(|_| Err(OfferError::Malformed("it cannot be understood".into())))?;
        let mut link = Self::new(now, config, rtc, description.message_bytes_max);
        link.peer_ufrag = description.ufrag;
        link.change(|_| Ok(()));
        Ok((link, answer))
    }

    /// Makes an offer with these data channels, as a full ICE agent whose addresses are
    /// [`LinkConfig::candidates`]. It goes on with [`Self::accept_answer`].
    pub fn offer(
        now: Instant,
        config: Arc<LinkConfig>,
        credentials: Credentials,
        channels: Vec<ChannelConfig>,
    ) -> (Self, String) {
        let mut rtc = build(now, &config, credentials, false);
        let mut changes = rtc.sdp_api();
        for channel in channels {
            changes.add_channel_with_config(channel.into_str0m());
        }
        let (offer, pending) = changes.apply().expect("a data channel needs an offer");
        let mut link = Self::new(now, config, rtc, 0);
        link.pending_offer = Some(pending);
        link.change(|_| Ok(()));
        let offer = offer::describe(&offer.to_sdp_string(), &link.config);
        (link, offer)
    }

    /// Takes the answer to [`Self::offer`].
    ///
    /// # Errors
    ///
    /// [`OfferError::Malformed`] where it is no answer to the offer, or the second one.
    pub fn accept_answer(&mut self, now: Instant, answer: &str) -> Result<(), OfferError> {
        self.advance(now);
        let parsed = SdpAnswer::from_sdp_string(answer).map_err(|e| offer::malformed(&e))?;
        let pending = self.pending_offer.take();
        let pending = pending.ok_or_else(|| offer::malformed(&"there is no offer to answer"))?;
        self.peer_message_bytes_max = offer::message_bytes_max(answer);
        let mut accepted = Ok(());
        self.change(|rtc| {
            accepted = rtc.sdp_api().accept_answer(pending, parsed);
            Ok(())
        });
        self.feed_time();
        accepted.map_err(|e| offer::malformed(&e))
    }

    /// We have a TCP connection from this address to one of the peer's
    /// [passive candidates](crate::passive_candidates): checks go over it as well, as from an active
    /// candidate (RFC 6544 section 4.5).
    pub fn add_connection(&mut self, now: Instant, local: SocketAddr) {
        self.advance(now);
        if let Some(candidate) = tcp_candidate(local, TcpType::Active) {
            self.change(|rtc| {
                rtc.add_local_candidate(candidate);
                Ok(())
            });
            self.feed_time();
        }
    }
}
