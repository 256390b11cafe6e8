//! Rooms that are encrypted from page to page.

use oneport_tests::{Result, artifacts, relay::Relay};
use serde_json::json;

use crate::{
    stage::Stage,
    user::{CONNECTED, SOON, User},
};

#[test]
fn a_private_room_is_read_with_its_link_alone() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let ada = User::enter(stage.chromium, &relay.room_url("lobby"))?;
    ada.page
        .eval("document.querySelector('#private-room').click()")?;
    ada.waits_for(
        "/^#private-[0-9a-f]{12}\\?key=[A-Za-z0-9_-]{43}$/.test(location.hash) || location.hash",
    )?;
    ada.page.wait_for(CONNECTED, SOON)?;
    assert_eq!(
        ada.page.eval("document.querySelector('#lock').hidden")?,
        json!(false)
    );
    let link = ada.page.eval("location.href")?;
    let link = link.as_str().unwrap_or_default();
    let (room, key) = link.split_once("?key=").expect("it has a key");

    let bob = User::enter(stage.firefox, link)?;
    ada.sees_people(2)?;
    for (speaker, listener) in [(&ada, &bob), (&bob, &ada)] {
        let text = format!("a secret of {}", speaker.name);
        speaker.say(std::slice::from_ref(&text))?;
        listener.hears(&text)?;
    }
    ada.page.eval("drop(new File(['sealed'], 'sealed.txt'))")?;
    bob.waits_for("all('.save').length === 1")?;
    let content = bob.page.eval("blobs[all('.save')[0].href].text()")?;
    assert_eq!(content, json!("sealed"));
    bob.page.screenshot(&artifacts::path("private.png")?)?;

    // Without the link's key, and with another one.
    let other = format!("{}{}", &key[1..], &key[..1]);
    for (url, words) in [
        (
            room.to_owned(),
            "A message that cannot be read: it is encrypted, and the link to this room has no key.",
        ),
        (
            format!("{room}?key={other}"),
            "A message that cannot be read: it was encrypted with another key, or changed on its way.",
        ),
    ] {
        let eve = User::enter(stage.chromium, &url)?;
        ada.say(&["not for eve".into()])?;
        let last = "shown('#messages > .unreadable .text').at(-1)";
        let words = json!(words);
        eve.waits_for(&format!("{last} === {words} || shown('.text')"))?;
        assert_eq!(
            eve.page
                .eval("all('li[data-id]:not(.unreadable)').length")?,
            json!(0)
        );
        // What is not sealed does not pass for what is.
        eve.say(&["plain".into()])?;
        bob.waits_for("shown('.unreadable .text').length >= 1")?;
        assert!(!bob.texts()?.contains(&"plain".to_owned()));
        eve.page.close()?;
    }

    // Over http, but for this machine's own address, browsers have no cryptography for pages.
    let plain = User::at_the_door(stage.chromium)?;
    plain.page.before_load(
        "Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })",
    )?;
    plain.page.go_to(link)?;
    plain.waits_for("shown('#notice-text')[0].startsWith('A private room needs https') || shown('#notice-text')")?;

    // A link that was cut short.
    let torn = User::at_the_door(stage.firefox)?;
    torn.page.go_to(&link[..link.len() - 5])?;
    torn.waits_for("document.documentElement.dataset.state === 'refused' && shown('#notice-text')[0].startsWith('The key of this private room') || shown('#notice-text')")
}
