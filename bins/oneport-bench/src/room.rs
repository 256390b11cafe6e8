//! The rooms of a run, by number.

use oneport_wire::RoomName;

/// Janus's rooms have numbers of their own; ours begin where nobody else's are.
const JANUS_FIRST: u64 = 1_700_000_000;

/// A room of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room(pub(crate) u32);

impl Room {
    /// Where a room's name is in the URL, and in `oneport.v1`.
    pub(crate) fn name(self) -> RoomName {
        let name = format!("bench-{}", self.0);
        name.parse().expect("letters and digits")
    }

    /// In Janus's TextRoom.
    pub(crate) fn janus_number(self) -> u64 {
        JANUS_FIRST + u64::from(self.0)
    }
}
