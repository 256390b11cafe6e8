//! One client of the fleet: a link with one channel, or a native client of `oneport.v1`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use oneport_client::{Certificate, Client, Config, Event, LinkConfig, Publish, join};
use oneport_link::{
    ChannelConfig, ChannelId, Credentials, Input, Kind, Link, LinkEvent, Machine, Offer,
    OfferError, Reason, Transmit, Write,
};
use oneport_wire::{RoomName, Topic};

use crate::payload::Form;
use crate::room::Room;
use crate::tally::Tally;
use crate::textroom::{self, Heard, TextRoom};

/// Over which kind of channel the load goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Channel {
    /// What a page without a library has: bytes to all others with the same label.
    Plain,
    /// `oneport.v1`.
    Framed,
    /// The JSON of Janus's TextRoom: there is nothing else to choose there.
    #[value(skip)]
    TextRoom,
}

impl Channel {
    /// How messages must be written to go over it.
    pub(crate) fn form(self) -> Form {
        match self {
            Self::Plain | Self::Framed => Form::Binary,
            Self::TextRoom => Form::Text,
        }
    }
}

/// The label of the plain channels, and the topic of the framed messages.
const LABEL: &str = "bench";

/// Who a client is.
pub(crate) struct Seat {
    pub(crate) number: u32,
    pub(crate) room: Room,
    pub(crate) address: SocketAddr,
    /// Its own part of chance.
    pub(crate) seed: [u8; 32],
}

impl Seat {
    fn credentials(&self) -> Credentials {
        let bytes = self.seed[..16].iter();
        Credentials {
            ufrag: format!("bench{}", self.number),
            password: bytes.map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

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
    Channel(Box<OneChannel>),
    Framed(Box<Client>),
}

/// A link and its only channel.
struct OneChannel {
    link: Link,
    channel: Option<ChannelId>,
    /// Where messages do not go over it as they are.
    textroom: Option<TextRoom>,
}

impl Speaker {
    /// A client that offers, and its offer.
    pub(crate) fn offer(
        now: Instant,
        channel: Channel,
        seat: &Seat,
        certificate: &Certificate,
    ) -> (Self, String) {
        let config = LinkConfig::new(certificate.clone(), vec![seat.address]);
        let room = seat.room.name();
        let (kind, offer) = match channel {
            // Who speaks to TextRoom takes an offer instead.
            Channel::Plain | Channel::TextRoom => {
                let channels = vec![ChannelConfig::new(LABEL)];
                let (link, offer) =
                    Link::offer(now, Arc::new(config), seat.credentials(), channels);
                (Over::Channel(OneChannel::new(link, None)), offer)
            }
            Channel::Framed => {
                let (mut client, offer) = Client::new(now, Config::new(config), seat.seed);
                let joined = client.join(now, join(room.clone()));
                joined.expect("a new client is in no room");
                (Over::Framed(Box::new(client)), offer)
            }
        };
        (Self::new(room, kind), offer)
    }

    /// A client that takes Janus's offer, and its answer.
    pub(crate) fn answer(
        now: Instant,
        seat: &Seat,
        certificate: &Certificate,
        offer: &str,
    ) -> Result<(Self, String), OfferError> {
        let config = LinkConfig::new(certificate.clone(), vec![seat.address]);
        let offer = Offer::parse(offer)?;
        let (mut link, answer) = Link::answer(now, Arc::new(config), seat.credentials(), &offer)?;
        link.open_channel(now, ChannelConfig::new(textroom::LABEL));
        let textroom = TextRoom::new(seat.number, seat.room);
        let kind = Over::Channel(OneChannel::new(link, Some(textroom)));
        Ok((Self::new(seat.room.name(), kind), answer))
    }

    fn new(room: RoomName, kind: Over) -> Self {
        Self {
            room,
            kind,
            is_ready: false,
            sent: 0,
        }
    }

    /// Takes the relay's answer; false if it is none.
    pub(crate) fn accept_answer(&mut self, now: Instant, answer: &str) -> bool {
        match &mut self.kind {
            Over::Channel(one) => one.link.accept_answer(now, answer).is_ok(),
            Over::Framed(client) => client.accept_answer(now, answer).is_ok(),
        }
    }

    /// Sends a message if that can be done now.
    pub(crate) fn send(&mut self, now: Instant, bytes: &[u8]) -> bool {
        let is_taken = match &mut self.kind {
            Over::Channel(one) => one.send(now, bytes),
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
            (Over::Channel(one), Input::Datagram { route, bytes }) => {
                one.link.handle_datagram(now, route, bytes);
            }
            (Over::Channel(one), Input::Closed { route }) => one.link.handle_closed(now, route),
            (Over::Channel(one), Input::Timeout) => one.link.handle_timeout(now),
            (Over::Framed(client), input) => client.handle_input(now, input),
        }
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        match &mut self.kind {
            Over::Channel(one) => one.link.poll_transmit(),
            Over::Framed(client) => client.poll_transmit(),
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        match &self.kind {
            Over::Channel(one) => one.link.poll_timeout(),
            Over::Framed(client) => client.poll_timeout(),
        }
    }

    /// Takes what happened to it.
    pub(crate) fn collect(
        &mut self,
        now: Instant,
        number: u32,
        now_ns: u64,
        is_measured: bool,
        tally: &mut Tally,
    ) {
        match &mut self.kind {
            Over::Channel(one) => {
                while let Some(event) = one.link.poll_event() {
                    match event {
                        LinkEvent::Message { payload, .. } => match one.hear(&payload) {
                            Heard::Message(bytes) => {
                                tally.receive(number, bytes, now_ns, is_measured);
                            }
                            Heard::Joined => self.is_ready = true,
                            Heard::Strange => tally.counts.strange += 1,
                            Heard::Echo => tally.counts.echoed += 1,
                            Heard::Other => {}
                        },
                        LinkEvent::ChannelOpen(id, _) if one.channel.is_none() => {
                            self.is_ready = one.opened(now, id);
                        }
                        LinkEvent::ChannelClosed(_) | LinkEvent::Closed(_) if self.is_ready => {
                            one.channel = None;
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
            Over::Channel(one) => one.link.close(now, "the run is over"),
            Over::Framed(client) => client.close(now),
        }
    }
}

impl OneChannel {
    fn new(link: Link, textroom: Option<TextRoom>) -> Box<Self> {
        Box::new(Self {
            link,
            channel: None,
            textroom,
        })
    }

    fn send(&mut self, now: Instant, bytes: &[u8]) -> bool {
        let Some(channel) = self.channel else {
            return false;
        };
        let (kind, bytes) = match &mut self.textroom {
            Some(textroom) => (Kind::Text, textroom.message(bytes)),
            None => (Kind::Binary, bytes),
        };
        self.link.batch(now).write(channel, kind, bytes) == Write::Accepted
    }

    /// The channel is open; answers whether that is all that was missing.
    fn opened(&mut self, now: Instant, channel: ChannelId) -> bool {
        self.channel = Some(channel);
        let Some(textroom) = &self.textroom else {
            return true;
        };
        let join = textroom.join();
        // Nothing else is on its way, so it cannot be too much.
        let _ = self
            .link
            .batch(now)
            .write(channel, Kind::Text, join.as_bytes());
        false
    }

    fn hear<'a>(&self, bytes: &'a [u8]) -> Heard<'a> {
        match &self.textroom {
            Some(textroom) => textroom.hear(bytes),
            None => Heard::Message(bytes),
        }
    }
}
