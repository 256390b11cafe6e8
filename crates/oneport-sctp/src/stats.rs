//! Counters.

use std::time::Duration;

/// What an association has done so far, and where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Packets written.
    pub packets_sent: u64,
    /// Packets of this association that were read.
    pub packets_received: u64,
    /// Packets that were dropped: wrong checksum, wrong tag, malformed.
    pub packets_dropped: u64,
    /// Chunks of user data written, repeated ones included.
    pub chunks_sent: u64,
    /// Of these, repeated ones.
    pub chunks_retransmitted: u64,
    /// Chunks of user data received that were not there yet.
    pub chunks_received: u64,
    /// Chunks of user data received that were there already.
    pub duplicates_received: u64,
    /// Chunks of user data refused for want of space.
    pub chunks_refused: u64,
    /// Messages given up on lossy channels.
    pub messages_abandoned: u64,
    /// Messages for streams without a channel.
    pub messages_unclaimed: u64,
    /// Times that the retransmission timer ran out.
    pub timeouts: u64,
    /// Tail loss probes.
    pub tail_probes: u64,
    /// Times that the congestion window shrank for a loss.
    pub recoveries: u64,
    /// The smoothed round trip, once it was measured.
    pub round_trip: Option<Duration>,
    /// The current retransmission timeout.
    pub retransmission_timeout: Duration,
    /// The congestion window in bytes.
    pub congestion_window: usize,
    /// Bytes that are sent and not acknowledged.
    pub bytes_in_flight: usize,
    /// Bytes that the peer still has space for, as far as is known.
    pub peer_window: usize,
    /// Bytes that wait for their first transmission.
    pub bytes_queued: usize,
    /// Bytes that this end still has space for.
    pub receive_window: usize,
    /// The size of a full packet.
    pub packet_bytes: usize,
    /// Channels.
    pub channels: usize,
}
