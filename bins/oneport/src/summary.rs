//! What happened, once in a while, in a line of the log.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::thread;
use std::time::Duration;

use oneport_core::Stats;
use oneport_io::CallError;

use crate::server::Probe;

/// How often it is said: rarely enough that a day of it is read in a minute.
const INTERVAL: Duration = Duration::from_mins(1);

/// Logs once a minute what has happened since, on a thread of its own, until the relay stops.
///
/// # Errors
///
/// If the operating system refuses a thread.
pub fn log_summaries(probe: Probe) -> io::Result<()> {
    let thread = thread::Builder::new().name("summary".into());
    thread.spawn(move || {
        let mut before = Stats::default();
        loop {
            thread::sleep(INTERVAL);
            match probe.stats() {
                Ok(now) => {
                    if let Some(summary) = summary(&before, &now) {
                        log::info!("since the last summary: {summary}");
                    }
                    before = now;
                }
                Err(CallError::Stopped) => return,
                // Then the next line says it for two minutes.
                Err(CallError::Busy | CallError::Timeout) => {}
            }
        }
    })?;
    Ok(())
}

/// Logs what has happened in all.
pub fn log_total(stats: &Stats) {
    match summary(&Stats::default(), stats) {
        Some(summary) => log::info!("stopped; in all: {summary}"),
        None => log::info!("stopped; nothing has happened"),
    }
}

/// What has happened between the two, if something has.
fn summary(before: &Stats, now: &Stats) -> Option<String> {
    let mut text = String::new();
    let mut say = |what: &str, count: u64, codes: String| {
        if count > 0 {
            let comma = if text.is_empty() { "" } else { ", " };
            // A string takes everything.
            let _ = write!(text, "{comma}{count} {what}{codes}");
        }
    };
    let none = String::new;
    say("connected", now.established - before.established, none());
    let (count, codes) = by_code(&before.closed, &now.closed);
    say("ended", count, codes);
    let (count, codes) = by_code(&before.refused, &now.refused);
    say("refused", count, codes);
    let (count, codes) = by_code(&before.frames_refused, &now.frames_refused);
    say("frames refused", count, codes);
    let published = |stats: &Stats| {
        stats.hub.published + stats.hub.published_transient + stats.hub.published_lossy
    };
    say("messages", published(now) - published(before), none());
    let delivered = now.hub.delivered - before.hub.delivered;
    say("deliveries", delivered, none());
    let dropped = now.lossy_dropped - before.lossy_dropped;
    say("lossy ones dropped", dropped, none());
    (!text.is_empty()).then(|| {
        let (links, sessions, rooms) = (now.links, now.sessions, now.rooms);
        format!("{text}; now {links} links, {sessions} sessions, {rooms} rooms")
    })
}

/// How many there are more, in all and by code.
fn by_code(
    before: &BTreeMap<&'static str, u64>,
    now: &BTreeMap<&'static str, u64>,
) -> (u64, String) {
    let more = |(code, count): (&&'static str, &u64)| {
        let more = count - before.get(code).copied().unwrap_or_default();
        (more > 0).then_some((*code, more))
    };
    let more: Vec<_> = now.iter().filter_map(more).collect();
    let all = more.iter().map(|(_, count)| count).sum();
    let codes = more.iter().map(|(code, count)| format!("{code} {count}"));
    let codes: Vec<_> = codes.collect();
    (all, format!(" ({})", codes.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_happened_is_said() {
        let mut before = Stats::default();
        before.closed.insert("left", 2);
        before.hub.published = 7;
        assert_eq!(summary(&before, &before), None);
        let mut now = before.clone();
        now.established = 3;
        now.closed.insert("left", 5);
        now.closed.insert("lost", 1);
        now.refused.insert("busy", 4);
        now.hub.published += 10;
        now.hub.published_lossy = 1;
        now.hub.delivered = 20;
        (now.links, now.rooms) = (6, 1);
        assert_eq!(
            summary(&before, &now).as_deref(),
            Some(
                "3 connected, 4 ended (left 3, lost 1), 4 refused (busy 4), \
                 11 messages, 20 deliveries; now 6 links, 0 sessions, 1 rooms"
            )
        );
    }
}
