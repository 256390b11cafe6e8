//! A native client on a thread of its own, with real sockets and HTTP signaling: what a bot is made
//! of, and `oneport chat`.

mod carrier;
mod error;
mod relay_url;
mod tcp;
mod trust;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use oneport_client::{
    Certificate, Client, Command, Config, Done, Event, Join, LinkConfig, Publish,
};
use oneport_io::{BindOptions, CallError, Caller, Running, Sockets};
use oneport_wire::{AccessToken, Payload, RequestId, RoomName};

pub(crate) use carrier::{Carrier, agent, io_error};
pub use error::ParticipantError;
pub(crate) use relay_url::RelayUrl;
pub use trust::Trust;

use crate::candidates;

/// A participant of the rooms of a relay: a session that resumes by itself.
///
/// Its owner commands it and waits for [`next_event`](Self::next_event), which also carries the
/// offers of new links: whoever does not ask for events does not reconnect.
///
/// ```no_run
/// use std::time::Duration;
/// use oneport::{Participant, client::{Event, join}};
///
/// let mut participant = Participant::connect("http://127.0.0.1:3478", "lobby".parse()?, None)?;
/// participant.join(join("lobby".parse()?))?;
/// participant.say(&"lobby".parse()?, "chat", "hello")?;
/// while let Some(event) = participant.next_event(Duration::from_secs(60))? {
///     println!("{event:?}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Participant {
    running: Running<Client, Event>,
    carrier: Carrier,
    sockets: Vec<SocketAddr>,
    said: u64,
}

/// What commands a [`Participant`] from another thread. Cheap to clone.
#[derive(Clone)]
pub struct Commander(Caller<Client, Event>);

impl Participant {
    /// Connects to the relay at an `https://` or `http://` URL, that of its page or of its root. `home` is the
    /// room of the signaling URL, for which an access token must be, where the relay asks for one.
    ///
    /// # Errors
    ///
    /// [`ParticipantError`], if there is no relay or it refuses.
    pub fn connect(
        url: &str,
        home: RoomName,
        token: Option<AccessToken>,
    ) -> Result<Self, ParticipantError> {
        Self::connect_trusting(url, home, token, &Trust::default())
    }

    /// The same, with authorities of one's own for `https://`.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    pub fn connect_trusting(
        url: &str,
        home: RoomName,
        token: Option<AccessToken>,
        trust: &Trust,
    ) -> Result<Self, ParticipantError> {
        let carrier = Carrier::new(RelayUrl::parse(url)?, home, token, trust);
        let local_ips = carrier.local_ips()?;
        let sockets = bind()?;
        let local = sockets.local_addrs();
        let addresses = addresses(local_ips, &local);
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| ParticipantError::Io(e.into()))?;
        let config = Config::new(LinkConfig::new(Certificate::generate(), addresses));
        let (client, offer) = Client::new(Instant::now(), config, seed);
        let answer = carrier.exchange(&offer)?;
        let participant = Self {
            running: Running::start("participant", sockets, client, Client::poll_event)?,
            carrier,
            sockets: local,
            said: 0,
        };
        participant.command(Command::AcceptAnswer(answer))?;
        Ok(participant)
    }

    /// Enters a room; [`Event::Joined`] follows.
    ///
    /// # Errors
    ///
    /// [`ParticipantError::Command`], [`ParticipantError::Stopped`].
    pub fn join(&self, join: Join) -> Result<(), ParticipantError> {
        self.command(Command::Join(join)).map(drop)
    }

    /// Publishes a text in a room that was joined; [`Event::Ack`] with the id that this returns
    /// follows, over however many links that takes.
    ///
    /// # Errors
    ///
    /// As [`Self::join`].
    ///
    /// # Panics
    ///
    /// If the topic is longer than 128 bytes.
    pub fn say(
        &mut self,
        room: &RoomName,
        topic: &str,
        text: &str,
    ) -> Result<RequestId, ParticipantError> {
        self.said += 1;
        let id: RequestId = format!("say-{}", self.said).parse().expect("it is short");
        let publish = Publish {
            topic: topic.parse().expect("a topic has at most 128 bytes"),
            ..Publish::new(room.clone(), Payload::Text(text.to_owned().into()))
        };
        let command = Command::Publish {
            id: Some(id.clone()),
            publish,
        };
        self.command(command)?;
        Ok(id)
    }

    /// Asks for anything that there is.
    ///
    /// # Errors
    ///
    /// As [`Self::join`].
    pub fn command(&self, command: Command) -> Result<Done, ParticipantError> {
        self.commander().command(command)
    }

    /// What other threads may command it by.
    pub fn commander(&self) -> Commander {
        Commander(self.running.caller())
    }

    /// Waits for what happens next; `None` if that is nothing. When a new link is due it is made
    /// first, which may take longer.
    ///
    /// # Errors
    ///
    /// [`ParticipantError`], if the relay refuses a new link for good, or the client has ended.
    pub fn next_event(&mut self, timeout: Duration) -> Result<Option<Event>, ParticipantError> {
        match self.running.next_event(timeout) {
            Ok(Some(Event::OfferWanted)) => {
                self.reconnect()?;
                Ok(Some(Event::OfferWanted))
            }
            Ok(event) => Ok(event),
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves and waits until that is said. What is not acknowledged is given up; see
    /// [`Command::Finish`] for the patient way.
    ///
    /// # Errors
    ///
    /// [`ParticipantError::Io`], if the thread has failed.
    pub fn close(self) -> Result<(), ParticipantError> {
        match self.command(Command::Close) {
            Ok(_) | Err(ParticipantError::Stopped) => {}
            Err(error) => return Err(error),
        }
        self.running.join()?;
        Ok(())
    }

    fn reconnect(&self) -> Result<(), ParticipantError> {
        let answer = self.carrier.local_ips().and_then(|local_ips| {
            let addresses = addresses(local_ips, &self.sockets);
            match self.command(Command::Reconnect(Some(addresses)))? {
                Done::Offer(offer) => self.carrier.exchange(&offer),
                Done::Done | Done::Asked(_) => Err(ParticipantError::Stopped),
            }
        });
        match answer {
            // What is wrong with an answer is told as a lost link.
            Ok(answer) => match self.command(Command::AcceptAnswer(answer)) {
                Ok(_) | Err(ParticipantError::Command(_)) => Ok(()),
                Err(error) => Err(error),
            },
            Err(error) if error.is_final() => Err(error),
            Err(error) => {
                log::debug!("no new link yet: {error}");
                let retry_after = error.retry_after();
                self.command(Command::AbandonOffer { retry_after })
                    .map(drop)
            }
        }
    }
}

impl Commander {
    /// Asks for anything that there is.
    ///
    /// # Errors
    ///
    /// [`ParticipantError::Command`], [`ParticipantError::Stopped`].
    pub fn command(&self, command: Command) -> Result<Done, ParticipantError> {
        self.0.call(command)?.map_err(ParticipantError::Command)
    }
}

/// A socket for each family that the host has.
fn bind() -> Result<Sockets, ParticipantError> {
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let options = BindOptions::default();
    let attempts =
        [&[v4, v6][..], &[v4], &[v6]].map(|addresses| Sockets::bind(addresses, &options));
    let [both, v4, v6] = attempts;
    both.or(v4)
        .or(v6)
        .map_err(|e| ParticipantError::Io(std::io::Error::other(e)))
}

/// Where the relay can reach us: the addresses from which it is reached. From loopback that may be a
/// relay which announces the host's other addresses, so those are tried too.
fn addresses(mut ips: Vec<IpAddr>, sockets: &[SocketAddr]) -> Vec<SocketAddr> {
    if ips.iter().any(IpAddr::is_loopback) {
        let others = candidates::interfaces().into_iter();
        ips.extend(others.filter(|ip| !ip.is_loopback() && !is_link_local(*ip)));
    }
    let socket_for = |ip: IpAddr| {
        let socket = sockets
            .iter()
            .find(|socket| socket.is_ipv4() == ip.is_ipv4())?;
        Some(SocketAddr::new(ip, socket.port()))
    };
    ips.into_iter().filter_map(socket_for).collect()
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

impl From<CallError> for ParticipantError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Stopped => Self::Stopped,
            busy => Self::Io(std::io::Error::other(busy)),
        }
    }
}
