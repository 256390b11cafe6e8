//! The browser library, on a page of another origin: what it promises, in both browsers.

use std::{thread, time::Duration};

use oneport_tests::{Result, relay::Relay, stub::Stub};
use serde_json::{Value, json};

use crate::{
    bare,
    member::{
        BACK_AGAIN, LIBRARY, blank, enter, enter_as, hears, no_faults, rises, say, sees, series,
    },
    stage::Stage,
    user::SOON,
};

const VECTORS: &str = include_str!("../../crates/oneport-wire/vectors.json");

/// The relay's default.
const GRACE: Duration = Duration::from_secs(30);

#[test]
fn the_vectors_hold() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    for browser in stage.both() {
        let page = blank(browser)?;
        let outcome = page.eval(&format!("runVectors('{}', {VECTORS})", relay.url()))?;
        assert_eq!(outcome[1], json!([]), "in {}", browser.name());
        assert!(
            outcome[0].as_u64() > Some(100),
            "all have run: {}",
            outcome[0]
        );
    }
    Ok(())
}

#[test]
fn members_talk_and_whisper() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let pages = [
        blank(stage.chromium)?,
        blank(stage.firefox)?,
        blank(stage.chromium)?,
    ];
    let [ada, bob, eve] = &pages;
    for (page, name) in [(ada, "ada"), (bob, "bob"), (eve, "eve")] {
        enter_as(page, &relay, name, json!({ "meta": { "is": name } }))?;
    }
    for page in &pages {
        sees(page, &["ada", "bob", "eve"])?;
    }

    let first = say(ada, "hello \u{1f600}")?;
    assert_eq!(first["duplicate"], false, "{first}");
    hears(bob, "hello \u{1f600}")?;
    ada.eval("room.send('psst', { to: [idOf('bob')], topic: 'secret' })")?;
    bob.eval("room.send(new Uint8Array([0, 255, 7]), { echo: true })")?;
    say(bob, "and that was it")?;
    for page in [ada, eve] {
        hears(page, "and that was it")?;
    }
    hears(bob, "psst")?;
    let heard = "messages.map((m) => [m.from.name, m.from.meta.is, m.topic, m.text ?? [...m.bytes], m.isOwn])";
    let bytes = |is_own: bool| json!(["bob", "bob", "", [0, 255, 7], is_own]);
    let hello = json!(["ada", "ada", "", "hello \u{1f600}", false]);
    let last = json!(["bob", "bob", "", "and that was it", false]);
    let secret = json!(["ada", "ada", "secret", "psst", false]);
    assert_eq!(ada.eval(heard)?, json!([bytes(false), last]));
    assert_eq!(bob.eval(heard)?, json!([hello, secret, bytes(true)]));
    assert_eq!(eve.eval(heard)?, json!([hello, bytes(false), last]));

    let refusals = "(async () => {
        const codes = [];
        const requests = [
            () => room.send('to nobody', { to: [4_000_000_000] }),
            () => room.send('x'.repeat(300_000)),
            () => room.send('x', { topic: 'x'.repeat(129) }),
            () => room.kick(idOf('bob')),
        ];
        for (const request of requests) codes.push(await request().then(() => 'done', ({ code }) => code));
        return codes;
    })()";
    ada.eval("room.send('has everybody got it?', { receipt: true })")?;
    ada.wait_for("JSON.stringify(receipts) === '[[2,2]]' || receipts", SOON)?;
    let codes = json!(["no_such_member", "too_large", "topic_too_long", "forbidden"]);
    assert_eq!(eve.eval(refusals)?, codes);
    no_faults(&pages)
}

/// No promise stays open, and none is for nothing.
#[test]
fn every_request_is_answered() -> Result {
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let page = enter(browser, &relay)?;
        let twice = "Promise.all([1, 2].map(() => room.send('once', { id: 'mine', echo: true })))
            .then((acks) => acks.map(({ duplicate }) => duplicate))";
        assert_eq!(page.eval(twice)?, json!([false, true]));
        let ids = "Promise.all(['', 'x'.repeat(65), 'a\\n'].map((id) =>
            room.send('x', { id }).catch(({ code }) => code)))";
        assert_eq!(
            page.eval(ids)?,
            json!(["bad_frame", "bad_frame", "bad_frame"])
        );

        // The link is lost before the relay can say that the room was left.
        let again = "(async () => {
            window.before = room;
            room.leave();
            cut();
            window.room = relay.join('library', { name: 'again' });
            mend();
            await room.joined;
            return room.send('again').then(() => 'sent', ({ code }) => code);
        })()";
        assert_eq!(page.eval_within(again, BACK_AGAIN)?, "sent");
        let too_late = "(async () => {
            const codes = [];
            for (const ask of ['send', 'history', 'kick', 'update']) {
                codes.push(await before[ask]({}).then(() => 'done', ({ code }) => code));
            }
            return codes;
        })()";
        assert_eq!(
            page.eval(too_late)?,
            json!(["left", "left", "left", "left"])
        );
        assert_eq!(page.eval("texts()")?, json!(["once"]));
        page.eval("relay.close()")?;
    }
    Ok(())
}

/// Somebody talks all the time while others come: their history ends where their live messages begin.
#[test]
fn a_late_joiner_gets_history_and_the_rest_without_a_seam() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let speaker = enter(stage.chromium, &relay)?;
    speaker.eval("talk('word', 60, 0)")?;
    speaker.eval("(() => { talk('live', 10_000, 10).catch(() => {}); })()")?;
    for round in 0..3 {
        for browser in stage.both() {
            let page = blank(browser)?;
            enter_as(&page, &relay, "late", json!({ "history": 50 }))?;
            let live = "messages.filter((m) => !m.isHistory).length >= 20 || messages.length";
            page.wait_for(live, SOON)?;
            let heard = page.eval("[messages.filter((m) => m.isHistory).length, ...texts()]")?;
            assert_eq!(heard[0], 50, "{heard}");
            let heard = heard.as_array().map_or(&[][..], |heard| &heard[1..]);
            let last = heard.last().and_then(Value::as_str).unwrap_or_default();
            let count = last.strip_prefix("live ").and_then(|n| n.parse().ok());
            let said = [series("word", 60), series("live", count.unwrap_or(0))].concat();
            let expected = &said[said.len() - heard.len()..];
            assert_eq!(heard, expected, "round {round} in {}", browser.name());
            rises(&page)?;
            let asked = "room.history({ before: messages[0].offset, count: 10 })
                .then(({ messages, more }) => [messages.map((m) => m.text), more])";
            let first = said.len() - heard.len();
            let earlier = json!([&said[first - 10..first], true]);
            assert_eq!(page.eval(asked)?, earlier);
            no_faults([&page])?;
            page.close()?;
        }
    }
    Ok(())
}

#[test]
fn presence_is_told() -> Result {
    let stage = Stage::set()?;
    for (watcher, other) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let watcher = enter(watcher, &relay)?;
        let page = blank(other)?;
        enter_as(&page, &relay, "guest", json!({}))?;
        page.eval("room.update({ name: 'ghost', meta: { mood: 'pale' } })")?;
        page.eval("cut()")?;
        let away = "[...room.members.values()].some(({ name, away }) => name === 'ghost' && away) || presence";
        watcher.wait_for(away, SOON)?;
        page.eval("mend()")?;
        watcher.wait_for(
            "presence.some(([what]) => what === 'back') || presence",
            BACK_AGAIN,
        )?;
        page.eval("room.leave()")?;
        watcher.wait_for("presence.length >= 5 || presence", SOON)?;
        let told = json!([
            ["joined", "guest"],
            ["updated", "ghost"],
            ["away", "ghost"],
            ["back", "ghost"],
            ["left", "ghost", "left"],
        ]);
        assert_eq!(watcher.eval("presence")?, told);
        assert_eq!(
            page.eval("left.map(({ reason }) => reason)")?,
            json!(["left"])
        );
        no_faults([&watcher])?;

        // A page that is closed says so; if its browser is quicker, the end of its link does.
        let page = blank(other)?;
        enter_as(&page, &relay, "short", json!({}))?;
        page.close()?;
        let gone = "presence.some(([what, name]) => name === 'short' && (what === 'left' || what === 'away')) || presence";
        watcher.wait_for(gone, SOON)?;
        watcher.eval("relay.close()")?;
    }
    Ok(())
}

/// Both talk all the time, the one that is cut off as well.
#[test]
fn a_cut_loses_nothing_and_doubles_nothing() -> Result {
    let stage = Stage::set()?;
    for (speaker, other) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let speaker = enter(speaker, &relay)?;
        let page = enter(other, &relay)?;
        let me = page.eval("room.me")?;
        for talker in [&speaker, &page] {
            talker.eval("(() => { window.talking = talk('word', 200, 40, { echo: true }); })()")?;
        }
        thread::sleep(Duration::from_secs(1));
        page.eval("cut()")?;
        thread::sleep(Duration::from_secs(5));
        page.eval("mend()")?;
        page.wait_for("resumed.length > 0 || states", BACK_AGAIN)?;
        assert_eq!(
            page.eval("[resumed, room.me]")?,
            json!([[{ "recovered": true }], me])
        );
        let said = series("word", 200);
        for (page, what) in [
            (&speaker, "the one that stayed"),
            (&page, "the one that was cut off"),
        ] {
            page.wait_for("messages.length >= 400 || messages.length", SOON)?;
            let acks = page.eval("talking.then((acks) => acks.length)")?;
            assert_eq!(acks, 200, "{what}");
            for is_own in [false, true] {
                let heard = page.eval(&format!(
                    "messages.filter((m) => m.isOwn === {is_own}).map((m) => m.text)"
                ))?;
                assert_eq!(heard, json!(said), "{what}, its own: {is_own}");
            }
            rises(page)?;
            page.eval("relay.close()")?;
        }
        no_faults([&speaker, &page])?;
    }
    Ok(())
}

/// A page that does not wait: more than the relay's rate and more than the browser should hold, and
/// then more than may wait at all.
#[test]
fn a_flood_waits_in_the_page() -> Result {
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let page = enter(browser, &relay)?;
        let flood = "(async () => {
            const rounds = [];
            for (let round = 0; round < 3; round += 1) {
                const sent = Array.from({ length: 900 }, () => room.send('x'.repeat(10_000)));
                const chat = await Promise.all(sent);
                rounds.push(...chat.map(({ offset }) => offset));
            }
            return [rounds.every((offset, i) => i === 0 || offset > rounds[i - 1]), rounds.length];
        })()";
        let outcome = page.eval_within(flood, Duration::from_secs(60))?;
        assert_eq!(outcome, json!([true, 2700]), "in {}", browser.name());
        let most = page.eval("bufferedMost")?.as_u64().unwrap_or(u64::MAX);
        assert!(most < 1 << 20, "{most} bytes at once in {}", browser.name());

        let too_many = "Promise.all(Array.from({ length: 1_100 }, () =>
                room.send('y').then(() => 'sent', ({ code }) => code)))
            .then((codes) => ['sent', 'queue_full'].map((code) => codes.filter((c) => c === code).length))";
        let counts = page.eval_within(too_many, Duration::from_secs(60))?;
        assert_eq!(counts, json!([1_000, 100]), "in {}", browser.name());
        no_faults([&page])?;
    }
    Ok(())
}

/// After the grace time the session is gone: the page hears so, gets what it missed from the history,
/// and works on.
#[test]
fn a_cut_longer_than_the_grace_is_told() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let speaker = enter(stage.chromium, &relay)?;
    let pages = [blank(stage.chromium)?, blank(stage.firefox)?];
    for page in &pages {
        enter_as(page, &relay, "guest", json!({ "history": 50 }))?;
    }
    speaker.eval("talk('before', 10, 0)")?;
    for page in &pages {
        hears(page, "before 10")?;
        page.eval("room.send('mine')")?;
        page.eval("cut()")?;
    }
    speaker.eval("talk('meanwhile', 10, 0)")?;
    let lost = "presence.filter(([what,, reason]) => what === 'left' && reason === 'lost').length === 2 || presence";
    speaker.wait_for(lost, GRACE + SOON)?;
    for page in &pages {
        page.eval("mend()")?;
        page.wait_for("resumed.length > 0 || states", BACK_AGAIN)?;
        let how = json!([{ "recovered": false, "reason": "no_such_session" }]);
        assert_eq!(page.eval("resumed")?, how);
    }
    speaker.eval("talk('after', 5, 0)")?;
    let expected = [
        series("before", 10),
        series("meanwhile", 10),
        series("after", 5),
    ]
    .concat();
    for page in &pages {
        hears(page, "after 5")?;
        let heard = page.eval("messages.filter((m) => m.text !== 'mine').map((m) => m.text)")?;
        assert_eq!(heard, json!(expected), "at {}", page.name());
        // It was another member who said this, and the same page.
        let own = "room.history({ count: 50 }).then(({ messages }) =>
            messages.filter(({ isOwn }) => isOwn).map(({ text }) => text))";
        assert_eq!(page.eval(own)?, json!(["mine"]), "at {}", page.name());
    }
    for page in &pages {
        say(page, "here again")?;
    }
    no_faults([&speaker])
}

#[test]
fn a_reload_resumes() -> Result {
    let stage = Stage::set()?;
    for (watcher, other) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let watcher = enter(watcher, &relay)?;
        let stub = Stub::serve(&[("/", LIBRARY)])?;
        let page = other.open(&stub.url("/"))?;
        let go_in = format!(
            "enter('{}', 'library', {{ storage: true, options: {{ name: 'guest', history: 50 }} }})",
            relay.url()
        );
        let me = page.eval(&go_in)?;
        watcher.eval("talk('first', 3, 0)")?;
        hears(&page, "first 3")?;
        page.eval("room.send('mine')")?;
        page.go_to(&stub.url("/"))?;
        watcher.eval("talk('second', 3, 0)")?;
        assert_eq!(
            page.eval(&go_in)?,
            me,
            "the same member in {}",
            other.name()
        );
        watcher.eval("talk('third', 3, 0)")?;
        hears(&page, "third 3")?;
        let expected = [
            series("first", 3),
            vec!["mine".into()],
            series("second", 3),
            series("third", 3),
        ]
        .concat();
        assert_eq!(
            page.eval("texts()")?,
            json!(expected),
            "in {}",
            other.name()
        );
        let told = json!([["joined", "guest"], ["away", "guest"], ["back", "guest"]]);
        assert_eq!(watcher.eval("presence")?, told);
        // Nothing of the session's earlier page answers for it.
        let ack = say(&page, "from the new page")?;
        assert_eq!(ack["duplicate"], false, "{ack}");
        hears(&watcher, "from the new page")?;
        no_faults([&watcher, &page])?;
        for page in [&page, &watcher] {
            page.eval("relay.close()")?;
        }
    }
    Ok(())
}

#[test]
fn a_restarted_relay_is_told_and_goes_on() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let pages = [
        enter(stage.chromium, &relay)?,
        enter(stage.firefox, &relay)?,
    ];
    say(&pages[0], "before")?;
    hears(&pages[1], "before")?;

    let address = relay.address().to_string();
    relay.kill();
    let relay = Relay::start(&["--listen", &address])?;
    for page in &pages {
        page.wait_for("resumed.length > 0 || states", BACK_AGAIN + SOON)?;
        assert_eq!(page.eval("resumed[0].recovered")?, false);
        let reason = page.eval("resumed[0].reason")?;
        let is_said = reason == "no_such_session" || reason == "epoch_changed";
        assert!(is_said, "at {}: {reason}", page.name());
    }
    for page in &pages {
        sees(page, &["chromium", "firefox"])?;
        say(page, &format!("{} is back", page.name()))?;
    }
    for page in &pages {
        let other = pages.iter().find(|other| other.name() != page.name());
        hears(
            page,
            &format!("{} is back", other.expect("there are two").name()),
        )?;
    }
    drop(relay);
    Ok(())
}

/// A label is a topic: a page without the library takes part.
#[test]
fn plain_pages_and_library_pages_talk() -> Result {
    let stage = Stage::set()?;
    for (plain, library) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let library = enter(library, &relay)?;
        let plain = bare::join(plain, &relay, "library")?;
        plain.eval("channel.send('from plain')")?;
        hears(&library, "from plain")?;
        plain.eval("channel.send(new Uint8Array([1, 2, 3]))")?;
        library.eval("room.send('not for this label')")?;
        library.eval("room.send('from the library', { topic: 'x' })")?;
        library.eval("room.send(new Uint8Array([4, 5]), { topic: 'x' })")?;
        plain.wait_for("received.length >= 2 || received", SOON)?;
        let heard = plain.eval(
            "received.map((data) => typeof data === 'string' ? data : [...new Uint8Array(data)])",
        )?;
        assert_eq!(heard, json!(["from the library", [4, 5]]));
        let heard = library.eval("messages.map((m) => [m.topic, m.text ?? [...m.bytes]])")?;
        assert_eq!(heard, json!([["x", "from plain"], ["x", [1, 2, 3]]]));
        library.eval("relay.close()")?;
        plain.close()?;
    }
    Ok(())
}
