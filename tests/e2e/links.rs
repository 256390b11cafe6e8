//! The links of a library page: its channels, how they end, and whose session they are.

use std::{
    thread,
    time::{Duration, Instant},
};

use oneport_tests::{
    Result,
    browser::{Browser, Page},
    relay::Relay,
    stub::Stub,
    udp_path::UdpPath,
};
use serde_json::json;

use crate::{
    member::{
        BACK_AGAIN, LIBRARY, blank, enter, enter_as, hears, no_faults, rises, say, sees, series,
    },
    stage::Stage,
    user::SOON,
};

/// Of a page that is closed: nobody waits for its link to be missed.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Longer than a page or the relay waits for a sign of life, and shorter than the grace time.
const SILENCE: Duration = Duration::from_secs(20);

/// What a page or the relay at least waits for a sign of life.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// A member whose link is along a path; signaling is not.
fn enter_along(browser: &Browser, relay: &Relay, name: &str) -> Result<Page> {
    let page = blank(browser)?;
    let port = relay.port();
    page.eval(&format!(
        "enter('http://127.0.0.1:{port}/', 'library', {{ options: {{ name: '{name}' }} }})"
    ))?;
    Ok(page)
}

/// Lossy messages have a channel of their own, in both directions.
#[test]
fn what_may_get_lost_holds_up_nothing() -> Result {
    let stage = Stage::set()?;
    for (sender, receiver) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let sender = enter(sender, &relay)?;
        let receiver = enter(receiver, &relay)?;
        sender.wait_for("traffic.lossy !== undefined || traffic", SOON)?;
        let few = "(async () => {
            const results = [];
            for (let number = 1; number <= 100; number += 1) {
                results.push(await room.send(`pointer ${number}`, { topic: 'pointer', class: 'lossy' }));
                await wait(2);
            }
            return [results.every(({ offset }) => offset === null), results.filter(({ dropped }) => dropped).length];
        })()";
        assert_eq!(sender.eval(few)?, json!([true, 0]));
        say(&sender, "the chat")?;
        hears(&receiver, "the chat")?;
        // On loopback next to all arrive; none of them on the main channel.
        receiver.wait_for(
            "texts().filter((text) => text.startsWith('pointer')).length >= 90 || messages.length",
            SOON,
        )?;
        let pointers = "(({ topic, text, offset }) => topic === 'pointer' && offset === null && /^pointer \\d+$/.test(text))";
        let rest = format!("messages.filter((m) => !{pointers}(m)).map(({{ text }}) => text)");
        assert_eq!(receiver.eval(&rest)?, json!(["the chat"]));
        assert_eq!(sender.eval("traffic.lossy.sent")?, 100);
        let received = receiver.eval("traffic.lossy.received")?;
        assert!(received.as_u64() >= Some(90), "{received}");

        // More than the link takes: it is dropped here, and said so, and the chat is not behind it.
        let flood = "(async () => {
            const noise = new Uint8Array(20_000);
            const since = performance.now();
            const lossy = Array.from({ length: 500 }, () => room.send(noise, { class: 'lossy' }));
            await room.send('in between');
            const ms = performance.now() - since;
            const results = await Promise.all(lossy);
            const code = await room.send(new Uint8Array(300_000), { class: 'lossy' }).catch(({ code }) => code);
            return [Math.round(ms), results.filter(({ dropped }) => dropped).length, code];
        })()";
        let outcome = sender.eval(flood)?;
        assert!(outcome[1].as_u64() > Some(300), "{outcome}");
        assert!(outcome[0].as_u64() < Some(2_000), "{outcome}");
        assert_eq!(outcome[2], "too_large");
        hears(&receiver, "in between")?;
        no_faults([&sender, &receiver])?;
        for page in [&sender, &receiver] {
            page.eval("relay.close()")?;
        }
    }
    Ok(())
}

/// A page that is closed is gone at once; one that closes its connection as well.
#[test]
fn a_page_that_goes_is_gone_at_once() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let watcher = enter(stage.chromium, &relay)?;
    for browser in stage.both() {
        for how in ["close", "page", "leave", "tab"] {
            let page = blank(browser)?;
            enter_as(&page, &relay, how, json!({}))?;
            let mut page = Some(page);
            match (how, &page) {
                ("close", Some(page)) => drop(page.eval("relay.close()")?),
                ("leave", Some(page)) => page.go_to("about:blank")?,
                ("page", Some(page)) => page.go_to(relay.url())?,
                _ => page.take().map_or(Ok(()), Page::close)?,
            }
            // Firefox does not always send anything more for a page that goes: then its link's end is seen.
            let may_be_mute = matches!(how, "leave" | "tab") && browser.name() == "firefox";
            let told = if may_be_mute {
                "(why === 'left' || what === 'away')"
            } else {
                "why === 'left'"
            };
            let gone = format!(
                "presence.some(([what, name, why]) => name === '{how}' && {told}) || presence"
            );
            watcher.wait_for(&gone, AT_ONCE)?;
            watcher.eval("presence.splice(0)")?;
        }
    }
    Ok(())
}

/// What the browser copies when a tab is duplicated does not have the session in it. And where two
/// pages do have the same, the later one has it, and the earlier one does not fight for it.
#[test]
fn two_tabs_do_not_share_a_session() -> Result {
    let stage = Stage::set()?;
    for (watcher, browser) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let watcher = enter(watcher, &relay)?;
        let stub = Stub::serve(&[("/", LIBRARY)])?;
        let pages = [browser.open(&stub.url("/"))?, browser.open(&stub.url("/"))?];
        let [first, copy] = &pages;
        let go_in = |name: &str| {
            format!(
                "enter('{}', 'library', {{ storage: true, options: {{ name: '{name}' }} }})",
                relay.url()
            )
        };
        let me = first.eval(&go_in("first"))?;
        let stored = first.eval("({ ...sessionStorage })")?;
        copy.eval(&format!(
            "(() => {{ Object.assign(sessionStorage, {stored}); }})()"
        ))?;
        let other = copy.eval(&go_in("copy"))?;
        assert_ne!(me, other, "in {}", browser.name());
        let in_order = match browser.name() {
            "chromium" => ["copy", "firefox", "first"],
            _ => ["chromium", "copy", "first"],
        };
        sees(&watcher, &in_order)?;
        for page in &pages {
            say(page, &format!("from {}", page.name()))?;
            hears(&watcher, &format!("from {}", page.name()))?;
            assert_eq!(
                page.eval("[states.at(-1), left.length]")?,
                json!(["connected", 0])
            );
        }

        // Now with the session in it, as a browser that restores its tabs may have it.
        first.go_to(&stub.url("/"))?;
        let stored = first.eval("({ ...sessionStorage })")?;
        copy.eval("relay.close()")?;
        copy.go_to(&stub.url("/"))?;
        copy.eval(&format!(
            "(() => {{ Object.assign(sessionStorage, {stored}); }})()"
        ))?;
        assert_eq!(first.eval(&go_in("first"))?, me);
        assert_eq!(copy.eval(&go_in("first"))?, me, "the session is taken over");
        first.wait_for("relay.state === 'refused' || states", SOON)?;
        assert_eq!(first.eval("relay.status.code")?, "replaced");
        say(copy, "taken over")?;
        hears(&watcher, "taken over")?;
        // Nobody was told of more than the reload, and nobody fights back.
        first.eval("dispatchEvent(new Event('online'))")?;
        let told = "presence.filter(([, name]) => name === 'first').map(([what]) => what)";
        assert_eq!(watcher.eval(told)?, json!(["joined", "away", "back"]));
        assert_eq!(
            copy.eval("[relay.state, resumed.length]")?,
            json!(["connected", 0])
        );
        assert_eq!(first.eval("relay.state")?, "refused");
        for page in [copy, &watcher] {
            page.eval("relay.close()")?;
        }
    }
    Ok(())
}

/// The session waits for the page that comes next, also after another one in between.
#[test]
fn a_page_that_comes_back_goes_on() -> Result {
    /// Now and then a browser shows the next page an older storage.
    const ROUNDS: usize = 10;
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let stub = Stub::serve(&[("/", LIBRARY)])?;
        let page = browser.open(&stub.url("/"))?;
        let go_in = format!("enter('{}', 'library', {{ storage: true }})", relay.url());
        let me = page.eval(&go_in)?;
        for round in 1..=ROUNDS {
            page.go_to("about:blank")?;
            page.go_to(&stub.url("/"))?;
            assert_eq!(page.eval(&go_in)?, me, "{round} in {}", browser.name());
        }
        // Who was about to leave and stayed does not leave the session to a copy of the tab.
        page.eval("dispatchEvent(new Event('beforeunload'))")?;
        assert_eq!(page.eval("sessionStorage.length")?, 1);
        page.wait_for("sessionStorage.length === 0 || { ...sessionStorage }", SOON)?;
        assert_eq!(page.eval("relay.state")?, "connected");
        page.eval("relay.close()")?;
    }
    Ok(())
}

/// The network swallows everything and says nothing, which no browser notices in time. Everybody talks
/// all the while.
#[test]
fn a_silent_network_loses_nothing_and_doubles_nothing() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--announce", UdpPath::ADDRESS])?;
    let path = UdpPath::to(relay.port())?;
    let speaker = enter_along(stage.chromium, &relay, "speaker")?;
    let untouched = path.flows();
    let pages = [
        enter_along(stage.chromium, &relay, "chromium")?,
        enter_along(stage.firefox, &relay, "firefox")?,
    ];
    let all = [&speaker, &pages[0], &pages[1]];
    for page in all {
        sees(page, &["chromium", "firefox", "speaker"])?;
    }
    for page in all {
        page.eval("(() => { window.talking = talk('word', 250, 100, { echo: true }); })()")?;
    }
    for page in &pages {
        hears(page, "word 5")?;
    }
    path.cut_but_for(untouched);
    let since = Instant::now();
    for page in &pages {
        page.wait_for("relay.state === 'away' || states", SILENCE)?;
    }
    // The rest of the silence: the first attempts to come back come to nothing.
    thread::sleep(SILENCE.saturating_sub(since.elapsed()));
    path.mend();
    for page in &pages {
        page.wait_for("resumed.length > 0 || states", BACK_AGAIN)?;
        let how = page.eval("resumed")?;
        assert_eq!(how, json!([{ "recovered": true }]), "at {}", page.name());
    }
    let said = series("word", 250);
    for page in all {
        assert_eq!(
            page.eval_within("talking.then((acks) => acks.length)", BACK_AGAIN)?,
            250
        );
        page.wait_for("messages.length >= 750 || messages.length", SOON)?;
        for name in ["speaker", "chromium", "firefox"] {
            let heard = format!(
                "messages.filter(({{ from }}) => from.name === '{name}').map(({{ text }}) => text)"
            );
            assert_eq!(
                page.eval(&heard)?,
                json!(said),
                "of {name} at {}",
                page.name()
            );
        }
        rises(page)?;
    }
    let gone = speaker.eval("presence.filter(([what]) => what === 'left')")?;
    assert_eq!(gone, json!([]));
    no_faults(all)
}

/// One message needs longer than a page or the relay waits for a sign of life, and is one for that long.
#[test]
fn a_slow_network_brings_a_large_message_once() -> Result {
    /// 120 kbit/s: the message below needs 17 s.
    const BYTES_PER_S: u32 = 15_000;
    const CHARS: usize = 250_000;
    const ARRIVES: Duration = Duration::from_secs(60);
    let stage = Stage::set()?;
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--announce", UdpPath::ADDRESS])?;
    let _path = UdpPath::slow_to(relay.port(), BYTES_PER_S)?;
    let speaker = enter_along(stage.chromium, &relay, "speaker")?;
    let pages = [
        enter_along(stage.chromium, &relay, "chromium")?,
        enter_along(stage.firefox, &relay, "firefox")?,
    ];
    for page in &pages {
        sees(page, &["chromium", "firefox", "speaker"])?;
    }
    speaker.eval(&format!("room.send('x'.repeat({CHARS})).then(() => 0)"))?;
    let since = Instant::now();
    for page in &pages {
        // The answers to both wait behind the message.
        page.eval("(() => { window.meanwhile = room.send('meanwhile'); dispatchEvent(new Event('online')); })()")?;
    }
    for page in &pages {
        let large = format!("texts().filter((text) => text.length === {CHARS}).length");
        page.wait_for(&format!("{large} > 0 || states"), ARRIVES)?;
        assert!(since.elapsed() > SILENCE_MAX, "{:?}", since.elapsed());
        page.eval_within("meanwhile.then(() => 0)", ARRIVES)?;
        assert_eq!(
            page.eval(&format!("[{large}, peers.length, states.at(-1)]"))?,
            json!([1, 1, "connected"]),
            "at {}",
            page.name()
        );
    }
    no_faults([&speaker, &pages[0], &pages[1]])
}
