//! What the relay counts.

use std::collections::BTreeMap;
use std::fmt;

use oneport_core::Stats;
use oneport_core::hub::HubStats;
use oneport_wire::frame::{GapReason, NotRecovered};
use oneport_wire::{ByeCode, Refusal};

use super::exposition::Exposition;

/// Why a link ends, beside the codes of a `bye`.
const CLOSE_CODES: [&str; 4] = ["left", "lost", "handshake_timeout", "faulty"];

/// The counts with a zero for each code that has not occurred: `rate()` does not see a series that begins with 1.
fn all(
    codes: &[&'static str],
    counts: &BTreeMap<&'static str, u64>,
) -> BTreeMap<&'static str, u64> {
    let zeros = codes.iter().map(|code| (*code, 0));
    let counts = counts.iter().map(|(code, count)| (*code, *count));
    zeros.chain(counts).collect()
}

pub(super) fn encode(stats: &Stats, out: &mut Exposition<'_>) -> fmt::Result {
    let Stats {
        links,
        handshakes,
        sessions,
        members,
        members_away,
        is_shutting_down,
        rooms,
        ring_bytes,
        reserved_bytes,
        hub,
        established,
        refused,
        ice_restarts,
        restarts_refused,
        closed,
        rejected,
        frames_refused,
        messages_in,
        message_bytes_in,
        message_bytes_out,
        lossy_delivered,
        gaps,
        recoveries,
        queue_time,
        undeliverable,
        empty_skipped,
        lossy_dropped,
        datagrams,
        datagrams_unmatched,
        datagrams_dropped,
    } = stats;
    let codes = |map: &'_ BTreeMap<&'static str, u64>| {
        let pairs = map.iter().map(|(code, count)| (*code, *count));
        pairs.collect::<Vec<_>>()
    };
    out.gauge("oneport_links", "Links, in whatever state.", *links)?;
    let help = "Links whose handshake is not through.";
    out.gauge("oneport_handshakes", help, *handshakes)?;
    let help = "Sessions, those whose link is lost included.";
    out.gauge("oneport_sessions", help, *sessions)?;
    let help = "Rooms, empty ones that keep their history included.";
    out.gauge("oneport_rooms", help, *rooms)?;
    let help = "Members over all rooms, those that are away included.";
    out.gauge("oneport_members", help, *members)?;
    let help = "Members whose link is lost and who may come back.";
    out.gauge("oneport_members_away", help, *members_away)?;
    let help = "Whether the relay is shutting down.";
    out.gauge("oneport_shutting_down", help, u64::from(*is_shutting_down))?;
    let help = "Memory of the messages in all rings.";
    out.bytes("oneport_ring", help, *ring_bytes as u64)?;
    let help = "Memory that links, sessions and rooms may take, each counted with its most.";
    out.bytes("oneport_reserved", help, *reserved_bytes as u64)?;

    let help = "Links that were established.";
    out.counter("oneport_established", help, *established)?;
    let help = "Offers that were refused, by code.";
    out.counters(
        "oneport_refusals",
        help,
        "code",
        all(Refusal::CODES, refused),
    )?;
    let help = "Links that went on after an ICE restart.";
    out.counter("oneport_ice_restarts", help, *ice_restarts)?;
    let help = "ICE restarts that were refused, by code.";
    out.counters(
        "oneport_restart_refusals",
        help,
        "code",
        codes(restarts_refused),
    )?;
    let help = "Links that ended, by why.";
    let reasons = ByeCode::ALL.iter().map(|code| code.as_str());
    let reasons: Vec<_> = reasons.chain(CLOSE_CODES).collect();
    out.counters("oneport_closes", help, "code", all(&reasons, closed))?;
    let help = "Channels and messages that were not taken, by why.";
    let rejected = rejected.iter().map(|(why, count)| (why.code(), *count));
    out.counters("oneport_rejections", help, "code", rejected)?;
    let help = "Frames that were not carried out, by code.";
    out.counters(
        "oneport_frames_refused",
        help,
        "code",
        codes(frames_refused),
    )?;

    encode_messages(hub, *lossy_delivered, out)?;
    let help = "Lossy messages that were dropped, once for each receiver.";
    out.counter("oneport_lossy_dropped", help, *lossy_dropped)?;
    let help = "Gaps that members were told, by why.";
    let reasons: Vec<_> = GapReason::ALL.iter().map(|why| why.as_str()).collect();
    out.counters("oneport_gaps", help, "reason", all(&reasons, gaps))?;
    let help = "Members that came back to a room: recovered, or why they missed something.";
    let results = NotRecovered::ALL.iter().map(|why| why.as_str());
    let results: Vec<_> = results.chain(["recovered"]).collect();
    out.counters(
        "oneport_recoveries",
        help,
        "result",
        all(&results, recoveries),
    )?;
    let help = "Channels that were closed because they did not take a message.";
    out.counter("oneport_undeliverable", help, *undeliverable)?;
    let help = "Empty messages that a plain channel could not carry.";
    out.counter("oneport_empty_skipped", help, *empty_skipped)?;
    let help = "How long messages waited in the ring for their receiver's link: the age of the oldest \
                entry each time that a link is written to, in milliseconds; 0 within a turn.";
    out.durations("oneport_send_queue", help, queue_time)?;

    let help = "Messages that came in over channels, frames of the protocol included.";
    out.counter("oneport_channel_received_messages", help, *messages_in)?;
    let help = "What came in over channels.";
    out.bytes_counter("oneport_channel_received", help, *message_bytes_in)?;
    let help = "What was written to channels.";
    out.bytes_counter("oneport_channel_sent", help, *message_bytes_out)?;

    let help = "Datagrams that the relay was given.";
    out.counter("oneport_datagrams", help, *datagrams)?;
    let help = "Datagrams that belonged to no link: garbage, stragglers, scans.";
    out.counter("oneport_datagrams_unmatched", help, *datagrams_unmatched)?;
    let help = "Datagrams that their link could not use, counted when it ends.";
    out.counter("oneport_datagrams_unusable", help, *datagrams_dropped)
}

fn encode_messages(hub: &HubStats, lossy_delivered: u64, out: &mut Exposition<'_>) -> fmt::Result {
    let HubStats {
        published,
        published_transient,
        published_lossy,
        announced,
        delivered,
        evicted,
    } = *hub;
    let kept = published - published_transient - published_lossy;
    let classes = [
        ("kept", kept),
        ("transient", published_transient),
        ("lossy", published_lossy),
    ];
    let help = "Messages that were published, by class.";
    out.counters("oneport_messages", help, "class", classes)?;
    let help = "Changes about a member that its rooms were told.";
    out.counter("oneport_announcements", help, announced)?;
    let ways = [("ring", delivered), ("lossy", lossy_delivered)];
    let help = "Messages and announcements that were written to a link, once for each receiver, by \
                whether they came from a ring.";
    out.counters("oneport_deliveries", help, "from", ways)?;
    let help = "Messages that left the ring before a receiver had them, once for each receiver.";
    out.counter("oneport_evictions", help, evicted)
}
