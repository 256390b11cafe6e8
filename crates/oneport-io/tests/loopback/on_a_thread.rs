//! A machine on a thread of its own, and an owner that waits for its events.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use oneport_io::{BindOptions, CallError, Running, Sockets};
use oneport_link::{Input, Machine, Reason, Transmit};

/// Counts on command; 0 is the end.
#[derive(Default)]
struct Counter {
    events: VecDeque<u32>,
    is_finished: bool,
}

impl Machine for Counter {
    type Command = u32;
    type Reply = usize;

    fn handle_input(&mut self, _: Instant, _: Input<'_>) {}

    fn handle_command(&mut self, _: Instant, count: u32) -> usize {
        self.events.extend(0..count);
        self.is_finished = count == 0;
        self.events.len()
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        None
    }

    fn is_finished(&self) -> bool {
        self.is_finished
    }
}

fn running() -> Running<Counter, u32> {
    let any_port = ["127.0.0.1:0".parse().expect("an address")];
    let sockets = Sockets::bind(&any_port, &BindOptions::default()).expect("a port is free");
    let poll_event = |counter: &mut Counter| counter.events.pop_front();
    Running::start("counter", sockets, Counter::default(), poll_event).expect("a thread")
}

#[test]
fn every_event_comes_once_however_late_it_is_taken() {
    let running = running();
    let soon = Duration::from_millis(10);
    assert_eq!(running.next_event(soon), Ok(None));
    let count = 5000;
    assert_eq!(running.call(count), Ok(count as usize));
    // Only so many fit between the threads; the rest waits in the machine.
    let waiting = running.caller().call(1).expect("it runs");
    assert!(waiting > 1000 && waiting < 5000, "{waiting}");
    let late = Duration::from_secs(10);
    for expected in (0..count).chain([0]) {
        assert_eq!(running.next_event(late), Ok(Some(expected)));
    }
    assert_eq!(running.next_event(soon), Ok(None));
    assert_eq!(running.call(0), Ok(0));
    assert_eq!(running.next_event(late), Err(CallError::Stopped));
    assert_eq!(running.call(1), Err(CallError::Stopped));
    assert!(running.join().expect("it ran well").is_finished);
}

#[test]
fn events_that_nobody_takes_do_not_hold_up_the_end() {
    let running = running();
    running.call(5000).expect("it runs");
    running.call(0).expect("it runs");
    running.join().expect("it ends");
}
