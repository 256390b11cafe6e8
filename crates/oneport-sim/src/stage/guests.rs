//! What those do who have no client.

use oneport_link::{ChannelConfig, Kind};
use oneport_wire::PROTOCOL;

use super::Stage;
use crate::oracle::foreign;

/// How many guests there are at a time.
const GUESTS_MAX: usize = 3;

/// What is no frame, or none that may come here.
const NO_FRAMES: [&str; 8] = [
    "",
    "{",
    "{}",
    r#"{"t":"nothing"}"#,
    r#"{"t":"pub","room":"lobby","text":"without a hello"}"#,
    r#"{"t":"hello","version":2}"#,
    r#"{"t":"hello","version":1,"resume":"00000000000000000000000000000000"}"#,
    r#"{"t":"join","room":"../etc","name":""}"#,
];

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
        self.guests.extend(offered.map(|guest| (guest, is_framed)));
    }

    pub(super) fn guest_says(&mut self, who: u8, what: u8) {
        let Some(place) = usize::from(who).checked_rem(self.guests.len()) else {
            return;
        };
        let now = self.now();
        self.foreign += 1;
        let (guest, is_framed) = self.guests[place];
        let guest = self.world.guest_mut(guest);
        if guest.channels.is_empty() || guest.closed.is_some() {
            return;
        }
        // A plain channel publishes whatever it is: it must be known for a guest's.
        let is_text = what < 128;
        let bytes: Vec<u8> = match is_framed {
            false => foreign(self.foreign).as_bytes().to_vec(),
            true if is_text => NO_FRAMES[usize::from(what) % NO_FRAMES.len()].into(),
            true => (0..what).map(|_| self.dice.below(256) as u8).collect(),
        };
        let kind = if is_text { Kind::Text } else { Kind::Binary };
        let _ = guest.send(now, kind, &bytes);
    }

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
