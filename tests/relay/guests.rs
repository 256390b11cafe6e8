//! Short forms for a world in which everybody is a guest.

use oneport_link::{ChannelConfig, Kind, Write};
use oneport_sim::World;

pub(crate) trait Guests {
    /// A guest whose channel "chat" is open.
    fn join(&mut self, room: &str) -> usize;
    /// Writes into a guest's first channel.
    fn send(&mut self, guest: usize, kind: Kind, payload: &[u8]) -> Write;
    /// Writes a text into a guest's first channel, which takes it.
    fn say(&mut self, guest: usize, text: &str);
    /// Writes all of it into a guest's first channel, in as few datagrams as possible.
    fn say_at_once(&mut self, guest: usize, texts: &[String]);
    /// The payloads that reached a guest, as text.
    fn heard(&self, guest: usize) -> Vec<String>;
    /// Everything that a guest has to send now reaches the relay before the relay is drained.
    fn hold_and_deliver(&mut self, guest: usize);
}

impl Guests for World {
    fn join(&mut self, room: &str) -> usize {
        self.add_guest(room, ChannelConfig::new("chat"))
    }

    fn send(&mut self, guest: usize, kind: Kind, payload: &[u8]) -> Write {
        let now = self.now();
        self.guest_mut(guest).send(now, kind, payload)
    }

    fn say(&mut self, guest: usize, text: &str) {
        let sent = self.send(guest, Kind::Text, text.as_bytes());
        assert_eq!(sent, Write::Accepted);
    }

    fn say_at_once(&mut self, guest: usize, texts: &[String]) {
        let now = self.now();
        let guest = self.guest_mut(guest);
        let (channel, _) = guest.channels[0];
        let mut batch = guest.link.batch(now).urgent();
        for text in texts {
            let written = batch.write(channel, Kind::Text, text.as_bytes());
            assert_eq!(written, Write::Accepted);
        }
    }

    fn heard(&self, guest: usize) -> Vec<String> {
        self.guest(guest).heard()
    }

    fn hold_and_deliver(&mut self, guest: usize) {
        let address = self.guest(guest).access.outside;
        while let Some(transmit) = self.guest_mut(guest).link.poll_transmit() {
            self.datagram(address, &transmit.contents);
        }
    }
}
