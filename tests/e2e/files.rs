//! Files between pages that use the library.

use std::time::Duration;

use oneport_tests::{Result, relay::Relay};
use serde_json::{Value, json};

use crate::{
    bare,
    member::{BACK_AGAIN, blank, enter, enter_as, no_faults, sees},
    stage::Stage,
    user::SOON,
};

/// Of a chat message while a file passes, on one machine.
const CHAT_DELAY_MS_MAX: u64 = 1_000;

const FILE_BYTES: usize = 50_000_000;

/// At less than a tenth of the speed of an idle machine.
const FILE_TIME: Duration = Duration::from_secs(120);

#[test]
fn a_large_file_arrives_whole_and_does_not_delay_the_chat() -> Result {
    let stage = Stage::set()?;
    for (sender, receiver) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let sender = enter(sender, &relay)?;
        let receiver = enter(receiver, &relay)?;
        let send = "(() => {
            const noise = new Uint8Array(FILE_BYTES);
            for (let at = 0; at < noise.length; at += 65536) crypto.getRandomValues(noise.subarray(at, at + 65536));
            window.progress = [];
            window.startedAt = performance.now();
            const onProgress = (at) => progress.push(at);
            const file = new File([noise], '../\\u0007noise.bin', { type: 'application/octet-stream' });
            window.isSending = true;
            window.sending = Promise.all([hash(noise), room.sendBlob(file, { onProgress })])
                .then(([hash, { delivered }]) => {
                    window.seconds = (performance.now() - startedAt) / 1000;
                    return [hash, delivered.map((id) => room.members.get(id).name)];
                })
                .finally(() => { isSending = false; });
        })()";
        sender.eval(&send.replace("FILE_BYTES", &FILE_BYTES.to_string()))?;
        // The same clock for both: each message is answered with its echo.
        let delays = sender.eval_within(
            "(async () => {
            const delays = [];
            while (isSending) {
                const since = performance.now();
                await room.send('still here?', { echo: true });
                delays.push(Math.round(performance.now() - since));
                await wait(50);
            }
            return delays.sort((a, b) => a - b);
        })()",
            FILE_TIME,
        )?;
        let sent = sender.eval("sending")?;
        assert_eq!(
            sent[1],
            json!([receiver.name().split('-').next()]),
            "who has it"
        );
        let hash = &sent[0];
        receiver.wait_for("files.length === 1 && files[0].isOver", SOON)?;
        let got = receiver.eval("files[0].blob.then(async (blob) =>
            [files[0].name, blob.type, blob.size, await hash(await blob.arrayBuffer()), files[0].received])
                .catch(({ code, message }) => [code, message, gaps, resumed, states])")?;
        let size = FILE_BYTES;
        assert_eq!(
            got,
            json!(["noise.bin", "application/octet-stream", size, hash, size])
        );

        let delays: Vec<_> = delays
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect();
        let (median, worst) = (delays[delays.len() / 2], delays[delays.len() - 1]);
        let seconds = sender.eval("seconds")?;
        eprintln!(
            "{FILE_BYTES} bytes from {} to {} in {seconds} s; meanwhile {} chat messages took {median} ms (median) to {worst} ms",
            sender.name(),
            receiver.name(),
            delays.len(),
        );
        assert!(worst <= CHAT_DELAY_MS_MAX, "{delays:?}");
        assert_eq!(receiver.eval("texts().length")?, delays.len());
        no_faults([&sender, &receiver])?;
        let truth =
            "progress.every(({ sent, received, size }, i) => received <= sent && sent <= size
            && (i === 0 || received >= progress[i - 1].received)) && progress.at(-1).received";
        assert_eq!(
            sender.eval(truth)?,
            FILE_BYTES,
            "a progress bar tells the truth"
        );
        for page in [&sender, &receiver] {
            page.eval("relay.close()")?;
        }
    }
    Ok(())
}

#[test]
fn a_file_survives_a_cut_of_its_sender() -> Result {
    let stage = Stage::set()?;
    for (sender, receiver) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let sender = enter(sender, &relay)?;
        let receiver = enter(receiver, &relay)?;
        let send = "(() => {
            const bytes = new Uint8Array(5 * 1024 * 1024).map((_, at) => at % 251 + at / 65536);
            let isFresh = true;
            const onProgress = ({ sent, size }) => {
                if (sent < size / 3 || !isFresh) return;
                isFresh = false;
                cut();
                setTimeout(mend, 2_000);
            };
            window.sending = Promise.all([hash(bytes), room.sendBlob(new Blob([bytes]), { onProgress })]);
        })()";
        sender.eval(send)?;
        let hash = sender.eval_within("sending.then(([hash]) => hash)", BACK_AGAIN)?;
        assert_eq!(sender.eval("resumed")?, json!([{ "recovered": true }]));
        receiver.wait_for("files[0].isOver || files[0].received", SOON)?;
        let got = "files[0].blob.then((blob) => blob.arrayBuffer()).then(hash)";
        assert_eq!(receiver.eval(got)?, hash);
        no_faults([&receiver])?;
    }
    Ok(())
}

/// Whoever does not take a file says so: to its own page, and to the sender.
#[test]
fn a_file_that_is_not_taken_is_not_lost_silently() -> Result {
    let stage = Stage::set()?;
    for (sender, receiver) in [
        (stage.chromium, stage.firefox),
        (stage.firefox, stage.chromium),
    ] {
        let relay = Relay::on_loopback()?;
        let pages = [blank(sender)?, blank(receiver)?, blank(receiver)?];
        let [ada, bob, eve] = &pages;
        enter_as(ada, &relay, "ada", json!({}))?;
        enter_as(bob, &relay, "bob", json!({ "fileBytesMax": 0 }))?;
        enter_as(eve, &relay, "eve", json!({ "fileBytesMax": 1_000_000 }))?;
        for page in &pages {
            sees(page, &["ada", "bob", "eve"])?;
            page.eval("(() => { window.declined = []; room.on('declined', (file) => declined.push(file)); })()")?;
        }
        let send = |size: usize, more: &str| {
            format!(
                "(async () => {{
                    const told = [];
                    const onDecline = ({{ member, reason }}) => told.push([member.name, reason]);
                    const outcome = await room.sendBlob(new Blob([new Uint8Array({size})]), {{ name: 'a.bin', onDecline{more} }})
                        .catch(({{ code }}) => code);
                    const names = (ids) => ids.map((id) => room.members.get(id).name);
                    return [told.sort(), outcome.delivered ? [names(outcome.delivered), names(outcome.declined)] : outcome];
                }})()"
            )
        };
        // One takes it, one takes none.
        let outcome = ada.eval(&send(100_000, ""))?;
        assert_eq!(outcome, json!([[["bob", "unwanted"]], [["eve"], ["bob"]]]));
        assert_eq!(
            eve.eval("[files.length, files[0].isOver, declined.length]")?,
            json!([1, true, 0])
        );
        let told =
            "declined.map(({ from, name, size, reason }) => [from.name, name, size, reason])";
        assert_eq!(
            bob.eval(told)?,
            json!([["ada", "a.bin", 100_000, "unwanted"]])
        );
        // Nobody takes it: it is not sent to its end.
        let outcome = ada.eval(&send(20_000_000, ""))?;
        assert_eq!(
            outcome,
            json!([[["bob", "unwanted"], ["eve", "too_large"]], "declined"])
        );
        assert_eq!(
            eve.eval(told)?,
            json!([["ada", "a.bin", 20_000_000, "too_large"]])
        );
        let sent = ada.eval("traffic.main.sent")?;
        assert!(sent.as_u64() < Some(600), "{sent} messages of 1200");
        // Begun, and then no longer wanted.
        eve.eval(
            "(() => { room.on('file', (file) => file.on('progress', () => file.cancel())); })()",
        )?;
        let outcome = ada.eval(&send(900_000, ", to: [idOf('eve')]"))?;
        assert_eq!(outcome, json!([[["eve", "canceled"]], "declined"]));
        let code = eve.eval("files.at(-1).blob.catch(({ code }) => code)")?;
        assert_eq!(code, "canceled");
        // A page without the library says nothing, and is not waited for for long.
        bare::join(receiver, &relay, "library")?;
        let outcome = ada.eval(&send(1_000, ""))?;
        assert_eq!(outcome, json!([[["bob", "unwanted"]], [["eve"], ["bob"]]]));
        no_faults(&pages)?;
        for page in &pages {
            page.eval("relay.close()")?;
        }
    }
    Ok(())
}

/// One gets the file, the others leave, lose their connection, or cannot take files: each is named with its reason.
#[test]
fn the_sender_is_told_who_missed_a_file_and_why() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let pages = [
        blank(stage.chromium)?,
        blank(stage.firefox)?,
        blank(stage.firefox)?,
        blank(stage.chromium)?,
    ];
    let names = ["sender", "stays", "leaves", "cut"];
    for (page, name) in pages.iter().zip(names) {
        enter_as(page, &relay, name, json!({}))?;
    }
    let [sender, stays, leaves, cut] = &pages;
    let mut all = names;
    all.sort_unstable();
    sees(sender, &all)?;
    let _silent = bare::join(stage.chromium, &relay, "library")?;
    sender.wait_for("room.members.size === 5 || room.members.size", SOON)?;
    for (page, act) in [(leaves, "room.leave()"), (cut, "cut()")] {
        page.eval(&format!(
            "(() => {{ room.on('file', (file) => file.on('progress', () => {{ {act}; }}, {{ once: true }})); }})()"
        ))?;
    }
    let send = "room.sendBlob(new Blob([new Uint8Array(3_000_000)])).then(({ delivered, declined, missed }) => [
        delivered.map((id) => room.members.get(id).name),
        declined,
        missed.map(({ member, reason }) => [reason, member.name]).sort(),
    ])";
    let outcome = sender.eval_within(send, BACK_AGAIN)?;
    let missed = json!([["away", "cut"], ["left", "leaves"], ["silent", null]]);
    assert_eq!(outcome, json!([["stays"], [], missed]));
    stays.wait_for("files[0].isOver && files[0].received === 3_000_000", SOON)?;
    no_faults([sender, stays])
}

/// Three members are asked. One goes on, one only says that it is there, and one grants all and has nothing.
#[test]
fn a_receiver_that_only_says_that_it_is_there_is_given_up() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let page = blank(stage.chromium)?;
    // The clock is the script's.
    let script = "(async (url) => {
        const { Takers } = await import(`${url}oneport-takers.js`);
        const clock = Date.now;
        let now = 1_000_000;
        Date.now = () => now;
        const takers = new Takers(() => true, 400);
        takers.begin([1, 2, 3]);
        const given = [];
        for (let seconds = 0; seconds < 300; seconds += 1) {
            takers.credit(1, seconds, seconds + 32);
            takers.credit(2, 0, 0);
            takers.credit(3, 0, 4_294_967_295);
            takers.prune(() => false);
            while (takers.next.length > 0) takers.sent(takers.next);
            given.push(takers.missed.length);
            now += 1_000;
        }
        takers.credit(1, 400, 400);
        takers.prune(() => false);
        Date.now = clock;
        return [takers.missed, takers.done, takers.isAwaited, given.indexOf(1), given[299]];
    })";
    let outcome = page.eval(&format!("{script}('{}')", relay.url()))?;
    // The third one is not to blame before the file has been sent to its end, in the 300 seconds it is not.
    assert_eq!(outcome, json!([[[2, "stuck"]], [1], true, 120, 1]));
    Ok(())
}

/// One sender is granted the whole window and sends nothing: the others wait for a while, and not until it has stalled.
#[test]
fn a_sender_that_sends_nothing_does_not_keep_the_window() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let page = blank(stage.chromium)?;
    // The timers are the script's.
    let script = "(async (url) => {
        const { IncomingFiles } = await import(`${url}oneport-incoming.js`);
        const { setTimeout, clearTimeout } = window;
        const timers = new Map();
        let count = 0;
        window.setTimeout = (act, ms) => timers.set(++count, [act, ms]) && count;
        window.clearTimeout = (id) => timers.delete(id);
        const pass = (wanted) => {
            for (const [id, [act, ms]] of [...timers]) if (ms === wanted) timers.delete(id) && act();
        };
        let isIn = true;
        const files = new IncomingFiles(Infinity, { isIn: () => isIn, others: () => [1] });
        const about = new TextEncoder().encode(JSON.stringify({ name: '', type: '', size: 2 ** 30, chunk: 16_384 }));
        const granted = {};
        const begin = (key) => files.begin(key, { id: 1 }, about, { credit: (_, parts) => { granted[key] = parts; }, decline: () => {} });
        const all = ['idle', 'good'].map(begin);
        const seen = [{ ...granted }];
        // A receiver without a link cannot blame anybody.
        isIn = false;
        pass(5_000);
        seen.push({ ...granted });
        isIn = true;
        pass(5_000);
        seen.push({ ...granted });
        files.take('good', 0, new Uint8Array(16_384));
        // It may still send what it was granted, and then takes part again.
        for (let at = 0; at < 32; at += 1) files.take('idle', at, new Uint8Array(16_384));
        seen.push(granted.idle > 32);
        all.forEach((file) => file.cancel());
        pass(5_000);
        seen.push(timers.size);
        Object.assign(window, { setTimeout, clearTimeout });
        return seen;
    })";
    let outcome = page.eval(&format!("{script}('{}')", relay.url()))?;
    let [none, some] = [
        json!({ "idle": 32, "good": 0 }),
        json!({ "idle": 32, "good": 16 }),
    ];
    assert_eq!(outcome, json!([none, none, some, true, 0]));
    Ok(())
}
