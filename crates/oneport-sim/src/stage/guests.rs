//! What those do who have no client.

use std::time::{Duration, Instant};

use oneport_link::{ChannelConfig, Kind, Write};
use oneport_wire::frame::ServerFrame;
use oneport_wire::{CLIENT_FRAME_BYTES_MAX, ErrorCode, PROTOCOL};

use super::Stage;
use crate::Guest;
use crate::oracle::foreign;

/// How many guests there are at a time.
const GUESTS_MAX: usize = 3;

/// Who has not said hello for longer says nothing more: it is about to be sent away, and whether it would
/// still be heard is chance.
const GREETING_MAX: Duration = Duration::from_secs(10);

/// What is no frame, or none that may come here, and how each is answered.
const NO_FRAMES: [(&str, ErrorCode); 6] = [
    ("{", ErrorCode::BadFrame),
    ("{}", ErrorCode::BadFrame),
    (r#"{"t":"nothing"}"#, ErrorCode::UnknownType),
    (r#"{"t":"hello","version":1}"#, ErrorCode::DuplicateHello),
    (r#"{"t":"leave","room":"lobby"}"#, ErrorCode::NotInRoom),
    (r#"{"t":"join","room":"../etc"}"#, ErrorCode::BadRoom),
];

/// Somebody without a client, and what it must have heard in the end.
pub(super) struct Stranger {
    pub(super) guest: usize,
    is_framed: bool,
    has_greeted: bool,
    came: Instant,
    /// How many rooms it has joined.
    rooms: usize,
    /// The errors that answer what it said, in this order.
    errors: Vec<ErrorCode>,
}

impl Stranger {
    /// What it was told is what it must have been told; all of it if that `is_settled`.
    pub(super) fn judge(&self, guest: &Guest, is_settled: bool) -> Option<String> {
        if !self.is_framed {
            return None;
        }
        // All that the relay says to it is text.
        let error = |(.., bytes): &(String, Kind, Vec<u8>)| match ServerFrame::decode(
            oneport_wire::Kind::Text,
            bytes,
        ) {
            Ok(ServerFrame::Rejection(rejection)) => Some(rejection.code),
            _ => None,
        };
        let heard: Vec<_> = guest.messages.iter().filter_map(error).collect();
        let is_right = match is_settled {
            // Who never said hello is sent away.
            true => heard == self.errors && (guest.closed.is_none() || !self.has_greeted),
            false => self.errors.starts_with(&heard),
        };
        let Self { guest, errors, .. } = self;
        (!is_right).then(|| format!("guest {guest} was told {heard:?}, not {errors:?}"))
    }

    /// Says a frame; its answer will be this error, if it is one. Returns false if the link is full.
    fn say(
        &mut self,
        guest: &mut Guest,
        now: Instant,
        frame: &str,
        error: Option<ErrorCode>,
    ) -> bool {
        let is_accepted = guest.send(now, Kind::Text, frame.as_bytes()) == Write::Accepted;
        self.errors.extend(error.filter(|_| is_accepted));
        is_accepted
    }

    /// A session, once. What comes before it is refused.
    fn greet(&mut self, guest: &mut Guest, now: Instant) {
        if !self.has_greeted {
            self.has_greeted = true;
            let (leave, _) = NO_FRAMES[4];
            self.say(guest, now, leave, Some(ErrorCode::HelloFirst));
            self.say(guest, now, r#"{"t":"hello","version":1}"#, None);
        }
    }
}

impl Stage {
    pub(super) fn welcome_guest(&mut self, room: u8, is_framed: bool) {
        if self.guests.len() >= GUESTS_MAX {
            return;
        }
        let protocol = if is_framed { PROTOCOL } else { "" };
        let channel = ChannelConfig {
            protocol: protocol.into(),
            ..ChannelConfig::new("chat")
        };
        let room = self.room(room);
        let offered = self.world.offer(room.as_str(), vec![channel]);
        let came = self.now();
        let stranger = |guest| Stranger {
            guest,
            is_framed,
            has_greeted: false,
            came,
            rooms: 0,
            errors: Vec::new(),
        };
        self.guests.extend(offered.map(stranger));
    }

    /// Lets one of the guests do something, if its channel is open.
    fn with_guest(&mut self, who: u8, act: impl FnOnce(&mut Stranger, &mut Guest, Instant)) {
        let Some(place) = usize::from(who).checked_rem(self.guests.len()) else {
            return;
        };
        let now = self.now();
        let stranger = &mut self.guests[place];
        let guest = self.world.guest_mut(stranger.guest);
        let is_leaving = !stranger.has_greeted && now - stranger.came > GREETING_MAX;
        if !guest.channels.is_empty() && guest.closed.is_none() && !is_leaving {
            act(stranger, guest, now);
        }
    }

    pub(super) fn guest_says(&mut self, who: u8, what: u8) {
        self.foreign += 1;
        let text = foreign(self.foreign);
        self.with_guest(who, |stranger, guest, now| {
            if stranger.is_framed {
                stranger.greet(guest, now);
                let (frame, error) = NO_FRAMES[usize::from(what) % NO_FRAMES.len()];
                stranger.say(guest, now, frame, Some(error));
            } else {
                let kind = if what < 128 { Kind::Text } else { Kind::Binary };
                let _ = guest.send(now, kind, text.as_bytes());
            }
        });
    }

    /// One past a limit.
    pub(super) fn exceed(&mut self, who: u8, what: u8) {
        let rooms_max = self.config.rooms_per_session_max;
        self.with_guest(who, |stranger, guest, now| {
            if !stranger.is_framed {
                return;
            }
            stranger.greet(guest, now);
            let join = |room: &str| format!(r#"{{"t":"join","room":"{room}"}}"#);
            let (frame, error) = match what % 4 {
                0 => (" ".repeat(CLIENT_FRAME_BYTES_MAX + 1), ErrorCode::TooLarge),
                1 => {
                    let to = vec!["2"; 65].join(",");
                    let publish = format!(r#"{{"t":"pub","room":"lobby","to":[{to}],"text":""}}"#);
                    (publish, ErrorCode::TooManyRecipients)
                }
                2 => {
                    let name = "x".repeat(65);
                    let join = format!(r#"{{"t":"join","room":"nook-1","name":"{name}"}}"#);
                    (join, ErrorCode::NameTooLong)
                }
                _ => {
                    while stranger.rooms < rooms_max {
                        let room = format!("nook-{}", stranger.rooms);
                        if !stranger.say(guest, now, &join(&room), None) {
                            return;
                        }
                        stranger.rooms += 1;
                    }
                    (join("nook"), ErrorCode::TooManyRoomsSession)
                }
            };
            stranger.say(guest, now, &frame, Some(error));
        });
    }

    /// Datagrams of chance.
    pub(super) fn garbage(&mut self, from: u8, count: u8) {
        for _ in 0..count {
            let nowhere = ([203, 0, 113, self.dice.below(256) as u8], 9).into();
            let member = self
                .who(from)
                .map(|who| self.world.member(who).access.outside);
            let source = member.filter(|_| self.dice.happens(500)).unwrap_or(nowhere);
            let length = 1 + self.dice.index(300);
            let mut bytes: Vec<u8> = (0..length).map(|_| self.dice.below(256) as u8).collect();
            // STUN, DTLS handshake, DTLS data, or nothing of the kind (RFC 7983).
            bytes[0] = *self.dice.pick(&[0, 1, 22, 23, 20, 255]);
            self.world.datagram(source, &bytes);
        }
    }
}
