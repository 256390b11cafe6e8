//! A page loses its network, for less and for more than the relay waits.

use std::{
    io::Write,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use oneport_tests::{
    Result,
    relay::{self, Relay},
};
use serde_json::json;

use crate::{
    stage::Stage,
    user::{CONNECTED, User, each},
};

/// For a page that has to find back, and gives up attempts that fail meanwhile.
const BACK_AGAIN: Duration = Duration::from_secs(25);

/// One is back before anybody worries, one within the relay's grace time of 30 s, one after it.
const CUTS: [Duration; 3] = [
    Duration::from_secs(5),
    Duration::from_secs(20),
    Duration::from_secs(35),
];

#[test]
fn pages_that_were_cut_off_miss_nothing() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let url = relay.room_url("cuts");
    let speaker = User::enter(stage.chromium, &url)?;
    let browsers = [stage.firefox, stage.chromium, stage.firefox];
    let pages = browsers
        .into_iter()
        .map(|browser| User::enter(browser, &url))
        .collect::<Result<Vec<_>>>()?;
    speaker.sees_people(4)?;
    each(&pages, |page| page.cut())?;
    each(&pages, |page| {
        page.say(&[format!("{} says it alone", page.name)])
    })?;
    for page in &pages {
        page.sees_delivery(&format!("{} says it alone", page.name), "waiting")?;
    }

    let start = Instant::now();
    let mut said = Vec::new();
    let mut cut: Vec<_> = pages.iter().zip(CUTS).collect();
    while !cut.is_empty() {
        let text = format!("word {}", said.len() + 1);
        speaker.say(std::slice::from_ref(&text))?;
        said.push(text);
        for (page, _) in cut.extract_if(.., |(_, after)| start.elapsed() > *after) {
            page.mend()?;
        }
        // The pace of somebody who talks.
        thread::sleep(Duration::from_secs(1));
    }
    each(&pages, |page| page.page.wait_for(CONNECTED, BACK_AGAIN))?;
    speaker.say(&["that was it".into()])?;
    each(&pages, |page| page.hears("that was it"))?;
    for page in &pages {
        let own = format!("{} says it alone", page.name);
        page.waits_for(&format!(
            "['sent', 'delivered'].includes(lineOf({}).dataset.delivery)",
            json!(own)
        ))?;
        speaker.hears(&own)?;
    }
    each(&pages, |page| {
        page.hears(&format!("{} says it alone", pages[2].name))
    })?;

    // Everybody has everything once, and in one order.
    let order = speaker.texts()?;
    assert_eq!(order.len(), said.len() + 1 + pages.len());
    for page in &pages {
        assert_eq!(page.texts()?, order, "at {}", page.name);
    }
    for (page, cut) in pages.iter().zip(CUTS) {
        let told = page
            .page
            .eval("notes().filter((note) => note.startsWith('Connected again')).length")?;
        assert_eq!(told, json!(usize::from(cut == CUTS[2])), "at {}", page.name);
    }
    speaker.is_told(&format!("{} did not come back", pages[2].name))
}

/// What happens to a message that nobody can take.
#[test]
fn a_message_that_was_not_sent_can_be_sent_again() -> Result {
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let url = relay.room_url("again");
        let user = User::enter(browser, &url)?;
        user.say(&["alone".into()])?;
        user.sees_delivery("alone", "sent")?;
        let friend = User::enter(stage.chromium, &url)?;
        user.sees_people(2)?;
        user.say(&["to a friend".into()])?;
        user.sees_delivery("to a friend", "delivered")?;
        friend.hears("to a friend")?;

        // The relay is gone for good, and another one in its place knows nobody.
        user.cut()?;
        user.say(&["into the void".into()])?;
        user.sees_delivery("into the void", "waiting")?;
        user.writes_to(&friend.name)?;
        user.say(&["for a friend".into()])?;
        // A question whom to remove is withdrawn: somebody else may have the number then.
        user.page
            .eval("import('/kick.js').then(({ askToKick }) => askToKick('somebody', () => {}))")?;
        let address = relay.address().to_string();
        relay.kill();
        let _relay = Relay::start(&["--listen", &address])?;
        user.mend()?;
        user.page.wait_for(CONNECTED, BACK_AGAIN)?;
        user.waits_for("!document.querySelector('#kick').open")?;
        user.sees_delivery("into the void", "sent")?;
        user.sees_delivery("for a friend", "failed")?;
        let words =
            "lineOf('for a friend').querySelector('.failure').firstChild.textContent.trim()";
        assert_eq!(
            user.page.eval(words)?,
            json!("Not sent: that person is not here any more.")
        );
        user.page
            .eval("lineOf('for a friend').querySelector('.again').click()")?;
        user.sees_delivery("for a friend", "failed")?;
        friend.hears("into the void")?;
        assert!(!friend.texts()?.contains(&"for a friend".to_owned()));
    }
    Ok(())
}

/// More was said meanwhile than a room keeps.
#[test]
fn what_fell_off_is_told() -> Result {
    /// Together more than 4 MiB.
    const LINES: usize = 330;
    const LINE_CHARS: usize = 15_000;
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let user = User::enter(browser, &relay.room_url("flood"))?;
        user.say(&["before".into()])?;
        user.sees_delivery("before", "sent")?;
        user.cut()?;
        user.say(&["meanwhile".into()])?;

        let mut terminal = relay::command()?
            .args([
                "chat",
                relay.url().trim_end_matches('/'),
                "--room",
                "flood",
                "--lines",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let line = |number: usize| format!("{number} {}", "x".repeat(LINE_CHARS));
        let lines: Vec<_> = (1..=LINES).map(|number| line(number) + "\n").collect();
        let mut input = terminal.stdin.take().expect("it is piped");
        input.write_all(lines.concat().as_bytes())?;
        drop(input);
        assert!(terminal.wait()?.success(), "the room has all of it");

        user.mend()?;
        user.page.wait_for(CONNECTED, BACK_AGAIN)?;
        user.waits_for("notes().some((note) => note.includes('More was said meanwhile than the relay keeps.')) || notes()")?;
        user.sees_delivery("meanwhile", "sent")?;
        user.hears(&line(LINES))?;
        // As much of it as an answer holds, and behind what was there before; the rest can be loaded.
        let numbers =
            "all('li[data-id] .text').map(({ textContent }) => textContent.split(' ')[0])";
        let seen = user.page.eval(numbers)?;
        let seen: Vec<_> = seen
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str())
            .collect();
        let count = seen.len();
        assert_eq!((seen[0], seen[count - 1]), ("before", "meanwhile"));
        let newest = LINES + 3 - count;
        let expected: Vec<_> = (newest..=LINES).map(|number| number.to_string()).collect();
        assert_eq!(seen[1..count - 1], expected);
        user.page
            .eval("document.querySelector('#earlier').click()")?;
        user.waits_for(&format!("all('li[data-id]').length > {count}"))?;
        let seen = user.page.eval(numbers)?;
        assert_eq!(seen[0], json!("before"));
        let second = seen[1]
            .as_str()
            .and_then(|number| number.parse::<usize>().ok());
        assert!(second < Some(newest), "{second:?} comes before {newest}");
    }
    Ok(())
}
