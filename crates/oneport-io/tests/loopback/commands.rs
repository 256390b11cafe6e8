//! Commands from other threads, and the end of the loop.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use oneport_io::{BindOptions, CallError, Config, Handle};
use oneport_link::{Input, Machine, Reason, Transmit};

use crate::machines::{Command, Echo};
use crate::running::{PATIENCE, Running};

#[test]
fn every_caller_gets_its_own_reply() {
    let running = Running::start(Echo::default());
    thread::scope(|scope| {
        for caller in 0..4 {
            let handle = running.handle.clone();
            scope.spawn(move || {
                for number in caller * 1_000..caller * 1_000 + 250 {
                    assert_eq!(handle.call(Command::Next(number)), Ok(number + 1));
                }
            });
        }
    });
    running.handle.call(Command::Stop).expect("stopped");
    running.stats_when(|stats| stats.commands == 1_001);
    running.join();
}

#[test]
fn after_the_end_calls_are_refused() {
    let running = Running::start(Echo::default());
    assert_eq!(running.handle.call(Command::Stop), Ok(0));
    let handle = running.handle.clone();
    running.join();
    assert_eq!(handle.call(Command::Next(1)), Err(CallError::Stopped));
    assert_eq!(handle.stats().commands, 1);
}

#[test]
fn a_panic_ends_the_loop_and_is_seen() {
    let running = Running::start(Echo::default());
    assert_eq!(running.handle.call(Command::Panic), Err(CallError::Stopped));
    let handle = running.handle.clone();
    running.join_panicked();
    assert_eq!(handle.call(Command::Next(1)), Err(CallError::Stopped));
}

/// A machine whose commands take as long as the test wants.
struct Gate {
    entered: SyncSender<()>,
    open: Receiver<()>,
    commands_left: u32,
}

impl Machine for Gate {
    type Command = ();
    type Reply = ();

    fn handle_input(&mut self, _: Instant, _: Input<'_>) {}

    fn handle_command(&mut self, _: Instant, (): ()) {
        self.commands_left -= 1;
        self.entered.send(()).expect("the test waits");
        self.open.recv_timeout(PATIENCE).expect("the gate opens");
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        None
    }

    fn is_finished(&self) -> bool {
        self.commands_left == 0
    }
}

/// A loop that ends after so many commands, the announcement of each, and what lets it go on.
fn gated(commands: u32, config: Config) -> (Running<Gate>, Receiver<()>, SyncSender<()>) {
    let (entered, announced) = sync_channel(16);
    let (opener, open) = sync_channel(16);
    let machine = Gate {
        entered,
        open,
        commands_left: commands,
    };
    let options = BindOptions::default();
    let running = Running::start_with(&["127.0.0.1:0"], &options, machine, None, config);
    (running, announced, opener)
}

fn spawn_call(handle: &Handle<Gate>) -> thread::JoinHandle<Result<(), CallError>> {
    let handle = handle.clone();
    thread::spawn(move || handle.call(()))
}

#[test]
fn one_call_too_many_is_busy() {
    let config = Config {
        commands_max: 1,
        call_timeout: PATIENCE,
        ..Config::default()
    };
    let (running, announced, opener) = gated(2, config);
    let first = spawn_call(&running.handle);
    announced.recv_timeout(PATIENCE).expect("carried out");

    // The machine is at the first; of these two, one finds the place in the queue.
    let (result, results) = sync_channel(2);
    for _ in 0..2 {
        let (handle, result) = (running.handle.clone(), result.clone());
        thread::spawn(move || result.send(handle.call(())));
    }
    let refused = results.recv_timeout(PATIENCE).expect("a result");
    assert_eq!(refused, Err(CallError::Busy));

    opener.send(()).expect("it waits");
    opener.send(()).expect("it will wait");
    assert_eq!(first.join().expect("no panic"), Ok(()));
    assert_eq!(results.recv_timeout(PATIENCE), Ok(Ok(())));
    running.join();
}

#[test]
fn a_call_that_waits_when_the_loop_ends_is_told() {
    let (running, announced, opener) = gated(1, Config::default());
    let first = spawn_call(&running.handle);
    announced.recv_timeout(PATIENCE).expect("carried out");
    let second = spawn_call(&running.handle);
    opener.send(()).expect("it waits");
    assert_eq!(first.join().expect("no panic"), Ok(()));
    assert_eq!(second.join().expect("no panic"), Err(CallError::Stopped));
    running.join();
}

#[test]
fn a_command_whose_caller_gave_up_is_not_carried_out() {
    let config = Config {
        call_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let (running, announced, opener) = gated(2, config);
    let first = spawn_call(&running.handle);
    announced.recv_timeout(PATIENCE).expect("carried out");
    // Both give up: the machine is at the first, the second is still in the queue.
    assert_eq!(running.handle.call(()), Err(CallError::Timeout));
    assert_eq!(first.join().expect("no panic"), Err(CallError::Timeout));
    opener.send(()).expect("it waits");
    let stats = running.stats_when(|stats| stats.commands_expired == 1);
    assert_eq!(stats.commands, 1);
    opener.send(()).expect("it will wait");
    assert_eq!(running.handle.call(()), Ok(()));
    running.join();
}
