//! One session over as many links as it takes: its state, its links, and the `Machine`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oneport_link::{ChannelConfig, ChannelId, Input, Link, LinkConfig, Machine, Reason, Transmit};
use oneport_wire::{CLIENT_FRAME_BYTES_MAX, Kind, PROTOCOL, ResumeToken, RoomName};

use crate::backoff::Backoff;
use crate::command::{self, Command, CommandError, Done};
use crate::events::Events;
use crate::heartbeat::Heartbeat;
use crate::pace::Pace;
use crate::pending::Pending;
use crate::requests::Requests;
use crate::room::Room;
use crate::secrets::Secrets;
use crate::{Config, Event, Lost};

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// An offer was made: it is carried, or the link is in its handshake.
    Offering,
    /// `hello` was written.
    Greeting,
    /// `welcome` came, then.
    Live(Instant),
    /// The next offer is wanted then.
    Waiting(Instant),
    /// It is wanted, and the owner knows.
    Wanting,
    /// It is over.
    Ended,
}

/// A native client: one session at a relay, which outlives its links.
///
/// # Contract
///
/// 1. Drive it as every [`Machine`], and take [`poll_event`](Self::poll_event) until `None` after
///    that. Events that are not taken cost the link when they are too many.
/// 2. Carry each offer to the relay, then call [`accept_answer`](Self::accept_answer), or
///    [`abandon_offer`](Self::abandon_offer) where that failed. Forgetting both costs the
///    handshake's timeout. An answer that comes too late is refused and does no harm.
/// 3. On [`Event::OfferWanted`] call [`reconnect`](Self::reconnect). Earlier is allowed at any
///    time, for example when the network has changed; later only delays.
/// 4. [`join`](Self::join) and [`publish`](Self::publish) need no link: they are kept until there
///    is one. What is asked otherwise needs one now.
/// 5. A message with an id is told the owner about exactly once: [`Event::Ack`],
///    [`Event::Rejected`] or [`Event::Unanswered`]. One without is on its own once it was sent.
pub struct Client {
    pub(crate) config: Config,
    pub(crate) link_config: Arc<LinkConfig>,
    pub(crate) now: Instant,
    pub(crate) secrets: Secrets,
    pub(crate) phase: Phase,
    pub(crate) link: Option<Link>,
    /// Whether the link was given datagrams that were not looked at yet.
    pub(crate) is_fed: bool,
    /// The framed channel.
    pub(crate) channel: Option<ChannelId>,
    pub(crate) resume: Option<ResumeToken>,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) backoff: Backoff,
    pub(crate) pace: Pace,
    pub(crate) rooms: BTreeMap<RoomName, Room>,
    pub(crate) pending: Pending,
    /// How many messages may be sent without an answer.
    pub(crate) window: usize,
    /// The largest frame that the relay takes.
    pub(crate) frame_bytes_max: usize,
    /// The relay was over its rate until then: no message is sent before.
    pub(crate) held: Option<Instant>,
    pub(crate) requests: Requests,
    /// Questions, encoded: as many as wait for answers at most.
    pub(crate) outbox: VecDeque<(Kind, Vec<u8>)>,
    /// The latest `ping` of ours, until it is written.
    pub(crate) ping: Option<u32>,
    /// The latest `ping` of the relay.
    pub(crate) pong: Option<u32>,
    pub(crate) events: Events,
    /// The owner wants to end when nothing is waited for any more.
    pub(crate) is_finishing: bool,
    pub(crate) lossy_dropped: u64,
}

impl Client {
    /// A client and its first offer. The seed must come from a cryptographically secure source.
    pub fn new(now: Instant, config: Config, seed: [u8; 32]) -> (Self, String) {
        let link_config = Arc::new(config.link.clone());
        let mut secrets = Secrets::new(seed);
        let (link, offer) = offer(now, &link_config, &mut secrets);
        let client = Self {
            link_config,
            now,
            secrets,
            phase: Phase::Offering,
            link: Some(link),
            is_fed: false,
            channel: None,
            resume: None,
            heartbeat: Heartbeat::new(now),
            backoff: Backoff::new(config.backoff_min, config.backoff_max),
            pace: Pace::new(now),
            rooms: BTreeMap::new(),
            pending: Pending::new(config.pending_max, config.pending_bytes_max),
            window: 1,
            frame_bytes_max: CLIENT_FRAME_BYTES_MAX,
            held: None,
            requests: Requests::default(),
            outbox: VecDeque::new(),
            ping: None,
            pong: None,
            events: Events::new(config.events_bytes_max),
            is_finishing: false,
            lossy_dropped: 0,
            config,
        };
        (client, offer)
    }

    /// Takes the relay's answer to the latest offer.
    ///
    /// # Errors
    ///
    /// [`CommandError::BadAnswer`] where it is none. The next offer will be wanted soon.
    pub fn accept_answer(&mut self, now: Instant, answer: &str) -> Result<(), CommandError> {
        self.advance(now);
        let link = self.link.as_mut().filter(|_| self.phase == Phase::Offering);
        let link = link.ok_or(CommandError::NotNow)?;
        let accepted = link.accept_answer(now, answer);
        self.settle();
        accepted.map_err(|error| {
            self.lose(Lost::Abandoned, None);
            CommandError::BadAnswer(error)
        })
    }

    /// The owner has a TCP connection from this address to one of the relay's
    /// [passive candidates](crate::passive_candidates): the link may go over it as well. It is the latest
    /// link's, and not for the next one.
    pub fn add_connection(&mut self, now: Instant, local: SocketAddr) {
        self.advance(now);
        if let Some(link) = &mut self.link {
            link.add_connection(now, local);
        }
    }

    /// The latest offer could not be carried, or no offer could be for now: the next one will be
    /// wanted after the usual wait, and not before `retry_after`.
    pub fn abandon_offer(&mut self, now: Instant, retry_after: Option<Duration>) {
        self.advance(now);
        if let Phase::Offering | Phase::Wanting = self.phase {
            self.phase = Phase::Offering;
            self.lose(Lost::Abandoned, retry_after);
        }
    }

    /// A new link for the same session, and its offer. A link that there still is ends.
    ///
    /// # Errors
    ///
    /// [`CommandError::Ended`].
    pub fn reconnect(&mut self, now: Instant) -> Result<String, CommandError> {
        self.advance(now);
        self.refuse_if_ended()?;
        if !matches!(self.phase, Phase::Waiting(_) | Phase::Wanting) {
            self.drop_link(Lost::Abandoned);
        }
        let (link, offer) = offer(now, &self.link_config, &mut self.secrets);
        self.link = Some(link);
        self.channel = None;
        self.phase = Phase::Offering;
        Ok(offer)
    }

    /// The owner's socket has these addresses now: the next offer will name them.
    pub fn move_to(&mut self, addresses: Vec<SocketAddr>) {
        self.link_config = Arc::new(LinkConfig {
            candidates: addresses,
            ..self.config.link.clone()
        });
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.settle_fed();
        self.events.pop()
    }

    /// Whether the relay has welcomed the session and the link lives, as far as is known.
    pub fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live(_))
    }

    /// How many messages wait to be sent or acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.pending.len()
    }

    /// How many lossy messages could not be sent at once.
    pub fn lossy_dropped(&self) -> u64 {
        self.lossy_dropped
    }

    pub(crate) fn advance(&mut self, now: Instant) {
        debug_assert!(now >= self.now, "time must not go back");
        self.now = self.now.max(now);
    }

    pub(crate) fn refuse_if_ended(&self) -> Result<(), CommandError> {
        match self.phase {
            Phase::Ended => Err(CommandError::Ended),
            _ => Ok(()),
        }
    }
}

impl Machine for Client {
    type Command = Command;
    type Reply = Result<Done, CommandError>;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.advance(now);
        match (&mut self.link, input) {
            // What a batch of datagrams brought is looked at once.
            (Some(link), Input::Datagram { route, bytes }) => {
                link.handle_datagram(now, route, bytes);
                self.is_fed = true;
                return;
            }
            (Some(link), Input::Closed { route }) => link.handle_closed(now, route),
            (Some(link), Input::Timeout) => link.handle_timeout(now),
            (None, _) => {}
        }
        self.settle();
    }

    fn handle_command(&mut self, now: Instant, command: Command) -> Self::Reply {
        command::carry_out(self, now, command)
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.settle_fed();
        self.link.as_mut()?.poll_transmit()
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        if self.is_fed {
            return Some((self.now, Reason::Queued));
        }
        let link = self.link.as_ref().and_then(Link::poll_timeout);
        let session = match self.phase {
            Phase::Waiting(until) => Some(until),
            _ => self.channel.map(|_| self.heartbeat.deadline()),
        };
        let session = session.map(|at| (at, Reason::Session));
        let paced = self.paced_until().map(|at| (at, Reason::Pacing));
        let held = self.held_room_until().map(|at| (at, Reason::Session));
        let timers = [link, session, paced, held].into_iter().flatten();
        timers.min_by_key(|(at, _)| *at)
    }

    fn is_finished(&self) -> bool {
        self.phase == Phase::Ended && self.link.as_ref().is_none_or(Link::is_done)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("phase", &self.phase)
            .field("rooms", &self.rooms)
            .field("unacknowledged", &self.pending.len())
            .finish_non_exhaustive()
    }
}

fn offer(now: Instant, config: &Arc<LinkConfig>, secrets: &mut Secrets) -> (Link, String) {
    let channel = ChannelConfig {
        protocol: PROTOCOL.into(),
        ..ChannelConfig::new("main")
    };
    Link::offer(
        now,
        Arc::clone(config),
        secrets.credentials(),
        vec![channel],
    )
}
