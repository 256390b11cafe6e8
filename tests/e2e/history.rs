//! What was said before, and what nobody looked at.

use oneport::Participant;
use oneport::client::{Event, join};
use oneport_tests::{Result, relay::Relay};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    stage::Stage,
    user::{SOON, User},
};

/// More than two pages of the history.
const MESSAGES: usize = 120;

#[test]
fn who_comes_late_sees_what_was_said_before() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let url = relay.room_url("history");
    let speaker = User::enter(stage.chromium, &url)?;
    let said: Vec<_> = (1..=MESSAGES)
        .map(|number| format!("word {number}"))
        .collect();
    speaker.say(&said)?;
    speaker.sees_delivery(&said[MESSAGES - 1], "sent")?;

    for browser in stage.both() {
        let late = User::enter(browser, &url)?;
        late.hears(&said[MESSAGES - 1])?;
        assert_eq!(
            late.texts()?,
            said[MESSAGES - 50..],
            "in {}",
            browser.name()
        );
        assert_eq!(late.page.eval("shown('.divider.before').length")?, json!(1));
        assert!(
            late.messages()?
                .iter()
                .all(|message| message.from == speaker.name && !message.own)
        );

        // What is read stays where it is: up to a pixel.
        let scroll_up = "(async () => {
            const log = document.querySelector('#log');
            log.scrollTop = 0;
            await new Promise((resolve) => setTimeout(resolve, 100));
            window.read = document.querySelector('li[data-id] .body');
            window.top_ = read.getBoundingClientRect().top;
            document.querySelector('#earlier').click();
        })()";
        for (count, more) in [(100, 1), (MESSAGES, 0)] {
            late.page.eval(scroll_up)?;
            late.waits_for(&format!(
                "all('li[data-id]').length === {count} || shown('#earlier')"
            ))?;
            let moved = "(async () => {
                for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame);
                return read.getBoundingClientRect().top - top_;
            })()";
            let moved = late.page.eval(moved)?.as_f64().unwrap_or(f64::MAX);
            assert!(moved.abs() <= 1.0, "moved by {moved} in {}", browser.name());
            assert_eq!(late.page.eval("all('#earlier').length")?, json!(more));
        }
        assert_eq!(late.texts()?, said, "in {}", browser.name());
        late.page.close()?;
    }
    Ok(())
}

/// The relay is restarted in between: the names are in its state.
#[test]
fn what_was_said_by_who_has_left_has_a_name() -> Result {
    let stage = Stage::set()?;
    let folder = TempDir::new()?;
    let file = folder.path().join("state");
    let state = file.to_str().expect("UTF-8");
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--state", state])?;
    for name in ["Ada", "Bob"] {
        let room = "gone".parse().expect("a room");
        let mut speaker = Participant::connect(relay.url(), room, None)?;
        let room = "gone".parse().expect("a room");
        speaker.join(oneport::client::Join {
            name: name.parse().ok(),
            ..join(room)
        })?;
        let room = "gone".parse().expect("a room");
        speaker.say(&room, "chat", &format!("{name} was here"))?;
        while !matches!(speaker.next_event(SOON)?, Some(Event::Ack(_))) {}
        speaker.close()?;
    }
    assert!(relay.terminate()?.success());
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--state", state])?;
    for browser in stage.both() {
        let late = User::enter(browser, &relay.room_url("gone"))?;
        late.hears("Bob was here")?;
        let messages = late.messages()?;
        let said: Vec<_> = messages
            .iter()
            .map(|message| (&*message.from, &*message.text))
            .collect();
        let expected = [("Ada", "Ada was here"), ("Bob", "Bob was here")];
        assert_eq!(said, expected, "in {}", browser.name());
        late.page.close()?;
    }
    Ok(())
}

#[test]
fn what_came_unseen_is_counted_and_marked() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let url = relay.room_url("unread");
    let speaker = User::enter(stage.chromium, &url)?;
    for browser in stage.both() {
        let reader = User::enter(browser, &url)?;
        let tell = |text: &str| format!("{text} {}", browser.name());
        speaker.say(&[tell("seen")])?;
        reader.hears(&tell("seen"))?;
        reader.page.eval("hide(true)")?;
        speaker.say(&[tell("one"), tell("two")])?;
        reader.hears(&tell("two"))?;
        assert_eq!(
            reader.page.eval("document.title")?,
            json!("(2) #unread · oneport")
        );
        reader.page.eval("hide(false)")?;
        assert_eq!(
            reader.page.eval("document.title")?,
            json!("#unread · oneport")
        );
        let first = "document.querySelector('.divider.unread').nextElementSibling.querySelector('.text').textContent";
        assert_eq!(reader.page.eval(first)?, json!(tell("one")));
        reader.page.eval("hide(true)")?;
        assert_eq!(reader.page.eval("all('.divider.unread').length")?, json!(0));
    }
    Ok(())
}
