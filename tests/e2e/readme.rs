//! The scripts of README, each on a page of its own and word by word, but for the relay's address: among
//! members without a name, and with messages that are not text.

use oneport_tests::{Result, relay::Relay, stub::Stub};
use serde_json::json;

use crate::{bare, stage::Stage, user::SOON};

const README: &str = include_str!("../../README.md");

/// Notes what a script prints and what it throws.
const NOTES: &str = "
    window.printed = [];
    window.thrown = [];
    console.log = (...words) => printed.push(words.map(String).join(' '));
    addEventListener('error', ({ message }) => thrown.push(message));
    addEventListener('unhandledrejection', ({ reason }) => thrown.push(String(reason)));
";

/// The only script with this in it.
fn script(part: &str) -> &'static str {
    let blocks = README.split("```js\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().expect("an end"));
    let found: Vec<_> = blocks.filter(|block| block.contains(part)).collect();
    assert_eq!(found.len(), 1, "{part}");
    found[0]
}

#[test]
fn scripts_that_run() -> Result {
    let stage = Stage::set()?;
    let plain = script("createDataChannel('chat')");
    // It is the framed channel of a connection that is made as the plain one is.
    let signaling = plain.find("await peer.").expect("signaling");
    let framed = script("createDataChannel('main'");
    let framed = format!(
        "const peer = new RTCPeerConnection();\n{framed}{}",
        &plain[signaling..]
    );
    let scripts = [plain, script("room.sendBlob("), &framed, script("newKey()")];
    for (ours, theirs) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        // Has no name, as all that do not speak `oneport.v1`.
        let stranger = bare::join_with(theirs, &relay, "lobby", "chat")?;
        let mut pages = Vec::new();
        for script in scripts {
            let script = script.replace("http://127.0.0.1:3478/", relay.url());
            let html = format!(
                "<!doctype html><title>README</title><script>{NOTES}</script>\
                 <script type=\"module\">{script}</script>"
            );
            let stub = Stub::serve(&[("/", &html)])?;
            pages.push(ours.open(&stub.url("/"))?);
        }
        // The first three say so when they are there.
        let all = "received.filter((data) => data === 'hello').length === 3 || received";
        stranger.wait_for(all, SOON)?;
        // The last one only listens.
        stranger.eval(
            "(() => { window.knocking = setInterval(() => channel.send('knock'), 50); })()",
        )?;
        pages[3].wait_for("printed.length > 0 || thrown", SOON)?;
        stranger.eval("clearInterval(knocking)")?;
        stranger.eval("channel.send('words')")?;
        stranger.eval("channel.send(new Uint8Array([1, 2, 3]))")?;
        stranger.eval("channel.send('the end')")?;
        for page in &pages[..3] {
            let end = "printed.some((line) => line.includes('the end')) || [printed, thrown]";
            page.wait_for(end, SOON)?;
        }
        let unsealed = "printed.every((line) => line.endsWith('not_sealed')) || printed";
        assert_eq!(pages[3].eval(unsealed)?, true);
        for (page, script) in pages.iter().zip(scripts) {
            let faults = "[thrown, printed.filter((line) => /undefined|null/.test(line))]";
            assert_eq!(page.eval(faults)?, json!([[], []]), "{script}");
        }
    }
    Ok(())
}
