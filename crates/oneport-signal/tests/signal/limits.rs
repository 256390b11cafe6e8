//! What nobody can do: hold threads, by being slow, idle, many or deaf.

use std::io::{ErrorKind, Write};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use oneport_signal::{Asset, Config};

use crate::common::{PATIENCE, SHORT, Server, eventually, get, patient, post};

#[test]
fn dripping_bytes_does_not_prolong_a_request() {
    let server = Server::new(Config {
        request_timeout: SHORT,
        ..patient()
    });
    let endless_head = "GET / HTTP/1.1\r\nA: ".to_owned();
    let endless_body = post("/r/lobby", "").replace("Length: 0", "Length: 9999");
    for beginning in [endless_head, endless_body] {
        let mut client = server.connect();
        let begin = Instant::now();
        client.send(&beginning);
        // A byte every few milliseconds: no single silence is long.
        while !client.hears_within(SHORT / 20) {
            client.send("x");
            assert!(begin.elapsed() < PATIENCE, "never cut");
        }
        assert!(begin.elapsed() >= SHORT, "cut too early");
        let reply = client.reply();
        assert_eq!(
            (reply.status, &*reply.problem_code()),
            (408, "request_timeout")
        );
        assert_eq!(reply.header("Connection"), Some("close"));
        client.expect_end();
    }
    assert_eq!(server.endpoint.counters().timeouts, 2);
    eventually("both threads end", || server.endpoint.connections() == 0);
}

#[test]
fn half_a_request_and_silence() {
    let server = Server::new(Config {
        request_timeout: SHORT,
        ..patient()
    });
    let offer = post("/r/lobby", "v=0");
    for half in ["G", &offer[..offer.len() - 3], &offer[..offer.len() - 1]] {
        assert_eq!(server.exchange(half).status, 408, "{half}");
    }
    // Whoever says nothing hears nothing.
    server.connect().expect_end();
}

#[test]
fn the_time_of_a_later_request_begins_with_its_first_byte() {
    let server = Server::new(Config {
        request_timeout: SHORT,
        ..patient()
    });
    let mut client = server.connect();
    client.send(get("/healthz"));
    assert_eq!(client.reply().status, 200);
    assert!(!client.hears_within(2 * SHORT), "idle is not late");
    client.send(get("/healthz"));
    assert_eq!(client.reply().status, 200);
    client.send("GET /healthz");
    assert_eq!(client.reply().status, 408);
    client.expect_end();
}

#[test]
fn idle_connections_end_silently() {
    let server = Server::new(Config {
        keep_alive_timeout: SHORT,
        ..patient()
    });
    let mut client = server.connect();
    client.send(get("/healthz"));
    assert_eq!(client.reply().header("Connection"), None);
    client.expect_end();
    eventually("its thread ends", || server.endpoint.connections() == 0);
    assert_eq!(server.endpoint.counters().timeouts, 0);
}

#[test]
fn a_connection_has_so_many_requests() {
    let server = Server::new(Config {
        requests_per_connection_max: 3,
        ..patient()
    });
    let mut client = server.connect();
    client.send(get("/healthz").repeat(4));
    for connection in [None, None, Some("close")] {
        assert_eq!(client.reply().header("Connection"), connection);
    }
    client.expect_end();
}

#[test]
fn above_the_cap_the_one_that_asks_nothing_makes_room() {
    let server = Server::new(Config {
        connections_max: 2,
        ..patient()
    });
    let mut asking = server.connect();
    let mut silent = server.connect_with(|client| client.send("GET / HT"));
    asking.send(get("/healthz"));
    assert_eq!(asking.reply().status, 200);

    let mut newcomer = server.connect();
    silent.expect_end();
    for client in [&mut newcomer, &mut asking] {
        client.send(get("/healthz"));
        assert_eq!(client.reply().status, 200);
    }
    let mut other = server.connect_with(|client| client.send(post("/r/lobby", "v=0")));
    assert_eq!(other.reply().status, 201);
    newcomer.expect_end();
    assert_eq!(server.endpoint.connections(), 2);
    let counters = server.endpoint.counters();
    assert_eq!((counters.served, counters.evicted), (4, 2));
    assert_eq!(counters.turned_away, 0);
}

#[test]
fn websockets_that_ask_nothing_make_room_too() {
    let server = Server::new(Config {
        connections_max: 1,
        ..patient()
    });
    let mut websocket = server.connect();
    websocket.send(
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    assert_eq!(websocket.reply().status, 101);
    let mut newcomer = server.connect();
    websocket.expect_end();
    newcomer.send(get("/healthz"));
    assert_eq!(newcomer.reply().status, 200);
}

#[test]
fn while_all_are_answered_clients_are_turned_away() {
    let server = Server::new(Config {
        connections_max: 2,
        ..patient()
    });
    let gate = server.backend.hold();
    let mut waiting = [(); 2].map(|()| server.connect());
    for client in &mut waiting {
        client.send(post("/r/wait", "v=0"));
    }
    eventually("both are with the backend", || {
        server.backend.waiting.load(Ordering::Relaxed) == 2
    });

    // One whose request is there already, as after sniffing, and one that has not said anything.
    let mut asking = server.connect_with(|client| client.send(post("/r/lobby", "v=0")));
    let mut silent = server.connect();
    for client in [&mut asking, &mut silent] {
        let reply = client.reply();
        assert_eq!(
            (reply.status, &*reply.problem_code()),
            (503, "too_many_connections")
        );
        assert_eq!(reply.header("Retry-After"), Some("1"));
        assert_eq!(reply.header("Connection"), Some("close"));
        client.expect_end();
    }
    drop(gate);
    for client in &mut waiting {
        assert_eq!(client.reply().status, 201);
    }
    let counters = server.endpoint.counters();
    assert_eq!((counters.served, counters.turned_away), (2, 2));
    assert_eq!(counters.responses, [0, 2, 0, 0, 2]);
}

#[test]
fn turning_away_never_waits() {
    let server = Server::new(Config {
        connections_max: 0,
        ..patient()
    });
    // A client that takes nothing and a socket that is full, in blocking mode.
    let (_deaf, mut stream, peer) = server.pair();
    stream.set_nonblocking(true).expect("a socket");
    let full = (0..10_000).find_map(|_| stream.write_all(&[0; 64 * 1024]).err());
    assert_eq!(full.map(|error| error.kind()), Some(ErrorKind::WouldBlock));
    stream.set_nonblocking(false).expect("a socket");

    let (done, when_done) = mpsc::channel();
    thread::spawn(move || {
        server.endpoint.serve(stream, peer);
        done.send(server.endpoint.counters().turned_away)
    });
    assert_eq!(when_done.recv_timeout(PATIENCE), Ok(1));
}

#[test]
fn a_backend_that_waits_holds_up_nobody_else() {
    let server = Server::new(patient());
    let gate = server.backend.hold();
    let mut waiting = server.connect();
    waiting.send(post("/r/wait", "v=0"));
    let mut other = server.connect();
    other.send(post("/r/lobby", "v=0"));
    assert_eq!(other.reply().status, 201);
    assert!(!waiting.hears_within(SHORT / 4));
    drop(gate);
    assert_eq!(waiting.reply().status, 201);
}

#[test]
fn a_panic_of_the_backend_costs_one_connection() {
    let server = Server::new(patient());
    let mut client = server.connect();
    client.send(post("/r/panic", "v=0"));
    client.expect_end();
    eventually("its place is given back", || {
        server.endpoint.connections() == 0
    });
    let mut other = server.connect();
    other.send(post("/r/lobby", "v=0"));
    assert_eq!(other.reply().status, 201);
}

#[test]
fn a_client_that_does_not_read_is_cut() {
    // More than the sockets' buffers hold.
    let body = vec![b'x'; 32 * 1024 * 1024].leak();
    let assets = vec![Asset {
        path: "/",
        content_type: "text/plain",
        body,
    }];
    let server = Server::with_assets(
        Config {
            write_timeout: SHORT,
            ..patient()
        },
        assets.leak(),
    );
    let mut deaf = server.connect();
    deaf.send(get("/"));
    eventually("its thread ends", || server.endpoint.connections() == 0);
    assert_eq!(server.endpoint.counters().timeouts, 1);
}

#[test]
fn a_client_that_does_not_close_is_left() {
    let server = Server::new(Config {
        linger_timeout: SHORT,
        ..patient()
    });
    let mut client = server.connect();
    client.send("nonsense\r\n\r\n");
    assert_eq!(client.reply().status, 400);
    client.expect_end();
    // The client's side is still open; the endpoint lingers and then goes.
    eventually("its thread ends", || server.endpoint.connections() == 0);
}
