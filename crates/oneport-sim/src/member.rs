//! A native client and its owner.

use std::net::SocketAddr;
use std::time::Instant;

use oneport_client::{Certificate, Client, CommandError, Config, Event, LinkConfig, Lost, join};
use oneport_wire::frame::{Joined, Publish};
use oneport_wire::{MemberId, MemberName, RequestId, RoomName};

use crate::Access;

/// A client in the world, and what its owner was told. The owner carries offers by itself, at once.
#[derive(Debug)]
pub struct Member {
    /// The client. Whatever is done with it through [`World::member_mut`](crate::World::member_mut)
    /// has its effect when time goes on.
    pub client: Client,
    /// Its way to the network.
    pub access: Access,
    /// What it was told, and when.
    pub events: Vec<(Instant, Event)>,
    /// An offer that the owner is to carry.
    pub offer: Option<String>,
    /// So many offers reach the relay, but the answers do not come back.
    pub answers_to_lose: usize,
    /// The owner does not look at its events.
    pub is_asleep: bool,
    /// The program is gone, without a word.
    pub is_dead: bool,
    /// Whether an answer that arrives is for the offer that waits for one.
    pub(crate) attempt: u64,
}

impl Member {
    pub(crate) fn new(
        now: Instant,
        address: SocketAddr,
        certificate: Certificate,
        seed: [u8; 32],
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        let link = LinkConfig::new(certificate, vec![address]);
        let (client, offer) = Client::new(now, change(Config::new(link)), seed);
        Self {
            client,
            access: Access::new(address),
            events: Vec::new(),
            offer: Some(offer),
            answers_to_lose: 0,
            is_asleep: false,
            is_dead: false,
            attempt: 0,
        }
    }

    /// Enters a room under this name, as soon as there is a link.
    ///
    /// # Panics
    ///
    /// Where it is in the room, or the name is none.
    pub fn join(&mut self, now: Instant, room: &RoomName, name: &str, history: u32) {
        let name: MemberName = name.parse().expect("a name");
        let mut join = join(room.clone());
        (join.name, join.history) = (Some(name), history);
        self.client.join(now, join).expect("it is not in yet");
    }

    /// Publishes a text, which is its own id.
    ///
    /// # Panics
    ///
    /// Where it is not taken.
    pub fn say(&mut self, now: Instant, room: &RoomName, text: &str) {
        let id: RequestId = text.parse().expect("an id");
        let published = self.publish(now, Some(id), Publish::new(room.clone(), text));
        published.expect("there is room for it");
    }

    /// [`Client::publish`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn publish(
        &mut self,
        now: Instant,
        id: Option<RequestId>,
        publish: Publish<'_>,
    ) -> Result<(), CommandError> {
        self.client.publish(now, id, publish)
    }

    /// What it was told, as far as this is interested in it.
    pub fn told<'a, T>(&'a self, pick: impl Fn(&'a Event) -> Option<T>) -> Vec<T> {
        let told = self.events.iter();
        told.filter_map(|(_, event)| pick(event)).collect()
    }

    /// When something like this was told.
    pub fn times(&self, is_like: impl Fn(&Event) -> bool) -> Vec<Instant> {
        let told = self.events.iter().filter(|(_, event)| is_like(event));
        told.map(|(at, _)| *at).collect()
    }

    /// The texts of messages, and whether each was history.
    pub fn heard(&self) -> Vec<(String, bool)> {
        self.told(|event| match event {
            Event::Message {
                message,
                is_history,
            } => {
                let text = String::from_utf8_lossy(message.payload.as_bytes());
                Some((text.into_owned(), *is_history))
            }
            _ => None,
        })
    }

    /// The texts of messages.
    pub fn texts(&self) -> Vec<String> {
        self.heard().into_iter().map(|(text, _)| text).collect()
    }

    /// The authors that answers of history have named.
    pub fn authors(&self) -> Vec<(MemberId, &str)> {
        let begins = self.told(|event| match event {
            Event::HistoryBegin(begin) => Some(&begin.authors),
            _ => None,
        });
        let authors = begins.into_iter().flatten();
        authors
            .map(|author| (author.id, author.name.as_str()))
            .collect()
    }

    /// The ids that were acknowledged.
    pub fn acknowledged(&self) -> Vec<&str> {
        self.told(|event| match event {
            Event::Ack(ack) => Some(ack.id.as_str()),
            _ => None,
        })
    }

    /// The ids of which nobody knows what became.
    pub fn unanswered(&self) -> Vec<&str> {
        self.told(|event| match event {
            Event::Unanswered { id: Some(id), .. } => Some(id.as_str()),
            _ => None,
        })
    }

    /// The answers to its joins.
    pub fn joins(&self) -> Vec<&Joined> {
        self.told(|event| match event {
            Event::Joined(joined) => Some(joined),
            _ => None,
        })
    }

    /// Why it lost its links.
    pub fn lost(&self) -> Vec<&Lost> {
        self.told(|event| match event {
            Event::Disconnected { why, .. } => Some(why),
            _ => None,
        })
    }
}
