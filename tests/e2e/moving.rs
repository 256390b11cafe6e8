//! A browser that changes from one network to another in mid-conversation.

use std::{
    io::Write,
    process::{Child, ChildStdin, Stdio},
    thread,
    time::{Duration, Instant},
};

use oneport_tests::{
    Result,
    browser::{Browser, Page},
    lines::Lines,
    relay,
    two_ways::{FIRST, SECOND, TwoWays},
};
use serde_json::Value;

use crate::member::{blank, enter_as, no_faults, rises};

/// Between the words of a conversation.
const PAUSE: Duration = Duration::from_millis(50);

/// How long nothing is said over a link that is still there, after a move.
const STAY: Duration = Duration::from_secs(6);

/// For the last words, on a busy machine.
const SETTLED: Duration = Duration::from_secs(40);

/// What the library needs: two seconds to be sure, one for the other way, and what SCTP waits between its
/// attempts. A link that is made anew would come after five.
const GAP_MAX_MS: u64 = 8_000;

/// Somebody whose network stays: a native client on the relay's side.
struct Friend {
    process: Child,
    stdin: ChildStdin,
    said: usize,
    heard: Lines,
}

impl Friend {
    fn enter(ways: &TwoWays, url: &str) -> Result<Self> {
        let mut command = relay::command()?;
        let url = url.trim_end_matches('/');
        command.args([
            "chat", url, "--room", "library", "--name", "friend", "--lines",
        ]);
        let mut process = ways
            .0
            .over_there(&command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            stdin: process.stdin.take().expect("it is piped"),
            heard: Lines::of(process.stdout.take().expect("it is piped")),
            said: 0,
            process,
        })
    }

    fn say(&mut self) -> Result {
        self.said += 1;
        writeln!(self.stdin, "tick {}", self.said)?;
        Ok(())
    }
}

impl Drop for Friend {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Both talk all the time; the page says when it heard something and when the room took its words.
const TALK: &str = "(() => {
    window.heardAt = [performance.now()];
    window.takenAt = [performance.now()];
    window.isTalking = true;
    window.words = 0;
    window.refusals = [];
    window.links = peers.length;
    room.on('message', () => heardAt.push(performance.now()));
    (async () => {
        while (isTalking) {
            words += 1;
            room.send(`word ${words}`, { topic: 'chat' }).then(() => takenAt.push(performance.now()), ({ code }) => refusals.push(code));
            await wait(50);
        }
    })();
})()";

/// The longest time between two of them since the last question.
const GAPS: &str = "(() => {
    const longest = (times) => {
        const until = [...times.slice(1), performance.now()];
        return Math.round(Math.max(...until.map((at, index) => at - times[index])));
    };
    const gaps = [longest(heardAt), longest(takenAt), peers.length - links];
    heardAt.splice(0, heardAt.length - 1);
    takenAt.splice(0, takenAt.length - 1);
    links = peers.length;
    return gaps;
})()";

fn moves(test: &str, start: impl FnOnce() -> Result<Browser>) -> Result {
    let Some(ways) = TwoWays::enter(test)? else {
        return Ok(());
    };
    let relay = ways.relay()?;
    let browser = start()?;
    let page = blank(&browser)?;
    enter_as(&page, &relay, browser.name(), serde_json::json!({}))?;
    let mut friend = Friend::enter(&ways, relay.url())?;
    page.wait_for("names().includes('friend') || names()", SETTLED)?;
    page.eval(TALK)?;
    talk(&mut friend, Duration::from_secs(2))?;
    println!(
        "| {} | page hears nothing for | room takes nothing for | new links |",
        browser.name()
    );
    println!("|---|---|---|---|");
    report(&page, "stays")?;
    for (name, way) in [
        ("moves", SECOND),
        ("moves back", FIRST),
        ("moves again", SECOND),
    ] {
        ways.go(way)?;
        talk(&mut friend, STAY)?;
        let gaps = report(&page, name)?;
        for gap in [&gaps[0], &gaps[1]] {
            assert!(gap.as_u64() < Some(GAP_MAX_MS), "{name}: {gaps}");
        }
    }

    let ticks = friend.said;
    let count = "messages.filter(({ text }) => text.startsWith('tick')).length";
    page.wait_for(&format!("{count} >= {ticks} || {count}"), SETTLED)?;
    page.eval("isTalking = false")?;
    page.wait_for(
        "takenAt.length > 0 && relay.state === 'connected' || relay.state",
        SETTLED,
    )?;
    let last = page.eval("words")?;
    let last = format!(": word {last}");
    friend
        .heard
        .wait_for("the page's last word", SETTLED, |line| {
            line.ends_with(&last)
        })?;
    let ticks: Vec<_> = (1..=ticks).map(|number| format!("tick {number}")).collect();
    assert_eq!(
        page.eval("texts()")?,
        serde_json::json!(ticks),
        "once, in order"
    );
    let heard = friend.heard.all();
    let words: Vec<_> = heard
        .iter()
        .filter_map(|line| line.split_once(": word "))
        .collect();
    let words: Vec<_> = words
        .into_iter()
        .map(|(_, number)| number.to_owned())
        .collect();
    let wanted: Vec<_> = (1..=words.len()).map(|number| number.to_string()).collect();
    assert_eq!(words, wanted, "once, in order");
    assert_eq!(page.eval("refusals")?, serde_json::json!([]));
    no_faults([&page])?;
    rises(&page)
}

fn talk(friend: &mut Friend, time: Duration) -> Result {
    let begun = Instant::now();
    while begun.elapsed() < time {
        friend.say()?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

fn report(page: &Page, what: &str) -> Result<Value> {
    let gaps = page.eval(GAPS)?;
    println!("| {what} | {} ms | {} ms | {} |", gaps[0], gaps[1], gaps[2]);
    Ok(gaps)
}

#[test]
fn chromium_changes_its_network() -> Result {
    moves("moving::chromium_changes_its_network", Browser::chromium)
}

#[test]
fn firefox_changes_its_network() -> Result {
    moves("moving::firefox_changes_its_network", Browser::firefox)
}
