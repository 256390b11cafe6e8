//! A relay without file descriptors.

use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use oneport_tests::{Result, relay::Relay, talkers::newcomer, usage::processor_time};

use crate::{WORST, alone, talkers};

/// More than the relay may have, and fewer than those and the kernel's backlog of 128 together.
const CONNECTIONS: usize = 150;

/// How long they are held, once none is left.
const HELD: Duration = Duration::from_secs(3);

#[test]
fn members_do_not_notice_and_newcomers_get_in() -> Result {
    let _alone = alone();
    let limited = ["sh", "-c", "ulimit -n 64 && exec \"$@\"", "sh"];
    let relay = Relay::start_by(&limited, &["--listen", "127.0.0.1:0"])?;
    let begun = Instant::now();
    let talkers = talkers(relay.url())?;

    let connect = |_| TcpStream::connect_timeout(&relay.address(), WORST);
    let held: Vec<_> = (0..CONNECTIONS).map(connect).collect::<Result<_, _>>()?;
    relay.wait_for_log("cannot accept TCP connections", WORST)?;
    let used = processor_time(relay.pid())?;
    std::thread::sleep(HELD);
    let used = processor_time(relay.pid())?.saturating_sub(used);
    let during = newcomer(relay.url())?;
    drop(held);
    let after = newcomer(relay.url())?;
    talkers.all_hear_all(WORST)?;

    let figures = talkers.finish();
    let share = used.as_secs_f64() / HELD.as_secs_f64() * 100.0;
    let remark = format!(
        "a newcomer needs {} ms, {} ms afterwards; {share:.0} % of a processor used",
        during.as_millis(),
        after.as_millis()
    );
    figures.print("64 file descriptors, 150 silent TCP connections", &remark);
    figures.assert_unnoticed(WORST);
    assert!(during < WORST && after < WORST, "{during:?} {after:?}");
    assert!(share < 50.0, "a busy loop: {share} %");
    let log = relay.log_lines();
    let complaints = log.iter().filter(|line| line.contains("cannot accept"));
    // One each 5 s at most, although connections failed all the time.
    let complaints_max = 1 + begun.elapsed().as_secs() / 5;
    assert!(complaints.count() as u64 <= complaints_max, "{log:?}");
    Ok(())
}

#[test]
fn a_soft_limit_is_raised() -> Result {
    let limited = ["sh", "-c", "ulimit -Sn 64 && exec \"$@\"", "sh"];
    let relay = Relay::start_by(&limited, &["--listen", "127.0.0.1:0"])?;
    let limits = fs::read_to_string(format!("/proc/{}/limits", relay.pid()))?;
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    // The soft limit, the hard one, and the unit.
    let columns: Vec<_> = files.unwrap_or_default().split_whitespace().collect();
    assert!(
        matches!(columns[3..], [soft, hard, _] if soft == hard && soft != "64"),
        "{limits}"
    );
    Ok(())
}
