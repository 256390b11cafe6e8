//! What the library does with arguments that it cannot use: every call fails at once, with a code.

use std::time::Duration;

use oneport_tests::{Result, relay::Relay};
use serde_json::{Value, json};

use crate::{
    member::{blank, watch_errors},
    stage::Stage,
};

const CASES: &str = include_str!("arguments.js");

/// A few hundred calls, some with an answer of the relay, and one lost link.
const ALL: Duration = Duration::from_secs(60);

#[test]
fn every_argument_is_checked() -> Result {
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let page = blank(browser)?;
        watch_errors(&page)?;
        let outcome = page.eval_within(&format!("({CASES})('{}')", relay.url()), ALL)?;
        assert_eq!(outcome[1], json!([]), "in {}", browser.name());
        assert_eq!(outcome[2], json!([]), "errors in {}", browser.name());
        assert!(
            outcome[0].as_u64() > Some(500),
            "all have run: {}",
            outcome[0]
        );
    }
    Ok(())
}

/// Names come as they are, unless they are a path, or nothing that can be seen.
#[test]
fn names_of_files() -> Result {
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let page = blank(browser)?;
        let names = "(async (url) => {
            const { connect } = await import(`${url}oneport.js`);
            const relays = [connect({ url }), connect({ url })];
            const [from, to] = relays.map((relay) => relay.join('library'));
            await from.joined;
            await to.joined;
            const names = [];
            to.on('file', ({ name }) => names.push(name));
            const frame = document.createElement('iframe');
            document.body.append(frame);
            const file = new frame.contentWindow.File(['x'], 'of another realm.txt');
            await from.sendBlob(file);
            await from.sendBlob(new File(['x'], 'its own.txt'), null);
            await from.sendBlob(file, { name: 'another.txt', to: [to.me] });
            for (const name of NAMES) await from.sendBlob(new Blob(['x']), { name });
            relays.forEach((relay) => relay.close());
            return names;
        })";
        // What is sent, and what comes of it.
        let cases = [
            (".", ""),
            ("..", ""),
            (" .. ", ""),
            ("a/..", ""),
            ("a\\.", ""),
            ("...", "..."),
            (".profile", ".profile"),
            ("\u{202e}gpj.exe", "gpj.exe"),
            ("\u{200b}..", ""),
            ("\u{200d}\u{200c}", ""),
            ("\u{3164}", ""),
            ("a\u{2028}b\u{0}c", "abc"),
            (
                "\u{1f469}\u{200d}\u{1f467}.png",
                "\u{1f469}\u{200d}\u{1f467}.png",
            ),
            (
                "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}.txt",
                "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}.txt",
            ),
            (
                "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}",
                "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}",
            ),
            ("a\u{e0067}b", "ab"),
        ];
        let long = "\u{1f600}".repeat(300);
        let mut sent: Vec<_> = cases.iter().map(|(name, _)| *name).collect();
        sent.push(&long);
        let mut wanted = vec!["of another realm.txt", "its own.txt", "another.txt"];
        wanted.extend(cases.iter().map(|(_, name)| *name));
        let cut = "\u{1f600}".repeat(200);
        wanted.push(&cut);
        let script = names.replace("NAMES", &json!(sent).to_string());
        let got: Value = page.eval_within(&format!("{script}('{}')", relay.url()), ALL)?;
        assert_eq!(got, json!(wanted), "in {}", browser.name());
    }
    Ok(())
}
