//! A browser that makes no connection now, or none at all, and tokens that are not as they should be: the page
//! is told, nothing waits for ever, and what may help later is tried again.

use std::time::Duration;

use oneport_tests::{Result, relay::Relay};
use serde_json::json;

use crate::{
    member::{blank, watch_errors},
    stage::Stage,
};

/// For all ways in one page, each with a pause.
const ALL: Duration = Duration::from_secs(40);

/// Each of these goes wrong once; then the browser makes connections again.
const WAYS: &str = "(async (url) => {
    const { connect } = await import(`${url}oneport.js`);
    const fail = () => { throw new DOMException('no more connections', 'UnknownError'); };
    const reject = async () => fail();
    const real = RTCPeerConnection;
    const made = [];
    const broken = {
        constructor: (times) => class extends real { constructor(...given) { if (times-- > 0) fail(); super(...given); } },
        first_channel: (times) => class extends real { createDataChannel(...given) { if (times-- > 0) fail(); return super.createDataChannel(...given); } },
        second_channel: (times) => class extends real {
            createDataChannel(...given) { if (given[0] === 'lossy' && times-- > 0) fail(); return super.createDataChannel(...given); }
        },
        offer_throws: (times) => class extends real { setLocalDescription() { if (times-- > 0) fail(); return super.setLocalDescription(); } },
        offer_rejects: (times) => class extends real { setLocalDescription() { return times-- > 0 ? reject() : super.setLocalDescription(); } },
        offer_of_another_type: (times) => class extends real {
            async setLocalDescription() { if (times-- > 0) throw new TypeError('wrong'); return super.setLocalDescription(); }
        },
        answer: (times) => class extends real { setRemoteDescription(given) { return times-- > 0 ? reject() : super.setRemoteDescription(given); } },
    };
    const outcome = {};
    for (const [way, classOf] of Object.entries(broken)) {
        const broke = classOf(1);
        window.RTCPeerConnection = class extends broke { constructor(...given) { super(...given); made.push(this); } };
        const relay = connect({ url });
        const codes = new Set();
        relay.on('state', ({ code, retryAt }) => retryAt !== null && codes.add(code));
        const room = relay.join('library');
        await room.joined;
        outcome[way] = [room.state, ...codes];
        await relay.close();
    }
    window.RTCPeerConnection = real;
    await wait(100);
    outcome.open = made.filter(({ signalingState }) => signalingState !== 'closed').length;
    return outcome;
})";

#[test]
fn a_browser_that_makes_no_connection_is_asked_again() -> Result {
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let page = blank(browser)?;
        watch_errors(&page)?;
        let outcome = page.eval_within(&format!("{WAYS}('{}')", relay.url()), ALL)?;
        let wanted = json!({
            "constructor": ["joined", "no_connection"],
            "first_channel": ["joined", "no_connection"],
            "second_channel": ["joined", "no_connection"],
            "offer_throws": ["joined", "no_connection"],
            "offer_rejects": ["joined", "no_connection"],
            "offer_of_another_type": ["joined", "no_connection"],
            "answer": ["joined", "unreachable"],
            "open": 0,
        });
        assert_eq!(outcome, wanted, "in {}", browser.name());
        assert_eq!(page.eval("unexpected")?, json!([]), "in {}", browser.name());
    }
    Ok(())
}

/// Without WebRTC, and so in workers too, everything that waits ends; after `retry()` the page gets in.
#[test]
fn nothing_waits_where_there_is_no_webrtc() -> Result {
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let page = blank(browser)?;
        watch_errors(&page)?;
        let script = "(async (url) => {
            const { connect } = await import(`${url}oneport.js`);
            const codes = async (relay) => {
                const code = (promise) => promise.then(() => 'done', ({ code }) => code);
                const rooms = ['first', 'second'].map((name) => relay.join(name));
                const waiting = [...rooms.map(({ joined }) => joined), rooms[0].send('x'), rooms[1].sendBlob(new Blob(['x'])), rooms[1].history()];
                const early = await Promise.all(waiting.map(code));
                const third = relay.join('third');
                const late = await Promise.all([third.joined, third.send('x'), third.update({ name: 'x' })].map(code));
                return [relay.state, new Set([...early, ...late]).size, late[0]];
            };
            const real = RTCPeerConnection;
            const outcome = [];
            for (const none of [undefined, null]) {
                window.RTCPeerConnection = none;
                const relay = connect({ url });
                outcome.push(await codes(relay));
                window.RTCPeerConnection = real;
                relay.retry();
                while (relay.rooms.get('third').state !== 'joined') await wait(10);
                outcome.push(await relay.rooms.get('first').send('x').then(({ duplicate }) => duplicate));
                await relay.close();
            }
            const body = `
                import { connect } from '${url}oneport.js';
                const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
                const relay = connect();
                (${codes})(relay).then(async (codes) => {
                    await relay.close();
                    postMessage([codes, relay.state]);
                });`;
            const worker = new Worker(URL.createObjectURL(new Blob([body], { type: 'text/javascript' })), { type: 'module' });
            outcome.push(await new Promise((resolve) => {
                worker.onmessage = ({ data }) => resolve(data);
                worker.onerror = ({ message }) => resolve(message);
            }));
            return outcome;
        })";
        let outcome = page.eval(&format!("{script}('{}')", relay.url()))?;
        let refused = json!(["refused", 1, "unsupported"]);
        let wanted = json!([refused, false, refused, false, [refused, "closed"]]);
        assert_eq!(outcome, wanted, "in {}", browser.name());
        assert_eq!(page.eval("unexpected")?, json!([]), "in {}", browser.name());
    }
    Ok(())
}

/// White space around a token does not count; what is no token is refused; a function that fails is asked again.
#[test]
fn tokens_are_taken_as_they_are_meant() -> Result {
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let page = blank(browser)?;
        watch_errors(&page)?;
        let script = "(async (url) => {
            const { connect } = await import(`${url}oneport.js`);
            const tokens = {
                in: ['a.b.c', 'a.b.c\\n', 'a.b.c\\r\\n', ' \\ta.b.c\\u00a0', () => ' a.b.c\\n', async () => 'a.b.c\\r\\n', () => undefined, () => null],
                token_bad: ['', '\\n', 'a b', 'a.b.c\\nd', 'ä', 'x'.repeat(4_097), () => 7, () => ({}), async () => new String('a.b.c'), () => ' '],
                token_unavailable: [
                    () => { throw new Error('none'); }, () => { throw null; }, () => { throw Object.create(null); },
                    async () => { throw Symbol('none'); }, () => Promise.reject(), () => ({ get then() { throw new Error('then'); } }),
                ],
            };
            const outcomes = [];
            const attempt = async (relay, room) => {
                const problem = new Promise((resolve) => {
                    relay.on('state', ({ code }) => code && resolve(code));
                    relay.on('fault', ({ code }) => resolve(code));
                });
                return Promise.race([room.joined.then(() => 'in', ({ code }) => code), problem]);
            };
            for (const [wanted, list] of Object.entries(tokens)) {
                for (const [at, token] of list.entries()) {
                    const first = connect({ url, token });
                    const further = connect({ url });
                    await further.join('home').joined;
                    const outcome = [await attempt(first, first.join('library')), await attempt(further, further.join('library', { token }))];
                    if (outcome.some((code) => code !== wanted)) outcomes.push([wanted, at, outcome]);
                    await Promise.all([first.close(), further.close()]);
                }
            }
            return outcomes;
        })";
        let outcome = page.eval_within(&format!("{script}('{}')", relay.url()), ALL)?;
        assert_eq!(outcome, json!([]), "in {}", browser.name());
        assert_eq!(page.eval("unexpected")?, json!([]), "in {}", browser.name());
    }
    Ok(())
}
