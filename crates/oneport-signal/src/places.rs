//! The places for connections, and who gives one up for a newcomer.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many connections may have a place. Whoever comes beyond that takes the place of the one that
/// has been the longest without a whole request: a client that has something to ask does it at once,
/// so that slow, idle and silent ones cannot keep the others out.
#[derive(Debug)]
pub(crate) struct Places {
    max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Those whose request is being answered, and nobody cuts off.
    answering: usize,
    /// The others, in the order in which they began to wait.
    waiting: BTreeMap<u64, Arc<TcpStream>>,
    next_number: u64,
}

/// One connection's place; given back when dropped, so also if its thread panics or never begins.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    stream: Arc<TcpStream>,
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

impl Places {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        let taken = Mutex::default();
        Arc::new(Self { max, taken })
    }

    /// Finds a place for a newcomer.
    pub(crate) fn enter(self: &Arc<Self>, stream: TcpStream) -> Entry {
        let stream = Arc::new(stream);
        let mut taken = self.taken();
        let mut evicted = None;
        if taken.count() >= self.max {
            evicted = taken.waiting.pop_first();
            if evicted.is_none() {
                return Entry::Full(stream);
            }
        }
        let number = Some(taken.wait(&stream));
        drop(taken);
        let places = Arc::clone(self);
        let place = Place {
            places,
            stream,
            number,
        };
        match evicted {
            // Its thread, which waits for it, sees the end. If it cannot be shut down, it has ended.
            Some((_, stream)) => {
                let _ = stream.shutdown(Shutdown::Both);
                Entry::Evicted(place)
            }
            None => Entry::Free(place),
        }
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

    fn wait(&mut self, stream: &Arc<TcpStream>) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.waiting.insert(number, Arc::clone(stream));
        number
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
        taken.waiting.remove(&number).ok_or(Evicted)?;
        taken.answering += 1;
        self.number = None;
        drop(taken);
        let answer = answer();
        let mut taken = self.places.taken();
        taken.answering -= 1;
        self.number = Some(taken.wait(&self.stream));
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
            Some(number) => drop(taken.waiting.remove(&number)),
            None => taken.answering -= 1,
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

    fn free(entry: Entry) -> Place {
        match entry {
            Entry::Free(place) => place,
            _ => panic!("there is a free place"),
        }
    }

    #[test]
    fn the_one_that_asked_last_stays() {
        let places = Places::new(2);
        let mut first = free(places.enter(stream()));
        let mut second = free(places.enter(stream()));
        first.answer(|| ()).expect("in its place");
        let Entry::Evicted(third) = places.enter(stream()) else {
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
        let places = Places::new(1);
        let mut first = free(places.enter(stream()));
        let entry = first.answer(|| places.enter(stream()));
        assert!(matches!(entry, Ok(Entry::Full(_))));
        assert_eq!(places.count(), 1);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut first = first;
            first.answer(|| panic!("on purpose"))
        }));
        assert!(panicked.is_err());
        assert_eq!(places.count(), 0);
    }
}
