//! One client of the fleet: a link with a plain channel, or a native client of `oneport.v1`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use oneport_client::{Certificate, Client, Config, Event, LinkConfig, Publish, join};
use oneport_link::{
    ChannelConfig, ChannelId, Credentials, Input, Kind, Link, LinkEvent, Machine, Reason, Transmit,
    Write,
};
use oneport_wire::{RoomName, Topic};

use crate::tally::Tally;

/// Over which kind of channel the load goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Channel {
    /// What a page without a library has: bytes to all others with the same label.
    Plain,
    /// `oneport.v1`.
    Framed,
}

/// The label of the plain channels, and the topic of the framed messages.
const LABEL: &str = "bench";

/// A client.
pub(crate) struct Speaker {
    room: RoomName,
    kind: Over,
    /// Whether it can send, and hear all that is sent from now on.
    pub(crate) is_ready: bool,
    /// How many messages it has sent.
    pub(crate) sent: u32,
}

/// What it speaks over.
enum Over {
    Plain {
        link: Box<Link>,
        channel: Option<ChannelId>,
    },
    Framed(Box<Client>),
}

impl Speaker {
    /// A client with this number at this address, and its offer.
    pub(crate) fn new(
        now: Instant,
        channel: Channel,
        number: u32,
        room: RoomName,
        address: SocketAddr,
        certificate: &Certificate,
        seed: [u8; 32],
    ) -> (Self, String) {
        let config = LinkConfig::new(certificate.clone(), vec![address]);
        let (kind, offer) = match channel {
            Channel::Plain => {
                let credentials = Credentials {
                    ufrag: format!("bench{number}"),
                    password: seed[..16]
                        .iter()
                        .map(|byte| format!("{byte:02x}"))
                        .collect(),
                };
                let channels = vec![ChannelConfig::new(LABEL)];
                let (link, offer) = Link::offer(now, Arc::new(config), credentials, channels);
                let link = Box::new(link);
                (
                    Over::Plain {
                        link,
                        channel: None,
                    },
                    offer,
                )
            }
            Channel::Framed => {
                let (mut client, offer) = Client::new(now, Config::new(config), seed);
                let joined = client.join(now, join(room.clone()));
                joined.expect("a new client is in no room");
                (Over::Framed(Box::new(client)), offer)
            }
        };
        let speaker = Self {
            room,
            kind,
            is_ready: false,
            sent: 0,
        };
        (speaker, offer)
    }

    /// Takes the relay's answer; false if it is none.
    pub(crate) fn accept_answer(&mut self, now: Instant, answer: &str) -> bool {
        match &mut self.kind {
            Over::Plain { link, .. } => link.accept_answer(now, answer).is_ok(),
            Over::Framed(client) => client.accept_answer(now, answer).is_ok(),
        }
    }

    /// Sends a message if that can be done now.
    pub(crate) fn send(&mut self, now: Instant, bytes: &[u8]) -> bool {
        let is_taken = match &mut self.kind {
            Over::Plain { link, channel } => channel.is_some_and(|channel| {
                link.batch(now).write(channel, Kind::Binary, bytes) == Write::Accepted
            }),
            Over::Framed(client) => {
                let topic: Topic = LABEL.parse().expect("a topic");
                let publish = Publish {
                    topic,
                    ..Publish::new(self.room.clone(), bytes)
                };
                client.publish(now, None, publish).is_ok()
            }
        };
        self.sent += u32::from(is_taken);
        is_taken
    }

    pub(crate) fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match (&mut self.kind, input) {
            (Over::Plain { link, .. }, Input::Datagram { route, bytes }) => {
                link.handle_datagram(now, route, bytes);
            }
            (Over::Plain { link, .. }, Input::Timeout) => link.handle_timeout(now),
            (Over::Framed(client), input) => client.handle_input(now, input),
        }
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        match &mut self.kind {
            Over::Plain { link, .. } => link.poll_transmit(),
            Over::Framed(client) => client.poll_transmit(),
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        match &self.kind {
            Over::Plain { link, .. } => link.poll_timeout(),
            Over::Framed(client) => client.poll_timeout(),
        }
    }

    /// Takes what happened to it.
    pub(crate) fn collect(
        &mut self,
        number: u32,
        now_ns: u64,
        is_measured: bool,
        tally: &mut Tally,
    ) {
        match &mut self.kind {
            Over::Plain { link, channel } => {
                while let Some(event) = link.poll_event() {
                    match event {
                        LinkEvent::Message { payload, .. } => {
                            tally.receive(number, &payload, now_ns, is_measured);
                        }
                        LinkEvent::ChannelOpen(id, _) => {
                            *channel = Some(id);
                            self.is_ready = true;
                        }
                        LinkEvent::ChannelClosed(_) | LinkEvent::Closed(_) if self.is_ready => {
                            *channel = None;
                            self.is_ready = false;
                            tally.counts.links_lost += 1;
                        }
                        _ => {}
                    }
                }
            }
            Over::Framed(client) => {
                while let Some(event) = client.poll_event() {
                    match event {
                        Event::Message { message, .. } => {
                            let bytes = message.payload.as_bytes();
                            tally.receive(number, bytes, now_ns, is_measured);
                        }
                        Event::Joined(_) => self.is_ready = true,
                        Event::Disconnected { .. } | Event::Closed(_) if self.is_ready => {
                            self.is_ready = false;
                            tally.counts.links_lost += 1;
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// Says good-bye.
    pub(crate) fn close(&mut self, now: Instant) {
        self.is_ready = false;
        match &mut self.kind {
            Over::Plain { link, .. } => link.close(now, "the run is over"),
            Over::Framed(client) => client.close(now),
        }
    }
}
