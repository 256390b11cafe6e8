//! Somebody dies: a tab, a browser, the relay.

use std::time::{Duration, SystemTime};

use oneport_tests::{Result, browser::Browser, relay::Relay};

use crate::{
    bare,
    stage::Stage,
    user::{SOON, User, crowd, each},
};

/// A link without life is closed after 15 s; the rest is for the machine.
const LINK_GONE: Duration = Duration::from_secs(20);

/// A browser may need 30 s to call a connection failed; the page does not wait that long, but it does
/// wait for `disconnected` and then some.
const BACK_AGAIN: Duration = Duration::from_secs(40);

/// From SIGTERM to the event in the page.
const CLOSE_MS_MAX: u64 = 1_000;

/// The others go on at once, and the relay notices by the silence.
#[test]
fn a_killed_tab_and_a_killed_browser_are_noticed() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let url = relay.room_url("mortal");
    let users = crowd(stage.both(), 1, &url)?;
    let doomed = User::enter(stage.chromium, &url)?;
    // Firefox has no command that kills one page.
    let doomed_browser = Browser::firefox()?;
    let doomed_with_browser = User::enter(&doomed_browser, &url)?;
    each(&users, |user| user.sees_people(4))?;

    doomed.page.kill()?;
    doomed_browser.kill();
    drop((doomed, doomed_with_browser));
    for user in &users {
        let text = format!("{} is still here", user.name);
        user.say(std::slice::from_ref(&text))?;
        each(&users, |user| user.hears(&text))?;
    }
    each(&users, |user| {
        user.page
            .wait_for("away().length === 2 || away()", LINK_GONE)
    })
}

#[test]
fn everybody_comes_back_to_a_restarted_relay() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let users = crowd(stage.both(), 2, &relay.room_url("phoenix"))?;
    each(&users, |user| {
        user.page.eval("(() => { states.length = 0; })()").map(drop)
    })?;

    let address = relay.address().to_string();
    relay.kill();
    let relay = Relay::start(&["--listen", &address])?;
    assert_eq!(relay.address().to_string(), address);

    let back = "states.some((state) => state !== 'connected') && states.at(-1) === 'connected'";
    each(&users, |user| user.page.wait_for(back, BACK_AGAIN))?;
    for user in &users {
        let text = format!("{} is back", user.name);
        user.say(std::slice::from_ref(&text))?;
        each(&users, |user| user.hears(&text))?;
    }
    Ok(())
}

#[test]
fn sigterm_closes_the_channels_at_once() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let pages = [
        bare::join(stage.chromium, &relay, "end")?,
        bare::join(stage.firefox, &relay, "end")?,
    ];

    let terminated_at = SystemTime::now();
    let status = relay.terminate()?;
    assert!(status.success(), "{status}");
    for page in &pages {
        page.wait_for("closedAt !== null", SOON)?;
        let closed_at = Duration::from_millis(page.eval("closedAt")?.as_u64().unwrap_or(u64::MAX));
        let since_epoch = terminated_at
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let after = closed_at.saturating_sub(since_epoch);
        assert!(
            after.as_millis() <= CLOSE_MS_MAX.into(),
            "{} heard it after {after:?}",
            page.name()
        );
    }
    Ok(())
}
