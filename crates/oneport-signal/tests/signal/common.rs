//! A fake backend, an endpoint on loopback, and a client that sends exact bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use oneport_signal::{
    Asset, Backend, Config, ConnectRequest, Connected, Endpoint, Identities, OperatorRequest,
    OperatorResponse, Problem, RestartRequest, Restarted,
};
use oneport_wire::{AccessToken, Refusal, RestartRefusal, RoomName, SessionId};

/// Longer than anything here takes; only reached by a bug.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The timeout that a test is about.
pub(crate) const SHORT: Duration = Duration::from_millis(200);

/// Every timeout long, so that a test sets only the one that it is about.
pub(crate) fn patient() -> Config {
    const LONG: Duration = Duration::from_secs(600);
    Config {
        request_timeout: LONG,
        keep_alive_timeout: LONG,
        write_timeout: LONG,
        linger_timeout: LONG,
        websocket_idle_timeout: LONG,
        ..Config::default()
    }
}

pub(crate) const SESSION: &str = "000102030405060708090a0b0c0d0e0f";

pub(crate) static ASSETS: &[Asset] = &[
    Asset {
        path: "/",
        content_type: "text/html; charset=utf-8",
        body: b"<!doctype html>",
    },
    Asset {
        path: "/oneport.js",
        content_type: "text/javascript; charset=utf-8",
        body: b"export {}",
    },
];

/// Knows one session, and rooms whose names say what they answer.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) offers: Mutex<Vec<(String, String, IpAddr)>>,
    /// Whoever holds this keeps the room `wait` from answering.
    pub(crate) gate: Mutex<()>,
    /// How many offers have come for that room.
    pub(crate) waiting: AtomicUsize,
}

impl Backend for Fake {
    fn connect(&self, request: ConnectRequest) -> Result<Connected, Refusal> {
        let ConnectRequest {
            room,
            offer,
            access_token,
            client,
        } = request;
        match room.as_str() {
            "club" => at_the_door(access_token.as_ref())?,
            "full" => return Err(Refusal::RoomFull),
            "no-channel" => return Err(Refusal::NoDataChannel),
            "eager" => return Err(Refusal::TooManyHandshakesFromAddress),
            "panic" => panic!("a bug of the backend's"),
            "wait" => {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                drop(self.hold());
            }
            _ => {}
        }
        let answer = if room.as_str() == "long-answer" {
            "x".repeat(2 * oneport_signal::WEBSOCKET_MESSAGE_BYTES_MAX)
        } else {
            format!("answer to {offer}")
        };
        let mut offers = self.offers.lock().expect("no panic under the lock");
        offers.push((room.to_string(), offer, client));
        Ok(Connected {
            answer,
            session: SESSION.parse().expect("a session id"),
            etag: "ice\"\r\nX-Evil: 1".into(),
        })
    }

    /// Its latest ICE session is `now`, and the client's is called `same`.
    fn restart_ice(&self, request: RestartRequest) -> Result<Restarted, RestartRefusal> {
        let RestartRequest {
            room,
            session,
            follows,
            fragment,
        } = request;
        if !self.disconnect(&room, session) {
            return Err(RestartRefusal::NoSuchSession);
        }
        if follows.is_some_and(|follows| !follows.contains(&"now".into())) {
            return Err(RestartRefusal::Outdated);
        }
        match fragment.ufrag() {
            "busy" => Err(RestartRefusal::Busy),
            "same" => Ok(Restarted::NotNeeded),
            ufrag => Ok(Restarted::Anew {
                answer: format!("answer to {ufrag}"),
                etag: "next\"".into(),
            }),
        }
    }

    fn disconnect(&self, room: &RoomName, session: SessionId) -> bool {
        room.as_str() == "lobby" && session.to_string() == SESSION
    }

    /// Who is on this machine is an operator, and who says so.
    fn admit_operator(&self, request: &OperatorRequest) -> Result<(), Problem> {
        match request.access_token.as_ref() {
            Some(Ok(token)) if token.reveal() == "operator" => Ok(()),
            Some(_) => Err(Problem::from(&Refusal::TokenBad)),
            None if request.is_local => Ok(()),
            None => Err(Problem::from(&Refusal::TokenMissing)),
        }
    }

    /// Says what it was asked.
    fn operate(
        &self,
        request: &OperatorRequest,
        body: Vec<u8>,
    ) -> Result<OperatorResponse, Problem> {
        if request.path == "/api/nothing" {
            return Err(Problem::new(404, "no_such_room", "there is no such room"));
        }
        let OperatorRequest {
            method,
            path,
            query,
            content_type,
            ..
        } = request;
        let bytes = body.len();
        let text = format!("{method:?} {path} {query} {content_type:?} {bytes}");
        let response = OperatorResponse::new(200).header("X-Said", "yes");
        Ok(response.body("text/plain", text.into_bytes()))
    }
}

/// The room `club` looks at access tokens, which are words here.
fn at_the_door(token: Option<&AccessToken>) -> Result<(), Refusal> {
    match token.map(AccessToken::reveal) {
        None => Err(Refusal::TokenMissing),
        Some("member") => Ok(()),
        Some("expired") => Err(Refusal::TokenExpired),
        Some("elsewhere") => Err(Refusal::Forbidden),
        Some(_) => Err(Refusal::TokenBad),
    }
}

impl Fake {
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().expect("no panic under the lock")
    }
}

pub(crate) struct Server {
    pub(crate) endpoint: Endpoint,
    pub(crate) backend: Arc<Fake>,
    listener: TcpListener,
}

impl Server {
    pub(crate) fn new(config: Config) -> Self {
        Self::with_assets(config, ASSETS)
    }

    pub(crate) fn with_assets(config: Config, assets: &'static [Asset]) -> Self {
        let backend = Arc::new(Fake::default());
        Self {
            endpoint: Endpoint::new(config, assets, backend.clone()),
            backend,
            listener: TcpListener::bind("127.0.0.1:0").expect("loopback"),
        }
    }

    /// The same with TLS.
    pub(crate) fn with_identities(config: Config, identities: Arc<dyn Identities>) -> Self {
        let server = Self::new(config);
        let endpoint = server.endpoint.with_tls(identities);
        Self { endpoint, ..server }
    }

    /// Sends a request as if it came from this address, and reads until the endpoint closes.
    pub(crate) fn exchange_from(&self, peer: &str, request: impl AsRef<[u8]>) -> Reply {
        let (mut client, stream, address) = self.pair();
        let ip = peer.parse().expect("an address");
        self.endpoint
            .serve(stream, SocketAddr::new(ip, address.port()));
        client.send(request);
        let reply = client.reply();
        client.0.shutdown(Shutdown::Write).expect("open");
        client.expect_end();
        reply
    }

    /// A connection of which the endpoint has the other end.
    pub(crate) fn connect(&self) -> Client {
        self.connect_with(|_| {})
    }

    /// The same, with something done by the client before the endpoint gets its end.
    pub(crate) fn connect_with(&self, before: impl FnOnce(&mut Client)) -> Client {
        let (mut client, stream, peer) = self.pair();
        // The event loop's streams are in this mode.
        stream.set_nonblocking(true).expect("a socket");
        before(&mut client);
        self.endpoint.serve(stream, peer);
        client
    }

    /// A client, and what the endpoint should get.
    pub(crate) fn pair(&self) -> (Client, TcpStream, SocketAddr) {
        let address = self.listener.local_addr().expect("bound");
        let client = Client(TcpStream::connect(address).expect("listening"));
        client.0.set_read_timeout(Some(PATIENCE)).expect("not zero");
        let (stream, peer) = self.listener.accept().expect("connected");
        (client, stream, peer)
    }

    /// Sends a request on a connection of its own and reads until the endpoint closes.
    pub(crate) fn exchange(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut client = self.connect();
        client.send(request);
        let reply = client.reply();
        client.expect_end();
        reply
    }
}

pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).expect("open");
    }

    /// Reads one response with the body that its headers announce.
    pub(crate) fn reply(&mut self) -> Reply {
        let mut reply = self.head();
        let length = reply
            .header("Content-Length")
            .map_or(0, |length| length.parse().expect("a length"));
        reply.body = vec![0; length];
        self.0.read_exact(&mut reply.body).expect("a whole body");
        reply
    }

    /// Reads a response up to the empty line, byte by byte: what follows is left for others.
    pub(crate) fn head(&mut self) -> Reply {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("a whole head");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("text");
        let status = head.strip_prefix("HTTP/1.1 ").expect(&head)[..3].parse();
        Reply {
            status: status.expect("a status"),
            head,
            body: Vec::new(),
        }
    }

    /// The endpoint closes in an orderly way, without a byte more.
    pub(crate) fn expect_end(&mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("an end and no reset");
        assert_eq!(String::from_utf8_lossy(&rest), "");
        // A reset behind the end is no error of reading, on some systems.
        let error = self.0.take_error().expect("a socket");
        assert!(error.is_none(), "{error:?}");
    }

    /// Whether something can be read within this time.
    pub(crate) fn hears_within(&mut self, time: Duration) -> bool {
        self.0.set_read_timeout(Some(time)).expect("not zero");
        let result = self.0.peek(&mut [0]);
        self.0.set_read_timeout(Some(PATIENCE)).expect("not zero");
        match result {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header that stands once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().filter_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        });
        let value = values.next();
        assert_eq!(values.next(), None, "{name} stands twice");
        value
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("text")
    }

    /// Asserts that this is a problem (RFC 9457) in all its parts, and returns its code.
    pub(crate) fn problem_code(&self) -> String {
        assert_eq!(
            self.header("Content-Type"),
            Some("application/problem+json")
        );
        assert_eq!(self.header("Access-Control-Allow-Origin"), Some("*"));
        let problem: serde_json::Value = serde_json::from_slice(&self.body).expect("JSON");
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["status"], self.status);
        for member in ["title", "detail"] {
            assert_ne!(problem[member].as_str().unwrap_or_default(), "", "{member}");
        }
        problem["code"].as_str().expect("a code").to_owned()
    }
}

/// Waits until it is so; for what other threads do without telling.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn post(path: &str, offer: &str) -> String {
    let length = offer.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\n\
         Content-Length: {length}\r\n\r\n{offer}"
    )
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}
