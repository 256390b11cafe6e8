//! ICE restarts: a link goes on with other credentials (RFC 8445 section 9).

use std::time::Instant;

use str0m::ice::{IceCreds, StunMessage};

use crate::datagram::Datagram;
use crate::{Credentials, Link, LinkEvent, certificate};

/// The credentials of an ICE session that the peer has not used yet.
pub(crate) struct Restart {
    ours: Credentials,
    peers: Credentials,
}

impl Link {
    /// Answers the peer's wish to restart ICE, as the ICE-lite agent of [`Self::answer`]: from the peer's
    /// first check that shows that it knows the new credentials of ours, only those count, and
    /// [`LinkEvent::IceRestarted`] comes. Until then the old ones do, so that a restart that comes to
    /// nothing harms nobody; a later one takes its place.
    ///
    /// Channels and what is on its way in them do not notice. The paths that were proven stay, each until
    /// the peer has not checked it for a while: a restart by itself neither keeps a link alive nor ends it.
    pub fn restart_ice(&mut self, now: Instant, ours: Credentials, peers: Credentials) {
        self.advance(now);
        if !self.is_closed() {
            self.restart = Some(Box::new(Restart { ours, peers }));
        }
    }

    /// Goes on with these credentials at once, as the full ICE agent of [`Self::offer`] that has asked for
    /// a restart and has its answer.
    pub fn go_on_with(&mut self, now: Instant, ours: Credentials, peers: Credentials) {
        self.advance(now);
        self.use_credentials(Restart { ours, peers });
    }

    /// The candidates of ours that are in an answer, each as it stands in SDP behind `a=`.
    pub fn candidates(&self) -> Vec<String> {
        let candidates = crate::rtc::candidates(&self.config, true);
        candidates
            .map(|candidate| candidate.to_sdp_string())
            .collect()
    }

    /// Ends the old ICE session if a datagram shows that the peer uses the new one.
    pub(crate) fn try_restart(&mut self, datagram: &Datagram<'_>, bytes: &[u8]) {
        let (Some(restart), Datagram::Check { ufrag, .. }) = (&self.restart, datagram) else {
            return;
        };
        if *ufrag != restart.ours.ufrag {
            return;
        }
        let mut is_proven = false;
        self.guarded(|link| {
            let restart = link.restart.as_ref();
            is_proven = restart.is_some_and(|restart| restart.is_proven_by(bytes));
        });
        if is_proven && let Some(restart) = self.restart.take() {
            self.use_credentials(*restart);
            self.events.push_back(LinkEvent::IceRestarted);
        }
    }

    fn use_credentials(&mut self, Restart { ours, peers }: Restart) {
        self.change(|rtc| {
            let mut ice = rtc.direct_api();
            ice.set_local_ice_credentials(ours.into());
            ice.set_remote_ice_credentials(peers.into());
            Ok(())
        });
    }
}

impl Restart {
    /// Whether these bytes are a check by the peer for us with the new credentials (RFC 8445 section 7.3).
    fn is_proven_by(&self, bytes: &[u8]) -> bool {
        let Ok(check) = StunMessage::parse(bytes) else {
            return false;
        };
        let provider = certificate::crypto_provider().sha1_hmac_provider;
        let names = (self.ours.ufrag.as_str(), self.peers.ufrag.as_str());
        let password = self.ours.password.as_bytes();
        check.split_username() == Some(names)
            && check.verify(password, |key, payloads| provider.sha1_hmac(key, payloads))
    }
}

impl From<Credentials> for IceCreds {
    fn from(credentials: Credentials) -> Self {
        Self {
            ufrag: credentials.ufrag,
            pass: credentials.password,
        }
    }
}
