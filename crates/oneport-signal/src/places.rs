//! The places for connections, and who gives one up for a newcomer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oneport_wire::Network;

/// So many connections may have a place. Whoever comes beyond that takes the place of the one that
/// has been the longest without a whole request: a client that has something to ask does it at once,
/// so that slow, idle and silent ones cannot keep the others out. Whose address has its share already
/// takes the place of one of the same address.
#[derive(Debug)]
pub(crate) struct Places {
    max: usize,
    per_address_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Those whose request is being answered, and nobody cuts off.
    answering: usize,
    /// The others, in the order in which they began to wait.
    waiting: BTreeMap<u64, Waiting>,
    shares: HashMap<Network, Share>,
    next_number: u64,
}

#[derive(Debug)]
struct Waiting {
    stream: Arc<TcpStream>,
    network: Network,
}

/// What one address has of both.
#[derive(Debug, Default)]
struct Share {
    answering: usize,
    waiting: BTreeSet<u64>,
}

/// One connection's place; given back when dropped, so also if its thread panics or never begins.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    stream: Arc<TcpStream>,
    network: Network,
    /// Among those that wait; `None` while a request is being answered.
    number: Option<u64>,
}

/// The place was given to somebody else, and the connection shut down.
#[derive(Debug)]
pub(crate) struct Evicted;

/// What a newcomer got.
pub(crate) enum Entry {
    /// A place that was free.
    Free(Place),
    /// The place of somebody who has lost it.
    Evicted(Place),
    /// Nothing: everybody's request is being answered. The stream comes back.
    Full(Arc<TcpStream>),
}

/// Which place a newcomer may have.
enum Vacancy {
    Free,
    /// That of who waits under this number.
    InsteadOf(u64),
    None,
}

impl Places {
    pub(crate) fn new(max: usize, per_address_max: usize) -> Arc<Self> {
        let taken = Mutex::default();
        Arc::new(Self {
            max,
            per_address_max,
            taken,
        })
    }

    /// Finds a place for a newcomer.
    pub(crate) fn enter(self: &Arc<Self>, stream: TcpStream, network: Network) -> Entry {
        self.enter_with(self.per_address_max, stream, network)
    }

    /// The same for who may have all of them.
    pub(crate) fn enter_for_many(self: &Arc<Self>, stream: TcpStream, network: Network) -> Entry {
        self.enter_with(self.max, stream, network)
    }

    fn enter_with(
        self: &Arc<Self>,
        per_address_max: usize,
        stream: TcpStream,
        network: Network,
    ) -> Entry {
        let stream = Arc::new(stream);
        let mut taken = self.taken();
        let evicted = match self.find(&taken, network, per_address_max) {
            Vacancy::Free => None,
            Vacancy::InsteadOf(number) => taken.end_waiting(number),
            Vacancy::None => return Entry::Full(stream),
        };
        let number = Some(taken.wait(&stream, network));
        drop(taken);
        let places = Arc::clone(self);
        let place = Place {
            places,
            stream,
            network,
            number,
        };
        match evicted {
            // Its thread, which waits for it, sees the end. If it cannot be shut down, it has ended.
            Some(evicted) => {
                let _ = evicted.stream.shutdown(Shutdown::Both);
                Entry::Evicted(place)
            }
            None => Entry::Free(place),
        }
    }

    fn find(&self, taken: &Taken, network: Network, per_address_max: usize) -> Vacancy {
        let share = taken.shares.get(&network);
        let oldest = match share {
            Some(share) if share.count() >= per_address_max => share.waiting.first(),
            _ if taken.count() >= self.max => taken.waiting.keys().next(),
            _ => return Vacancy::Free,
        };
        oldest.map_or(Vacancy::None, |number| Vacancy::InsteadOf(*number))
    }

    /// How many are taken.
    pub(crate) fn count(&self) -> usize {
        self.taken().count()
    }

    /// Whole after every statement, so a panic elsewhere means nothing here.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn count(&self) -> usize {
        self.answering + self.waiting.len()
    }

    fn wait(&mut self, stream: &Arc<TcpStream>, network: Network) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        let stream = Arc::clone(stream);
        self.waiting.insert(number, Waiting { stream, network });
        self.shares
            .entry(network)
            .or_default()
            .waiting
            .insert(number);
        number
    }

    fn end_waiting(&mut self, number: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&number)?;
        self.change_share(waiting.network, |share| {
            share.waiting.remove(&number);
        });
        Some(waiting)
    }

    fn begin_answer(&mut self, network: Network) {
        self.answering += 1;
        self.shares.entry(network).or_default().answering += 1;
    }

    fn end_answer(&mut self, network: Network) {
        self.answering -= 1;
        self.change_share(network, |share| share.answering -= 1);
    }

    fn change_share(&mut self, network: Network, change: impl FnOnce(&mut Share)) {
        if let Some(share) = self.shares.get_mut(&network) {
            change(share);
            if share.count() == 0 {
                self.shares.remove(&network);
            }
        }
    }
}

impl Share {
    fn count(&self) -> usize {
        self.answering + self.waiting.len()
    }
}

impl Place {
    /// The connection.
    pub(crate) fn stream(&self) -> Arc<TcpStream> {
        Arc::clone(&self.stream)
    }

    /// A whole request is there: keeps the place while this answers it, and waits anew after that.
    fn answer<T>(&mut self, answer: impl FnOnce() -> T) -> Result<T, Evicted> {
        let mut taken = self.places.taken();
        let number = self.number.ok_or(Evicted)?;
        taken.end_waiting(number).ok_or(Evicted)?;
        taken.begin_answer(self.network);
        self.number = None;
        drop(taken);
        let answer = answer();
        let mut taken = self.places.taken();
        taken.end_answer(self.network);
        self.number = Some(taken.wait(&self.stream, self.network));
        Ok(answer)
    }
}

/// Answers a whole request. Who has no place that could be given away, because its thread is not ours,
/// just answers.
pub(crate) fn answer<T>(
    place: &mut Option<Place>,
    answer: impl FnOnce() -> T,
) -> Result<T, Evicted> {
    match place {
        Some(place) => place.answer(answer),
        None => Ok(answer()),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        match self.number {
            Some(number) => drop(taken.end_waiting(number)),
            None => taken.end_answer(self.network),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn stream() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        TcpStream::connect(listener.local_addr().expect("bound")).expect("listening")
    }

    fn network(text: &str) -> Network {
        Network::of(text.parse().expect("an address"))
    }

    fn free(entry: Entry) -> Place {
        match entry {
            Entry::Free(place) => place,
            _ => panic!("there is a free place"),
        }
    }

    #[test]
    fn the_one_that_asked_last_stays() {
        let places = Places::new(2, 2);
        let us = network("192.0.2.1");
        let mut first = free(places.enter(stream(), us));
        let mut second = free(places.enter(stream(), us));
        first.answer(|| ()).expect("in its place");
        let Entry::Evicted(third) = places.enter(stream(), us) else {
            panic!("the second one makes room");
        };
        assert!(second.answer(|| ()).is_err());
        first.answer(|| ()).expect("in its place");
        assert_eq!(places.count(), 2);
        drop((first, second, third));
        assert_eq!(places.count(), 0);
    }

    #[test]
    fn whoever_is_answered_keeps_the_place() {
        let places = Places::new(1, 1);
        let us = network("192.0.2.1");
        let mut first = free(places.enter(stream(), us));
        let entry = first.answer(|| places.enter(stream(), us));
        assert!(matches!(entry, Ok(Entry::Full(_))));
        assert_eq!(places.count(), 1);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut first = first;
            first.answer(|| panic!("on purpose"))
        }));
        assert!(panicked.is_err());
        assert_eq!(places.count(), 0);
    }

    #[test]
    fn an_address_with_its_share_takes_from_itself() {
        let places = Places::new(4, 2);
        let (greedy, other) = (network("192.0.2.1"), network("192.0.2.2"));
        let mut first = free(places.enter(stream(), other));
        let mut second = free(places.enter(stream(), greedy));
        let mut third = free(places.enter(stream(), greedy));
        let Entry::Evicted(fourth) = places.enter(stream(), greedy) else {
            panic!("one of the same address makes room");
        };
        assert!(second.answer(|| ()).is_err());
        first.answer(|| ()).expect("in its place");
        let entry = third.answer(|| {
            let mut fourth = fourth;
            let entry = fourth.answer(|| places.enter(stream(), greedy));
            matches!(entry, Ok(Entry::Full(_)))
        });
        assert!(
            matches!(entry, Ok(true)),
            "all of that address are answered"
        );
        drop((first, second, third));
        assert_eq!(places.count(), 0);
        assert!(places.taken().shares.is_empty());
    }
}
