//! How a link begins: an offer and its answer.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpOffer};
use str0m::net::TcpType;

use crate::description;
use crate::offer::{Digest, Ours};
use crate::rtc::{self, Credentials, build, tcp_candidate};
use crate::{ChannelConfig, Link, LinkConfig, Offer, OfferError};

impl Link {
    /// Accepts a peer's offer and returns the answer, as an ICE-lite agent (RFC 8445 section 2.5) whose
    /// addresses are [`LinkConfig::candidates`].
    ///
    /// # Errors
    ///
    /// [`OfferError::Malformed`] where str0m rejects the offer. That is the peer's fault.
    pub fn answer(
        now: Instant,
        config: Arc<LinkConfig>,
        credentials: Credentials,
        offer: &Offer,
    ) -> Result<(Self, String), OfferError> {
        let ours = Ours {
            ufrag: &credentials.ufrag,
            password: &credentials.password,
            fingerprint: config.certificate.fingerprint(),
            candidates: &rtc::candidates(&config, true)
                .map(|candidate| candidate.to_sdp_string())
                .collect::<Vec<_>>(),
            message_bytes_max: config.message_bytes_max,
        };
        let answer = offer.answer(&ours);
        // str0m panics are a bad offer here, as they are the end of one link later.
        let accepted = catch_unwind(AssertUnwindSafe(|| {
            let mut rtc = build(now, &config, credentials, true, offer.digest());
            let canonical = SdpOffer::from_sdp_string(&offer.canonical())
                .map_err(|error| description::malformed(&error))?;
            rtc.sdp_api()
                .accept_offer(canonical)
                .map_err(|error| description::malformed(&error))?;
            Ok(rtc)
        }));
        let rtc = accepted
            .unwrap_or_else(|_| Err(OfferError::Malformed("str0m cannot take it".into())))?;
        let mut link = Self::new(now, config, rtc, offer.message_bytes_max());
        link.peer_ufrag = offer.ufrag().into();
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
        let mut rtc = build(now, &config, credentials, false, Digest::Sha256);
        let mut changes = rtc.sdp_api();
        for channel in channels {
            changes.add_channel_with_config(channel.into_str0m());
        }
        let (offer, pending) = changes.apply().expect("a data channel needs an offer");
        let mut link = Self::new(now, config, rtc, 0);
        link.pending_offer = Some(pending);
        link.change(|_| Ok(()));
        let offer = description::describe(&offer.to_sdp_string(), &link.config);
        (link, offer)
    }

    /// Takes the answer to [`Self::offer`].
    ///
    /// # Errors
    ///
    /// [`OfferError::Malformed`] where it is no answer to the offer, or the second one.
    pub fn accept_answer(&mut self, now: Instant, answer: &str) -> Result<(), OfferError> {
        self.advance(now);
        let parsed = SdpAnswer::from_sdp_string(answer).map_err(|e| description::malformed(&e))?;
        let pending = self.pending_offer.take();
        let pending =
            pending.ok_or_else(|| description::malformed(&"there is no offer to answer"))?;
        self.peer_message_bytes_max = description::message_bytes_max(answer);
        let mut accepted = Ok(());
        self.change(|rtc| {
            accepted = rtc.sdp_api().accept_answer(pending, parsed);
            Ok(())
        });
        self.feed_time();
        accepted.map_err(|e| description::malformed(&e))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Certificate, LinkEvent, Route};

    /// Lets a client connect whose offer is edited, and its answer back again; the events of the server.
    fn connect(
        edit_offer: impl Fn(&str, &[u8]) -> String,
        edit_answer: impl Fn(&str) -> String,
    ) -> Vec<LinkEvent> {
        let mut now = Instant::now();
        let addresses: [SocketAddr; 2] = [([192, 0, 2, 1], 1).into(), ([192, 0, 2, 2], 2).into()];
        let configs = addresses
            .map(|address| Arc::new(LinkConfig::new(Certificate::generate(), vec![address])));
        let [ours, theirs] = &configs;
        let credentials = |ufrag: &str| Credentials {
            ufrag: ufrag.into(),
            password: "0123456789abcdefghijklmn".into(),
        };
        let channels = vec![ChannelConfig::new("chat")];
        let (mut client, offer) =
            Link::offer(now, Arc::clone(theirs), credentials("theirs"), channels);
        let der = theirs.certificate.to_str0m().certificate;
        let offer = Offer::parse(&edit_offer(&offer, &der)).expect("an offer");
        let (mut server, answer) =
            Link::answer(now, Arc::clone(ours), credentials("ours"), &offer).expect("an answer");
        client
            .accept_answer(now, &edit_answer(&answer))
            .expect("accepted");
        let mut events = Vec::new();
        while !events
            .iter()
            .any(|event| matches!(event, LinkEvent::ChannelOpen(..) | LinkEvent::Closed(_)))
        {
            while let Some(sent) = client.poll_transmit() {
                server.handle_datagram(now, sent.route.reversed(), &sent.contents);
            }
            while let Some(sent) = server.poll_transmit() {
                let route = Route::udp(addresses[1], addresses[0]);
                client.handle_datagram(now, route, &sent.contents);
            }
            events.extend(std::iter::from_fn(|| server.poll_event()));
            let timeouts = [client.poll_timeout(), server.poll_timeout()];
            now = timeouts
                .iter()
                .flatten()
                .map(|(at, _)| *at)
                .min()
                .expect("a timeout");
            client.handle_timeout(now);
            server.handle_timeout(now);
        }
        events
    }

    fn is_open(events: &[LinkEvent]) -> bool {
        matches!(events.last(), Some(LinkEvent::ChannelOpen(..)))
    }

    /// With this hash of the certificate in the place of the offer's fingerprint.
    fn with_fingerprint(offer: &str, name: &str, hash: &[u8]) -> String {
        let hash: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let line = |line: &str| match line.starts_with("a=fingerprint:") {
            true => format!("a=fingerprint:{name} {}\r\n", hash.join(":")),
            false => format!("{line}\r\n"),
        };
        offer.lines().map(line).collect()
    }

    #[test]
    fn certificates_are_checked_with_every_hash_function() {
        use aws_lc_rs::digest;
        for (name, algorithm) in [
            ("sha-1", &digest::SHA1_FOR_LEGACY_USE_ONLY),
            ("sha-224", &digest::SHA224),
            ("sha-256", &digest::SHA256),
            ("sha-384", &digest::SHA384),
            ("sha-512", &digest::SHA512),
        ] {
            let of = |der: &[u8]| digest::digest(algorithm, der).as_ref().to_vec();
            let true_one = |offer: &str, der: &[u8]| with_fingerprint(offer, name, &of(der));
            let events = connect(true_one, str::to_string);
            assert!(is_open(&events), "{name}: {events:?}");
            let false_one = |offer: &str, der: &[u8]| with_fingerprint(offer, name, &of(&der[1..]));
            let events = connect(false_one, str::to_string);
            let last = events.last();
            assert!(
                matches!(last, Some(LinkEvent::Closed(_))),
                "{name}: {last:?}"
            );
        }
    }

    #[test]
    fn each_notation_and_role_connects() {
        let old = |offer: &str, _: &[u8]| {
            offer
                .replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000")
                .replace(
                    "a=sctp-port:5000",
                    "a=sctpmap:5000 webrtc-datachannel 65535",
                )
        };
        let new_again = |answer: &str| {
            let new = answer.replace("DTLS/SCTP 5000", "UDP/DTLS/SCTP webrtc-datachannel");
            assert_ne!(new, answer, "the answer has the notation of the offer");
            new
        };
        assert!(is_open(&connect(old, new_again)));
        for setup in ["active", "passive"] {
            let with_role = |offer: &str, _: &[u8]| offer.replace("actpass", setup);
            assert!(is_open(&connect(with_role, str::to_string)), "{setup}");
        }
    }
}
