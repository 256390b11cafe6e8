//! The machine's timeout, and nothing else.

use std::time::Duration;

use crate::machines::{Command, Echo, Ticker};
use crate::running::{Running, client};

#[test]
fn timeouts_come_in_time_and_time_does_not_go_back() {
    let running = Running::start(Ticker::new(Duration::from_millis(2)));
    let client = client(running.addrs[0]);
    // Datagrams and commands between the timeouts must not make them early, late or lost.
    for ticks in (1..=60).step_by(3) {
        client.send(b"hello").expect("sent");
        running.stats_when(|stats| stats.timeouts >= ticks);
    }
    running.handle.call(Command::Stop).expect("stopped");
    let ticker = running.join();
    assert_eq!(ticker.early, 0);
    assert!(ticker.late.len() >= 58, "{}", ticker.late.len());
    let mut late = ticker.late;
    late.sort();
    // One may hit a pause of a busy machine, half of them not.
    assert!(late[late.len() / 2] < Duration::from_millis(20), "{late:?}");
}

#[test]
fn without_a_timeout_the_loop_sleeps() {
    let running = Running::start(Echo::default());
    running.stats_when(|stats| stats.turns >= 1);
    // Each call is one turn; if the loop did not sleep between them there would be more.
    for number in 0..100 {
        assert_eq!(running.handle.call(Command::Next(number)), Ok(number + 1));
    }
    let stats = running.stats_when(|stats| stats.commands == 100);
    assert!(stats.turns <= 210, "{stats:?}");
    assert_eq!((stats.timeouts, stats.turns_spun), (0, 0));
    running.handle.call(Command::Stop).expect("stopped");
    running.join();
}
