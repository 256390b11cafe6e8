//! Who is there, who is away, who writes, and what is for one person alone.

use std::time::Duration;

use oneport_tests::{Result, relay::Relay};
use serde_json::json;

use crate::{
    stage::Stage,
    user::{CONNECTED, User, crowd, each},
};

/// A page that notices a cut, and finds back.
const BACK_AGAIN: Duration = Duration::from_secs(25);

#[test]
fn people_come_are_away_come_back_and_write() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let users = crowd(stage.both(), 1, &relay.room_url("people"))?;
    let [one, other] = [&users[0], &users[1]];
    assert_eq!(
        one.page.eval("present()[0]")?,
        json!(one.name),
        "oneself first"
    );

    for (watcher, guest) in [(one, other), (other, one)] {
        let typing = "(() => {
            const box = document.querySelector('#text');
            box.value = 'h';
            box.dispatchEvent(new Event('input', { bubbles: true }));
        })()";
        guest.page.eval(typing)?;
        let words = json!(format!("{} is writing…", guest.name));
        watcher.waits_for(&format!(
            "shown('#typing')[0] === {words} || shown('#typing')"
        ))?;
        watcher.waits_for("shown('#typing')[0] === '' || shown('#typing')")?;

        // Long enough that it is worth a note.
        guest.cut()?;
        let name = json!(guest.name);
        watcher.waits_for(&format!("away().includes({name}) || present()"))?;
        watcher.is_told(&format!("{} is away", guest.name))?;
        guest.mend()?;
        guest.page.wait_for(CONNECTED, BACK_AGAIN)?;
        watcher.sees_people(2)?;
        watcher.is_told(&format!("{} is back", guest.name))?;
    }

    // A reload is the same person, and worth no word.
    other.say(&["before the reload".into()])?;
    one.hears("before the reload")?;
    let before = one.page.eval("notes()")?;
    other.reload()?;
    one.sees_people(2)?;
    other.say(&["after the reload".into()])?;
    one.hears("after the reload")?;
    assert_eq!(one.page.eval("notes()")?, before);
    let said: Vec<_> = other
        .messages()?
        .into_iter()
        .map(|message| (message.text, message.own))
        .collect();
    let expected = ["before the reload", "after the reload"];
    assert_eq!(said, expected.map(|text| (text.to_owned(), true)));
    Ok(())
}

#[test]
fn what_is_for_one_person_nobody_else_sees() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let mut users = crowd(stage.both(), 1, &relay.room_url("whisper"))?;
    users.push(User::enter(stage.chromium, &relay.room_url("whisper"))?);
    each(&users, |user| user.sees_people(3))?;
    let [ada, bob, eve] = [&users[0], &users[1], &users[2]];
    ada.waits_for(&format!("personOf({}) !== undefined", json!(bob.name)))?;

    ada.writes_to(&bob.name)?;
    let chip = ada
        .page
        .eval("document.querySelector('#recipient').innerText.trim()")?;
    assert_eq!(chip, json!(format!("to {} only", bob.name)));
    ada.say(&["psst".into()])?;
    bob.hears("psst")?;
    ada.sees_delivery("psst", "delivered")?;
    for (user, label) in [
        (ada, format!("to {} alone", bob.name)),
        (bob, "to you alone".into()),
    ] {
        let audience = user
            .page
            .eval("lineOf('psst').querySelector('.audience').textContent")?;
        assert_eq!(audience, json!(label), "at {}", user.name);
    }
    ada.page
        .eval("document.querySelector('#recipient-clear').click()")?;
    ada.say(&["for all".into()])?;
    each(&users, |user| user.hears("for all"))?;
    assert_eq!(eve.texts()?, ["for all"]);

    // It is in the history of those two alone.
    for (user, expected) in [(bob, 2), (eve, 1)] {
        user.reload()?;
        user.hears("for all")?;
        assert_eq!(user.texts()?.len(), expected, "at {}", user.name);
    }

    // What was meant for one never goes to all.
    ada.writes_to(&bob.name)?;
    bob.page.eval("location.hash = 'elsewhere'")?;
    ada.waits_for("shown('#recipient-gone')[0] === 'who has left'")?;
    ada.page.eval(
        "(() => {
            document.querySelector('#text').value = 'secret';
            document.querySelector('#composer').requestSubmit();
        })()",
    )?;
    let hint = format!("{} is not here any more", bob.name);
    assert_eq!(
        ada.page
            .eval("[shown('#hint')[0], document.querySelector('#text').value]")?,
        json!([hint, "secret"])
    );
    Ok(())
}

/// As many as a room may have, told to the list at once.
#[test]
fn of_a_crowd_only_a_part_is_drawn() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    for browser in stage.both() {
        let user = User::enter(browser, &relay.room_url("crowd"))?;
        let name = json!(user.name);
        user.waits_for(&format!("present()[0] === {name} || present()"))?;
        let show = "import('/people.js').then(({ People }) => {
            window.crowd = new Map(Array.from({ length: 5_000 }, (_, id) => [id, { id, name: `guest ${id}`, away: id % 2 === 0 || undefined }]));
            document.querySelector('#people').replaceChildren();
            window.list = new People(() => {});
            list.show(crowd, 7);
        })";
        user.page.eval(show)?;
        user.waits_for("shown('#people-rest')[0] === 'and 4,900 more' || shown('#people-rest')")?;
        let drawn = "[present().length, away().length, present()[0], shown('#people-count')[0]]";
        assert_eq!(user.page.eval(drawn)?, json!([100, 0, "guest 7", "5,000"]));
        // Whoever is chosen with the keyboard stays so while others come and go.
        let focus = "(() => {
            document.querySelector('#people li:nth-child(9) button').focus();
            for (let id = 0; id < 100; id += 1) crowd.delete(id);
            list.show(crowd, 7);
        })()";
        let focused = user
            .page
            .eval("document.querySelector('#people li:nth-child(9) .name').textContent")?;
        user.page.eval(focus)?;
        user.waits_for("shown('#people-rest')[0] === 'and 4,800 more' || shown('#people-rest')")?;
        assert_eq!(
            user.page
                .eval("document.activeElement.querySelector('.name')?.textContent")?,
            focused
        );
    }
    Ok(())
}
