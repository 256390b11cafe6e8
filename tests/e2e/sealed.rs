//! Rooms with end-to-end encryption, on pages that use the library.

use std::{io::Write, process::Stdio};

use oneport_tests::{
    Result,
    lines::Lines,
    relay::{self, Relay},
};
use serde_json::{Value, json};

use crate::{
    bare,
    member::{BACK_AGAIN, blank, enter_as, hears, no_faults, rises, say, sees},
    stage::Stage,
    user::SOON,
};

#[test]
fn those_with_the_key_read_and_the_others_are_told() -> Result {
    let stage = Stage::set()?;
    for (ours, theirs) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let pages = [blank(ours)?, blank(theirs)?, blank(theirs)?, blank(theirs)?];
        let [ada, bob, stranger, none] = &pages;
        let url = relay.url();
        let new_key = format!("import('{url}oneport.js').then(({{ newKey }}) => newKey())");
        let [key, other] = [ada.eval(&new_key)?, ada.eval(&new_key)?];
        assert_ne!(key, other);
        for (page, name, key) in [
            (ada, "ada", json!({ "key": key })),
            (bob, "bob", json!({ "key": key, "history": 50 })),
            (stranger, "stranger", json!({ "key": other, "history": 50 })),
            (none, "none", json!({ "history": 50 })),
        ] {
            enter_as(page, &relay, name, key)?;
            say(page, &format!("{name} is here"))?;
        }
        for page in &pages {
            sees(page, &["ada", "bob", "none", "stranger"])?;
        }
        let plain = bare::join(theirs, &relay, "library")?;
        let noise = "crypto.getRandomValues(new Uint8Array(60_000))";
        let sent = format!(
            "(async () => {{
                window.noise = {noise};
                await room.send('psst \\u{{1f600}}', {{ topic: 'x', to: [idOf('bob'), idOf('none')] }});
                await room.send(noise, {{ topic: 'x', echo: true }});
                await room.send('', {{ topic: 'x' }});
                await room.sendBlob(new Blob(['a secret file']), {{ name: 'a.txt' }});
                await room.send('the end', {{ topic: 'x' }});
                return hash(noise);
            }})()"
        );
        let hash = ada.eval(&sent)?;
        hears(bob, "the end")?;
        let heard = "Promise.all(messages.filter(({ topic }) => topic === 'x')
            .map(async ({ from, text, bytes }) => [from.name, text ?? await hash(bytes)]))";
        let wanted = json!([
            ["ada", "psst \u{1f600}"],
            ["ada", hash],
            ["ada", ""],
            ["ada", "the end"]
        ]);
        assert_eq!(bob.eval(heard)?, wanted);
        assert_eq!(ada.eval(heard)?, json!([["ada", hash]]));
        bob.wait_for("files.length === 1 && files[0].isOver", SOON)?;
        let file = bob.eval("files[0].blob.then((blob) => blob.text())")?;
        assert_eq!(file, "a secret file");
        // In its history, and live.
        let told = "unreadable.map(({ from, reason }) => [from.name, reason])";
        let told_to_bob = json!([["stranger", "wrong_key"], ["none", "not_sealed"]]);
        assert_eq!(bob.eval(told)?, told_to_bob);

        for (page, reason) in [(stranger, "wrong_key"), (none, "no_key")] {
            page.wait_for(
                "unreadable.some(({ topic }) => topic === 'x') || unreadable",
                SOON,
            )?;
            let reasons = "[...new Set(unreadable.filter(({ from }) => from.name === 'ada').map(({ reason }) => reason))]";
            assert_eq!(page.eval(reasons)?, json!([reason]));
            let offsets = "unreadable.every(({ offset }) => Number.isInteger(offset))";
            assert_eq!(page.eval(offsets)?, true);
            assert_eq!(
                page.eval("[files.length, messages.filter(({ topic }) => topic === 'x').length]")?,
                json!([0, 0])
            );
        }
        // What passes the relay has nothing of it.
        plain.wait_for("received.length >= 3 || received.length", SOON)?;
        let seen = "received.map((data) => typeof data === 'string' ? data : new TextDecoder('latin1').decode(data))";
        let seen = plain.eval(seen)?;
        let is_sealed = |data: &Value| {
            let data = data.as_str().unwrap_or_default();
            data.starts_with("\u{f0}\u{178}\u{201d}\u{2019}") && !data.contains("the end")
        };
        assert!(
            seen.as_array()
                .is_some_and(|seen| seen.iter().all(is_sealed)),
            "{seen}"
        );
        no_faults([ada, bob])?;
        ada.eval("relay.close()")?;
    }
    Ok(())
}

/// A terminal with the address of a private room talks with pages in it: both ways, and what a page says
/// in its own format is what the terminal reads.
#[test]
fn a_terminal_with_the_key() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let pages = [blank(stage.chromium)?, blank(stage.firefox)?];
    let new_key = format!(
        "import('{}oneport.js').then(({{ newKey }}) => newKey())",
        relay.url()
    );
    let key = pages[0].eval(&new_key)?;
    for page in &pages {
        enter_as(page, &relay, page.name(), json!({ "key": key }))?;
    }
    let key = key.as_str().unwrap_or_default();
    let url = format!("{}#library?key={key}", relay.url());
    let mut command = relay::command()?;
    command
        .args(["chat", &url, "--name", "terminal", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut terminal = command.spawn()?;
    let heard = Lines::of(terminal.stdout.take().expect("it is piped"));
    heard.wait_for("the room", SOON, |line| line.contains(r#""t":"joined""#))?;
    let mut stdin = terminal.stdin.take().expect("it is piped");
    stdin.write_all(
        b"{\"t\":\"pub\",\"text\":\"typed \\ud83d\\ude00\"}\n{\"t\":\"pub\",\"topic\":\"x\",\"binary\":\"00ff07\"}\n{\"t\":\"pub\",\"text\":\"\"}\n",
    )?;
    for page in &pages {
        page.wait_for("messages.filter((m) => m.from.name === 'terminal').length === 3 || [messages, unreadable]", SOON)?;
        let said = "messages.filter((m) => m.from.name === 'terminal').map((m) => [m.topic, m.text ?? [...m.bytes]])";
        let wanted = json!([
            ["chat", "typed \u{1f600}"],
            ["x", [0, 255, 7]],
            ["chat", ""]
        ]);
        assert_eq!(page.eval(said)?, wanted);
        let name = page.name();
        let say = [
            format!("room.send('from {name} \\u{{1f600}}', {{ topic: 'chat' }})"),
            format!("room.send(new Uint8Array([0, 255, 7]), {{ topic: '{name}-1' }})"),
            format!("room.send('', {{ topic: '{name}-2' }})"),
        ];
        let parts = [
            format!("\"text\":\"from {name} \u{1f600}\""),
            format!("\"topic\":\"{name}-1\",\"binary\":\"00ff07\""),
            format!("\"topic\":\"{name}-2\",\"text\":\"\""),
        ];
        for (say, part) in say.iter().zip(&parts) {
            page.eval(say)?;
            heard.wait_for(part, SOON, |line| line.contains(part.as_str()))?;
        }
        assert_eq!(page.eval("unreadable.length")?, 0);
    }
    let unreadable = |line: &String| line.contains(r#""t":"unreadable""#);
    assert!(!heard.all().iter().any(unreadable), "{:?}", heard.all());
    drop(stdin);
    assert_eq!(terminal.wait()?.code(), Some(0));
    no_faults(&pages)
}

/// Encryption takes its time, and nothing overtakes anything for that.
#[test]
fn sealed_messages_keep_their_order() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let pages = [blank(stage.chromium)?, blank(stage.firefox)?];
    let key = json!({ "key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
    for page in &pages {
        enter_as(page, &relay, page.name(), key.clone())?;
    }
    // Large and small in turn: the small ones are ready first. And changes of a member among them.
    let talk = "(async () => {
        const sent = [];
        for (let number = 1; number <= 200; number += 1) {
            const size = number % 3 === 0 ? 20_000 : 0;
            sent.push(room.send(JSON.stringify([number, 'x'.repeat(size)]), { echo: true }));
            if (number % 20 === 0) sent.push(room.update({ meta: { number } }));
        }
        return (await Promise.all(sent)).length;
    })()";
    for page in &pages {
        page.eval(&format!("(() => {{ window.talking = {talk}; }})()"))?;
    }
    for page in &pages {
        assert_eq!(page.eval("talking")?, 210);
        page.wait_for("messages.length === 400 || messages.length", SOON)?;
        page.wait_for(
            "presence.filter(([what]) => what === 'updated').length === 10 || presence",
            SOON,
        )?;
        let numbers: Vec<_> = (1..=200).collect();
        for is_own in [true, false] {
            let heard = format!(
                "messages.filter((m) => m.isOwn === {is_own}).map((m) => JSON.parse(m.text)[0])"
            );
            assert_eq!(page.eval(&heard)?, json!(numbers), "at {}", page.name());
        }
        rises(page)?;
        let in_order = "order.every((offset, i) => i === 0 || offset > order[i - 1])";
        assert_eq!(page.eval(in_order)?, true, "at {}", page.name());
        assert_eq!(page.eval("[unreadable.length, room.history({ count: 5 }).then(({ messages }) => messages.length)][0]")?, 0);
        let history = page.eval("room.history({ count: 3 }).then(({ messages }) => messages.map(({ text }) => typeof text))")?;
        assert_eq!(history, json!(["string", "string", "string"]));
    }
    // The largest message, with what encryption adds to it.
    let largest = "(async () => {
        const codes = [];
        for (const size of [261_120, 260_900]) codes.push(await room.send(new Uint8Array(size)).then(() => 'sent', ({ code }) => code));
        return codes;
    })()";
    assert_eq!(pages[0].eval(largest)?, json!(["too_large", "sent"]));
    pages[1].wait_for(
        "messages.at(-1).bytes?.length === 260_900 || messages.length",
        SOON,
    )?;
    no_faults(&pages)
}

/// A relay that was restarted gives the ids to others: what was on its way to somebody goes to nobody,
/// also what is only being encrypted, and the rest of a file.
#[test]
fn what_is_for_one_does_not_reach_another_after_a_restart() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let key = json!({ "key": "A".repeat(43) });
    // She has the first of the ids, and does not come back.
    let gone = blank(stage.chromium)?;
    let pages = [blank(stage.chromium)?, blank(stage.firefox)?];
    for (page, name) in [(&gone, "gone"), (&pages[0], "ada"), (&pages[1], "bob")] {
        enter_as(page, &relay, name, key.clone())?;
    }
    for page in &pages {
        sees(page, &["ada", "bob", "gone"])?;
        let send = "(() => {
            const to = [idOf('gone')];
            const code = ({ code }) => code;
            const gate = new Promise((resolve) => { window.go = resolve; });
            const read = Blob.prototype.arrayBuffer;
            let reads = 0;
            Blob.prototype.arrayBuffer = async function () {
                reads += 1;
                if (reads > 2) await gate;
                return read.call(this);
            };
            const onProgress = ({ sent }) => { window.progress = sent; };
            window.file = room.sendBlob(new Blob([new Uint8Array(100_000)]), { to, onProgress }).catch(code);
            window.seal = () => {
                const encrypt = crypto.subtle.encrypt.bind(crypto.subtle);
                crypto.subtle.encrypt = async (...given) => {
                    await gate;
                    return encrypt(...given);
                };
                window.sent = room.send('psst', { to }).catch(code);
            };
        })()";
        page.eval(send)?;
    }
    for page in &pages {
        // Two parts, and nothing is under way.
        page.wait_for("window.progress === 32_768 || window.progress", SOON)?;
        page.eval("seal()")?;
    }
    gone.eval("cut()")?;
    let address = relay.address().to_string();
    relay.kill();
    let _relay = Relay::start(&["--listen", &address])?;
    for page in &pages {
        page.wait_for("resumed.length > 0 || states", BACK_AGAIN + SOON)?;
    }
    for page in &pages {
        sees(page, &["ada", "bob"])?;
        page.eval("go()")?;
        let codes = page.eval("Promise.all([sent, file])")?;
        assert_eq!(codes, json!(["no_such_member", "no_such_member"]));
    }
    for page in &pages {
        say(page, "the end")?;
    }
    for page in &pages {
        hears(page, "the end")?;
        assert_eq!(page.eval("texts()")?, json!(["the end"]));
    }
    Ok(())
}

/// `hello` for the topic `x` of the room `library`, sealed by another implementation with a key of zeros
/// and the nonce 0 to 11.
const SEALED: &str =
    "f09f949201000102030405060708090a0b09ae7d139e3606915cbc2941a8290708424edb5d8d38";

#[test]
fn the_format_is_the_documented_one() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let outsider = blank(stage.chromium)?;
    enter_as(&outsider, &relay, "outsider", json!({}))?;
    for browser in stage.both() {
        let reader = blank(browser)?;
        let key = "A".repeat(43);
        enter_as(&reader, &relay, "reader", json!({ "key": key }))?;
        let altered = format!("{}00", &SEALED[..SEALED.len() - 2]);
        let of_later = SEALED.replacen("f09f949201", "f09f949202", 1);
        for (sealed, topic) in [
            (SEALED, "y"),
            (&altered, "x"),
            (&SEALED[..64], "x"),
            (&SEALED[..10], "x"),
            (&of_later, "x"),
            ("00", "x"),
            (SEALED, "x"),
        ] {
            outsider.eval(&format!(
                "room.send(Uint8Array.from('{sealed}'.match(/../g), (digits) => parseInt(digits, 16)), {{ topic: '{topic}' }})"
            ))?;
        }
        hears(&reader, "hello")?;
        let reasons =
            reader.eval("[messages.length, ...unreadable.map(({ reason }) => reason)]")?;
        let wrong = "wrong_key";
        let wanted = json!([
            1,
            wrong,
            wrong,
            wrong,
            wrong,
            "unknown_version",
            "not_sealed"
        ]);
        assert_eq!(reasons, wanted, "in {}", browser.name());
    }
    Ok(())
}

#[test]
fn a_key_that_cannot_be_used_is_refused_at_once() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    for browser in stage.both() {
        let page = blank(browser)?;
        let code = |key: &str, before: &str| {
            format!(
                "import('{}oneport.js').then(({{ connect, newKey }}) => {{
                    {before};
                    const relay = connect();
                    try {{ relay.join('library', {{ key: {key} }}); return 'in'; }}
                    catch ({{ name, code }}) {{ return `${{name}} ${{code}}`; }}
                    finally {{ relay.close(); }}
                }})",
                relay.url()
            )
        };
        assert_eq!(page.eval(&code("'secret'", ""))?, "RelayError bad_key");
        assert_eq!(page.eval(&code("newKey()", ""))?, "in");
        // As over http from another machine.
        let insecure = "Object.defineProperty(crypto, 'subtle', { value: undefined })";
        let refused = page.eval(&code("newKey()", insecure))?;
        assert_eq!(refused, "RelayError insecure_context");
    }
    Ok(())
}
