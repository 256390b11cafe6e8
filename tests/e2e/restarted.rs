//! A relay that is stopped and started again in the middle of a conversation.

use std::thread;

use oneport_tests::{Result, relay::Relay};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    stage::Stage,
    user::{SOON, User, crowd, each},
};

/// How much each of them says, before, while and after the relay is stopped.
const LINES: usize = 60;

fn line(user: &User, number: usize) -> String {
    format!("{} says {number}", user.name)
}

/// They notice a pause: nothing is lost, doubled or out of order, nobody leaves or joins, and their pages
/// say that they were away for a moment.
#[test]
fn a_conversation_goes_on_over_a_restart() -> Result {
    let stage = Stage::set()?;
    let folder = TempDir::new()?;
    let file = folder.path().join("state");
    let state = file.to_str().expect("UTF-8");
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--state", state])?;
    let address = relay.address().to_string();
    let users = crowd(stage.both(), 2, &relay.room_url("lasting"))?;
    each(&users, |user| {
        user.page.eval("(() => { states.length = 0; })()").map(drop)
    })?;
    let notes = |user: &User| user.page.eval("notes()");
    let notes_before = users.iter().map(notes).collect::<Result<Vec<_>>>()?;

    let relay = thread::scope(|scope| {
        let talk = |user: &User| {
            let lines = (0..LINES).map(|number| line(user, number));
            lines.into_iter().try_for_each(|line| user.say(&[line]))
        };
        let talking: Vec<_> = users
            .iter()
            .map(|user| scope.spawn(move || talk(user)))
            .collect();
        each(&users, |user| user.hears(&line(&users[0], 5)))?;
        let status = relay.terminate()?;
        assert!(status.success(), "{status}");
        let relay = Relay::start(&["--listen", &address, "--state", state])?;
        for talking in talking {
            talking.join().expect("no user panics")?;
        }
        Ok::<_, oneport_tests::Error>(relay)
    })?;

    each(&users, |user| {
        users
            .iter()
            .try_for_each(|other| user.hears(&line(other, LINES - 1)))
    })?;
    let sessions = format!("{} sessions", users.len());
    relay.wait_for_log(&sessions, SOON)?;
    for (user, notes_before) in users.iter().zip(notes_before) {
        let texts = user.texts()?;
        assert_eq!(texts.len(), LINES * users.len(), "{}: {texts:?}", user.name);
        for other in &users {
            let theirs = format!("{} says ", other.name);
            let heard: Vec<_> = texts
                .iter()
                .filter(|text| text.starts_with(&theirs))
                .collect();
            let said: Vec<_> = (0..LINES).map(|number| line(other, number)).collect();
            assert!(heard.into_iter().eq(&said), "{}: {texts:?}", user.name);
        }
        user.waits_for(
            "states.includes('reconnecting') && states.at(-1) === 'connected' || states",
        )?;
        user.sees_people(users.len())?;
        user.waits_for("all('[data-delivery=failed], [data-delivery=waiting]').length === 0")?;
        assert_eq!(notes(user)?, notes_before, "{}", user.name);
        assert_eq!(user.page.eval("away()")?, json!([]));
    }
    Ok(())
}
