//! A relay that asks for access tokens, and pages that use the library.

use std::{fs, path::PathBuf, time::Duration};

use oneport_tests::{Result, browser::Network, relay, relay::Relay};
use serde_json::{Value, json};

use crate::{
    member::{blank, hears, say, series},
    stage::Stage,
    user::SOON,
};

/// An expired token is good for 5 s more, for clocks that differ.
const EXPIRED: Duration = Duration::from_secs(20);

/// A relay with a secret, and tokens of it.
struct Guarded {
    relay: Relay,
    secret: String,
}

impl Guarded {
    fn start(name: &str) -> Result<Self> {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.secret"));
        fs::write(&path, "a secret for tests, of enough bytes to be one")?;
        let secret = path.to_string_lossy().into_owned();
        let relay = Relay::start(&["--listen", "127.0.0.1:0", "--secret-file", &secret])?;
        Ok(Self { relay, secret })
    }

    fn token(&self, room: &str, lifetime: &str) -> Result<String> {
        let options = [
            "--secret-file",
            &self.secret,
            "--room",
            room,
            "--for",
            lifetime,
        ];
        let minted = relay::run(&[&["token"], &options[..]].concat())?;
        assert_eq!(minted.status.code(), Some(0), "{minted:?}");
        Ok(String::from_utf8_lossy(&minted.stdout).trim().to_owned())
    }

    /// The script that enters the room `library` with these options of the page's `enter`.
    fn enter(&self, options: &str) -> String {
        format!("enter('{}', 'library', {options})", self.relay.url())
    }
}

/// What comes of it if not the room: the code, and the relay's state with its own.
fn refusal(enter: &str) -> String {
    format!(
        "{enter}.then(() => 'in', ({{ code }}) => [code, relay.status.state, relay.status.code])"
    )
}

#[test]
fn a_page_is_refused_with_a_code_and_gets_in_with_a_token() -> Result {
    let stage = Stage::set()?;
    let guarded = Guarded::start("codes")?;
    let good = json!(guarded.token("library", "1h")?);
    let other = json!(guarded.token("attic", "1h")?);
    let expired = json!(guarded.token("library", "1s")?);
    let url = guarded.relay.url();
    let pages = [blank(stage.chromium)?, blank(stage.firefox)?];
    let is_expired = format!(
        "fetch('{url}r/library', {{ method: 'POST', body: 'x',
            headers: {{ 'Content-Type': 'application/sdp', Authorization: 'Bearer ' + {expired} }} }})
            .then((response) => response.json()).then(({{ code }}) => code === 'token_expired' || code)"
    );
    pages[0].wait_for(&is_expired, EXPIRED)?;
    for page in &pages {
        let codes = [
            ("{}".into(), "token_missing"),
            ("{ token: 'a.b.c' }".into(), "token_bad"),
            ("{ token: 'not\\na token' }".into(), "token_bad"),
            (format!("{{ token: {other} }}"), "forbidden"),
            (format!("{{ token: {expired} }}"), "token_expired"),
            // One that has no newer one is asked once more, and no more.
            (
                format!(
                    "{{ token: () => {{ window.asked = (window.asked ?? 0) + 1; return {expired}; }} }}"
                ),
                "token_expired",
            ),
        ];
        for (options, code) in codes {
            let outcome = page.eval(&refusal(&guarded.enter(&options)))?;
            let wanted = json!([code, "refused", code]);
            assert_eq!(outcome, wanted, "{options} at {}", page.name());
        }
        assert_eq!(page.eval("asked")?, 2);

        // The same room, once the page has a token; and a further room, with one of its own.
        let waits = "(() => { window.token = null; })()";
        page.eval(waits)?;
        page.eval(&refusal(&guarded.enter("{ token: async () => token }")))?;
        let retried = format!(
            "(async () => {{
                token = {good};
                const joined = new Promise((resolve) => room.on('state', resolve));
                relay.retry();
                const outcome = [await joined];
                outcome.push(await relay.join('attic', {{ token: () => {other} }}).joined.then(({{ state }}) => state));
                outcome.push(await relay.join('cellar').joined.catch(({{ code }}) => code));
                return outcome;
            }})()"
        );
        let outcome = json!(["joined", "joined", "forbidden"]);
        assert_eq!(page.eval(&retried)?, outcome, "at {}", page.name());
        page.eval("relay.close()")?;
        let expired_first = format!("{{ token: () => window.asked++ > 2 ? {good} : {expired} }}");
        let me = page.eval(&guarded.enter(&expired_first))?;
        assert!(me.is_u64(), "{me} at {}", page.name());
        // A session comes back over another link, with another token.
        page.eval("cut()")?;
        page.eval("mend()")?;
        page.wait_for("resumed.length > 0 || states", SOON)?;
        assert_eq!(page.eval("resumed[0].recovered")?, true);
        page.eval("relay.close()")?;
    }
    Ok(())
}

#[test]
fn a_token_that_expires_while_its_bearer_is_in() -> Result {
    let stage = Stage::set()?;
    let guarded = Guarded::start("expiry")?;
    let long = json!(guarded.token("library", "1h")?);
    let watcher = blank(stage.chromium)?;
    let named =
        |name: &str, token: &str| format!("{{ options: {{ name: '{name}' }}, token: {token} }}");
    watcher.eval(&guarded.enter(&named("watcher", &long.to_string())))?;
    for browser in stage.both() {
        let short = json!(guarded.token("library", "3s")?);
        let pages = [blank(browser)?, blank(browser)?];
        let [mortal, renewed] = &pages;
        mortal.eval(&guarded.enter(&named("mortal", &short.to_string())))?;
        let short = json!(guarded.token("library", "5s")?);
        let function = format!(
            "(() => {{ window.asked = (window.asked ?? 0) + 1; return asked > 1 ? {long} : {short}; }})"
        );
        // Far away: it hears late that its time is over.
        if browser.name() == "chromium" {
            let far = Network {
                latency_ms: 100,
                ..Network::default()
            };
            renewed.emulate_network(far)?;
        }
        let first = renewed.eval(&guarded.enter(&named("renewed", &function)))?;
        // It talks on all the while, also when the relay has let it go and it has not heard so.
        renewed.eval("(() => { window.talking = talk('word', 150, 40); })()")?;

        mortal.wait_for("left.length === 1 || states", SOON)?;
        assert_eq!(
            mortal.eval("[left[0].reason, room.state]")?,
            json!(["expired", "left"])
        );
        assert_eq!(
            mortal.eval("room.send('x').catch(({ code }) => code)")?,
            "left"
        );

        renewed.wait_for("resumed.length === 1 || states", SOON)?;
        let how = renewed.eval("[resumed[0], room.state, asked, left.length]")?;
        let wanted = json!([{ "recovered": false, "reason": "expired" }, "joined", 2, 0]);
        assert_eq!(how, wanted, "in {}", browser.name());
        assert_ne!(renewed.eval("room.me")?, first, "another member");
        say(renewed, &format!("still in {}", browser.name()))?;
        hears(&watcher, &format!("still in {}", browser.name()))?;
        let expired = watcher.eval(
            "presence.filter(([what,, reason]) => what === 'left' && reason === 'expired').map(([, name]) => name).sort()",
        )?;
        assert_eq!(expired, json!(["mortal", "renewed"]));
        assert_eq!(renewed.eval("talking.then((acks) => acks.length)")?, 150);
        hears(&watcher, "word 150")?;
        let said = "texts().filter((text) => text.startsWith('word'))";
        assert_eq!(
            watcher.eval(said)?,
            json!(series("word", 150)),
            "none lost, none twice"
        );
        watcher.eval("(presence.splice(0), messages.splice(0))")?;
        for page in &pages {
            assert_eq!(page.eval("faults")?, Value::Array(vec![]));
            page.eval("relay.close()")?;
        }
    }
    Ok(())
}
