//! A whole relay in one loop of your own: a UDP socket for the data, and here a TCP port that takes
//! an offer and gives the answer. Any other way to carry the two SDPs would do.
//!
//! ```sh
//! cargo run -p oneport-core --example embed -- 127.0.0.1:3478 127.0.0.1:8080
//! ```
//!
//! A client connects to the second address, sends its offer, shuts its side down, reads the answer.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use oneport_core::{
    Certificate, Grant, Input, LinkConfig, Machine, Relay, RelayConfig, Route, parse_offer,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut addresses = std::env::args().skip(1);
    let udp = UdpSocket::bind(addresses.next().as_deref().unwrap_or("127.0.0.1:3478"))?;
    let sdp = TcpListener::bind(addresses.next().as_deref().unwrap_or("127.0.0.1:8080"))?;
    sdp.set_nonblocking(true)?;
    let local = udp.local_addr()?;
    println!("data {local} sdp {}", sdp.local_addr()?);

    let config = RelayConfig::new(LinkConfig::new(Certificate::generate(), vec![local]));
    let mut relay = Relay::new(Instant::now(), config, seed()?);
    let mut buffer = [0; 2048];
    loop {
        if let Ok((stream, peer)) = sdp.accept() {
            // Your signaling decides who may come in, and into which room.
            let answer = answer(&mut relay, stream, peer.ip());
            answer.unwrap_or_else(|error| eprintln!("{peer}: {error}"));
        }
        while let Some(transmit) = relay.poll_transmit() {
            // What is lost here is lost like any datagram: SCTP sends it again.
            let _ = udp.send_to(&transmit.contents, transmit.route.peer);
        }
        udp.set_read_timeout(Some(wait(&relay)))?;
        let received = udp.recv_from(&mut buffer);
        let now = Instant::now();
        if let Ok((length, peer)) = received {
            let route = Route::udp(local, peer);
            let bytes = &buffer[..length];
            relay.handle_input(now, Input::Datagram { route, bytes });
        }
        relay.handle_input(now, Input::Timeout);
    }
}

fn answer(relay: &mut Relay, mut stream: TcpStream, from: std::net::IpAddr) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut offer = String::new();
    (&stream).take(64 * 1024).read_to_string(&mut offer)?;
    let room = "lobby".parse().expect("a valid name");
    let connected = parse_offer(&offer)
        .and_then(|offer| relay.connect(Instant::now(), &room, &offer, from, Grant::default()));
    match connected {
        Ok(connected) => stream.write_all(connected.answer.as_bytes()),
        Err(refusal) => Err(io::Error::other(refusal)),
    }
}

/// Until the relay wants to be woken, or the next look at the TCP port.
fn wait(relay: &Relay) -> Duration {
    let poll_interval = Duration::from_millis(20);
    let until = relay
        .poll_timeout()
        .map(|(at, _)| at.saturating_duration_since(Instant::now()));
    until
        .unwrap_or(poll_interval)
        .clamp(Duration::from_millis(1), poll_interval)
}

fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}
