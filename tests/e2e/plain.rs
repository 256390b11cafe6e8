//! A page without a library: one `createDataChannel('x')` and one POST.

use std::{io::Write, process::Stdio};

use oneport_tests::{
    Result,
    relay::{self, Relay},
};
use serde_json::{Value, json};

use crate::{
    bare,
    stage::Stage,
    user::{SOON, User},
};

/// Up to the largest that Chromium takes.
const SIZES: [usize; 5] = [1, 1200, 16 << 10, 64 << 10, 256 << 10];

#[test]
fn text_and_binary_of_every_size_pass_between_browsers() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let chromium = bare::join(stage.chromium, &relay, "plain")?;
    let firefox = bare::join(stage.firefox, &relay, "plain")?;

    for (seed, sender, receiver) in [(1, &chromium, &firefox), (2, &firefox, &chromium)] {
        let sent = sender.eval(&format!("sendSizes({}, {seed})", json!(SIZES)))?;
        let kinds_and_sizes = sent
            .as_array()
            .into_iter()
            .flatten()
            .map(|sent| json!([sent[0], sent[1]]));
        let expected = SIZES
            .iter()
            .flat_map(|size| [json!(["text", size]), json!(["binary", size])]);
        assert!(
            kinds_and_sizes.eq(expected),
            "the page sent something else: {sent}"
        );

        receiver.wait_for(&format!("received.length >= {}", 2 * SIZES.len()), SOON)?;
        let received = receiver.eval("digestReceived()")?;
        assert_eq!(
            received,
            sent,
            "from {} to {}",
            sender.name(),
            receiver.name()
        );
    }
    for page in [&chromium, &firefox] {
        assert_eq!(
            page.eval("received.length")?,
            Value::from(2 * SIZES.len()),
            "nothing comes back"
        );
    }
    Ok(())
}

/// A page of its own, and a script in a terminal, say what the chat page shows, and hear what it says.
#[test]
fn the_chat_page_talks_with_plain_pages_and_terminals() -> Result {
    const LINES: usize = 2_000;
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let user = User::enter(stage.chromium, &relay.room_url("mixed"))?;
    let plain = bare::join_with(stage.firefox, &relay, "mixed", "chat")?;
    user.sees_people(2)?;
    plain.eval("channel.send('from a plain page')")?;
    plain.eval("channel.send(new Uint8Array(7))")?;
    user.hears("(7 bytes that are not text)")?;
    let shown = user.messages()?;
    let shown: Vec<_> = shown
        .iter()
        .map(|m| (m.from.as_str(), m.text.as_str()))
        .collect();
    let expected = [
        ("someone", "from a plain page"),
        ("someone", "(7 bytes that are not text)"),
    ];
    assert_eq!(shown, expected);
    // The largest of a plain channel is too large as a frame, for a browser that takes 256 KiB.
    plain.eval("channel.send('x'.repeat(262_144))")?;
    user.say(&["hello".into()])?;
    user.sees_delivery("hello", "delivered")?;
    plain.eval("channel.send('after it')")?;
    user.hears("after it")?;
    user.is_told("A message is missing here: too large for this page.")?;
    plain.wait_for("received.includes('hello') || received", SOON)?;

    // As much at once as nobody reads: the newest of it stays, and the rest can be loaded.
    let url = relay.url().trim_end_matches('/').to_owned();
    let mut terminal = relay::command()?
        .args([
            "chat", &url, "--room", "mixed", "--name", "ci", "--topic", "chat", "--lines",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let lines: Vec<_> = (1..=LINES)
        .map(|number| format!("line {number}\n"))
        .collect();
    terminal
        .stdin
        .take()
        .expect("it is piped")
        .write_all(lines.concat().as_bytes())?;
    user.hears(&format!("line {LINES}"))?;
    assert!(terminal.wait()?.success());
    let texts = user.texts()?;
    let newest: Vec<_> = (1..=LINES).map(|number| format!("line {number}")).collect();
    assert!(
        texts.len() > 400 && newest.ends_with(&texts),
        "{} lines",
        texts.len()
    );
    user.page
        .eval("document.querySelector('#earlier').click()")?;
    user.waits_for(&format!("all('li[data-id]').length > {}", texts.len()))?;
    let texts = user.texts()?;
    assert!(newest.ends_with(&texts), "{} lines", texts.len());
    user.is_told("ci left")
}
