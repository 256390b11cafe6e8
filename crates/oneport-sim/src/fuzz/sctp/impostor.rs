//! A client whose ICE and DTLS are real, and whose SCTP is not.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dimpl::certificate::generate_self_signed_certificate;
use dimpl::{Config, Dtls, DtlsCertificate, Output};
use oneport_link::{ChannelConfig, Route};

use super::packet::{Chunk, FIRST_TSN, chunks, init, kind, number, packet};
use crate::fuzz::scene::ROOM;
use crate::{Direction, World, relay_address};

/// Made once: it takes a millisecond.
static IDENTITY: LazyLock<(Arc<Config>, DtlsCertificate)> = LazyLock::new(|| {
    let certificate = generate_self_signed_certificate().expect("a certificate");
    (Arc::new(Config::default()), certificate)
});

/// Less than a datagram takes: each is seen on its way.
const STEP: Duration = Duration::from_millis(4);

/// A guest of whom only the connectivity checks reach the relay. Its DTLS is our own.
pub(super) struct Impostor {
    guest: usize,
    address: SocketAddr,
    dtls: Dtls,
    /// The relay's verification tag, once it has told it.
    tag: Option<u32>,
    is_associated: bool,
    /// What the next DATA chunk should have.
    pub(super) next_tsn: u32,
    /// The last TSN of the relay.
    pub(super) their_tsn: u32,
}

impl Impostor {
    pub(super) fn new(world: &mut World) -> Self {
        let (config, certificate) = &*IDENTITY;
        let fingerprint = certificate.fingerprint_str();
        // The relay is the passive side of DTLS, and so of SCTP.
        let edit = |offer: &str| {
            let lines = offer.lines().map(|line| match line.split_once(':') {
                Some(("a=fingerprint", _)) => format!("a=fingerprint:sha-256 {fingerprint}\r\n"),
                Some(("a=setup", _)) => "a=setup:active\r\n".to_string(),
                _ => format!("{line}\r\n"),
            });
            lines.collect()
        };
        let channels = vec![ChannelConfig::new("chat")];
        let guest = world.offer_with(ROOM, channels, edit);
        let guest = guest.expect("there is a place for it");
        let mut dtls = Dtls::new_12(Arc::clone(config), certificate.clone(), world.now());
        dtls.set_active(true);
        Self {
            guest,
            address: world.guest(guest).access.outside,
            dtls,
            tag: None,
            is_associated: false,
            next_tsn: FIRST_TSN,
            their_tsn: 0,
        }
    }

    /// Which guest of the world it is.
    pub(super) fn guest(&self) -> usize {
        self.guest
    }

    /// Whether the relay has taken its cookie back.
    pub(super) fn is_associated(&self) -> bool {
        self.is_associated
    }

    /// Lets time go by, and answers as far as an association needs it.
    pub(super) fn run(&mut self, world: &mut World, time: Duration) {
        let end = world.now() + time;
        while world.now() < end {
            world.run_for(STEP.min(end - world.now()));
            for bytes in world.intercept(Direction::Up, self.address) {
                if is_stun(&bytes) {
                    world.datagram(self.address, &bytes);
                }
            }
            for bytes in world.intercept(Direction::Down, self.address) {
                self.receive(world, &bytes);
            }
            let _ = self.dtls.handle_timeout(world.now());
            self.collect(world);
        }
    }

    fn receive(&mut self, world: &mut World, bytes: &[u8]) {
        let now = world.now();
        if is_stun(bytes) {
            let route = Route::udp(self.address, relay_address());
            let guest = world.guest_mut(self.guest);
            guest.link.handle_datagram(now, route, bytes);
            return;
        }
        let _ = self.dtls.handle_timeout(now);
        // What it cannot read is the relay's answer to what was not meant well.
        let _ = self.dtls.handle_packet(bytes);
        self.collect(world);
    }

    /// Sends these chunks, with the right verification tag or another one.
    pub(super) fn send(&mut self, world: &mut World, tag: Option<u32>, chunks: &[Chunk]) {
        let tag = tag.or(self.tag).unwrap_or_default();
        let _ = self.dtls.send_application_data(&packet(tag, chunks));
        self.collect(world);
    }

    fn collect(&mut self, world: &mut World) {
        let mut buffer = vec![0; 4096];
        let mut arrived = Vec::new();
        let mut is_connected = false;
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(bytes) => world.datagram(self.address, bytes),
                Output::ApplicationData(bytes) => arrived.push(bytes.to_vec()),
                Output::Connected => is_connected = true,
                Output::Timeout(_) | Output::BufferTooSmall { .. } => break,
                _ => {}
            }
        }
        if is_connected {
            self.send(world, Some(0), &[init(1024, &[])]);
        }
        for packet in arrived {
            for (kind, body) in chunks(&packet) {
                self.notice(world, kind, body);
            }
        }
    }

    fn notice(&mut self, world: &mut World, kind: u8, body: &[u8]) {
        match kind {
            kind::INIT_ACK if self.tag.is_none() => {
                self.tag = number(body, 0);
                self.their_tsn = number(body, 12).unwrap_or_default().wrapping_sub(1);
                let echo = Chunk::new(kind::COOKIE_ECHO, 0, cookie(body).to_vec());
                self.send(world, None, &[echo]);
            }
            kind::COOKIE_ACK => self.is_associated = true,
            kind::DATA => self.their_tsn = number(body, 0).unwrap_or_default(),
            _ => {}
        }
    }
}

/// RFC 7983 section 7.
fn is_stun(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0..=3))
}

/// The state cookie of an INIT ACK (RFC 9260 section 3.3.3.1).
fn cookie(init_ack: &[u8]) -> &[u8] {
    let mut rest = init_ack.get(16..).unwrap_or_default();
    while let Some((head, _)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = rest.get(4..length).unwrap_or_default();
        if head[..2] == [0, 7] {
            return value;
        }
        rest = rest
            .get(length.max(4).next_multiple_of(4)..)
            .unwrap_or_default();
    }
    &[]
}
