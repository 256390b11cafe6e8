//! Whose the hub's owners and seats are.

use crate::LinkId;
use crate::sessions::SessionKey;

/// Over what an owner's entries travel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Carrier {
    /// A link's plain channels.
    Plain(LinkId),
    /// A session's framed channel.
    Session(SessionKey),
}

/// Whose a seat is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder {
    /// A link's, for its plain channels.
    Plain(LinkId),
    /// A session's.
    Session(SessionKey),
}
