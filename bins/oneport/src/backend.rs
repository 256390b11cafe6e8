//! The way from signaling's threads to the relay on its own.

use log::debug;
use oneport_core::{Command, Grant, Relay, Reply, parse_offer};
use oneport_io::{CallError, Handle};
use oneport_signal::{
    Backend, ConnectRequest, Connected, OperatorRequest, OperatorResponse, Problem, RestartRequest,
    Restarted,
};
use oneport_wire::{AccessToken, Refusal, RestartRefusal, RoomName, SessionId};

use std::sync::Arc;

use crate::operator::Operator;
use crate::token::{Authority, Right, TokenError, UnixTime};
use crate::token_gate;

/// Signaling's backend: asks for the access token, if there is somebody who can check it, and the
/// relay by its event loop's queue.
pub(crate) struct RelayBackend {
    pub(crate) relay: Handle<Relay>,
    /// Without one, everybody may do everything.
    pub(crate) authority: Option<Arc<Authority>>,
    /// What the operator asks is answered there.
    pub(crate) operator: Operator,
}

impl RelayBackend {
    /// What the client may do in the room.
    fn admit(&self, room: &RoomName, token: Option<&AccessToken>) -> Result<Grant, TokenError> {
        let Some(authority) = &self.authority else {
            return Ok(Grant::default());
        };
        let token = token.ok_or(TokenError::Missing)?;
        let granted = authority.verify(token.reveal(), UnixTime::now())?;
        granted.allows(room, Right::Join.into())?;
        debug!("somebody may {} in {}", granted.rights, granted.rooms);
        Ok(token_gate::grant(&granted))
    }
}

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
        let command = Command::Connect {
            room,
            offer: parse_offer(&offer)?,
            client,
            grant,
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

    /// As for [`Self::disconnect`], no token is needed: it let the client in, and this changes only its way.
    fn restart_ice(&self, request: RestartRequest) -> Result<Restarted, RestartRefusal> {
        let RestartRequest {
            room,
            session,
            follows,
            fragment,
        } = request;
        let command = Command::RestartIce {
            room,
            session,
            follows,
            fragment,
        };
        match self.relay.call(command) {
            Ok(Reply::IceRestarted(restarted)) => Ok(match restarted? {
                Some(restarted) => Restarted::Anew {
                    answer: restarted.answer,
                    etag: restarted.ice_session,
                },
                None => Restarted::NotNeeded,
            }),
            Err(CallError::Stopped) => Err(RestartRefusal::NoSuchSession),
            Ok(_) | Err(CallError::Busy | CallError::Timeout) => Err(RestartRefusal::Busy),
        }
    }

    /// The session's id is a secret of whoever has joined, so no token is needed besides.
    fn disconnect(&self, room: &RoomName, session: SessionId) -> bool {
        let room = room.clone();
        let reply = self.relay.call(Command::Disconnect { room, session });
        matches!(reply, Ok(Reply::Disconnected(true)))
    }

    fn admit_operator(&self, request: &OperatorRequest) -> Result<(), Problem> {
        self.operator.admit(request)
    }

    fn operate(
        &self,
        request: &OperatorRequest,
        body: Vec<u8>,
    ) -> Result<OperatorResponse, Problem> {
        self.operator.operate(request, body)
    }
}
