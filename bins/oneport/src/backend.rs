//! The way from signaling's threads to the relay on its own.

use oneport_core::{Command, Relay, Reply};
use oneport_io::{CallError, Handle};
use oneport_signal::{Backend, ConnectRequest, Connected};
use oneport_wire::{Refusal, RoomName, SessionId};

/// Signaling's backend: asks the relay by its event loop's queue.
pub(crate) struct RelayBackend(pub(crate) Handle<Relay>);

impl Backend for RelayBackend {
    fn connect(&self, request: ConnectRequest) -> Result<Connected, Refusal> {
        let command = Command::Connect {
            room: request.room,
            offer: request.offer,
            client: request.client,
        };
        match self.0.call(command) {
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

    fn disconnect(&self, room: &RoomName, session: SessionId) -> bool {
        let room = room.clone();
        let reply = self.0.call(Command::Disconnect { room, session });
        matches!(reply, Ok(Reply::Disconnected(true)))
    }
}
