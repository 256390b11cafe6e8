//! ICE restarts: a link goes on with other credentials (RFC 8445 section 9).

use std::time::Instant;

use str0m::ice::{IceCreds, StunMessage};

use crate::datagram::Datagram;
use crate::offer::Digest;
use crate::{Credentials, Link, LinkEvent, certificate};

/// Two ICE sessions at a time: the one that there is, and the one that the peer wishes for.
pub(crate) struct Restart {
    before: IceCreds,
    ours: Credentials,
    peers: Credentials,
}

impl Link {
    /// Answers the peer's wish to restart ICE, as the ICE-lite agent of [`Self::answer`]. The peer's checks
    /// count with the new credentials as well as with those before, until it nominates a path with the new
    /// ones: then only they do, and [`LinkEvent::IceRestarted`] comes. A browser goes on with the old ones for
    /// some seconds, and may get through with them first; and a restart that comes to nothing harms nobody. A
    /// later one takes the place of one that was not used.
    ///
    /// Channels and what is on its way in them do not notice. The paths that were proven stay, each until
    /// the peer has not checked it for a while: a restart by itself neither keeps a link alive nor ends it.
    pub fn restart_ice(&mut self, now: Instant, ours: Credentials, peers: Credentials) {
        self.advance(now);
        if self.is_closed() {
            return;
        }
        let mut before = None;
        self.guarded(|link| before = Some(link.rtc.direct_api().local_ice_credentials()));
        self.restart = before.map(|before| {
            Box::new(Restart {
                before,
                ours,
                peers,
            })
        });
    }

    /// Goes on with these credentials at once, as the full ICE agent of [`Self::offer`] that has asked for
    /// a restart and has its answer.
    pub fn go_on_with(&mut self, now: Instant, ours: Credentials, peers: Credentials) {
        self.advance(now);
        self.peer_ufrag.clone_from(&peers.ufrag);
        self.use_credentials(ours.into(), peers.into());
    }

    /// The peer's user name fragment; empty as long as it is unknown.
    pub fn peer_ufrag(&self) -> &str {
        &self.peer_ufrag
    }

    /// The candidates of ours that are in an answer, each as it stands in SDP behind `a=`.
    pub fn candidates(&self) -> Vec<String> {
        let candidates = crate::rtc::candidates(&self.config, true);
        candidates
            .map(|candidate| candidate.to_sdp_string())
            .collect()
    }

    /// Takes what is a check of the new ICE session, if there is one, and says whether it was: with its
    /// credentials in force meanwhile, and from now on if it nominates.
    pub(crate) fn try_restart(&mut self, datagram: &Datagram<'_>, bytes: &[u8]) -> bool {
        let (Some(restart), Datagram::Check { ufrag, .. }) = (&self.restart, datagram) else {
            return false;
        };
        if *ufrag != restart.ours.ufrag {
            return false;
        }
        let mut is_proven = false;
        self.guarded(|link| {
            let restart = link.restart.as_ref();
            is_proven = restart.is_some_and(|restart| restart.is_proven_by(bytes));
        });
        if let Some(restart) = self.restart.as_ref().filter(|_| is_proven) {
            let (ours, peers) = (restart.ours.clone(), restart.peers.clone());
            self.use_credentials(ours.into(), peers.into());
        }
        is_proven
    }

    /// The check was taken.
    pub(crate) fn end_try(&mut self, nominates: bool) {
        let Some(restart) = self.restart.take() else {
            return;
        };
        if nominates {
            self.peer_ufrag = restart.peers.ufrag;
            self.events.push_back(LinkEvent::IceRestarted);
            return;
        }
        // An ICE-lite agent only answers, for which it needs no password of its peer.
        let peers = IceCreds {
            ufrag: self.peer_ufrag.clone(),
            pass: String::new(),
        };
        self.use_credentials(restart.before.clone(), peers);
        self.restart = Some(restart);
    }

    fn use_credentials(&mut self, ours: IceCreds, peers: IceCreds) {
        self.change(|rtc| {
            let mut ice = rtc.direct_api();
            ice.set_local_ice_credentials(ours);
            ice.set_remote_ice_credentials(peers);
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
        let provider = certificate::crypto_provider(Digest::Sha256).sha1_hmac_provider;
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
