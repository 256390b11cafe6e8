//! A relay that is killed and started again.

use std::time::{Duration, Instant};

use oneport_tests::{Result, relay::Relay};

use crate::{alone, talkers};

/// What its members may need: to notice that the relay is silent, and a few attempts to reach it.
const BACK_WITHIN: Duration = Duration::from_secs(35);

#[test]
fn members_are_told_and_talk_again() -> Result {
    let _alone = alone();
    let relay = Relay::on_loopback()?;
    let address = relay.address().to_string();
    let talkers = talkers(relay.url())?;
    relay.kill();
    let killed = Instant::now();
    let _relay = Relay::start(&["--listen", &address])?;
    // A session that the relay has never heard of is a new one, and its members are told so.
    talkers.wait_until_told(3, BACK_WITHIN)?;
    talkers.all_hear_all(BACK_WITHIN)?;
    let back = killed.elapsed();
    let figures = talkers.finish();
    let remark = format!(
        "all talk again after {:.1} s; of {} of {} messages they are told that nobody knows",
        back.as_secs_f64(),
        figures.unknown,
        figures.said
    );
    figures.print("killed with -9 and started again", &remark);
    figures.assert_whole();
    assert!(back < BACK_WITHIN, "{back:?}");
    Ok(())
}
