//! What becomes of a delivery: sent again, given up, or dropped and told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender as Channel, channel};
use std::thread;

use oneport_core::hub::Event;
use oneport_wire::{Epoch, UnixMillis};
use serde_json::Value;

use super::super::happening::Happening;
use super::*;

/// Generous: machines are busy.
const TIMEOUT: Duration = Duration::from_secs(20);

const SECRET: &[u8] = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request as it arrived.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        line.unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn times(&self) -> Vec<u64> {
        let body = self.json();
        let events = body["events"].as_array().expect("a list").iter();
        events
            .map(|event| event["time"].as_u64().expect("a time"))
            .collect()
    }
}

/// A receiver that answers each request with the next of these texts, and the last one from then on. An
/// empty one is no answer: the connection stays open and silent.
fn receiver(answers: Vec<&'static str>) -> (SocketAddr, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (requests, arrived) = channel();
    thread::spawn(move || {
        let mut answers = answers.into_iter().peekable();
        let mut silent = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            serve(stream, &mut answers, &requests, &mut silent);
        }
    });
    (address, arrived)
}

fn serve(
    stream: TcpStream,
    answers: &mut std::iter::Peekable<std::vec::IntoIter<&'static str>>,
    requests: &Channel<Request>,
    silent: &mut Vec<TcpStream>,
) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let mut request = Request {
            head,
            body: Vec::new(),
        };
        let length = request.header("content-length").parse().expect("a length");
        request.body.resize(length, 0);
        if reader.read_exact(&mut request.body).is_err() {
            return;
        }
        let answer = answers.next().expect("the last stays");
        let is_last = answers.peek().is_none();
        let again = is_last.then_some(answer);
        let gone = requests.send(request).is_err();
        if let Some(last) = again {
            *answers = vec![last].into_iter().peekable();
        }
        if gone {
            return;
        }
        if answer.is_empty() {
            silent.push(reader.into_inner());
            return;
        }
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno";
const GARBAGE: &str = "SSH-2.0-OpenSSH\r\n\r\n";
const MISTAKE: &str = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
const MOVED: &str =
    "HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";

fn start(address: SocketAddr, change: impl FnOnce(&mut Patience)) -> Arc<Queue> {
    start_by("http", address, &Trust::default(), change)
}

fn start_by(
    scheme: &str,
    address: SocketAddr,
    trust: &Trust,
    change: impl FnOnce(&mut Patience),
) -> Arc<Queue> {
    let mut patience = Patience {
        answer: Duration::from_millis(300),
        first: Duration::from_millis(5),
        longest: Duration::from_millis(20),
        retry_after_max: Duration::from_secs(1),
        give_up: TIMEOUT,
        goodbye: Duration::from_millis(500),
    };
    change(&mut patience);
    let url = format!("{scheme}://{address}/events?key=1")
        .parse()
        .expect("a URL");
    let secret = WebhookSecret::new(SECRET).expect("a secret");
    let queue = Arc::new(Queue::default());
    let sender = Sender::new(&url, secret, trust, Arc::clone(&queue), patience);
    thread::spawn(move || sender.run());
    queue
}

/// An event that is known by its time.
fn happen(queue: &Queue, at: u32) {
    let room = "lobby".parse().expect("a name");
    queue.push(Happening::of(Event::RoomOpened {
        room: &room,
        epoch: Epoch::from_random([1; 8]),
        time: UnixMillis::from(at),
    }));
}

fn next(requests: &Receiver<Request>) -> Request {
    requests.recv_timeout(TIMEOUT).expect("a request")
}

#[test]
fn tries_the_same_again_until_it_is_taken_and_in_order() {
    let (address, requests) = receiver(vec![BROKEN, GARBAGE, "", BROKEN, OK]);
    let queue = start(address, |_| ());
    happen(&queue, 0);
    let first = next(&requests);
    (1..250).for_each(|at| happen(&queue, at));
    let mut times = first.times();
    assert_eq!(times, [0]);
    for _ in 0..4 {
        let again = next(&requests);
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
    }
    while times.len() < 250 {
        let request = next(&requests);
        assert_ne!(request.header("webhook-id"), first.header("webhook-id"));
        assert_eq!(request.json()["dropped"], 0);
        times.extend(request.times());
    }
    assert_eq!(times, (0..250).collect::<Vec<_>>());
    queue.close(TIMEOUT);
    let counts = queue.counts();
    assert_eq!(
        (counts.told, counts.dropped, counts.failed_requests),
        (250, 0, 4)
    );
}

/// How long after the first request the second one comes, whose receiver answers the first with this.
fn pause_after(answer: String) -> Duration {
    let (address, requests) = receiver(vec![answer.leak(), OK]);
    let queue = start(address, |_| ());
    happen(&queue, 1);
    let first = next(&requests);
    let since = Instant::now();
    assert_eq!(next(&requests).body, first.body);
    queue.close(TIMEOUT);
    since.elapsed()
}

#[test]
fn a_receiver_says_when_it_is_tried_again() {
    let answer = |status: u16, value: &str| {
        format!("HTTP/1.1 {status} Later\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n")
    };
    // The bound of these tests, which seconds and dates are cut to. Without the header it would be 20 ms.
    let asked = Duration::from_secs(1);
    let far = "Fri, 01 Jan 2100 00:00:00 GMT";
    for (status, value) in [(429, "1"), (503, "86400"), (503, far)] {
        let pause = pause_after(answer(status, value));
        assert!(
            pause >= asked - Duration::from_millis(50),
            "{status} {value}: {pause:?}"
        );
    }
    for value in ["0", "soon", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let pause = pause_after(answer(503, value));
        assert!(pause < asked, "{value}: {pause:?}");
    }
}

#[test]
fn what_is_refused_is_not_tried_again_and_told_next() {
    for refusal in [MISTAKE, MOVED] {
        let (address, requests) = receiver(vec![refusal, OK]);
        let queue = start(address, |_| ());
        happen(&queue, 1);
        assert_eq!(next(&requests).times(), [1]);
        let told = next(&requests);
        assert_eq!(told.json()["dropped"], 1);
        assert!(told.times().is_empty());
        queue.close(TIMEOUT);
        assert_eq!(queue.counts().dropped, 1);
    }
}

#[test]
fn what_nobody_takes_is_given_up_in_the_end() {
    let (address, requests) = receiver(vec![BROKEN, BROKEN, OK]);
    let queue = start(address, |patience| patience.give_up = Duration::ZERO);
    happen(&queue, 1);
    assert_eq!(next(&requests).times(), [1]);
    let second = next(&requests);
    assert_eq!(
        (second.json()["dropped"].as_u64(), second.times()),
        (Some(1), vec![])
    );
    let third = next(&requests);
    assert_eq!(third.json()["dropped"], 1);
    queue.close(TIMEOUT);
    assert_eq!(queue.counts().dropped, 1);
}

#[test]
fn the_end_waits_for_the_last_events_but_not_for_ever() {
    let (address, requests) = receiver(vec![OK]);
    let queue = start(address, |_| ());
    (0..120).for_each(|at| happen(&queue, at));
    queue.close(TIMEOUT);
    assert_eq!(queue.counts().told, 120);
    assert!(next(&requests).times().len() <= 100);

    let (address, requests) = receiver(vec![""]);
    let queue = start(address, |patience| patience.answer = TIMEOUT);
    happen(&queue, 1);
    next(&requests);
    let since = Instant::now();
    queue.close(Duration::from_millis(100));
    assert!(since.elapsed() < TIMEOUT / 2);
}

#[test]
fn is_signed_for_this_moment() {
    let (address, requests) = receiver(vec![OK]);
    let queue = start(address, |_| ());
    happen(&queue, 1);
    let request = next(&requests);
    assert!(request.head.starts_with("POST /events?key=1 HTTP/1.1\r\n"));
    assert_eq!(request.header("content-type"), "application/json");
    let (id, sent) = (
        request.header("webhook-id"),
        request.header("webhook-timestamp"),
    );
    let sent: u64 = sent.parse().expect("seconds");
    assert!(crate::token::UnixTime::now().as_secs() - sent <= TIMEOUT.as_secs());
    let secret = WebhookSecret::new(SECRET).expect("a secret");
    let expected = secret.sign(id, sent, &request.body);
    assert_eq!(request.header("webhook-signature"), expected);
    let event = &request.json()["events"][0];
    assert_eq!(event["type"], "room_opened");
    assert_eq!(event["id"], "0101010101010101-opened");
}

/// What a receiver gets by TLS, with a certificate that it has made itself.
fn tls_receiver() -> (SocketAddr, String, Receiver<String>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = made.signing_key.serialize_der();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .expect("they fit");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (heads, arrived) = channel();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a config");
            let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap_or(0) > 0 {}
            // Who does not trust the certificate says nothing.
            if !head.is_empty() {
                let _ = heads.send(head);
                let _ = stream.get_mut().write_all(OK.as_bytes());
            }
        }
    });
    (address, made.cert.pem(), arrived)
}

#[test]
fn by_tls_to_whom_it_trusts_and_to_nobody_else() {
    let (address, certificate, heads) = tls_receiver();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, certificate).expect("written");
    let own = Trust::only(&path).expect("a certificate");
    for (trust, is_told) in [(Trust::default(), false), (own, true)] {
        let queue = start_by("https", address, &trust, |patience| {
            patience.give_up = Duration::from_millis(50);
        });
        happen(&queue, 0);
        queue.close(TIMEOUT);
        assert_eq!(queue.counts().told > 0, is_told, "{trust:?}");
    }
    let head = heads.recv_timeout(TIMEOUT).expect("a request");
    assert!(
        head.starts_with("POST /events?key=1 HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(
        heads.try_recv().is_err(),
        "from whom it does not trust nothing came"
    );
}
