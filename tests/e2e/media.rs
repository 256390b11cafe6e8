//! Offers that have audio or video beside the data channel, and certificates that cannot be used.

use oneport_tests::{
    Result,
    browser::{Browser, Page},
    relay::Relay,
    stub::Stub,
    wait::{self, Look},
};
use serde_json::json;

use crate::{stage::Stage, user::SOON};

const MEDIA: &str = include_str!("media.html");

/// Every bundle policy, with audio, video and both, added before the data channel and after it.
#[test]
fn a_data_channel_opens_beside_audio_and_video() -> Result {
    let stage = Stage::set()?;
    let listen = ["--listen", "127.0.0.1:0"];
    let relay = Relay::start_logging(&listen, "info,oneport_core=debug")?;
    let stub = Stub::serve(&[("/", MEDIA)])?;
    let pages = std::thread::scope(|scope| {
        let attempts = stage.both().map(|browser| {
            let (relay, stub) = (&relay, &stub);
            scope.spawn(move || opens_beside_media(browser, relay, stub))
        });
        let attempts = attempts.into_iter();
        attempts
            .map(|attempt| attempt.join().expect("the attempts do not panic"))
            .collect::<Result<Vec<_>>>()
    })?;
    // Each page has restarted two of its links, which are open still.
    let restarted = || {
        let lines = relay.log_lines();
        let restarted = lines
            .iter()
            .filter(|line| line.contains("has restarted ICE"));
        Ok(match restarted.count() {
            count if count == 2 * pages.len() => Look::Done(()),
            _ => Look::NotYet(lines.join("\n")),
        })
    };
    wait::until("all restarts", SOON, restarted)?;
    drop(pages);

    let page = stage.chromium.open(&stub.url("/"))?;
    page.eval(&format!("tryRsa('{}r/rsa')", relay.url()))?;
    relay.wait_for_log("RSA certificates are not supported", SOON)?;
    Ok(())
}

fn opens_beside_media(browser: &Browser, relay: &Relay, stub: &Stub) -> Result<Page> {
    let page = browser.open(&stub.url("/"))?;
    let failures = page.eval_within(&format!("tryAll('{}r/media')", relay.url()), 4 * SOON)?;
    assert_eq!(failures, json!([]), "{}", browser.name());
    Ok(page)
}
