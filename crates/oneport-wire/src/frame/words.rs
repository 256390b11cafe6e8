//! The words that stand in frames. Their lists are closed in `oneport.v1`.

use crate::text::words;

words! {
    /// How long a message lives.
    Class {
        /// In the ring: ordered, reliable, there for history and resume.
        Kept = "kept",
        /// In the ring only until every present member has it: ordered and reliable for those.
        Transient = "transient",
        /// Never in the ring: dropped for a receiver that cannot take it at once.
        Lossy = "lossy",
    }
}

words! {
    /// Why a member is no longer in a room.
    LeaveReason {
        /// It said so.
        Left = "left",
        /// Its link was lost, and the grace time is over.
        Lost = "lost",
        /// Another member removed it, or the operator.
        Kicked = "kicked",
        /// It was too slow, and did not come back within the grace time.
        Slow = "slow",
        /// A newer membership has taken its place.
        Replaced = "replaced",
        /// Its access token expired.
        Expired = "expired",
        /// The operator closed the room.
        Closed = "closed",
        /// The relay goes down.
        Shutdown = "shutdown",
    }
}

words! {
    /// Why a member does not get some entries.
    GapReason {
        /// It took its entries too slowly, and the room goes on without it.
        Slow = "slow",
        /// They became older than the room keeps entries.
        Expired = "expired",
        /// The relay was short of memory and shortened the room's ring.
        Memory = "memory",
        /// It was published on a plain channel and is too long for a frame.
        TooLarge = "too_large",
        /// They were transient, and it was away. Kept entries among them are not missing.
        Transient = "transient",
    }
}

words! {
    /// Why a `join` with `since` did not bring everything back.
    NotRecovered {
        /// The session was not resumed: the token is unknown, or the grace time is over.
        NoSuchSession = "no_such_session",
        /// The session was, but it is no longer a member of this room.
        NotAMember = "not_a_member",
        /// The room ended and began anew, or the relay did.
        EpochChanged = "epoch_changed",
        /// Entries that the member missed have left the ring.
        FellOff = "fell_off",
        /// The offset lies in the future.
        UnknownOffset = "unknown_offset",
    }
}
