//! Signaling over WebSocket, with tungstenite's client.

use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use oneport_signal::{Config, WEBSOCKET_MESSAGE_BYTES_MAX};
use oneport_wire::OFFER_BYTES_MAX;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Bytes, Error, Message, WebSocket};

use crate::common::{PATIENCE, SESSION, SHORT, Server, eventually, get, patient, post};

type Socket = WebSocket<TcpStream>;

fn server() -> Server {
    Server::new(patient())
}

fn open(server: &Server) -> Socket {
    let stream = server.connect().0;
    let (socket, response) = tungstenite::client("ws://relay.test/ws", stream).expect("upgraded");
    assert_eq!(response.status(), 101);
    socket
}

fn request(room: &str, offer: &str) -> Message {
    let json = serde_json::json!({"room": room, "offer": offer});
    Message::text(json.to_string())
}

fn ask(socket: &mut Socket, message: Message) -> serde_json::Value {
    socket.send(message).expect("open");
    let response = socket.read().expect("open");
    serde_json::from_str(response.to_text().expect("text")).expect("JSON")
}

/// The endpoint closes with this code, and the connection ends in an orderly way.
fn expect_close(socket: &mut Socket, expected: CloseCode) {
    let code = loop {
        match socket.read().expect("a close frame") {
            Message::Close(frame) => break frame.map(|frame| frame.code),
            Message::Pong(_) => {}
            message => panic!("{message:?}"),
        }
    };
    assert_eq!(code, Some(expected));
    assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
}

#[test]
fn several_exchanges_on_one_connection() {
    let server = server();
    let mut socket = open(&server);
    let response = ask(&mut socket, request("lobby", "v=0\r\n"));
    assert_eq!(response["answer"], "answer to v=0\r\n");
    assert_eq!(response["session"], format!("/r/lobby/{SESSION}"));

    let response = ask(&mut socket, request("full", "v=0"));
    assert_eq!(response["error"]["code"], "room_full");
    assert_eq!(response["error"]["retry_after_secs"], 30);

    for (broken, code) in [
        ("{", "bad_request"),
        ("[]", "bad_request"),
        (r#"{"room":"a b","offer":"v=0"}"#, "bad_room"),
        (r#"{"room":"a","offer":""}"#, "bad_offer"),
    ] {
        let response = ask(&mut socket, Message::text(broken));
        assert_eq!(response["error"]["code"], code, "{broken}");
    }
    let response = ask(&mut socket, request("lobby", "again"));
    assert_eq!(response["answer"], "answer to again");

    let counters = server.endpoint.counters();
    assert_eq!((counters.connects, counters.refusals), (2, 5));
    assert_eq!(counters.websocket_messages, 7);
    assert_eq!(counters.responses, [1, 0, 0, 0, 0]);
}

#[test]
fn access_tokens_reach_the_backend() {
    let server = server();
    let mut socket = open(&server);
    for (beside, code) in [
        ("", "token_missing"),
        (r#", "token": null"#, "token_missing"),
        (r#", "token": """#, "token_missing"),
        (r#", "token": "guess""#, "token_bad"),
        (r#", "token": "expired""#, "token_expired"),
        (r#", "token": "elsewhere""#, "forbidden"),
        (r#", "token": 1"#, "bad_request"),
        (r#", "token": "member", "token": "guess""#, "bad_request"),
    ] {
        let request = format!(r#"{{"room": "club", "offer": "v=0"{beside}}}"#);
        let response = ask(&mut socket, Message::text(request));
        assert_eq!(response["error"]["code"], code, "{beside}");
    }
    let member = r#"{"token": "member", "room": "club", "offer": "v=0"}"#;
    let response = ask(&mut socket, Message::text(member));
    assert_eq!(response["answer"], "answer to v=0");
}

#[test]
fn a_message_right_behind_the_upgrade_is_not_lost() {
    let server = server();
    let mut client = server.connect();
    let frame = {
        let mut socket =
            WebSocket::from_raw_socket(std::io::Cursor::new(Vec::new()), Role::Client, None);
        socket.send(request("lobby", "early")).expect("memory");
        socket.into_inner().into_inner()
    };
    let upgrade = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    client.send([get("/healthz").as_bytes(), upgrade.as_bytes(), &frame].concat());
    assert_eq!(client.reply().text(), "ok\n");
    assert_eq!(client.head().status, 101);
    let mut socket = WebSocket::from_raw_socket(client.0, Role::Client, None);
    let response = socket.read().expect("open");
    assert!(
        response
            .to_text()
            .expect("text")
            .contains("answer to early")
    );
}

#[test]
fn the_largest_offer_passes_and_a_larger_one_is_refused() {
    let server = server();
    let mut socket = open(&server);
    // Line ends throughout: the most that JSON must escape.
    let largest = "\r\n".repeat(OFFER_BYTES_MAX / 2);
    let response = ask(&mut socket, request("lobby", &largest));
    assert_eq!(response["answer"], format!("answer to {largest}"));
    let response = ask(
        &mut socket,
        request("lobby", &"x".repeat(OFFER_BYTES_MAX + 1)),
    );
    assert_eq!(response["error"]["code"], "offer_too_large");
}

#[test]
fn what_is_not_understood_closes_with_its_code() {
    let server = server();
    let long = "x".repeat(WEBSOCKET_MESSAGE_BYTES_MAX + 1);
    for (message, code) in [
        (
            Message::binary(Bytes::from_static(b"{}")),
            CloseCode::Unsupported,
        ),
        (Message::text(&*long), CloseCode::Size),
        (request("long-answer", "v=0"), CloseCode::Error),
    ] {
        let mut socket = open(&server);
        socket.send(message).expect("open");
        expect_close(&mut socket, code);
    }
    // Text that is not UTF-8; a frame without the mask that clients must use.
    for (frame, code) in [
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff][..], CloseCode::Invalid),
        (&[0x81, 0x01, b'x'][..], CloseCode::Protocol),
    ] {
        let mut socket = open(&server);
        socket.get_mut().write_all(frame).expect("open");
        expect_close(&mut socket, code);
    }
    eventually("all threads end", || server.endpoint.connections() == 0);
}

#[test]
fn fragments_do_not_add_up_beyond_the_limit() {
    let server = server();
    let mut socket = open(&server);
    let payload = vec![b'x'; WEBSOCKET_MESSAGE_BYTES_MAX / 2 + 1];
    let length = u64::try_from(payload.len()).expect("small");
    // A text frame and its continuation, neither final (RFC 6455 section 5.2).
    for opcode in [0x01, 0x00] {
        let mut frame = vec![opcode, 0x80 | 127];
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(&payload);
        socket.get_mut().write_all(&frame).expect("open");
    }
    expect_close(&mut socket, CloseCode::Size);
}

#[test]
fn a_client_that_closes_is_answered() {
    let server = server();
    let mut socket = open(&server);
    socket.close(None).expect("open");
    assert!(matches!(socket.read(), Ok(Message::Close(None))));
    assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
    drop(socket);
    eventually("its thread ends", || server.endpoint.connections() == 0);
}

#[test]
fn a_client_that_vanishes_costs_nothing() {
    let server = server();
    drop(open(&server));
    eventually("its thread ends", || server.endpoint.connections() == 0);
}

#[test]
fn idle_ends_with_a_close_frame_pings_or_not() {
    let server = Server::new(Config {
        websocket_idle_timeout: SHORT,
        ..patient()
    });
    let mut silent = open(&server);
    let begin = Instant::now();
    expect_close(&mut silent, CloseCode::Away);
    assert!(begin.elapsed() < PATIENCE);

    let mut pinging = open(&server);
    let begin = Instant::now();
    let frame = loop {
        assert!(begin.elapsed() < PATIENCE, "pings keep it open");
        // Each is answered before the next, so that the time decides, not the number.
        if pinging.send(Message::Ping(Bytes::new())).is_err() {
            panic!("closed without a close frame");
        }
        match pinging.read().expect("open") {
            Message::Pong(_) => std::thread::sleep(SHORT / 20),
            Message::Close(frame) => break frame.expect("a code"),
            message => panic!("{message:?}"),
        }
    };
    assert_eq!(frame.code, CloseCode::Away);
    assert!(begin.elapsed() >= SHORT / 2, "it was not cut for its pings");
}

#[test]
fn too_many_pings_close() {
    let server = server();
    let mut socket = open(&server);
    for _ in 0..300 {
        socket.write(Message::Ping(Bytes::new())).expect("buffered");
    }
    socket.flush().expect("open");
    expect_close(&mut socket, CloseCode::Policy);
}

#[test]
fn a_socket_has_so_many_messages() {
    let server = Server::new(Config {
        requests_per_connection_max: 2,
        ..patient()
    });
    let mut socket = open(&server);
    for _ in 0..2 {
        let response = ask(&mut socket, request("lobby", "v=0"));
        assert_eq!(response["answer"], "answer to v=0");
    }
    expect_close(&mut socket, CloseCode::Policy);
}

#[test]
fn a_slow_message_is_cut_by_the_idle_time() {
    let server = Server::new(Config {
        websocket_idle_timeout: SHORT,
        ..patient()
    });
    let config = WebSocketConfig::default();
    let mut client = server.connect();
    client.send(
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assert_eq!(client.head().status, 101);
    // A frame of 65535 bytes, of which one comes every few milliseconds.
    client.send([0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0]);
    let begin = Instant::now();
    while !client.hears_within(SHORT / 20) {
        client.send("x");
        assert!(begin.elapsed() < PATIENCE, "never cut");
    }
    let mut socket = WebSocket::from_raw_socket(client.0, Role::Client, Some(config));
    expect_close(&mut socket, CloseCode::Away);
}

#[test]
fn http_goes_on_where_no_upgrade_happened() {
    let server = server();
    let mut client = server.connect();
    client.send(get("/ws"));
    let reply = client.reply();
    assert_eq!(
        (reply.status, &*reply.problem_code()),
        (426, "upgrade_required")
    );
    assert_eq!(reply.header("Upgrade"), Some("websocket"));
    assert_eq!(reply.header("Sec-WebSocket-Version"), Some("13"));
    client.send(post("/r/lobby", "v=0"));
    assert_eq!(client.reply().status, 201);
}
