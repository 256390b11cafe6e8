//! What the operator asks.

use oneport_signal::Config;

use crate::common::{Reply, Server, get, patient};

fn server() -> Server {
    Server::new(patient())
}

fn ask(server: &Server, request: impl AsRef<[u8]>) -> Reply {
    let mut client = server.connect();
    client.send(request);
    client.reply()
}

/// The client is on loopback; the name in the Host header decides.
fn local(request_line: &str, headers: &str, body: &str) -> String {
    format!("{request_line} HTTP/1.1\r\nHost: localhost:3478\r\n{headers}\r\n{body}")
}

/// No page of another origin may read it, and nothing between us may keep it.
fn assert_private(reply: &Reply) {
    assert_eq!(reply.header("Access-Control-Allow-Origin"), None);
    assert_eq!(reply.header("Cache-Control"), Some("no-store"));
    assert_eq!(reply.header("X-Content-Type-Options"), Some("nosniff"));
}

fn code(reply: &Reply) -> String {
    assert_private(reply);
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(problem["status"], reply.status);
    problem["code"].as_str().expect("a code").to_owned()
}

#[test]
fn the_backend_answers() {
    let server = server();
    for (request, answer) in [
        (local("GET /metrics", "", ""), "Get /metrics  None 0"),
        (local("GET /readyz?a=b", "", ""), "Get /readyz a=b None 0"),
        (
            local("GET /status/data", "", ""),
            "Get /status/data  None 0",
        ),
        (
            local(
                "POST /api/v1/rooms?x",
                "Content-Type: application/json\r\nContent-Length: 2\r\n",
                "{}",
            ),
            "Post /api/v1/rooms x Some(\"application/json\") 2",
        ),
        (local("DELETE /api/a", "", ""), "Delete /api/a  None 0"),
        (local("OPTIONS /api/a", "", ""), "Options /api/a  None 0"),
    ] {
        let reply = ask(&server, &request);
        assert_eq!((reply.status, reply.text()), (200, answer));
        assert_eq!(reply.header("X-Said"), Some("yes"));
        assert_private(&reply);
    }
    let mut client = server.connect();
    client.send(local("HEAD /metrics", "Connection: close\r\n", ""));
    assert_eq!(client.head().status, 200);
    client.expect_end();
}

#[test]
fn the_connection_goes_on() {
    let server = server();
    let mut client = server.connect();
    let request = local("POST /api/a", "Content-Length: 3\r\n", "abc");
    client.send(request.repeat(2));
    for _ in 0..2 {
        assert_eq!(client.reply().text(), "Post /api/a  None 3");
    }
}

#[test]
fn problems_are_the_operators_alone_too() {
    let reply = ask(&server(), local("GET /api/nothing", "", ""));
    assert_eq!((reply.status, &*code(&reply)), (404, "no_such_room"));
}

#[test]
fn who_may_not_is_told_before_the_body() {
    let server = server();
    let announced = "Content-Length: 400000\r\n";
    for (request, expected) in [
        (get("/metrics"), "token_missing"),
        (
            local("GET /metrics", "X-Forwarded-For: 127.0.0.1\r\n", ""),
            "token_missing",
        ),
        (
            local("GET /metrics", "Origin: https://evil.example\r\n", ""),
            "token_missing",
        ),
        (
            local(
                "POST /api/a",
                &format!("Authorization: Bearer no\r\n{announced}"),
                "",
            ),
            "token_bad",
        ),
        (
            get("/api/a").replace("Host: x\r\n", &format!("Host: x\r\n{announced}")),
            "token_missing",
        ),
    ] {
        let reply = ask(&server, &request);
        assert_eq!((reply.status, &*code(&reply)), (401, expected), "{request}");
        assert!(reply.header("WWW-Authenticate").is_some());
    }
    let token = get("/metrics").replace(
        "Host: x\r\n",
        "Host: x\r\nAuthorization: Bearer operator\r\n",
    );
    assert_eq!(ask(&server, token).status, 200);
}

#[test]
fn a_trusted_proxy_is_not_local_even_if_it_says_nothing() {
    let config = Config {
        trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")],
        ..patient()
    };
    let server = Server::new(config);
    let reply = ask(&server, local("GET /metrics", "", ""));
    assert_eq!((reply.status, &*code(&reply)), (401, "token_missing"));
    let old = "GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:3478\r\n\r\n";
    let reply = ask(&Server::new(patient()), old);
    assert_eq!((reply.status, &*code(&reply)), (401, "token_missing"));
}

#[test]
fn bodies_have_a_limit() {
    let config = Config {
        operator_body_bytes_max: 10,
        ..patient()
    };
    let server = Server::new(config);
    let most = local("POST /api/a", "Content-Length: 10\r\n", "0123456789");
    assert_eq!(ask(&server, most).status, 200);
    for length in ["11", "99999999999999999999999"] {
        let headers = format!("Content-Length: {length}\r\n");
        let reply = server.exchange(local("POST /api/a", &headers, ""));
        assert_eq!((reply.status, &*code(&reply)), (413, "body_too_large"));
    }
}
