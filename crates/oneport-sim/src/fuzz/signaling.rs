//! Signaling: whatever a client sends over HTTP, over a WebSocket, as its offer, or to restart ICE.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oneport_core::{
    Grant, IceFragment, Machine, Refusal, RestartRefusal, RoomName, SessionId, parse_offer,
};
use oneport_signal::{
    Backend, Config, ConnectRequest, Connected, Endpoint, RestartRequest, Restarted, Transport,
};
use oneport_wire::signaling::{Request, Response};

use super::scene::ROOM;
use crate::{Dice, World, relay_config};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// How long an offer can keep anything of the relay: its handshake, the farewell, and an empty room.
const FORGETTING: Duration = Duration::from_secs(20);

/// The first byte says what the others are: what a connection brings, an offer, or the JSON of a
/// WebSocket or a fragment.
///
/// # Panics
///
/// Where the way in which a connection's bytes were split makes a difference, or a response is none, or
/// the relay keeps something of an offer.
pub fn signaling(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    match choice % 4 {
        0 | 1 => connection(*choice, bytes),
        2 => {
            if let Ok(offer) = str::from_utf8(bytes) {
                let mut relay = Offers::default().0.into_inner().expect("nobody panicked");
                let room = ROOM.parse().expect("a name");
                let _ = connect(&mut relay, &room, offer);
                relay.is_forgotten();
            }
        }
        _ => {
            if let Ok(text) = str::from_utf8(bytes) {
                json(text);
            }
        }
    }
}

fn connection(splitting: u8, bytes: &[u8]) {
    let whole = exchange(bytes, None);
    let split = exchange(bytes, Some(Dice::new(splitting.into())));
    assert_eq!(
        String::from_utf8_lossy(&whole),
        String::from_utf8_lossy(&split)
    );
    let is_response = whole.starts_with(b"HTTP/1.1 ");
    assert!(is_response || whole.is_empty(), "{whole:?}");
}

/// What a connection that brings these bytes is answered, without what may differ.
fn exchange(bytes: &[u8], split: Option<Dice>) -> Vec<u8> {
    let offers = Arc::new(Offers::default());
    let backend: Arc<dyn Backend> = Arc::clone(&offers) as _;
    let endpoint = Endpoint::new(Config::default(), &[], backend);
    let mut written = Vec::new();
    let stream = Script {
        rest: bytes,
        split,
        written: &mut written,
    };
    endpoint.serve_here(stream, CLIENT);
    drop(endpoint);
    let offers = Arc::into_inner(offers).expect("the connection is over");
    let mut relay = offers.0.into_inner().expect("nobody panicked");
    relay.is_forgotten();
    without_what_differs(&written)
}

/// Responses have the time, and who has begun with the body is not told to continue.
fn without_what_differs(written: &[u8]) -> Vec<u8> {
    let lines = written.split_inclusive(|byte| *byte == b'\n');
    let mut kept = Vec::new();
    let mut is_after_continue = false;
    for line in lines {
        let is_continue = line.starts_with(b"HTTP/1.1 100 ");
        let is_its_end = is_after_continue && line == b"\r\n";
        if !is_continue && !is_its_end && !line.starts_with(b"Date: ") {
            kept.extend_from_slice(line);
        }
        is_after_continue = is_continue;
    }
    kept
}

/// A client that has sent everything, and what it is answered.
struct Script<'a> {
    rest: &'a [u8],
    /// How large the pieces are that arrive at a time; without, all is there at once.
    split: Option<Dice>,
    written: &'a mut Vec<u8>,
}

impl Read for Script<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = match &mut self.split {
            None => usize::MAX,
            Some(dice) => 1 + dice.index(40),
        };
        let count = piece.min(self.rest.len());
        (&self.rest[..count]).read(buffer).inspect(|count| {
            self.rest = &self.rest[*count..];
        })
    }
}

impl Write for Script<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.written.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Script<'_> {
    fn set_read_timeout(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn set_write_timeout(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn end_writing(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A real relay behind the endpoint.
struct Offers(Mutex<World>);

impl Default for Offers {
    fn default() -> Self {
        Self(Mutex::new(World::new(relay_config(), 1)))
    }
}

impl Backend for Offers {
    fn connect(&self, request: ConnectRequest) -> Result<Connected, Refusal> {
        let mut world = self.0.lock().expect("nobody panicked");
        connect(&mut world, &request.room, &request.offer)
    }

    fn restart_ice(&self, request: RestartRequest) -> Result<Restarted, RestartRefusal> {
        let mut world = self.0.lock().expect("nobody panicked");
        let now = world.now();
        let RestartRequest {
            room,
            session,
            follows,
            fragment,
        } = request;
        let relay = world.relay_mut();
        let restarted = relay.restart_ice(now, &room, session, follows.as_deref(), fragment)?;
        Ok(
            restarted.map_or(Restarted::NotNeeded, |restarted| Restarted::Anew {
                answer: restarted.answer,
                etag: restarted.ice_session,
            }),
        )
    }

    fn disconnect(&self, room: &RoomName, session: SessionId) -> bool {
        let mut world = self.0.lock().expect("nobody panicked");
        let now = world.now();
        world.relay_mut().disconnect(now, room, session)
    }
}

/// Offers this to the relay; what it answers is an answer.
fn connect(world: &mut World, room: &RoomName, offer: &str) -> Result<Connected, Refusal> {
    let now = world.now();
    let offer = parse_offer(offer)?;
    let connected = world
        .relay_mut()
        .connect(now, room, &offer, CLIENT, Grant::default());
    let connected = connected?;
    let answer = connected.answer;
    for needed in ["v=0\r\n", "m=application ", "a=ice-lite", "a=fingerprint:"] {
        assert!(answer.contains(needed), "{answer}");
    }
    Ok(Connected {
        // The real one has random numbers in it.
        answer: "v=0\r\n".into(),
        session: connected.session,
        etag: connected.ice_session,
    })
}

impl World {
    /// Nobody who has made an offer calls, and nothing is left of it.
    fn is_forgotten(&mut self) {
        self.run_for(FORGETTING);
        let relay = self.relay();
        assert!(relay.is_empty(), "{:?}", relay.stats());
        assert_eq!(relay.poll_timeout(), None);
    }
}

fn json(text: &str) {
    if let Ok(fragment) = IceFragment::parse(text) {
        let answer = fragment.answer(fragment.ufrag(), fragment.password(), &[]);
        assert_eq!(IceFragment::parse(&answer), Ok(fragment));
    }
    match Request::from_json(text) {
        Ok(Request { room, .. }) => assert_eq!(room.as_str().parse(), Ok(room)),
        Err(refusal) => {
            let response = Response::from(&refusal).to_json();
            assert!(response.starts_with(r#"{"error":{"code":"#), "{response}");
        }
    }
}
