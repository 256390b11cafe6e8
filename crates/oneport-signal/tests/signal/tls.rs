//! TLS and plain HTTP on the same port.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use oneport_signal::{Config, Identities, Identity, IdentityError};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::common::{PATIENCE, SHORT, Server, eventually, get, patient, post};

/// Whoever holds this changes what new connections see.
struct Changing(Mutex<Arc<Identity>>);

impl Identities for Changing {
    fn current(&self) -> Arc<Identity> {
        Arc::clone(&self.0.lock().expect("no panic under the lock"))
    }
}

/// A certificate for a name, as an identity, and as what a client trusts.
fn certificate(name: &str) -> (Arc<Identity>, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).expect("a name");
    let identity = Identity::from_pem(
        cert.pem().as_bytes(),
        signing_key.serialize_pem().as_bytes(),
    );
    (Arc::new(identity.expect("a pair")), cert.der().clone())
}

fn server(config: Config) -> (Server, Arc<Changing>, CertificateDer<'static>) {
    let (identity, trusted) = certificate("relay.example");
    let identities = Arc::new(Changing(Mutex::new(identity)));
    let server = Server::with_identities(config, identities.clone());
    (server, identities, trusted)
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn client_config(trusted: &CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn connect(server: &Server, config: ClientConfig) -> Tls {
    let name = "relay.example".try_into().expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a configuration");
    StreamOwned::new(client, server.connect().0)
}

/// Sends a request and reads until the endpoint closes.
fn exchange(server: &Server, config: ClientConfig, request: &str) -> io::Result<String> {
    let mut tls = connect(server, config);
    tls.write_all(request.as_bytes())?;
    let mut reply = String::new();
    tls.read_to_string(&mut reply)?;
    Ok(reply)
}

fn close(request: &str) -> String {
    request.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
}

#[test]
fn requests_in_tls_and_the_end_is_said() {
    let (server, _, trusted) = server(patient());
    let reply = exchange(&server, client_config(&trusted), &close(&get("/"))).expect("a reply");
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    assert!(reply.ends_with("<!doctype html>"), "{reply}");
    // An offer as long as may be takes several records.
    let offer = "v".repeat(oneport_wire::OFFER_BYTES_MAX);
    let request = close(&post("/r/lobby", &offer));
    let reply = exchange(&server, client_config(&trusted), &request).expect("a reply");
    assert!(reply.starts_with("HTTP/1.1 201 "), "{reply}");
    assert!(reply.ends_with(&offer), "the whole answer");
    let counters = server.endpoint.counters();
    assert_eq!((counters.tls, counters.tls_failed), (2, 0));
    eventually("the threads end", || server.endpoint.connections() == 0);
}

#[test]
fn several_requests_on_one_connection_and_both_versions() {
    let (server, _, trusted) = server(patient());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).expect("a certificate");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut tls = connect(&server, config);
        for _ in 0..3 {
            tls.write_all(get("/healthz").as_bytes()).expect("open");
            let mut reply = Vec::new();
            while !reply.ends_with(b"ok\n") {
                let mut byte = [0];
                tls.read_exact(&mut byte).expect("a reply");
                reply.push(byte[0]);
            }
        }
        assert_eq!(tls.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
}

#[test]
fn signaling_by_websocket() {
    let (server, _, trusted) = server(patient());
    let tls = connect(&server, client_config(&trusted));
    let (mut socket, _) = tungstenite::client("wss://relay.example/ws", tls).expect("an upgrade");
    for number in 0..3 {
        let request = format!(r#"{{"room":"lobby","offer":"number {number}"}}"#);
        socket.send(request.into()).expect("open");
        let answer = socket.read().expect("an answer").into_text().expect("text");
        assert!(
            answer.contains(&format!("answer to number {number}")),
            "{answer}"
        );
    }
    socket.close(None).expect("open");
    while socket.read().is_ok() {}
    drop(socket);
    eventually("the thread ends", || server.endpoint.connections() == 0);
}

#[test]
fn plain_requests_are_led_to_https() {
    let (server, _, _) = server(patient());
    let request = |path: &str, host: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for (path, host, location) in [
        ("/", "relay.example:3478", "https://relay.example:3478/"),
        ("/a?b=c", "[2001:db8::1]", "https://[2001:db8::1]/a?b=c"),
        (
            "//evil.example/",
            "relay.example",
            "https://relay.example//evil.example/",
        ),
    ] {
        let reply = server.exchange_from("192.0.2.1", request(path, host));
        assert_eq!(reply.status, 308);
        assert_eq!(reply.header("Location"), Some(location));
    }
    let offer = server.exchange_from("192.0.2.1", post("/r/lobby", "v=0"));
    assert_eq!(
        (offer.status, offer.header("Connection")),
        (308, Some("close"))
    );
    for host in ["", "evil.example/x", "a@b", "a:b"] {
        let reply = server.exchange_from("192.0.2.1", request("/", host));
        assert_eq!((reply.status, &*reply.problem_code()), (400, "https_only"));
    }
    assert_eq!(server.endpoint.counters().redirects, 4);
    // Who asks from this machine, and whether it lives, is answered.
    assert_eq!(server.exchange_from("127.0.0.1", get("/")).status, 200);
    assert_eq!(
        server.exchange_from("192.0.2.1", get("/healthz")).status,
        200
    );
    let nobody = server
        .backend
        .offers
        .lock()
        .expect("no panic under the lock");
    assert!(nobody.is_empty());
}

#[test]
fn a_proxy_that_was_reached_by_https_is_not() {
    let (server, _, _) = server(Config {
        trusted_proxies: vec!["10.0.0.1".parse().expect("a network")],
        ..patient()
    });
    let request = |proto| {
        let header = format!("X-Forwarded-Proto: {proto}\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n");
        get("/").replace("\r\n\r\n", &format!("\r\n{header}"))
    };
    for (peer, proto, status) in [
        ("10.0.0.1", "https", 200),
        ("10.0.0.1", "http", 308),
        ("10.0.0.2", "https", 308),
    ] {
        assert_eq!(
            server.exchange_from(peer, request(proto)).status,
            status,
            "{peer}"
        );
    }
}

/// The record that begins a connection, of this many bytes.
fn record(length: u16) -> Vec<u8> {
    let mut record = vec![0x16, 0x03, 0x01];
    record.extend_from_slice(&length.to_be_bytes());
    record
}

#[test]
fn a_handshake_gets_the_time_of_a_request_however_it_is_dripped() {
    let (server, _, _) = server(Config {
        request_timeout: SHORT,
        ..patient()
    });
    let mut silent = server.connect();
    silent.expect_end();
    let mut half = server.connect();
    half.send(record(500));
    half.expect_end();
    let mut dripping = server.connect();
    dripping.send(record(16_000));
    let begin = Instant::now();
    // A byte of a message that is not complete yet, every few milliseconds.
    while !dripping.hears_within(SHORT / 20) {
        assert!(begin.elapsed() < PATIENCE, "never cut");
        if dripping.0.write_all(&[0x01]).is_err() {
            break;
        }
    }
    assert!(
        begin.elapsed() >= SHORT - Duration::from_millis(20),
        "cut too early"
    );
    eventually("the threads end", || server.endpoint.connections() == 0);
    let counters = server.endpoint.counters();
    assert_eq!((counters.tls, counters.tls_failed), (2, 2));
}

#[test]
fn garbage_ends_with_an_alert() {
    let (server, _, _) = server(patient());
    let mut not_tls = record(5);
    not_tls.extend_from_slice(b"hello");
    for garbage in [
        not_tls,
        [&[0x16][..], &[0xff; 300]].concat(),
        vec![0x16; 20_000],
    ] {
        let mut client = server.connect();
        client.send(&garbage);
        let mut rest = Vec::new();
        // Where more was sent than was looked at, the alert may be lost to a reset.
        let _ = client.0.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest[0] == 0x15, "{rest:02x?}");
    }
    eventually("the threads end", || server.endpoint.connections() == 0);
    assert_eq!(server.endpoint.counters().tls_failed, 3);
    assert_eq!(server.exchange_from("127.0.0.1", get("/")).status, 200);
}

#[test]
fn tls_1_1_is_refused() {
    let (server, _, _) = server(patient());
    // A ClientHello of TLS 1.1 (RFC 4346 section 7.4.1.2) with one cipher suite, and signature algorithms
    // without which it would not get as far as its version.
    let mut hello = vec![0x03, 0x02];
    hello.extend_from_slice(&[7; 32]);
    hello.extend_from_slice(&[0, 0, 2, 0xc0, 0x13, 1, 0]);
    hello.extend_from_slice(&[0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let mut bytes = record(u16::try_from(hello.len() + 4).expect("short"));
    bytes.extend_from_slice(&[1, 0, 0, u8::try_from(hello.len()).expect("short")]);
    bytes.extend_from_slice(&hello);
    let mut client = server.connect();
    client.send(&bytes);
    let mut alert = [0; 7];
    client.0.read_exact(&mut alert).expect("an alert");
    // Fatal, protocol_version (RFC 8446 section 6).
    assert_eq!((alert[0], &alert[5..]), (0x15, &[2, 70][..]));
    eventually("the thread ends", || server.endpoint.connections() == 0);
    assert_eq!(server.endpoint.counters().tls_failed, 1);
}

#[test]
fn a_new_certificate_is_for_new_connections() {
    let (server, identities, old) = server(patient());
    let mut open = connect(&server, client_config(&old));
    open.write_all(get("/healthz").as_bytes()).expect("open");
    let (identity, new) = certificate("relay.example");
    *identities.0.lock().expect("no panic under the lock") = identity;
    exchange(&server, client_config(&new), &close(&get("/"))).expect("the new one");
    exchange(&server, client_config(&old), &close(&get("/"))).expect_err("the old one is gone");
    // Who was there already goes on.
    open.write_all(close(&get("/")).as_bytes()).expect("open");
    let mut reply = String::new();
    open.read_to_string(&mut reply).expect("a reply");
    assert!(reply.ends_with("<!doctype html>"), "{reply}");
}

#[test]
fn without_a_certificate_tls_is_no_request() {
    let server = Server::new(patient());
    let (mut client, stream, _) = server.pair();
    server
        .endpoint
        .serve(stream, SocketAddr::from(([192, 0, 2, 1], 1)));
    client.send(record(5));
    assert_eq!(client.reply().status, 400);
}

#[test]
fn what_is_no_identity() {
    let pair = || generate_simple_self_signed(["a".to_owned()]).expect("a name");
    let (CertifiedKey { cert, signing_key }, other) = (pair(), pair());
    let (chain, key) = (cert.pem(), signing_key.serialize_pem());
    let fault = |chain: &str, key: &str| {
        let error = Identity::from_pem(chain.as_bytes(), key.as_bytes()).expect_err("bad");
        assert!(!error.to_string().contains('\n'), "{error}");
        error
    };
    assert!(matches!(fault("", &key), IdentityError::NoCertificate));
    assert!(matches!(fault(&key, &key), IdentityError::NoCertificate));
    assert!(matches!(fault(&chain, ""), IdentityError::NoKey));
    assert!(matches!(fault(&chain, &chain), IdentityError::NoKey));
    let others = other.signing_key.serialize_pem();
    assert!(matches!(fault(&chain, &others), IdentityError::OtherKey));
    let cut = &chain[..chain.len() / 2];
    assert!(matches!(fault(cut, &key), IdentityError::Chain(_)));
    let scrambled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(
        fault(scrambled, &key),
        IdentityError::BadCertificate
    ));
}
