//! All clients of a run, as one machine.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use oneport_client::Certificate;
use oneport_link::{Input, Machine, Reason, Transmit};

use crate::payload::Payload;
use crate::room::Room;
use crate::speaker::{Channel, Seat, Speaker};
use crate::tally::{Counts, Tally};

/// How many messages are sent before what came in is looked at again.
const SENT_PER_TURN_MAX: usize = 256;

/// What a fleet can be asked.
pub(crate) enum Order {
    /// A new client in this room, at this address, which makes an offer.
    Enlist(Room, SocketAddr),
    /// The same, which takes this offer of the relay.
    EnlistFor(Room, SocketAddr, String),
    /// The relay's answer to the offer of the client with this number.
    Answer(u32, String),
    /// How many clients are ready.
    Roll,
    /// From now on, so many messages a second in all, of so many bytes, by so many clients in turn: those
    /// that came first. Latencies count from the given time on.
    Start {
        speakers: u32,
        per_second: f64,
        bytes: usize,
        warm_up: Duration,
    },
    /// No more messages.
    Stop,
    /// What has arrived so far.
    Count,
    /// The whole tally. It begins anew.
    Take,
    /// Good-bye.
    End,
}

/// What it answers.
pub(crate) enum Report {
    /// The number of a new client, and its offer or answer.
    Enlisted(u32, String),
    /// It is done, or not: an offer or an answer was none.
    Done(bool),
    /// So many clients are ready.
    Ready(usize),
    /// What has arrived so far.
    Counts(Counts),
    /// Everything.
    Tally(Box<Tally>),
}

/// When which client has to send.
struct Schedule {
    speakers: u64,
    begins: Instant,
    interval_ns: f64,
    bytes: usize,
    /// The number of the next message, over all clients.
    next: u64,
}

impl Schedule {
    fn due(&self) -> Instant {
        self.begins + Duration::from_nanos((self.interval_ns * self.next as f64) as u64)
    }

    /// How many messages should have been sent before now.
    fn overdue(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.begins).as_nanos() as f64;
        ((since / self.interval_ns) as u64).saturating_sub(self.next)
    }
}

/// The clients.
pub(crate) struct Fleet {
    began: Instant,
    now: Instant,
    channel: Channel,
    seed: [u8; 32],
    certificate: Certificate,
    speakers: Vec<Speaker>,
    by_address: HashMap<SocketAddr, u32>,
    timers: BTreeSet<(Instant, u32)>,
    timer_of: Vec<Option<Instant>>,
    /// Those that may have something to send, each once.
    touched: VecDeque<u32>,
    is_touched: Vec<bool>,
    schedule: Option<Schedule>,
    /// From when on latencies count.
    measured_from: Option<Instant>,
    buffer: Vec<u8>,
    tally: Tally,
    is_over: bool,
}

impl Fleet {
    /// Nobody yet. The seed must come from the operating system.
    pub(crate) fn new(now: Instant, channel: Channel, seed: [u8; 32]) -> Self {
        Self {
            began: now,
            now,
            channel,
            seed,
            certificate: Certificate::generate(),
            speakers: Vec::new(),
            by_address: HashMap::new(),
            timers: BTreeSet::new(),
            timer_of: Vec::new(),
            touched: VecDeque::new(),
            is_touched: Vec::new(),
            schedule: None,
            measured_from: None,
            buffer: Vec::new(),
            tally: Tally::new(),
            is_over: false,
        }
    }

    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.began);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Takes a client in, whose description can be made or not.
    fn enlist(&mut self, room: Room, address: SocketAddr, offer: Option<&str>) -> Report {
        let number = self.speakers.len() as u32;
        let mut seed = self.seed;
        for (byte, of_number) in seed.iter_mut().zip(number.to_be_bytes()) {
            *byte ^= of_number;
        }
        let seat = Seat {
            number,
            room,
            address,
            seed,
        };
        let certificate = &self.certificate;
        let made = match offer {
            None => Ok(Speaker::offer(self.now, self.channel, &seat, certificate)),
            Some(offer) => Speaker::answer(self.now, &seat, certificate, offer),
        };
        let Ok((speaker, description)) = made else {
            return Report::Done(false);
        };
        self.speakers.push(speaker);
        self.timer_of.push(None);
        self.is_touched.push(false);
        self.by_address.insert(address, number);
        self.touch(number);
        Report::Enlisted(number, description)
    }

    fn touch(&mut self, number: u32) {
        let is_touched = &mut self.is_touched[number as usize];
        if !*is_touched {
            *is_touched = true;
            self.touched.push_back(number);
        }
    }

    /// Sends what is due.
    fn send_due(&mut self) {
        for _ in 0..SENT_PER_TURN_MAX {
            let Some(schedule) = self.schedule.as_mut() else {
                return;
            };
            let due = schedule.due();
            let speakers = schedule.speakers.min(self.speakers.len() as u64);
            if due > self.now || speakers == 0 {
                return;
            }
            let number = (schedule.next % speakers) as u32;
            schedule.next += 1;
            let bytes = schedule.bytes;
            let due_ns = self.nanos(due);
            let speaker = &mut self.speakers[number as usize];
            let payload = Payload {
                sender: number,
                number: speaker.sent,
                due_ns,
            };
            payload.write(bytes, self.channel.form(), &mut self.buffer);
            match speaker.send(self.now, &self.buffer) {
                true => self.tally.counts.sent += 1,
                false => self.tally.counts.blocked += 1,
            }
            self.touch(number);
        }
    }

    /// What happened to a client is taken, and when it wants to be woken.
    fn settle(&mut self, number: u32) {
        let now_ns = self.nanos(self.now);
        let is_measured = self.measured_from.is_some_and(|from| from <= self.now);
        let speaker = &mut self.speakers[number as usize];
        speaker.collect(self.now, number, now_ns, is_measured, &mut self.tally);
        let wake = speaker.poll_timeout().map(|(at, _)| at);
        let known = &mut self.timer_of[number as usize];
        if *known != wake {
            if let Some(old) = known.take() {
                self.timers.remove(&(old, number));
            }
            *known = wake;
            self.timers.extend(wake.map(|at| (at, number)));
        }
    }
}

impl Machine for Fleet {
    type Command = Order;
    type Reply = Report;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        match input {
            Input::Datagram { route, .. } | Input::Closed { route } => {
                if let Some(&number) = self.by_address.get(&route.local) {
                    self.speakers[number as usize].handle_input(self.now, input);
                    self.touch(number);
                }
            }
            Input::Timeout => {
                while let Some(&(at, number)) = self.timers.first()
                    && at <= self.now
                {
                    // It is asked again when it has been drained.
                    self.timers.pop_first();
                    self.timer_of[number as usize] = None;
                    self.speakers[number as usize].handle_input(self.now, input);
                    self.touch(number);
                }
            }
        }
        self.send_due();
    }

    fn handle_command(&mut self, now: Instant, order: Order) -> Report {
        self.now = self.now.max(now);
        match order {
            Order::Enlist(room, address) => self.enlist(room, address, None),
            Order::EnlistFor(room, address, offer) => self.enlist(room, address, Some(&offer)),
            Order::Answer(number, answer) => {
                let speaker = self.speakers.get_mut(number as usize);
                let is_taken = speaker.is_some_and(|s| s.accept_answer(now, &answer));
                self.touch(number);
                Report::Done(is_taken)
            }
            Order::Roll => {
                let ready = self.speakers.iter().filter(|speaker| speaker.is_ready);
                Report::Ready(ready.count())
            }
            Order::Start {
                speakers,
                per_second,
                bytes,
                warm_up,
            } => {
                self.measured_from = Some(self.now + warm_up);
                self.schedule = Some(Schedule {
                    speakers: speakers.into(),
                    begins: self.now,
                    interval_ns: 1e9 / per_second,
                    bytes,
                    next: 0,
                });
                Report::Done(true)
            }
            Order::Stop => {
                if let Some(schedule) = self.schedule.take() {
                    self.tally.counts.blocked += schedule.overdue(self.now);
                }
                Report::Done(true)
            }
            Order::Count => Report::Counts(self.tally.counts),
            Order::Take => {
                let tally = std::mem::replace(&mut self.tally, Tally::new());
                Report::Tally(Box::new(tally))
            }
            Order::End => {
                for speaker in &mut self.speakers {
                    speaker.close(now);
                }
                (0..self.speakers.len() as u32).for_each(|number| self.touch(number));
                self.is_over = true;
                Report::Done(true)
            }
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        while let Some(&number) = self.touched.front() {
            if let Some(transmit) = self.speakers[number as usize].poll_transmit() {
                return Some(transmit);
            }
            self.touched.pop_front();
            self.is_touched[number as usize] = false;
            self.settle(number);
        }
        None
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        if !self.touched.is_empty() {
            return Some((self.now, Reason::Queued));
        }
        let timer = self.timers.first().map(|(at, _)| (*at, Reason::Rtc));
        let due = self.schedule.as_ref().map(|s| (s.due(), Reason::Pacing));
        timer.into_iter().chain(due).min_by_key(|(at, _)| *at)
    }

    fn is_finished(&self) -> bool {
        self.is_over && self.touched.is_empty()
    }
}
