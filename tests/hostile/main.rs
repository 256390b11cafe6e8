//! The relay's binary under faults and attacks on real sockets, with members who talk all the time.
//! Each test asserts what those members may notice, and prints a row of the README's table.

mod clock;
mod datagrams;
mod descriptors;
mod killed;
mod log;
mod network;
mod offers;
mod restarted;
mod slow;
mod soak;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oneport_tests::{Result, talkers::Talkers};

/// Between two messages of one member, in most tests.
const PAUSE: Duration = Duration::from_millis(20);

/// Longer than a lost datagram costs at most, and than this machine is ever busy elsewhere.
const WORST: Duration = Duration::from_secs(8);

/// Held by tests that keep the processor busy: what one does, the members of another would notice.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Three members that talk.
fn talkers(url: &str) -> Result<Talkers> {
    let talkers = Talkers::start(url, 3, PAUSE)?;
    talkers.all_hear_all(WORST)?;
    Ok(talkers)
}
