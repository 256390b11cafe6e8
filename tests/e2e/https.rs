//! The page and signaling by https, with a certificate that this one browser is told to accept.

use oneport_tests::{Result, browser::Browser, certificate::Pair, relay::Relay};
use serde_json::json;

use crate::{
    stage::Stage,
    user::{SOON, User},
};

/// What a page gets from its own relay over a WebSocket for an offer, or why it gets none.
const OFFER_BY_WEBSOCKET: &str = "(async () => {
    const peer = new RTCPeerConnection();
    const channel = peer.createDataChannel('chat');
    await peer.setLocalDescription(await peer.createOffer());
    const socket = new WebSocket(location.origin.replace('https:', 'wss:') + '/ws');
    const answer = await new Promise((resolve, reject) => {
        socket.onopen = () => socket.send(JSON.stringify({ id: '1', room: 'wss', offer: peer.localDescription.sdp }));
        socket.onmessage = ({ data }) => resolve(JSON.parse(data));
        socket.onclose = ({ code }) => reject(new Error('closed ' + code));
    });
    await peer.setRemoteDescription({ type: 'answer', sdp: answer.answer });
    await new Promise((resolve) => { channel.onopen = resolve; });
    peer.close();
    return socket.url;
})()";

#[test]
fn browsers_chat_over_https_and_wss() -> Result {
    let _stage = Stage::set()?;
    let pair = Pair::until(2090)?;
    let arguments = pair.arguments();
    let relay = Relay::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    // Nobody else's pages are opened in it.
    let browser = Browser::chromium_with(&["--ignore-certificate-errors"])?;
    let ada = User::enter(&browser, &relay.room_url("https"))?;
    let bob = User::enter(&browser, &relay.room_url("https"))?;
    ada.say(&["hello".into()])?;
    bob.hears("hello")?;
    bob.say(&["welcome".into()])?;
    ada.hears("welcome")?;
    let page = "[location.protocol, isSecureContext]";
    assert_eq!(ada.page.eval(page)?, json!(["https:", true]));
    let socket = ada.page.eval_within(OFFER_BY_WEBSOCKET, SOON)?;
    let expected = relay.url().replace("https:", "wss:") + "ws";
    assert_eq!(socket, json!(expected));
    Ok(())
}
