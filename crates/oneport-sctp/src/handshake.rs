//! Setting up an association (RFC 9260 section 5): INIT, INIT ACK, COOKIE ECHO, COOKIE ACK, when both
//! ends begin at once, and when one begins again.
//!
//! An INIT leaves no state but the one answer that is about to be sent. What it asked for is in the
//! cookie.

use crate::closing::cause;
use crate::config::{COOKIE_LIFE, Config, INIT_ANSWERS_MAX, INIT_ANSWERS_PER};
use crate::cookie::{Announced, Cookie};
use crate::random::Random;
use crate::types::{Span, Time, Tsn, VerificationTag};
use crate::wire::{CHUNK_HEADER_BYTES, Init, PacketWriter, kind};

/// How far the association has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It waits for the peer to begin.
    Closed,
    /// INIT was sent.
    CookieWait,
    /// COOKIE ECHO was sent. What the peer can is known.
    CookieEchoed,
    /// Established, though perhaps about to be shut down.
    Done,
}

#[derive(Debug)]
pub(crate) struct Handshake {
    phase: Phase,
    local_tag: VerificationTag,
    local_tsn: Tsn,
    peer_tag: VerificationTag,
    /// What the peer gave us to echo.
    cookie: Vec<u8>,
    /// INIT or COOKIE ECHO is to be sent.
    is_due: bool,
    timeout: Time,
    attempts: u32,
    /// INIT ACK or ERROR that is to be sent, and the tag it goes to.
    answer: Option<(u8, VerificationTag, Vec<u8>)>,
    answers: u32,
    answers_since: Time,
}

/// What a COOKIE ECHO means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    /// The association is established with this peer.
    Establish(Announced),
    /// It was established; COOKIE ACK was lost, or both began at once.
    Confirm,
    /// The peer has begun again; our new tag and first TSN.
    Restart(Cookie),
    Ignore,
}

impl Handshake {
    pub(crate) fn new(random: &mut Random) -> Self {
        let (tag, tsn) = (random.nonzero_u32(), random.u32());
        Self::with(VerificationTag(tag), Tsn(tsn))
    }

    pub(crate) fn with(local_tag: VerificationTag, local_tsn: Tsn) -> Self {
        Self {
            phase: Phase::Closed,
            local_tag,
            local_tsn,
            peer_tag: VerificationTag::NONE,
            cookie: Vec::new(),
            is_due: false,
            timeout: Time::NEVER,
            attempts: 0,
            answer: None,
            answers: 0,
            answers_since: Time::START,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn local_tag(&self) -> VerificationTag {
        self.local_tag
    }

    pub(crate) fn local_tsn(&self) -> Tsn {
        self.local_tsn
    }

    pub(crate) fn peer_tag(&self) -> VerificationTag {
        self.peer_tag
    }

    pub(crate) fn timeout(&self) -> Time {
        self.timeout
    }

    /// Returns true if there is nothing to send: it is done, and no answer waits.
    pub(crate) fn is_quiet(&self) -> bool {
        self.phase == Phase::Done && self.answer.is_none()
    }

    /// Begins, unless it has.
    pub(crate) fn connect(&mut self, now: Time, config: &Config) {
        if self.phase == Phase::Closed {
            self.phase = Phase::CookieWait;
            self.attempts = 0;
            self.send(now, config);
        }
    }

    fn send(&mut self, now: Time, config: &Config) {
        self.is_due = true;
        let wait = config.rto_initial().times(1 << self.attempts.min(8));
        self.timeout = now.plus(wait.min(config.rto_max()));
        self.attempts += 1;
    }

    /// Sends again. Returns false if it did so often enough.
    pub(crate) fn handle_timeout(&mut self, now: Time, config: &Config) -> bool {
        if self.timeout > now {
            return true;
        }
        let is_over = config.timeouts_max.is_some_and(|max| self.attempts > max);
        self.timeout = Time::NEVER;
        if !is_over {
            self.send(now, config);
        }
        !is_over
    }

    /// The path is back: sends again at once.
    pub(crate) fn nudge(&mut self, now: Time, config: &Config) {
        if self.timeout.is_set() {
            self.attempts = 0;
            self.send(now, config);
        }
    }

    /// Answers an INIT. In an established association the answer has a new tag: the peer may have begun
    /// again (RFC 9260 section 5.2.2). Before, it has the one of our own INIT (section 5.2.1).
    pub(crate) fn handle_init(
        &mut self,
        now: Time,
        init: &Init<'_>,
        config: &Config,
        random: &mut Random,
    ) {
        if now.since(self.answers_since) >= INIT_ANSWERS_PER {
            self.answers_since = now;
            self.answers = 0;
        }
        if self.answers >= INIT_ANSWERS_MAX {
            return;
        }
        self.answers += 1;
        let is_done = self.phase == Phase::Done;
        let (tag, tsn, tie_tags) = if is_done {
            let (tag, tsn) = (random.nonzero_u32(), random.u32());
            let ties = (self.local_tag, self.peer_tag);
            (VerificationTag(tag), Tsn(tsn), ties)
        } else {
            let none = (VerificationTag::NONE, VerificationTag::NONE);
            (self.local_tag, self.local_tsn, none)
        };
        let cookie = Cookie {
            made_at: now,
            local_tag: tag,
            local_tsn: tsn,
            peer: announced(init),
            tie_tags,
        };
        let cookie = cookie.write(random);
        let mut value = Vec::new();
        ours(tag, tsn, config, &cookie).write(&mut value);
        self.answer = Some((kind::INIT_ACK, init.tag, value));
    }

    /// Takes in the answer to our INIT. Returns what the peer announced, the first time.
    pub(crate) fn handle_init_ack(
        &mut self,
        now: Time,
        init: &Init<'_>,
        config: &Config,
    ) -> Option<Announced> {
        let is_expected = self.phase == Phase::CookieWait && !init.cookie.is_empty();
        if !is_expected || init.cookie.len() > COOKIE_BYTES_MAX {
            return None;
        }
        self.phase = Phase::CookieEchoed;
        self.peer_tag = init.tag;
        self.cookie = init.cookie.to_vec();
        self.attempts = 0;
        self.send(now, config);
        Some(announced(init))
    }

    /// Judges a COOKIE ECHO that came with this tag (RFC 9260 section 5.2.4).
    pub(crate) fn handle_cookie_echo(
        &mut self,
        now: Time,
        bytes: &[u8],
        tag: VerificationTag,
        random: &Random,
    ) -> Echo {
        let Some(cookie) = Cookie::parse(bytes, random).filter(|cookie| cookie.local_tag == tag)
        else {
            return Echo::Ignore;
        };
        let is_local = cookie.local_tag == self.local_tag;
        let is_peer = cookie.peer.tag == self.peer_tag;
        let age = now.since(cookie.made_at);
        if age > COOKIE_LIFE && !(is_local && is_peer) {
            let by = Span(age.0 - COOKIE_LIFE.0);
            self.answer = Some((kind::ERROR, cookie.peer.tag, stale_cookie(by)));
            return Echo::Ignore;
        }
        match (self.phase, is_local, is_peer) {
            // D: both began at once, or the answer was lost.
            (Phase::CookieEchoed | Phase::Done, true, true) => {
                self.establish();
                Echo::Confirm
            }
            // B: both began at once; or nothing was here.
            (Phase::Closed | Phase::CookieWait | Phase::CookieEchoed, true, _) => {
                self.peer_tag = cookie.peer.tag;
                self.establish();
                Echo::Establish(cookie.peer)
            }
            // A: the peer has begun again.
            (Phase::Done, false, false) if cookie.tie_tags == (self.local_tag, self.peer_tag) => {
                Echo::Restart(cookie)
            }
            // C and what is not in the table.
            _ => Echo::Ignore,
        }
    }

    /// Takes in COOKIE ACK. Returns true if it was awaited.
    pub(crate) fn handle_cookie_ack(&mut self) -> bool {
        let is_awaited = self.phase == Phase::CookieEchoed;
        if is_awaited {
            self.establish();
        }
        is_awaited
    }

    /// Our cookie was too old when it arrived: begins again (RFC 9260 section 5.2.6).
    pub(crate) fn handle_stale_cookie(&mut self, now: Time, config: &Config) {
        if self.phase == Phase::CookieEchoed {
            self.phase = Phase::Closed;
            self.peer_tag = VerificationTag::NONE;
            self.connect(now, config);
        }
    }

    /// Takes over the peer of a restart.
    pub(crate) fn restart(&mut self, peer: VerificationTag) {
        self.peer_tag = peer;
        self.establish();
    }

    fn establish(&mut self) {
        self.phase = Phase::Done;
        self.is_due = false;
        self.timeout = Time::NEVER;
        self.cookie = Vec::new();
    }

    /// Writes an answer or INIT, each in a packet of its own. Returns false if there is none to write.
    pub(crate) fn write(&mut self, config: &Config, out: &mut Vec<u8>) -> bool {
        let (chunk, tag, value) = if let Some(answer) = self.answer.take() {
            answer
        } else if self.phase == Phase::CookieWait && self.is_due {
            self.is_due = false;
            let mut value = Vec::new();
            ours(self.local_tag, self.local_tsn, config, &[]).write(&mut value);
            (kind::INIT, VerificationTag::NONE, value)
        } else {
            return false;
        };
        let mut packet = PacketWriter::new(out, config.port, tag, config.packet_bytes_base());
        packet.require_checksum();
        packet.chunk(chunk, 0, &value);
        packet.finish(false)
    }

    /// Appends COOKIE ECHO if it is due. Returns whether it did.
    pub(crate) fn write_echo(&mut self, packet: &mut PacketWriter<'_>) -> bool {
        let is_due = self.phase == Phase::CookieEchoed && self.is_due;
        if is_due {
            self.is_due = false;
            packet.require_checksum();
            let bytes = CHUNK_HEADER_BYTES + self.cookie.len();
            if packet.room() < bytes {
                packet.extend_to(packet.len() + bytes);
            }
            packet.chunk(kind::COOKIE_ECHO, 0, &self.cookie);
        }
        is_due
    }
}

/// The longest cookie that is echoed. Those of other stacks have some hundred bytes.
const COOKIE_BYTES_MAX: usize = 4096;

fn ours<'a>(tag: VerificationTag, first_tsn: Tsn, config: &Config, cookie: &'a [u8]) -> Init<'a> {
    Init {
        tag,
        window: u32::try_from(config.receive_window()).unwrap_or(u32::MAX),
        outbound_streams: config.streams_max(),
        inbound_streams: config.streams_max(),
        first_tsn,
        supported: config.supported(),
        cookie,
    }
}

fn announced(init: &Init<'_>) -> Announced {
    Announced {
        tag: init.tag,
        first_tsn: init.first_tsn,
        window: init.window,
        inbound_streams: init.inbound_streams,
        supported: init.supported,
    }
}

/// Returns the cause of an ERROR (RFC 9260 section 3.3.10.3).
fn stale_cookie(by: Span) -> Vec<u8> {
    let mut value = cause::STALE_COOKIE.to_be_bytes().to_vec();
    value.extend(8u16.to_be_bytes());
    value.extend(u32::try_from(by.0).unwrap_or(u32::MAX).to_be_bytes());
    value
}
