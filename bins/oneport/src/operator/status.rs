//! `/status/data`: how the relay does at this moment, for the page at `/status`.

use std::time::{Duration, SystemTime};

use oneport_core::{Close, Durations, Follower, Overview};
use serde_json::{Value, json};

use super::metrics::Scrape;

/// What the page shows. It asks again each second, and makes rates of totals itself, so that several
/// people can look at once.
pub(super) fn data(overview: &Overview, scrape: &Scrape) -> Value {
    let stats = &overview.stats;
    let (event_loop, process) = (&scrape.event_loop, &scrape.process);
    let started = scrape.started;
    let uptime = SystemTime::now()
        .duration_since(started)
        .unwrap_or_default();
    let started = started.duration_since(SystemTime::UNIX_EPOCH);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        // Which run of the relay it is: totals of another one are not to be compared with.
        "started_ms": millis(started.unwrap_or_default()),
        "uptime_s": uptime.as_secs(),
        "now_ms": overview.now.get(),
        "is_shutting_down": stats.is_shutting_down,
        "links": stats.links,
        "links_max": scrape.limits.links,
        "handshakes": stats.handshakes,
        "sessions": stats.sessions,
        "rooms": stats.rooms,
        "members": stats.members,
        "members_away": stats.members_away,
        "ring_bytes": stats.ring_bytes,
        "resident_bytes": process.resident_bytes,
        "open_fds": process.open_fds,
        "fds_max": process.fds_max,
        "cpu_ms": process.cpu.map(millis),
        "kernel_drops": process.udp.map(|udp| udp.drops),
        "totals": {
            "messages": stats.hub.published,
            "deliveries": stats.hub.delivered + stats.lossy_delivered,
            "bytes_in": stats.message_bytes_in,
            "bytes_out": stats.message_bytes_out,
            "datagrams_out": event_loop.datagrams_out + event_loop.frames_out,
            "lossy_dropped": stats.lossy_dropped,
            "evictions": stats.hub.evicted,
            "gaps": stats.gaps.values().sum::<u64>(),
            "refusals": scrape.signaling.refusals,
            "closes": stats.closed.values().sum::<u64>(),
        },
        "turn": durations(&event_loop.turn_time),
        "queue": durations(&stats.queue_time),
        "behind": overview.behind.iter().map(follower).collect::<Vec<_>>(),
        "closes": overview.closes.iter().map(close).collect::<Vec<_>>(),
    })
}

/// The longest time of each class in milliseconds (null: there is no longest), and how many there were.
fn durations(durations: &Durations) -> Value {
    let class = |(bound, count): (Option<Duration>, u64)| {
        json!([bound.map(|bound| bound.as_secs_f64() * 1000.0), count])
    };
    durations.classes().map(class).collect()
}

fn follower(follower: &Follower) -> Value {
    json!({
        "link": follower.link,
        "session": follower.session.map(|label| label.to_string()),
        "room": follower.room,
        "entries": follower.entries,
        "bytes": follower.bytes,
        "waits_ms": millis(follower.waits),
    })
}

fn close(close: &Close) -> Value {
    json!({
        "at_ms": close.at.get(),
        "link": close.link,
        "session": close.session.map(|label| label.to_string()),
        "room": close.room,
        "code": close.code,
        "reason": close.reason,
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
