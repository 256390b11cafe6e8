//! Small machines.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use oneport_link::{Input, Machine, Reason, Route, Transmit};

/// What the machines are asked.
#[derive(Debug)]
pub(crate) enum Command {
    /// Answers the number plus one.
    Next(u32),
    /// Answers 0 and finishes.
    Stop,
    /// Panics.
    Panic,
}

/// Sends every datagram back, and remembers the routes.
#[derive(Default)]
pub(crate) struct Echo {
    pub(crate) routes: Vec<Route>,
    pub(crate) closed: Vec<Route>,
    replies: VecDeque<Transmit>,
    stopped: bool,
}

impl Machine for Echo {
    type Command = Command;
    type Reply = u32;

    fn handle_input(&mut self, _: Instant, input: Input<'_>) {
        match input {
            Input::Datagram { route, bytes } => {
                self.routes.push(route);
                let contents = bytes.to_vec();
                self.replies.push_back(Transmit { route, contents });
            }
            Input::Closed { route } => self.closed.push(route),
            Input::Timeout => {}
        }
    }

    fn handle_command(&mut self, _: Instant, command: Command) -> u32 {
        match command {
            Command::Next(number) => number + 1,
            Command::Stop => {
                self.stopped = true;
                0
            }
            Command::Panic => panic!("asked to"),
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.replies.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        None
    }

    fn is_finished(&self) -> bool {
        self.stopped
    }
}

/// How long the datagrams of a train are, but the last.
pub(crate) const CAR_BYTES: usize = 1_200;

/// Answers a datagram of one byte, the number n, with n datagrams of equal length: each filled with
/// its index, the last one a little shorter.
#[derive(Default)]
pub(crate) struct Trains(Echo);

impl Machine for Trains {
    type Command = Command;
    type Reply = u32;

    fn handle_input(&mut self, _: Instant, input: Input<'_>) {
        let Input::Datagram { route, bytes } = input else {
            return;
        };
        let count = bytes[0];
        for index in 0..count {
            let short = usize::from(index + 1 == count);
            let contents = vec![index; CAR_BYTES - short];
            self.0.replies.push_back(Transmit { route, contents });
        }
    }

    fn handle_command(&mut self, now: Instant, command: Command) -> u32 {
        self.0.handle_command(now, command)
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.0.poll_transmit()
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        None
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// Wants to be woken again and again, checks the clock, and notes how late it was.
pub(crate) struct Ticker {
    interval: Duration,
    due: Instant,
    now: Option<Instant>,
    pub(crate) late: Vec<Duration>,
    pub(crate) early: u32,
    stopped: bool,
}

impl Ticker {
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            due: Instant::now(),
            now: None,
            late: Vec::new(),
            early: 0,
            stopped: false,
        }
    }

    fn look_at_the_clock(&mut self, now: Instant) {
        assert!(
            self.now.is_none_or(|before| before <= now),
            "time went back"
        );
        self.now = Some(now);
    }
}

impl Machine for Ticker {
    type Command = Command;
    type Reply = u32;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.look_at_the_clock(now);
        let Input::Timeout = input else {
            return;
        };
        if now < self.due {
            self.early += 1;
            return;
        }
        self.late.push(now - self.due);
        self.due = now + self.interval;
    }

    fn handle_command(&mut self, now: Instant, _: Command) -> u32 {
        self.look_at_the_clock(now);
        self.stopped = true;
        0
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        Some((self.due, Reason::Rtc))
    }

    fn is_finished(&self) -> bool {
        self.stopped
    }
}
