//! TCP connections that hold what they can get: slow requests, idle ones, silent ones.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use oneport_tests::{Result, certificate::Pair, relay::Relay, talkers::newcomer};

use crate::{WORST, alone, talkers};

/// More than signaling has threads, and than may be silent.
const CONNECTIONS: usize = 300;

/// How often a slow one sends another byte.
const DRIP: Duration = Duration::from_millis(500);

/// For how long further ones come, each in the place of the oldest.
const FLOOD: Duration = Duration::from_secs(2);

/// What connections begin with, and whether they go on byte by byte.
#[derive(Clone, Copy)]
struct Habit {
    beginning: &'static [u8],
    drips: bool,
}

impl Habit {
    fn connect(self, relay: SocketAddr) -> Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&relay, WORST)?;
        stream.write_all(self.beginning)?;
        Ok(stream)
    }

    /// Always holds as many, and opens new ones as fast as it can. Returns how many there were.
    fn flood(self, relay: SocketAddr, mut held: VecDeque<TcpStream>) -> Result<usize> {
        let begun = Instant::now();
        let mut dripped = begun;
        let mut count = held.len();
        while begun.elapsed() < FLOOD {
            held.pop_front();
            held.push_back(self.connect(relay)?);
            count += 1;
            if self.drips && dripped.elapsed() >= DRIP {
                dripped = Instant::now();
                // Some have been cut.
                held.retain_mut(|stream| stream.write_all(b"x").is_ok());
            }
        }
        Ok(count)
    }
}

/// What members and newcomers notice of such connections.
fn hold(what: &str, beginning: &'static [u8], drips: bool) -> Result {
    let _alone = alone();
    let relay = Relay::on_loopback()?;
    hold_at(&relay, what, beginning, drips)
}

fn hold_at(relay: &Relay, what: &str, beginning: &'static [u8], drips: bool) -> Result {
    // Plain on loopback, also where there is a certificate.
    let url = format!("http://{}/", relay.address());
    let talkers = talkers(&url)?;
    let (habit, address) = (Habit { beginning, drips }, relay.address());
    let held: VecDeque<_> = (0..CONNECTIONS)
        .map(|_| habit.connect(address))
        .collect::<Result<_>>()?;
    let first = newcomer(&url)?;
    let flooder = thread::spawn(move || habit.flood(address, held));
    let mut worst = first;
    while !flooder.is_finished() {
        worst = worst.max(newcomer(&url)?);
    }
    let count = flooder.join().expect("it does not panic")?;
    talkers.all_hear_all(WORST)?;
    let figures = talkers.finish();
    let remark = format!(
        "newcomers need {} ms with {CONNECTIONS} held, {} ms at most while {count} come and go",
        first.as_millis(),
        worst.as_millis()
    );
    figures.print(what, &remark);
    figures.assert_unnoticed(WORST);
    assert!(worst < WORST, "{worst:?}");
    Ok(())
}

#[test]
fn request_heads() -> Result {
    hold("slow request heads", b"GET / HTTP/1.1\r\nA: ", true)
}

#[test]
fn request_bodies() -> Result {
    let head = b"POST /r/attic HTTP/1.1\r\nHost: relay\r\nContent-Type: application/sdp\r\n\
                Content-Length: 5000\r\n\r\n";
    hold("slow request bodies", head, true)
}

#[test]
fn idle_connections() -> Result {
    let request = b"GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n";
    hold("idle HTTP connections", request, false)
}

#[test]
fn websockets() -> Result {
    let request = b"GET /ws HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    hold("WebSockets that say nothing", request, false)
}

#[test]
fn responses_that_nobody_reads() -> Result {
    let request = "GET /oneport-room.js HTTP/1.1\r\nHost: relay\r\n\r\n";
    // As many as one connection may make: more than the buffers on both sides hold.
    let requests = request.repeat(100).leak();
    hold("responses that nobody reads", requests.as_bytes(), false)
}

#[test]
fn garbage() -> Result {
    hold(
        "TCP connections that begin with garbage",
        b"\x1f\x8bgarbage",
        false,
    )
}

#[test]
fn connections_that_say_nothing() -> Result {
    hold("TCP connections that say nothing", b"", false)
}

/// They begin like ICE-TCP, and name nobody whom the relay knows.
#[test]
fn checks_for_nobody() -> Result {
    let check = b"\x00\x20\x00\x01\x00\x0c\x21\x12\xa4\x42abcdefghijkl\x00\x06\x00\x08nobody:x";
    hold("TCP connections with checks for nobody", check, false)
}

/// What a client says first, of which the relay makes keys and a signature.
fn client_hello() -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let client = rustls::ClientConnection::new(Arc::new(config), name);
    let mut hello = Vec::new();
    let written = client.expect("a client").write_tls(&mut hello);
    written.expect("memory takes it");
    hello
}

#[test]
fn tls_handshakes() -> Result {
    let _alone = alone();
    let pair = Pair::until(2090)?;
    let arguments = pair.arguments();
    let relay = Relay::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    let hello = client_hello().leak();
    hold_at(&relay, "TLS handshakes that are not finished", hello, false)
}
