//! Several files at once to members whose networks are slow.

use std::time::Duration;

use oneport_tests::{Result, browser::Network, relay::Relay};
use serde_json::json;

use crate::{
    member::{blank, enter_as, no_faults, sees},
    stage::Stage,
    user::SOON,
};

/// 4 Mbit/s, in bytes.
const SLOW: u32 = 500_000;

/// Of all files: more than the ring of a room holds, so that they do not wait there.
const ALL_BYTES: usize = 7_000_000;

/// At the rate of the slow one, with room for everything else that it gets.
const ALL: Duration = Duration::from_secs(60);

/// Of a chat message that waits behind the parts that the slow one has granted, and behind those that are lost.
const CHAT_DELAY_MS_MAX: u64 = 4_000;

/// One sender with three files and four with one each, all at once; one receiver is slow, one faster, one is not.
#[test]
fn many_files_do_not_drown_a_slow_receiver() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let pages = [
        blank(stage.chromium)?,
        blank(stage.chromium)?,
        blank(stage.firefox)?,
        blank(stage.chromium)?,
    ];
    let [slow, medium, fast, sender] = &pages;
    for (page, download_rate) in [(slow, SLOW), (medium, 4 * SLOW)] {
        page.emulate_network(Network {
            latency_ms: 20,
            download_rate,
            ..Network::default()
        })?;
    }
    for (page, name) in pages.iter().zip(["slow", "medium", "fast", "sender"]) {
        enter_as(page, &relay, name, json!({}))?;
    }
    let names = ["s1", "s2", "s3", "s4", "fast", "medium", "sender", "slow"];
    // The other senders take no files, or there would be more to send than this machine can.
    let more = "(async () => {
        const relays = Array.from({ length: 4 }, () => oneport.connect({ url: 'URL' }));
        window.senders = [room];
        for (const [at, relay] of relays.entries()) {
            const other = relay.join('library', { name: `s${at + 1}`, fileBytesMax: 0 });
            await other.joined;
            senders.push(other);
        }
    })()";
    sender.eval(&more.replace("URL", relay.url()))?;
    let mut sorted = names;
    sorted.sort_unstable();
    for page in [slow, fast, sender] {
        sees(page, &sorted)?;
    }
    let send = "(() => {
        const size = ALL_BYTES / 7;
        const file = (at) => new File([new Uint8Array(size).fill(at)], `${at}.bin`);
        const by = [...senders, room, room];
        const names = (ids) => ids.map((id) => room.members.get(id)?.name ?? id).sort();
        window.sending = Promise.all(by.map((each, at) => each.sendBlob(file(at)).then(
            ({ delivered, declined, missed }) => [names(delivered), names(declined), missed.map(({ member, reason }) => [member.name, reason])],
            ({ code }) => code,
        ))).finally(() => { isSending = false; });
        window.isSending = true;
    })()";
    sender.eval(&send.replace("ALL_BYTES", &ALL_BYTES.to_string()))?;
    // Meanwhile somebody talks, and the slow one answers.
    slow.eval("(() => { room.on('message', ({ text, from }) => text && room.send('yes', { to: [from.id] })); })()")?;
    let talk = "(async () => {
        const delays = [];
        for (let time = 0; time < 8; time += 1) {
            const since = performance.now();
            const answered = new Promise((resolve) => room.addEventListener('message', resolve, { once: true }));
            await room.send('still here?', { to: [idOf('slow')] });
            await answered;
            delays.push(Math.round(performance.now() - since));
            await wait(500);
        }
        return delays;
    })()";
    let delays = fast.eval_within(talk, ALL)?;
    let outcome = sender.eval_within("sending", ALL)?;
    eprintln!("chat with the slow one while {ALL_BYTES} bytes come takes {delays} ms");
    let declined = |by: Option<&str>| {
        let others = ["s1", "s2", "s3", "s4"];
        others
            .into_iter()
            .filter(|name| Some(*name) != by)
            .collect::<Vec<_>>()
    };
    let by_main = json!([["fast", "medium", "slow"], declined(None), []]);
    let by_other = |name| {
        json!([
            ["fast", "medium", "sender", "slow"],
            declined(Some(name)),
            []
        ])
    };
    let wanted = json!([
        by_main,
        by_other("s1"),
        by_other("s2"),
        by_other("s3"),
        by_other("s4"),
        by_main,
        by_main
    ]);
    assert_eq!(outcome, wanted);
    for page in [slow, medium, fast] {
        page.wait_for("files.length === 7 && files.every((file) => file.isOver) || files.map(({ received }) => received)", SOON)?;
        let whole = format!(
            "Promise.all(files.map(async ({{ name, blob }}) => {{
                const bytes = new Uint8Array(await (await blob).arrayBuffer());
                return bytes.length === {ALL_BYTES} / 7 && bytes.every((byte) => byte === parseInt(name));
            }})).then((right) => right.every(Boolean))"
        );
        assert_eq!(page.eval(&whole)?, true, "at {}", page.name());
        // It has kept its link, and so has been told everything.
        assert_eq!(page.eval("[resumed, peers.length]")?, json!([[], 1]));
    }
    let worst = delays
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|ms| ms.as_u64())
        .max();
    assert!(worst.is_some_and(|ms| ms <= CHAT_DELAY_MS_MAX), "{delays}");
    no_faults([slow, medium, fast, sender])
}
