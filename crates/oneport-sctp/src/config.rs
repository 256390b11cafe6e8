//! Settings of an association, and the bounds that are not settings.

use std::time::Duration;

use crate::types::Span;
use crate::wire::{COMMON_HEADER_BYTES, DataHeader, Supported};

/// The settings of an association. Many associations share one.
///
/// Start from [`Config::default`] and change fields. A value that makes no sense, as a packet of ten
/// bytes, counts as the nearest that does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The SCTP port of both ends. Data channels use 5000 (`a=sctp-port`).
    pub port: u16,
    /// The largest packet that is sent before the path is known to carry more. A datagram of 1,200
    /// bytes passes everywhere; DTLS 1.2 with AES-GCM takes 37 of them.
    pub packet_bytes_base: usize,
    /// The largest packet that probing of the path may lead to (RFC 8899). Equal to the base, the
    /// default, it turns probing off: a chunk cannot be divided after it was sent, so when a client
    /// moves to a path with a smaller limit, large chunks in flight do not pass any more.
    pub packet_bytes_max: usize,
    /// The most bytes that may have been received and not yet [released](crate::Association::release)
    /// or delivered. At least twice `message_bytes_max`.
    pub receive_window: u32,
    /// The largest message that is accepted. A larger one ends the association.
    pub message_bytes_max: usize,
    /// The largest message that the peer accepts, until
    /// [`set_peer_message_bytes_max`](crate::Association::set_peer_message_bytes_max) says otherwise
    /// (`a=max-message-size`).
    pub peer_message_bytes_max: usize,
    /// The most bytes that are queued to be sent, over all channels, acknowledged ones not counted.
    pub send_buffer: usize,
    /// The number of streams in each direction that this end announces. Numbers of channels are below.
    pub streams_max: u16,
    /// The most channels that exist at a time.
    pub channels_max: usize,
    /// The retransmission timeout before the round trip was measured.
    pub rto_initial: Duration,
    /// The least retransmission timeout.
    pub rto_min: Duration,
    /// The greatest retransmission timeout.
    pub rto_max: Duration,
    /// How long the acknowledgement of a single packet waits for company.
    pub ack_delay: Duration,
    /// The congestion window at the start, in packets.
    pub initial_window_packets: usize,
    /// After how many timeouts in a row without a sign of the peer the association ends; `None` for
    /// never, where something else watches the path.
    pub timeouts_max: Option<u32>,
    /// How often an idle peer is sent a HEARTBEAT; `None` for never.
    pub heartbeat_interval: Option<Duration>,
    /// Interleave large messages with others (RFC 8260), if the peer can.
    pub interleaving: bool,
    /// Leave checksums out and accept packets without, if the peer can (RFC 9653). Only over DTLS.
    pub zero_checksum: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 5000,
            packet_bytes_base: 1_200 - 37,
            packet_bytes_max: 1_200 - 37,
            receive_window: 1024 * 1024,
            message_bytes_max: 256 * 1024,
            peer_message_bytes_max: 65_535,
            send_buffer: 1024 * 1024,
            streams_max: 1024,
            channels_max: 1024,
            rto_initial: Duration::from_millis(500),
            rto_min: Duration::from_millis(200),
            rto_max: Duration::from_secs(3),
            ack_delay: Duration::from_millis(20),
            initial_window_packets: 10,
            timeouts_max: Some(20),
            heartbeat_interval: None,
            interleaving: true,
            zero_checksum: true,
        }
    }
}

/// The least packet: IPv6's least MTU of 1,280 less every header is far above, IPv4's 576 is not.
const PACKET_BYTES_MIN: usize = 512;

/// A DTLS record holds no more.
const PACKET_BYTES_LIMIT: usize = 16 * 1024;

impl Config {
    pub(crate) fn packet_bytes_base(&self) -> usize {
        self.packet_bytes_base
            .clamp(PACKET_BYTES_MIN, PACKET_BYTES_LIMIT)
            & !3
    }

    pub(crate) fn packet_bytes_max(&self) -> usize {
        let max = self.packet_bytes_max.min(PACKET_BYTES_LIMIT) & !3;
        max.max(self.packet_bytes_base())
    }

    pub(crate) fn receive_window(&self) -> usize {
        let least = self.message_bytes_max.saturating_mul(2);
        (self.receive_window as usize).max(least)
    }

    pub(crate) fn streams_max(&self) -> u16 {
        self.streams_max.max(1)
    }

    pub(crate) fn rto_min(&self) -> Span {
        Span::from_duration(self.rto_min).max(Span::from_millis(1))
    }

    pub(crate) fn rto_max(&self) -> Span {
        Span::from_duration(self.rto_max).max(self.rto_min())
    }

    pub(crate) fn rto_initial(&self) -> Span {
        Span::from_duration(self.rto_initial).clamp(self.rto_min(), self.rto_max())
    }

    pub(crate) fn supported(&self) -> Supported {
        Supported {
            forward_tsn: true,
            reconfig: true,
            interleaving: self.interleaving,
            zero_checksum: self.zero_checksum,
        }
    }
}

/// Returns how many bytes of a message fit into a packet of this size.
pub(crate) fn fragment_bytes(packet_bytes: usize, is_interleaved: bool) -> usize {
    (packet_bytes - COMMON_HEADER_BYTES - DataHeader::bytes(is_interleaved)) & !3
}

/// The most chunks of a packet that are handled. A packet of 1,200 bytes holds 59 messages of one
/// byte; the rest of a longer packet is dropped, and comes again.
pub(crate) const CHUNKS_PER_PACKET_MAX: usize = 64;

/// The most gap blocks of a SACK that are read, and the most that are written.
pub(crate) const GAP_BLOCKS_MAX: usize = 64;

/// The most entries of a FORWARD-TSN that are read; a packet of 1,500 bytes has 371.
pub(crate) const SKIPS_READ_MAX: usize = 512;

/// The most entries of a FORWARD-TSN that are written; they fit into any packet.
pub(crate) const SKIPS_WRITTEN_MAX: usize = 48;

/// How far beyond the first missing chunk others are accepted. Bounds the map of what was received.
pub(crate) const TSN_AHEAD_MAX: u64 = 16 * 1024;

/// What a fragment that cannot be delivered yet costs besides its bytes: its allocation and its entry.
pub(crate) const HELD_CHUNK_OVERHEAD: usize = 128;

/// The most duplicates that a SACK reports.
pub(crate) const DUPLICATES_MAX: usize = 16;

/// The most control chunks that wait to be sent. The peer repeats what is not answered.
pub(crate) const CONTROL_CHUNKS_MAX: usize = 16;

/// The most bytes of a HEARTBEAT or an unknown chunk that are sent back. With the headers of chunk and
/// cause they fit into any packet: one that does not would hold up all control chunks behind it.
pub(crate) const ECHO_BYTES_MAX: usize = 480;

const _: () = assert!(COMMON_HEADER_BYTES + 8 + ECHO_BYTES_MAX <= PACKET_BYTES_MIN);

/// The most events that wait to be polled before data is refused.
pub(crate) const EVENTS_MAX: usize = 4096;

/// The most INITs that are answered within [`INIT_ANSWERS_PER`].
pub(crate) const INIT_ANSWERS_MAX: u32 = 8;

/// See [`INIT_ANSWERS_MAX`].
pub(crate) const INIT_ANSWERS_PER: Span = Span::from_millis(1000);

/// How long a state cookie is valid (RFC 9260 section 16).
pub(crate) const COOKIE_LIFE: Span = Span::from_millis(60_000);

/// The most streams in one request to reset; they fit into any packet.
pub(crate) const RESET_STREAMS_MAX: usize = 128;

/// The longest label and protocol of a channel, together (both lengths are 16 bits in RFC 8832).
pub(crate) const LABEL_BYTES_MAX: usize = 65_535;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senseless_values_count_as_the_nearest_sensible() {
        let config = Config {
            packet_bytes_base: 10,
            packet_bytes_max: 0,
            receive_window: 0,
            rto_min: Duration::ZERO,
            rto_max: Duration::ZERO,
            streams_max: 0,
            ..Config::default()
        };
        assert_eq!(config.packet_bytes_base(), PACKET_BYTES_MIN);
        assert_eq!(config.packet_bytes_max(), PACKET_BYTES_MIN);
        assert_eq!(config.receive_window(), 2 * config.message_bytes_max);
        assert!(config.rto_max() >= config.rto_min());
        assert_eq!(config.streams_max(), 1);
    }

    #[test]
    fn fragments_fill_whole_words() {
        for packet in [512, 1_160, 1_163, 16_384] {
            for is_interleaved in [false, true] {
                let len = fragment_bytes(packet, is_interleaved);
                assert!(len.is_multiple_of(4));
                assert!(12 + DataHeader::bytes(is_interleaved) + len <= packet);
            }
        }
    }
}
