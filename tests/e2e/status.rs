//! The operator's page.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use oneport_link::{Kind, Write};
use oneport_tests::browser::{Page, Screen};
use oneport_tests::{Result, artifacts, http, native::NativeClient, relay, relay::Relay};
use serde_json::json;

use crate::stage::Stage;

/// The page asks once a second, and a relay needs some to come back.
const SOON: Duration = Duration::from_secs(20);

/// What was loaded from anywhere but the relay, and whether something sticks out.
const LAYOUT: &str = "(() => {
    const elsewhere = performance.getEntriesByType('resource')
        .map(({ name }) => name).filter((name) => !name.startsWith(location.origin));
    return [elsewhere, document.documentElement.scrollWidth <= innerWidth];
})()";

fn is_live(page: &Page) -> Result {
    page.wait_for("document.documentElement.dataset.state === 'live'", SOON)
}

/// No complaint of the browser, and nothing but what the relay's own death makes it say.
fn assert_quiet(page: &Page) {
    let console = page.console();
    let loud: Vec<_> = (console.iter())
        .filter(|line| !line.contains("ERR_CONNECTION") && !line.contains("ERR_EMPTY_RESPONSE"))
        .collect();
    assert!(loud.is_empty(), "{loud:?}");
}

/// Talks for a while, so that there is something to draw.
fn talk(clients: &mut [NativeClient], turns: usize) -> Result {
    for turn in 0..turns {
        if turn % 3 == 0 {
            let sent = clients[turn % 2].send(Kind::Text, b"How is the weather at sea?");
            assert_ne!(sent, Write::Refused);
        }
        for client in clients.iter_mut() {
            client.turn(Duration::from_millis(2))?;
        }
    }
    Ok(())
}

#[test]
fn the_operator_sees_how_the_relay_does() -> Result {
    let stage = Stage::set()?;
    let address = relay::free_address()?;
    let listen = address.to_string();
    let relay = Relay::start(&["--listen", &listen])?;
    let mut clients = (0..4)
        .map(|_| NativeClient::join(address, "harbour", "chat"))
        .collect::<Result<Vec<_>>>()?;
    let page = stage.chromium.blank()?;
    page.go_to(&format!("{}status", relay.url()))?;
    is_live(&page)?;

    // Somebody leaves, and the others talk.
    let gone = clients.pop().expect("four came");
    let location = gone.response.as_ref().and_then(|r| r.header("Location"));
    http::request(address, "DELETE", location.expect("a session"), &[], b"")?;
    let shown = "[...document.querySelectorAll('#charts figure')].map((figure) =>
        figure.querySelector('.now').textContent)";
    for _ in 0..60 {
        talk(&mut clients, 60)?;
        let figures = page.eval(shown)?;
        let is_drawn = figures[0] == "3"
            && figures[2]
                .as_str()
                .is_some_and(|text| text.ends_with("/s") && text != "0/s");
        if is_drawn {
            break;
        }
    }
    let figures = page.eval(shown)?;
    assert_eq!(figures[0], "3", "{figures}");
    for at in [1, 2, 3, 4] {
        let text = figures[at].as_str().unwrap_or_default();
        assert!(
            text != "0/s" && !text.contains('–'),
            "chart {at}: {figures}"
        );
    }
    let closes = page.eval("document.querySelector('#closes li').textContent")?;
    let closes = closes.as_str().unwrap_or_default();
    assert!(
        closes.contains("harbour") && closes.contains("left"),
        "{closes}"
    );
    let path = "document.querySelectorAll('#charts path')[2].getAttribute('d').length > 20";
    page.wait_for(path, SOON)?;

    for (width, height, dark) in [(1280, 900, false), (390, 844, true)] {
        page.emulate_screen(Screen {
            width,
            height,
            dark,
            ..Screen::default()
        })?;
        talk(&mut clients, 300)?;
        let picture = artifacts::path(&format!("status-{width}.png"))?;
        page.screenshot(&picture)?;
        let layout = page.eval(LAYOUT)?;
        assert_eq!(layout, json!([[], true]), "see {}", picture.display());
    }
    assert_quiet(&page);

    // It goes on with the next relay, and says so.
    drop(clients);
    relay.kill();
    page.wait_for("document.documentElement.dataset.state === 'lost'", SOON)?;
    let _relay = Relay::start(&["--listen", &listen])?;
    is_live(&page)?;
    let state = "document.getElementById('state').textContent.includes('restarted')";
    page.wait_for(state, SOON)?;
    assert_quiet(&page);
    page.close()
}

#[test]
fn elsewhere_it_asks_for_a_token() -> Result {
    let stage = Stage::set()?;
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("status.secret");
    fs::write(&path, "a secret for tests, of enough bytes to be one")?;
    let secret = path.to_string_lossy();
    // A proxy that is trusted is never local, so this is like a page behind one.
    let trusted = ["--trust-proxy", "127.0.0.1"];
    let options = ["--listen", "127.0.0.1:0", "--secret-file", &secret];
    let relay = Relay::start(&[&options[..], &trusted[..]].concat())?;
    let options = [
        "token",
        "--secret-file",
        &secret,
        "--room",
        "*",
        "--can",
        "admin",
    ];
    let minted = relay::run(&options)?;
    let token = String::from_utf8_lossy(&minted.stdout).trim().to_owned();

    let page = stage.chromium.blank()?;
    page.go_to(&format!("{}status", relay.url()))?;
    page.wait_for("!document.getElementById('token-form').hidden", SOON)?;
    let enter = |token: &str| {
        page.eval(&format!(
            "(document.getElementById('token').value = '{token}',
              document.getElementById('token-form').requestSubmit())"
        ))
    };
    enter("a.b.c")?;
    let why = "document.getElementById('token-why').textContent.includes('access token')";
    page.wait_for(why, SOON)?;
    page.screenshot(&artifacts::path("status-token.png")?)?;
    enter(&token)?;
    is_live(&page)?;
    // It stays for this tab.
    page.go_to(&format!("{}status", relay.url()))?;
    is_live(&page)?;
    page.close()
}
