//! A client without a protocol: a link with plain or framed channels, and whatever somebody writes
//! into them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use oneport_core::{Input, LinkConfig, Reason, SessionId, Transmit};
use oneport_link::{
    Certificate, ChannelConfig, ChannelId, CloseReason, Credentials, Kind, Link, LinkEvent, Write,
};

use crate::Access;

/// A link to the relay without a client on top of it: a page with `createDataChannel`, or somebody
/// who sends what no client would.
pub struct Guest {
    /// The link.
    pub link: Link,
    /// Its way to the network.
    pub access: Access,
    /// What ends its session.
    pub session: SessionId,
    /// The relay's answer.
    pub answer: String,
    /// The channels that have opened, with their labels.
    pub channels: Vec<(ChannelId, String)>,
    /// Label, kind and payload of what came.
    pub messages: Vec<(String, Kind, Vec<u8>)>,
    /// The last connectivity check that it sent.
    pub check: Vec<u8>,
    /// How many channels the relay closed.
    pub channels_closed: usize,
    /// Why the link ended.
    pub closed: Option<CloseReason>,
    /// Whether it answers pings, as a page that is alive does.
    pub answers_pings: bool,
}

impl Guest {
    /// A link that is to be answered, and its offer.
    pub(crate) fn offer(
        now: Instant,
        address: SocketAddr,
        certificate: Certificate,
        name: &str,
        channels: Vec<ChannelConfig>,
    ) -> (Link, String) {
        let config = Arc::new(LinkConfig::new(certificate, vec![address]));
        let credentials = Credentials {
            ufrag: name.into(),
            password: "0123456789abcdefghijklmn".into(),
        };
        Link::offer(now, config, credentials, channels)
    }

    pub(crate) fn new(link: Link, address: SocketAddr, session: SessionId, answer: String) -> Self {
        Self {
            link,
            access: Access::new(address),
            session,
            answer,
            channels: Vec::new(),
            messages: Vec::new(),
            check: Vec::new(),
            channels_closed: 0,
            closed: None,
            answers_pings: true,
        }
    }

    /// Writes into its first channel.
    ///
    /// # Panics
    ///
    /// Where none has opened.
    pub fn send(&mut self, now: Instant, kind: Kind, payload: &[u8]) -> Write {
        let (channel, _) = self.channels[0];
        self.link.batch(now).urgent().write(channel, kind, payload)
    }

    /// The payloads that came, as text.
    pub fn heard(&self) -> Vec<String> {
        let text =
            |(_, _, payload): &(_, _, Vec<u8>)| String::from_utf8_lossy(payload).into_owned();
        self.messages.iter().map(text).collect()
    }

    pub(crate) fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Datagram { route, bytes } => self.link.handle_datagram(now, route, bytes),
            Input::Closed { route } => self.link.handle_closed(now, route),
            Input::Timeout => self.link.handle_timeout(now),
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.link.poll_timeout()
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        let transmit = self.link.poll_transmit()?;
        // A STUN binding request (RFC 8489 section 5).
        if transmit.contents.starts_with(&[0, 1]) {
            self.check.clone_from(&transmit.contents);
        }
        Some(transmit)
    }

    pub(crate) fn collect_events(&mut self, now: Instant) {
        while let Some(event) = self.link.poll_event() {
            match event {
                LinkEvent::ChannelOpen(id, config) => self.channels.push((id, config.label)),
                LinkEvent::ChannelClosed(_) => self.channels_closed += 1,
                LinkEvent::Message {
                    channel,
                    kind,
                    payload,
                } => self.take(now, channel, kind, payload),
                LinkEvent::Closed(reason) => self.closed = Some(reason),
                _ => {}
            }
        }
    }

    fn take(&mut self, now: Instant, channel: ChannelId, kind: Kind, payload: Vec<u8>) {
        let open = self.channels.iter().find(|(id, _)| *id == channel);
        let label = open.map_or_else(String::new, |(_, label)| label.clone());
        if self.answers_pings && payload.starts_with(br#"{"t":"ping""#) {
            let pong = String::from_utf8_lossy(&payload).replacen("ping", "pong", 1);
            let mut batch = self.link.batch(now).urgent();
            let _ = batch.write(channel, Kind::Text, pong.as_bytes());
        }
        self.messages.push((label, kind, payload));
    }
}
