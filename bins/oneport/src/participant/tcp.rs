//! Whether a relay is reached without UDP.

use std::io;
use std::time::{Duration, Instant};

use oneport_client::{Certificate, Client, Command, Config, Event, LinkConfig, passive_candidates};
use oneport_io::{Running, Sockets};
use oneport_wire::{AccessToken, RoomName};

use super::carrier::Carrier;
use super::relay_url::RelayUrl;
use super::{Participant, ParticipantError, Trust};

/// How long the relay has to take a connection, and to say welcome over it.
const TIMEOUT: Duration = Duration::from_secs(5);

impl Participant {
    /// Goes to the relay at that URL over TCP alone (ICE-TCP, RFC 6544), is welcomed and leaves: how long
    /// that took from the answer on. What [`Self::connect_trusting`] would need is needed here as well.
    ///
    /// # Errors
    ///
    /// [`ParticipantError`]; [`ParticipantError::Unreachable`] where the relay takes no TCP connection for
    /// data, or does not answer on it.
    pub fn try_tcp(
        url: &str,
        home: RoomName,
        token: Option<AccessToken>,
        trust: &Trust,
    ) -> Result<Duration, ParticipantError> {
        let carrier = Carrier::new(RelayUrl::parse(url)?, home, token, trust);
        let config = Config::new(LinkConfig::new(Certificate::generate(), Vec::new()));
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| ParticipantError::Io(e.into()))?;
        let (mut client, offer) = Client::new(Instant::now(), config, seed);
        let answer = carrier.exchange(&offer)?;
        let begun = Instant::now();
        let sockets = connect(&answer)?;
        let accepted = client.accept_answer(Instant::now(), &answer);
        accepted.map_err(ParticipantError::Command)?;
        for route in sockets.routes()? {
            client.add_connection(Instant::now(), route.local);
        }
        let running = Running::start("participant", sockets, client, Client::poll_event)?;
        let mut welcomed = None;
        while welcomed.is_none() && begun.elapsed() < TIMEOUT {
            if let Some(Event::Connected { .. }) = running.next_event(TIMEOUT)? {
                welcomed = Some(begun.elapsed());
            }
        }
        let closed = running.call(Command::Close)?;
        closed.map_err(ParticipantError::Command)?;
        running.join()?;
        welcomed.ok_or_else(|| unreachable(&answer, io::ErrorKind::TimedOut.into()))
    }
}

/// A connection to the first of the relay's addresses that takes one.
fn connect(answer: &str) -> Result<Sockets, ParticipantError> {
    let mut failure = io::Error::other("it offers no TCP");
    for address in passive_candidates(answer) {
        match Sockets::connect(address, TIMEOUT) {
            Ok(sockets) => return Ok(sockets),
            Err(error) => failure = error,
        }
    }
    Err(unreachable(answer, failure))
}

fn unreachable(answer: &str, cause: io::Error) -> ParticipantError {
    let addresses = passive_candidates(answer);
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    ParticipantError::Unreachable {
        authority: format!("tcp {}", addresses.join(", ")),
        cause,
    }
}
