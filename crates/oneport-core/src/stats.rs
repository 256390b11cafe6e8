//! What a relay has done so far.

use std::collections::BTreeMap;

use oneport_link::Rejection;

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
    /// Links that ended, by the reason's code.
    pub closed: BTreeMap<&'static str, u64>,
    /// Channels and messages that were not taken, by why.
    pub rejected: BTreeMap<Rejection, u64>,
    /// Frames that were not carried out, by the code that said so.
    pub frames_refused: BTreeMap<&'static str, u64>,
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
