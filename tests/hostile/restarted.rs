//! A relay that is stopped and started again, and leaves its state from one to the other.

use std::fs;
use std::time::{Duration, Instant};

use oneport_tests::{Result, relay::Relay, talkers::Talkers};
use tempfile::TempDir;

use crate::{WORST, alone};

/// Twenty people who talk at the same time.
const MEMBERS: usize = 20;

/// Between two messages of one of them.
const PAUSE: Duration = Duration::from_millis(200);

/// What a restart may take: the drain, the start, the pause that clients are asked for, their
/// handshakes, and a busy machine.
const BACK_WITHIN: Duration = Duration::from_secs(15);

#[test]
fn members_miss_nothing() -> Result {
    let _alone = alone();
    let folder = TempDir::new()?;
    let file = folder.path().join("state");
    let state = file.to_str().expect("UTF-8");
    let mut relay = Relay::start(&["--listen", "127.0.0.1:0", "--state", state])?;
    let address = relay.address().to_string();
    let talkers = Talkers::start(relay.url(), MEMBERS, PAUSE)?;
    talkers.all_hear_all(WORST)?;
    let mut pauses = Vec::new();
    for _ in 0..2 {
        let stopped = Instant::now();
        let status = relay.terminate()?;
        assert!(status.success(), "{status}");
        let bytes = fs::metadata(&file)?.len();
        assert!(bytes > 1000, "{bytes}");
        let is_down = stopped.elapsed();
        relay = Relay::start(&["--listen", &address, "--state", state])?;
        relay.wait_for_log("going on with 1 rooms", WORST)?;
        // An old state must not be there when it is no longer true.
        assert!(!file.exists());
        talkers.all_hear_all(BACK_WITHIN)?;
        pauses.push((is_down, stopped.elapsed()));
    }
    let figures = talkers.finish();
    let shown: Vec<_> = pauses
        .iter()
        .map(|(down, back)| {
            format!(
                "down {:.1} s, all talk again after {:.1} s",
                down.as_secs_f64(),
                back.as_secs_f64()
            )
        })
        .collect();
    figures.print("stopped and started again, with --state", &shown.join("; "));
    figures.assert_recovered();
    // Each lost its link each time; who is asked back at once may come too early, and try again.
    let lost = 2 * MEMBERS..=3 * MEMBERS;
    assert!(lost.contains(&figures.links_lost), "{figures:?}");
    Ok(())
}

/// What a relay took up when it started is no longer true when it is killed.
#[test]
fn a_killed_one_leaves_nothing() -> Result {
    let _alone = alone();
    let folder = TempDir::new()?;
    let file = folder.path().join("state");
    let state = file.to_str().expect("UTF-8");
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--state", state])?;
    let address = relay.address().to_string();
    let talkers = Talkers::start(relay.url(), 3, PAUSE)?;
    talkers.all_hear_all(WORST)?;
    relay.terminate()?;
    let arguments = ["--listen", &address, "--state", state];
    let relay = Relay::start(&arguments)?;
    talkers.all_hear_all(BACK_WITHIN)?;
    relay.kill();
    let relay = Relay::start(&arguments)?;
    relay.wait_for_log("there is no state", WORST)?;
    let noticed = Duration::from_secs(35);
    talkers.wait_until_told(3, noticed)?;
    talkers.all_hear_all(noticed)?;
    let figures = talkers.finish();
    figures.print("stopped, started, and killed with -9", "");
    figures.assert_whole();
    Ok(())
}
