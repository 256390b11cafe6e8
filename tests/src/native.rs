//! A client without a browser: one socket, one link, and the signaling of a page.

use std::{
    net::{SocketAddr, TcpStream, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use oneport_link::{
    Certificate, ChannelConfig, ChannelId, CloseReason, Credentials, Kind, Link, LinkConfig,
    LinkEvent, Write, passive_candidates,
};

use crate::{
    Error, Result,
    carrier::Carrier,
    http::{self, Response},
};

/// Longer than anything on loopback takes, however busy the machine is.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client of a relay, driven by the test's own thread.
pub struct NativeClient {
    carrier: Carrier,
    link: Link,
    /// The response to its offer.
    pub response: Option<Response>,
    /// The channels that are open, with their labels.
    pub channels: Vec<(ChannelId, String)>,
    /// Label, kind and payload of what arrived.
    pub messages: Vec<(String, Kind, Vec<u8>)>,
    /// Why its link ended, if it has.
    pub closed: Option<CloseReason>,
}

impl NativeClient {
    /// Joins a room with an ordered, reliable channel of this label, and waits until it is open.
    ///
    /// # Errors
    /// [`Error::Refused`] with the relay's response, [`Error::Expired`] when the channel never opens.
    pub fn join(relay: SocketAddr, room: &str, label: &str) -> Result<Self> {
        Self::join_with(relay, room, ChannelConfig::new(label))
    }

    /// [`Self::join`] with a channel of another kind.
    ///
    /// # Errors
    /// As [`Self::join`].
    pub fn join_with(relay: SocketAddr, room: &str, channel: ChannelConfig) -> Result<Self> {
        let (mut client, offer) = Self::offer(relay, channel)?;
        client.enter(relay, room, &offer)?;
        client.run_until("the channel to open", |client| !client.channels.is_empty())?;
        Ok(client)
    }

    /// [`Self::join`] over TCP alone: a connection to the first address of the relay's that takes one.
    ///
    /// # Errors
    /// As [`Self::join`].
    pub fn join_over_tcp(relay: SocketAddr, room: &str, label: &str) -> Result<Self> {
        let (mut client, offer) = Self::offer(relay, ChannelConfig::new(label))?;
        let answer = client.enter(relay, room, &offer)?;
        let address = passive_candidates(&answer).into_iter().next();
        let address = address.ok_or(Error::Garbled { what: answer })?;
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        client
            .link
            .add_connection(Instant::now(), stream.local_addr()?);
        client.carrier = Carrier::tcp(stream)?;
        client.run_until("the channel to open", |client| !client.channels.is_empty())?;
        Ok(client)
    }

    /// Carries the offer there and the answer back, which it returns.
    fn enter(&mut self, relay: SocketAddr, room: &str, offer: &str) -> Result<String> {
        let path = format!("/r/{room}");
        let headers = [("Content-Type", "application/sdp")];
        let response = http::request(relay, "POST", &path, &headers, offer.as_bytes())?;
        if response.status != 201 {
            return Err(Error::Refused {
                method: format!("POST {path}"),
                message: format!("{} {}", response.status, response.text()),
            });
        }
        let answer = response.text();
        self.accept(&answer)?;
        self.response = Some(response);
        Ok(answer)
    }

    /// A client and its offer: the test carries the two SDPs.
    ///
    /// # Errors
    /// When no socket can be had.
    pub fn offer(relay: SocketAddr, channel: ChannelConfig) -> Result<(Self, String)> {
        // From the address that the way to the relay begins at.
        let unspecified = if relay.is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        };
        let way = UdpSocket::bind(unspecified)?;
        way.connect(relay)?;
        let socket = UdpSocket::bind((way.local_addr()?.ip(), 0))?;
        let local = socket.local_addr()?;
        let config = LinkConfig::new(Certificate::generate(), vec![local]);
        let credentials = Credentials {
            ufrag: format!("t{}", local.port()),
            password: "0123456789abcdefghijklmn".into(),
        };
        let (link, offer) =
            Link::offer(Instant::now(), Arc::new(config), credentials, vec![channel]);
        let client = Self {
            carrier: Carrier::udp(socket)?,
            link,
            response: None,
            channels: Vec::new(),
            messages: Vec::new(),
            closed: None,
        };
        Ok((client, offer))
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// [`Error::Garbled`] where it is none.
    pub fn accept(&mut self, answer: &str) -> Result {
        let accepted = self.link.accept_answer(Instant::now(), answer);
        accepted.map_err(|error| Error::Garbled {
            what: format!("{error}: {answer}"),
        })
    }

    /// Writes a message to the first channel.
    pub fn send(&mut self, kind: Kind, payload: &[u8]) -> Write {
        let Some((channel, _)) = self.channels.first() else {
            return Write::Refused;
        };
        self.link
            .batch(Instant::now())
            .urgent()
            .write(*channel, kind, payload)
    }

    /// The texts that arrived, in order.
    pub fn heard(&self) -> Vec<String> {
        let text = |(_, _, payload): &(_, _, Vec<u8>)| String::from_utf8_lossy(payload).into();
        self.messages.iter().map(text).collect()
    }

    /// Carries datagrams until the condition holds.
    ///
    /// # Errors
    /// [`Error::Expired`] after 20 s.
    pub fn run_until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) -> Result {
        let start = Instant::now();
        while !done(self) {
            if start.elapsed() >= TIMEOUT {
                return Err(Error::Expired {
                    what: what.into(),
                    after: TIMEOUT,
                    seen: format!(
                        "{} messages, closed: {:?}",
                        self.messages.len(),
                        self.closed
                    ),
                });
            }
            self.turn(Duration::from_millis(5))?;
        }
        Ok(())
    }

    /// Carries what there is to carry, and waits up to `wait` for more.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn turn(&mut self, wait: Duration) -> Result {
        while let Some(transmit) = self.link.poll_transmit() {
            self.carrier.send(&transmit);
        }
        let timeout = self.link.poll_timeout().map_or(wait, |(at, _)| {
            at.saturating_duration_since(Instant::now()).min(wait)
        });
        let timeout = timeout.max(Duration::from_millis(1));
        let link = &mut self.link;
        self.carrier.receive(timeout, |route, bytes| {
            link.handle_datagram(Instant::now(), route, bytes);
        })?;
        self.link.handle_timeout(Instant::now());
        self.collect();
        Ok(())
    }

    fn collect(&mut self) {
        while let Some(event) = self.link.poll_event() {
            match event {
                LinkEvent::ChannelOpen(id, config) => self.channels.push((id, config.label)),
                LinkEvent::ChannelClosed(id) => self.channels.retain(|(open, _)| *open != id),
                LinkEvent::Message {
                    channel,
                    kind,
                    payload,
                } => {
                    let open = self.channels.iter().find(|(id, _)| *id == channel);
                    let label = open.map_or_else(String::new, |(_, label)| label.clone());
                    self.messages.push((label, kind, payload));
                }
                LinkEvent::Closed(reason) => self.closed = Some(reason),
                _ => {}
            }
        }
    }
}
