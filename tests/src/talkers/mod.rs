//! Members who talk all the time, and notice what a fault or an attack does to them.

mod figures;
mod ledger;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use oneport::{
    Commander, Participant,
    client::{Command, Event, Message, Payload, Publish, join},
    wire::{RoomName, frame::Recovery},
};

pub use figures::Figures;
use ledger::{Answer, Ledger};

use crate::{
    Error, Result,
    wait::{self, Look},
};

/// Where they talk.
const ROOM: &str = "talkers";

/// Longer than anybody needs to come in, or the last message to arrive, on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(40);

/// How soon a listener sees that it is no longer wanted.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How long who was refused waits.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Members of one room, each of whom says something every few milliseconds and hears all others.
/// They are what a program would be that uses the native client, with sockets of their own.
pub struct Talkers {
    shared: Arc<Shared>,
    speakers: Vec<JoinHandle<()>>,
    listeners: Vec<JoinHandle<()>>,
}

struct Shared {
    room: RoomName,
    pause: Duration,
    begun: Instant,
    ledger: Mutex<Ledger>,
    are_silent: AtomicBool,
    are_over: AtomicBool,
}

impl Talkers {
    /// Brings so many members into a room of the relay at this URL, and lets them talk as soon as all
    /// are there.
    ///
    /// # Errors
    /// When one of them cannot come in.
    pub fn start(url: &str, members: usize, pause: Duration) -> Result<Self> {
        let shared = Arc::new(Shared {
            room: name(ROOM),
            pause,
            begun: Instant::now(),
            ledger: Mutex::new(Ledger::new(members)),
            are_silent: AtomicBool::new(false),
            are_over: AtomicBool::new(false),
        });
        let participants: Vec<_> = (0..members)
            .map(|_| enter(url, ROOM))
            .collect::<Result<_>>()?;
        let mut talkers = Self {
            shared,
            speakers: Vec::new(),
            listeners: Vec::new(),
        };
        for (me, participant) in participants.into_iter().enumerate() {
            let (shared, commander) = (Arc::clone(&talkers.shared), participant.commander());
            let speaker = thread::spawn(move || shared.speak(me, &commander));
            talkers.speakers.push(speaker);
            let shared = Arc::clone(&talkers.shared);
            let listener = thread::spawn(move || shared.listen(me, participant));
            talkers.listeners.push(listener);
        }
        Ok(talkers)
    }

    /// Waits until everybody has heard each of the others say something that was said after now, and
    /// says how long that took.
    ///
    /// # Errors
    /// [`Error::Expired`] with the figures.
    pub fn all_hear_all(&self, timeout: Duration) -> Result<Duration> {
        let since = self.shared.begun.elapsed();
        self.wait("all to hear all", timeout, |ledger| {
            ledger.all_heard_since(since)
        })?;
        Ok(self.shared.begun.elapsed().saturating_sub(since))
    }

    /// Waits until so many members were told that what they missed does not follow.
    ///
    /// # Errors
    /// [`Error::Expired`] with the figures.
    pub fn wait_until_told(&self, members: usize, timeout: Duration) -> Result {
        self.wait("all to be told of the loss", timeout, |ledger| {
            ledger.not_recovered_members() >= members
        })
    }

    /// Lets them fall silent, waits until all that was said is answered and heard, and counts. What
    /// does not arrive within 40 s counts as lost.
    #[must_use]
    pub fn finish(mut self) -> Figures {
        self.shared.are_silent.store(true, Ordering::Release);
        for speaker in self.speakers.drain(..) {
            speaker.join().expect("a speaker does not panic");
        }
        // Who waits in vain finds it in the figures.
        let _ = self.wait("the last message", TIMEOUT, Ledger::is_settled);
        let figures = self.shared.ledger().figures();
        self.shared.are_over.store(true, Ordering::Release);
        for listener in self.listeners.drain(..) {
            listener.join().expect("a listener does not panic");
        }
        figures
    }

    fn wait(&self, what: &str, timeout: Duration, done: impl Fn(&Ledger) -> bool) -> Result {
        wait::until(what, timeout, || {
            let ledger = self.shared.ledger();
            Ok(if done(&ledger) {
                Look::Done(())
            } else {
                Look::NotYet(format!("{:?}", ledger.figures()))
            })
        })
    }
}

impl Drop for Talkers {
    /// For a test that fails: nobody talks on beside the next one.
    fn drop(&mut self) {
        self.shared.are_silent.store(true, Ordering::Release);
        self.shared.are_over.store(true, Ordering::Release);
    }
}

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no holder panics")
    }

    fn speak(&self, me: usize, commander: &Commander) {
        while !self.are_silent.load(Ordering::Acquire) {
            let number = self.ledger().say(me, self.begun.elapsed());
            let text = format!("{me} {number}");
            let command = Command::Publish {
                id: Some(number.to_string().parse().expect("digits are an id")),
                publish: Publish::new(self.room.clone(), Payload::Text(text.into())),
            };
            if commander.command(command).is_err() {
                self.ledger().answered(me, number, Answer::NotSent);
            }
            thread::sleep(self.pause);
        }
    }

    fn listen(&self, me: usize, mut participant: Participant) {
        while !self.are_over.load(Ordering::Acquire) {
            match participant.next_event(LOOK_AGAIN) {
                Ok(Some(event)) => self.note(me, event),
                Ok(None) => {}
                Err(error) => return self.ledger().failed(error.to_string()),
            }
        }
        let _ = participant.close();
    }

    fn note(&self, me: usize, event: Event) {
        let at = self.begun.elapsed();
        let mut ledger = self.ledger();
        match event {
            Event::Message { message, .. } => match said_by(&message) {
                Some((speaker, number)) => ledger.heard(me, speaker, number, at),
                None => ledger.failed(format!("heard {message:?}")),
            },
            Event::Ack(ack) => ledger.answered(me, number(ack.id.as_str()), Answer::Taken),
            Event::Unanswered { id: Some(id), .. } => {
                ledger.answered(me, number(id.as_str()), Answer::Unknown);
            }
            Event::Joined(joined) => match joined.recovery {
                Recovery::Recovered => {}
                Recovery::NotRecovered(_) => ledger.not_recovered(me, at),
                Recovery::Fresh => ledger.failed("joined anew, and not told of a loss".into()),
            },
            Event::Disconnected { .. } => ledger.link_lost(),
            Event::Gap(_)
            | Event::Rejected(_)
            | Event::Closed(_)
            | Event::Left(_)
            | Event::Unanswered { id: None, .. } => ledger.failed(format!("{event:?}")),
            _ => {}
        }
    }
}

/// Comes in like anybody, as often as it is refused, says so and leaves. Returns how long it took
/// from the first attempt to being a member.
///
/// # Errors
/// [`Error::Expired`] with the last refusal, after 40 s.
pub fn newcomer(url: &str) -> Result<Duration> {
    let begun = Instant::now();
    let participant = enter(url, "newcomers")?;
    let took = begun.elapsed();
    participant.close()?;
    Ok(took)
}

/// A participant that is a member of the room; it tries as often as it is refused.
///
/// # Errors
/// [`Error::Expired`] with the last refusal, after 40 s.
pub fn enter(url: &str, room: &str) -> Result<Participant> {
    let begun = Instant::now();
    let room = &name(room);
    let mut participant = loop {
        match Participant::connect(url, room.clone(), None) {
            Ok(participant) => break participant,
            Err(error) if begun.elapsed() >= TIMEOUT => {
                return Err(Error::Expired {
                    what: "a relay that takes a newcomer".into(),
                    after: TIMEOUT,
                    seen: error.to_string(),
                });
            }
            Err(_) => thread::sleep(TRY_AGAIN),
        }
    };
    participant.join(join(room.clone()))?;
    let mut seen = Vec::new();
    while begun.elapsed() < TIMEOUT {
        match participant.next_event(LOOK_AGAIN)? {
            Some(Event::Joined(_)) => return Ok(participant),
            event => seen.extend(event),
        }
    }
    Err(Error::Expired {
        what: "a newcomer to be a member".into(),
        after: TIMEOUT,
        seen: format!("{seen:?}"),
    })
}

fn name(room: &str) -> RoomName {
    room.parse().expect("a room's name")
}

/// The number in an id; ours are numbers.
fn number(id: &str) -> usize {
    id.parse().expect("an id of ours")
}

fn said_by(message: &Message<'_>) -> Option<(usize, usize)> {
    let Payload::Text(text) = &message.payload else {
        return None;
    };
    let (speaker, number) = text.split_once(' ')?;
    Some((speaker.parse().ok()?, number.parse().ok()?))
}
