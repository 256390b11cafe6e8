//! What a relay has done so far.

use std::collections::BTreeMap;

use oneport_link::{Durations, Rejection};

use crate::hub::HubStats;

/// What a relay has done so far, and what it holds now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Links that there are, in whatever state.
    pub links: usize,
    /// Those of them whose handshake is not through.
    pub handshakes: usize,
    /// Sessions that there are, those in their grace time included.
    pub sessions: usize,
    /// Members that there are, over all rooms, those that are away included.
    pub members: usize,
    /// Those of them that are away: their link is lost, and they may come back.
    pub members_away: usize,
    /// Whether it is shutting down: it takes nobody in any more.
    pub is_shutting_down: bool,
    /// Rooms that there are, those without members included that keep their history.
    pub rooms: usize,
    /// Memory that messages take that somebody still has to take, in bytes.
    pub ring_bytes: usize,
    /// Memory that links, sessions and rooms may take, those that there are, in bytes: what counts
    /// against [`RelayConfig::memory_bytes_max`](crate::RelayConfig::memory_bytes_max).
    pub reserved_bytes: usize,
    /// What went through the rooms.
    pub hub: HubStats,
    /// Links that were established.
    pub established: u64,
    /// Offers that were refused, by the refusal's code.
    pub refused: BTreeMap<&'static str, u64>,
    /// Links that went on after an ICE restart, once for each.
    pub ice_restarts: u64,
    /// ICE restarts that were refused, by the refusal's code.
    pub restarts_refused: BTreeMap<&'static str, u64>,
    /// Links that ended, by the reason's code.
    pub closed: BTreeMap<&'static str, u64>,
    /// Channels and messages that were not taken, by why.
    pub rejected: BTreeMap<Rejection, u64>,
    /// Frames that were not carried out, by the code that said so.
    pub frames_refused: BTreeMap<&'static str, u64>,
    /// Messages that came in over channels, whatever they were: chat, frames of the protocol.
    pub messages_in: u64,
    /// What they had in them, in bytes.
    pub message_bytes_in: u64,
    /// What was written to channels, in bytes: entries, lossy messages, answers.
    pub message_bytes_out: u64,
    /// Lossy messages that were written to a channel, once for each.
    pub lossy_delivered: u64,
    /// Gaps that members were told, by their reason.
    pub gaps: BTreeMap<&'static str, u64>,
    /// How it ended when members came back to rooms: `recovered`, or why not.
    pub recoveries: BTreeMap<&'static str, u64>,
    /// How long entries wait until they are written to a link, by the clock of entries (milliseconds): of
    /// what is written to a link in one go, the oldest entry's age, if it was published while its reader
    /// was there. Nothing within one turn of the loop is seen by it.
    pub queue_time: Durations,
    /// Channels that were closed because they did not take a message: mostly because it was larger
    /// than their peer allows.
    pub undeliverable: u64,
    /// Empty messages that did not go to a plain channel, once for each: it could not carry them.
    pub empty_skipped: u64,
    /// Lossy messages that were dropped, once for each receiver that could not take one.
    pub lossy_dropped: u64,
    /// Datagrams that came in.
    pub datagrams: u64,
    /// Datagrams that belonged to no link: garbage, stragglers, scans.
    pub datagrams_unmatched: u64,
    /// Datagrams that their link could not use, counted when the link ends.
    pub datagrams_dropped: u64,
}
