//! Messages that wait to be sent or acknowledged.

use std::collections::VecDeque;

use oneport_wire::{Kind, RequestId, RoomName};

/// A message of the owner, encoded.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) id: Option<RequestId>,
    pub(crate) room: RoomName,
    /// Whether it is for certain members only: their ids are of one epoch of the room.
    pub(crate) is_addressed: bool,
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

/// How far a message has come. Those that were sent have the number of their first sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It was never sent.
    New,
    /// It was sent over this link, and its answer is waited for.
    Sent(u64),
    /// It was sent and must be sent again; the relay may have it.
    Again(u64),
}

impl Stage {
    fn first_sent(self) -> Option<u64> {
        match self {
            Self::New => None,
            Self::Sent(number) | Self::Again(number) => Some(number),
        }
    }
}

/// What became of an attempt to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It is on its way.
    Sent,
    /// Not this one: its room is not joined. Others may.
    NotThis,
    /// Nothing more can be sent now.
    Stop,
}

/// The queue, in the order in which the owner published.
#[derive(Debug)]
pub(crate) struct Pending {
    queue: VecDeque<(Publication, Stage)>,
    /// How many messages with an id were ever sent.
    sent: u64,
    bytes: usize,
    count_max: usize,
    bytes_max: usize,
}

impl Pending {
    pub(crate) fn new(count_max: usize, bytes_max: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            sent: 0,
            bytes: 0,
            count_max,
            bytes_max,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn contains(&self, id: &RequestId) -> bool {
        self.find(id).is_some()
    }

    /// False if there is no room for it.
    pub(crate) fn push(&mut self, publication: Publication) -> bool {
        let bytes = self.bytes + publication.bytes.len();
        let fits = self.queue.len() < self.count_max && bytes <= self.bytes_max;
        if !fits && !self.queue.is_empty() {
            return false;
        }
        self.bytes = bytes;
        self.queue.push_back((publication, Stage::New));
        true
    }

    /// Offers what is not on its way, in order. From the first sending of the oldest message without an
    /// answer on, no more than `window` messages are sent for the first time, itself included: the relay
    /// remembers the ids of so many, and takes one that it has forgotten for a new message. Answers to
    /// others do not change that. A message that waits for its room may have been taken before them.
    pub(crate) fn send(&mut self, window: usize, mut send: impl FnMut(&Publication) -> Attempt) {
        let window = window as u64;
        let first_sent = |(_, stage): &(_, Stage)| stage.first_sent();
        let oldest = self.queue.iter().filter_map(first_sent).min();
        let mut end = oldest.map(|oldest| oldest + window);
        let mut index = 0;
        while index < self.queue.len() {
            let (publication, stage) = &mut self.queue[index];
            index += 1;
            let number = match *stage {
                Stage::Sent(_) => continue,
                Stage::New if end.is_some_and(|end| self.sent >= end) => continue,
                Stage::New => self.sent,
                Stage::Again(number) => number,
            };
            match send(publication) {
                Attempt::NotThis => {}
                Attempt::Stop => return,
                Attempt::Sent if publication.id.is_some() => {
                    *stage = Stage::Sent(number);
                    self.sent = self.sent.max(number + 1);
                    end = end.or(Some(number + window));
                }
                // Without an id there is no answer to wait for.
                Attempt::Sent => {
                    index -= 1;
                    self.remove(index);
                }
            }
        }
    }

    /// There is an answer. False if there was no such message.
    pub(crate) fn answered(&mut self, id: &RequestId) -> bool {
        let at = self.find(id);
        at.is_some_and(|at| self.remove(at).is_some())
    }

    /// It was not taken, but may be if it is sent again. False if there was no such message.
    pub(crate) fn again(&mut self, id: &RequestId) -> bool {
        let at = self.find(id);
        at.is_some_and(|at| {
            let stage = &mut self.queue[at].1;
            *stage = stage.first_sent().map_or(Stage::New, Stage::Again);
            true
        })
    }

    pub(crate) fn link_lost(&mut self) {
        for (_, stage) in &mut self.queue {
            if let Stage::Sent(number) = *stage {
                *stage = Stage::Again(number);
            }
        }
    }

    /// The relay has forgotten which messages it has: takes those out that it may have.
    pub(crate) fn session_lost(&mut self) -> Vec<Option<RequestId>> {
        self.take(|_, stage| stage != Stage::New)
    }

    /// Those for this room whose answers are on their way.
    pub(crate) fn awaited(&self, room: &RoomName) -> impl Iterator<Item = &RequestId> {
        let is_awaited = |(publication, stage): &&(Publication, Stage)| {
            publication.room == *room && matches!(stage, Stage::Sent(_))
        };
        let awaited = self.queue.iter().filter(is_awaited);
        awaited.filter_map(|(publication, _)| publication.id.as_ref())
    }

    /// Takes those out that were for this room.
    pub(crate) fn room_left(&mut self, room: &RoomName) -> Vec<Option<RequestId>> {
        self.take(|publication, _| publication.room == *room)
    }

    /// Takes those out that were for certain members of this room.
    pub(crate) fn epoch_changed(&mut self, room: &RoomName) -> Vec<Option<RequestId>> {
        self.take(|publication, _| publication.is_addressed && publication.room == *room)
    }

    pub(crate) fn take_all(&mut self) -> Vec<Option<RequestId>> {
        self.take(|_, _| true)
    }

    fn take(&mut self, is_taken: impl Fn(&Publication, Stage) -> bool) -> Vec<Option<RequestId>> {
        let mut ids = Vec::new();
        self.queue.retain(|(publication, stage)| {
            let is_taken = is_taken(publication, *stage);
            if is_taken {
                ids.push(publication.id.clone());
                self.bytes -= publication.bytes.len();
            }
            !is_taken
        });
        ids
    }

    fn find(&self, id: &RequestId) -> Option<usize> {
        let has_id = |(publication, _): &(Publication, _)| publication.id.as_ref() == Some(id);
        self.queue.iter().position(has_id)
    }

    fn remove(&mut self, at: usize) -> Option<Publication> {
        let (publication, _) = self.queue.remove(at)?;
        self.bytes -= publication.bytes.len();
        Some(publication)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(id: &str, room: &str) -> Publication {
        Publication {
            id: id.parse().ok(),
            room: room.parse().expect("a name"),
            is_addressed: false,
            kind: Kind::Text,
            bytes: vec![0; 10],
        }
    }

    fn sent(pending: &mut Pending, window: usize) -> Vec<String> {
        let mut ids = Vec::new();
        pending.send(window, |publication| {
            ids.push(publication.id.as_ref().map_or("", |id| id.as_str()).into());
            Attempt::Sent
        });
        ids
    }

    fn ids(ids: Vec<Option<RequestId>>) -> Vec<String> {
        ids.into_iter().flatten().map(|id| id.to_string()).collect()
    }

    #[test]
    fn a_window_in_order_and_again_after_a_lost_link() {
        let mut pending = Pending::new(10, 1000);
        for id in ["a", "", "b", "c", "d"] {
            assert!(pending.push(publication(id, "lobby")));
        }
        assert_eq!(sent(&mut pending, 2), ["a", "", "b"]);
        assert_eq!(sent(&mut pending, 2), [""; 0]);
        let id = |id: &str| id.parse().expect("an id");
        assert!(pending.answered(&id("a")) && !pending.answered(&id("a")));
        assert_eq!(sent(&mut pending, 2), ["c"]);
        pending.link_lost();
        assert_eq!(sent(&mut pending, 9), ["b", "c", "d"]);
        assert!(pending.again(&id("c")));
        assert_eq!(sent(&mut pending, 9), ["c"]);
        assert!(pending.push(publication("e", "attic")));
        assert_eq!(
            ids(pending.room_left(&"attic".parse().expect("a name"))),
            ["e"]
        );
        assert_eq!(ids(pending.session_lost()), ["b", "c", "d"]);
        assert_eq!((pending.len(), pending.bytes), (0, 0));
    }

    #[test]
    fn what_was_for_members_of_another_epoch_is_taken_out() {
        let mut pending = Pending::new(10, 1000);
        for (id, room, is_addressed) in [
            ("a", "lobby", true),
            ("b", "lobby", false),
            ("c", "attic", true),
        ] {
            assert!(pending.push(Publication {
                is_addressed,
                ..publication(id, room)
            }));
        }
        let lobby = "lobby".parse().expect("a name");
        assert_eq!(ids(pending.epoch_changed(&lobby)), ["a"]);
        assert_eq!(sent(&mut pending, 9), ["b", "c"]);
    }

    #[test]
    fn others_do_not_overtake_one_that_must_be_sent_again_by_more_than_the_window() {
        let mut pending = Pending::new(10, 1000);
        for (id, room) in [
            ("a", "attic"),
            ("b", "attic"),
            ("c", "attic"),
            ("d", "lobby"),
        ] {
            assert!(pending.push(publication(id, room)));
        }
        // Only one of the rooms is joined.
        let send = |pending: &mut Pending, room: &str| {
            let mut ids = Vec::new();
            pending.send(2, |publication| match publication.room.as_str() == room {
                true => {
                    ids.extend(publication.id.as_ref().map(ToString::to_string));
                    Attempt::Sent
                }
                false => Attempt::NotThis,
            });
            ids
        };
        assert_eq!(send(&mut pending, "lobby"), ["d"]);
        pending.link_lost();
        assert_eq!(send(&mut pending, "attic"), ["a"]);
        assert!(pending.answered(&"a".parse().expect("an id")));
        assert_eq!(send(&mut pending, "attic"), [""; 0]);
        assert_eq!(send(&mut pending, "lobby"), ["d"]);
        assert!(pending.answered(&"d".parse().expect("an id")));
        assert_eq!(send(&mut pending, "attic"), ["b", "c"]);
    }

    #[test]
    fn bounded_by_count_and_bytes_but_one_fits_always() {
        let mut pending = Pending::new(2, 15);
        assert!(pending.push(publication("a", "lobby")));
        assert!(!pending.push(publication("b", "lobby")), "bytes");
        let mut pending = Pending::new(2, 5);
        assert!(pending.push(publication("a", "lobby")));
        let mut pending = Pending::new(2, 500);
        for (id, fits) in [("a", true), ("b", true), ("c", false)] {
            assert_eq!(pending.push(publication(id, "lobby")), fits);
        }
    }
}
