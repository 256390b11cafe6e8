//! How much a hub may hold.

use std::time::Duration;

/// How much a [`Hub`](super::Hub) may hold. A refusal or an eviction at each limit is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubLimits {
    /// How many rooms there may be at a time: each may hold [`Self::ring_bytes_max`].
    pub rooms_max: usize,
    /// How many members a room may have: a message costs one delivery for each.
    pub members_per_room_max: usize,
    /// How many entries a room keeps, for history and for members that are behind.
    pub ring_messages_max: usize,
    /// How many bytes of entries a room keeps. It should hold several messages of the largest size.
    pub ring_bytes_max: usize,
    /// How long a room keeps an entry.
    pub ring_age_max: Duration,
    /// How long a room without members keeps its history.
    pub empty_room_age_max: Duration,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            rooms_max: 256,
            members_per_room_max: 1000,
            ring_messages_max: 16 * 1024,
            ring_bytes_max: 4 * 1024 * 1024,
            ring_age_max: Duration::from_secs(24 * 3600),
            empty_room_age_max: Duration::from_secs(600),
        }
    }
}

impl HubLimits {
    /// The memory that all rooms together may take, in bytes.
    pub fn bytes_max(&self) -> usize {
        self.rooms_max * self.ring_bytes_max
    }
}
