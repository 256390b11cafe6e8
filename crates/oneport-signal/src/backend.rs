//! What stands behind the endpoint.

use std::net::IpAddr;

use oneport_wire::{AccessToken, IceFragment, Refusal, RestartRefusal, RoomName, SessionId};

use crate::operator::{OperatorRequest, OperatorResponse};
use crate::problem::Problem;

/// Answers offers. The endpoint's only way to the relay.
///
/// Its methods are called on the connections' threads, several at once. They may block, but only
/// for a bounded time: for as long as they do, the connection keeps its place under
/// [`Config::connections_max`](crate::Config::connections_max). A thread has
/// [`STACK_BYTES`](crate::STACK_BYTES) of stack. If a method panics, only that connection dies.
pub trait Backend: Send + Sync + 'static {
    /// Takes a client into a room and answers its SDP offer, if it may.
    ///
    /// # Errors
    ///
    /// The reason why the client is not taken in; it becomes the response.
    fn connect(&self, request: ConnectRequest) -> Result<Connected, Refusal>;

    /// Restarts ICE for the link of a session, or only takes note of its candidates.
    ///
    /// # Errors
    ///
    /// The reason why it is not restarted; it becomes the response, and the link goes on as it was.
    fn restart_ice(&self, request: RestartRequest) -> Result<Restarted, RestartRefusal>;

    /// Ends a session: its client leaves. Says whether there was such a session in that room.
    fn disconnect(&self, room: &RoomName, session: SessionId) -> bool;

    /// Whether an operator's request may be made, before its body is read. Without an own
    /// implementation there is nothing for operators.
    ///
    /// # Errors
    ///
    /// What the client hears instead; its code tells who may not from what is not there.
    fn admit_operator(&self, request: &OperatorRequest) -> Result<(), Problem> {
        let _ = request;
        Err(Problem::not_found())
    }

    /// Answers an operator's request that [`admit_operator`](Self::admit_operator) has let pass.
    ///
    /// # Errors
    ///
    /// What the client hears instead.
    fn operate(
        &self,
        request: &OperatorRequest,
        body: Vec<u8>,
    ) -> Result<OperatorResponse, Problem> {
        let _ = (request, body);
        Err(Problem::not_found())
    }
}

/// What a client asks: to be taken into a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectRequest {
    /// The room.
    pub room: RoomName,
    /// The client's SDP offer, which is not empty and not longer than
    /// [`OFFER_BYTES_MAX`](oneport_wire::OFFER_BYTES_MAX), but otherwise unchecked.
    pub offer: String,
    /// The access token that the client shows, if it shows one: it has the form of one, and nothing else is checked.
    pub access_token: Option<AccessToken>,
    /// The address at the other end of the TCP connection, with IPv4 always spelt as IPv4.
    pub client: IpAddr,
}

/// A client that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The SDP answer.
    pub answer: String,
    /// The session, whose URL the client is told.
    pub session: SessionId,
    /// Names the ICE session (RFC 9725 section 4.3.1): an opaque entity tag without its quotes.
    /// Characters that an entity tag cannot have (RFC 9110 section 8.8.3) are left out.
    pub etag: String,
}

/// What a client asks whose ICE session is to be followed by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartRequest {
    /// The room.
    pub room: RoomName,
    /// The session; whoever knows its name may ask this.
    pub session: SessionId,
    /// The [entity tags](Connected::etag) of which one must be the latest, or `None` if any may be.
    pub follows: Option<Vec<String>>,
    /// The client's credentials.
    pub fragment: IceFragment,
}

/// What became of a [`RestartRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restarted {
    /// Another ICE session.
    Anew {
        /// The fragment with the relay's credentials and candidates.
        answer: String,
        /// As [`Connected::etag`], which this takes the place of.
        etag: String,
    },
    /// The credentials are those that it has: the client has only told its candidates (RFC 9725 section
    /// 4.3.2), and the relay learns them by itself.
    NotNeeded,
}
