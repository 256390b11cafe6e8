//! Thousands who come and go beside members who talk fast: nothing of them may stay.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use oneport::Participant;
use oneport::client::{Command, Delivery, Event, Publish};
use oneport::wire::RoomName;
use oneport_tests::{
    Result,
    relay::Relay,
    talkers::{Talkers, enter},
    usage::resident_bytes,
};

use crate::{WORST, alone};

/// Seconds, for a longer run than the ordinary one.
const VARIABLE: &str = "ONEPORT_SOAK_SECONDS";
const SECONDS: u64 = 60;

/// How many clients and rooms the relay may have: what were left of one in a hundred would soon keep
/// everybody out.
const PLACES: usize = 24;

const VISITORS: usize = 3;

/// What each visitor says in a room of its own.
const MESSAGES: usize = 10;

/// What the resident memory may grow by after the first third, when the talkers' room keeps as much as it
/// may: an allocator that has not seen its largest moment yet. One link, never freed, is about 50 KiB,
/// and there are thousands.
const GROWTH_BYTES_MAX: u64 = 8 << 20;

/// Comes in, says something, hears that it was taken, and goes.
fn visit(url: &str, room: &str) -> Result {
    let mut visitor = enter(url, room)?;
    let name: RoomName = room.parse().expect("a room's name");
    for number in 0..MESSAGES {
        visitor.command(Command::Publish {
            id: Some(number.to_string().parse().expect("an id")),
            publish: Publish {
                // A room that keeps nothing goes with its last member.
                delivery: Delivery::Transient { receipt: false },
                ..Publish::new(name.clone(), "I was here")
            },
        })?;
    }
    let mut taken = 0;
    while taken < MESSAGES {
        match visitor.next_event(WORST)? {
            Some(Event::Ack(_)) => taken += 1,
            Some(Event::Presence(_)) => {}
            other => panic!("{other:?} after {taken} acknowledgements"),
        }
    }
    Ok(visitor.close()?)
}

/// One after the other, each in a room that nobody has seen before.
fn visitors(url: &str, who: usize, end: Instant) -> Result<usize> {
    for number in 0.. {
        if Instant::now() >= end {
            return Ok(number);
        }
        visit(url, &format!("room-{who}-{number}"))?;
    }
    unreachable!("the time ends before the numbers")
}

/// The relay takes as many clients in as many rooms as when it was new, and no more: all others are
/// forgotten.
fn assert_empty(url: &str) -> Result {
    let rooms = (1..PLACES).map(|number| format!("last-{number}"));
    // That room has kept what was said.
    let rooms = rooms.chain(["talkers".to_owned()]);
    let all = rooms.map(|room| enter(url, &room));
    let all = all.collect::<Result<Vec<Participant>>>()?;
    let one_more = Participant::connect(url, "talkers".parse().expect("a name"), None);
    let refused = one_more.err().map(|error| error.to_string());
    assert!(refused.is_some_and(|why| why.contains("503")), "one more");
    for participant in all {
        participant.close()?;
    }
    Ok(())
}

#[test]
fn nothing_of_those_who_leave_stays() -> Result {
    let _alone = alone();
    let seconds = env::var(VARIABLE).map_or(SECONDS, |text| text.parse().expect("seconds"));
    let time = Duration::from_secs(seconds);
    let places = PLACES.to_string();
    let limits = ["--max-clients", &places, "--max-rooms", &places];
    let relay = Relay::start(&[&["--listen", "127.0.0.1:0"][..], &limits].concat())?;
    let talkers = Talkers::start(relay.url(), 4, Duration::from_millis(4))?;
    let begun = Instant::now();
    let visitors: Vec<_> = (0..VISITORS)
        .map(|who| {
            let url = relay.url().to_owned();
            thread::spawn(move || visitors(&url, who, begun + time))
        })
        .collect();

    thread::sleep(time / 3);
    let early = resident_bytes(relay.pid())?;
    let mut visits = 0;
    for visitor in visitors {
        visits += visitor.join().expect("it does not panic")?;
    }
    let figures = talkers.finish();
    assert_empty(relay.url())?;
    let late = resident_bytes(relay.pid())?;
    let log = relay.log();
    assert_eq!(relay.terminate()?.code(), Some(0));
    let totals = log.wait_for("the totals", WORST, |line| {
        line.contains("stopped; in all: ")
    })?;
    let totals = totals.split("in all: ").nth(1).unwrap_or_default();

    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let remark = format!(
        "{totals}; {:.1} MiB resident after a third, {:.1} MiB at the end",
        mib(early),
        mib(late)
    );
    figures.print(&format!("a soak of {seconds} s"), &remark);
    figures.assert_unnoticed(WORST);
    assert!(visits > 1000, "{visits}");
    assert!(late <= early + GROWTH_BYTES_MAX, "{early} {late}");
    Ok(())
}
