//! The way from signaling's threads to the relay on its own.

use log::debug;
use oneport_core::{Command, Relay, Reply};
use oneport_io::{CallError, Handle};
use oneport_signal::{AccessToken, Backend, ConnectRequest, Connected};
use oneport_wire::{Refusal, RoomName, SessionId};

use crate::token::{Authority, Grant, Rights, TokenError, UnixTime};

/// Signaling's backend: asks for the access token, if there is somebody who can check it, and the
/// relay by its event loop's queue.
pub(crate) struct RelayBackend {
    pub(crate) relay: Handle<Relay>,
    /// Without one, everybody may do everything.
    pub(crate) authority: Option<Authority>,
}

impl RelayBackend {
    /// What the client may do in the room; `None` where nobody asks.
    fn admit(
        &self,
        room: &RoomName,
        token: Option<&AccessToken>,
    ) -> Result<Option<Grant>, TokenError> {
        let Some(authority) = &self.authority else {
            return Ok(None);
        };
        let token = token.ok_or(TokenError::Missing)?;
        let grant = authority.verify(token.reveal(), UnixTime::now())?;
        grant.allows(room, PLAIN_CHANNEL)?;
        Ok(Some(grant))
    }
}

/// What a plain channel does, all at once: it cannot be told that it may only listen.
const PLAIN_CHANNEL: Rights = Rights::MEMBER;

impl Backend for RelayBackend {
    fn connect(&self, request: ConnectRequest) -> Result<Connected, Refusal> {
        let ConnectRequest {
            room,
            offer,
            access_token,
            client,
        } = request;
        let grant = self
            .admit(&room, access_token.as_ref())
            .inspect_err(|error| debug!("{client} may not enter room {room}: {error}"))
            .map_err(|error| error.refusal())?;
        if let Some(grant) = grant {
            debug!("{client} may {} in {}", grant.rights, grant.rooms);
        }
        let command = Command::Connect {
            room,
            offer,
            client,
        };
        match self.relay.call(command) {
            Ok(Reply::Connected(connected)) => connected.map(|connected| Connected {
                answer: connected.answer,
                session: connected.session,
                etag: connected.ice_session,
            }),
            Ok(_) => Err(Refusal::Busy),
            Err(CallError::Stopped) => Err(Refusal::ShuttingDown),
            Err(CallError::Busy | CallError::Timeout) => Err(Refusal::Busy),
        }
    }

    /// The session's id is a secret of whoever has joined, so no token is needed besides.
    fn disconnect(&self, room: &RoomName, session: SessionId) -> bool {
        let room = room.clone();
        let reply = self.relay.call(Command::Disconnect { room, session });
        matches!(reply, Ok(Reply::Disconnected(true)))
    }
}
