//! What bad requests get: each its own status, and nobody else notices.

use std::net::Shutdown;

use oneport_wire::OFFER_BYTES_MAX;

use crate::common::{SESSION, Server, get, patient, post};

/// With this header added.
fn with(request: String, header: &str) -> Vec<u8> {
    request
        .replacen("\r\n", &format!("\r\n{header}\r\n"), 1)
        .into_bytes()
}

/// An offer that ends with a byte that no UTF-8 text has.
fn not_utf8() -> Vec<u8> {
    let mut request = post("/r/lobby", "v=0").into_bytes();
    request.pop();
    request.push(0xff);
    request
}

/// Every bad request, with its status, its code, and whether the connection survives it.
fn table() -> Vec<(Vec<u8>, u16, &'static str, bool)> {
    let offer = || post("/r/lobby", "v=0");
    let without_length = offer().replace("Content-Length: 3\r\n", "");
    let of_type = |content_type: &str| offer().replace("application/sdp", content_type);
    let longer = OFFER_BYTES_MAX + 1;
    vec![
        // Not HTTP.
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".into(),
            400,
            "bad_http",
            false,
        ),
        (b"hello\r\n\r\n".into(), 400, "bad_http", false),
        (
            b"GET / HTTP/1.1\r\nbad header\r\n\r\n".into(),
            400,
            "bad_http",
            false,
        ),
        (b"GET / HTTP/1.1\r\n\r\n".into(), 400, "bad_http", false),
        (
            b"GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n".into(),
            400,
            "bad_http",
            false,
        ),
        (with(get("/"), "Host: y"), 400, "bad_http", false),
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
            505,
            "version_not_supported",
            false,
        ),
        // Lengths that could hide a second request.
        (with(offer(), "Content-Length: 3"), 400, "bad_http", false),
        (
            with(offer(), "Transfer-Encoding: chunked"),
            400,
            "bad_http",
            false,
        ),
        (
            with(without_length.clone(), "Content-Length: 3x"),
            400,
            "bad_http",
            false,
        ),
        (
            with(without_length.clone(), "Content-Length: +3"),
            400,
            "bad_http",
            false,
        ),
        (
            with(without_length.clone(), "Transfer-Encoding: chunked"),
            411,
            "length_required",
            false,
        ),
        (
            without_length.replace("v=0", "").into_bytes(),
            411,
            "length_required",
            true,
        ),
        // Too large.
        (
            get(&format!("/{}", "x".repeat(9000))).into_bytes(),
            414,
            "target_too_long",
            false,
        ),
        (
            with(get("/"), &format!("A: {}", "x".repeat(9000))),
            431,
            "head_too_large",
            false,
        ),
        (
            with(get("/"), &"A: b\r\n".repeat(100)),
            431,
            "head_too_large",
            false,
        ),
        (
            with(without_length.clone(), &format!("Content-Length: {longer}")),
            413,
            "offer_too_large",
            false,
        ),
        (
            post("/r/lobby", &"x".repeat(longer)).into_bytes(),
            413,
            "offer_too_large",
            false,
        ),
        (
            with(without_length, "Content-Length: 99999999999999999999999"),
            413,
            "offer_too_large",
            false,
        ),
        // Wrong places, methods and rooms.
        (get("/nothing").into_bytes(), 404, "not_found", true),
        (get("/../etc/passwd").into_bytes(), 404, "not_found", true),
        (get("/r").into_bytes(), 404, "not_found", true),
        (
            get("/nothing").replace("GET", "OPTIONS").into_bytes(),
            404,
            "not_found",
            true,
        ),
        (
            get("/r/lobby").into_bytes(),
            405,
            "method_not_allowed",
            true,
        ),
        (
            get("/r/a/b").replace("GET", "PUT").into_bytes(),
            405,
            "method_not_allowed",
            true,
        ),
        (
            get("/").replace("GET", "BREW").into_bytes(),
            405,
            "method_not_allowed",
            true,
        ),
        (
            get("/ws").replace("GET", "POST").into_bytes(),
            405,
            "method_not_allowed",
            true,
        ),
        (
            post("/", "v=0").into_bytes(),
            405,
            "method_not_allowed",
            false,
        ),
        (
            post("/r/lob%62y", "v=0").into_bytes(),
            400,
            "bad_room",
            false,
        ),
        (post("/r/", "v=0").into_bytes(), 400, "bad_room", false),
        (
            post(&format!("/r/{}", "x".repeat(65)), "v=0").into_bytes(),
            400,
            "bad_room",
            false,
        ),
        (
            get(&format!("/r/%41/{SESSION}"))
                .replace("GET", "DELETE")
                .into_bytes(),
            400,
            "bad_room",
            true,
        ),
        // Offers that are none.
        (
            of_type("text/plain").into_bytes(),
            415,
            "unsupported_media_type",
            false,
        ),
        (
            of_type("application/sdpx").into_bytes(),
            415,
            "unsupported_media_type",
            false,
        ),
        (
            offer().replace("Content-Type", "X").into_bytes(),
            415,
            "unsupported_media_type",
            false,
        ),
        (post("/r/lobby", "").into_bytes(), 400, "bad_offer", true),
        (not_utf8(), 400, "bad_offer", true),
        // Conditions that cannot be met.
        (
            with(offer(), "Expect: a-miracle"),
            417,
            "expectation_failed",
            false,
        ),
        (get("/ws").into_bytes(), 426, "upgrade_required", true),
    ]
}

#[test]
fn each_has_its_status_and_disturbs_nobody() {
    let server = Server::new(patient());
    // These two are there all the time: one idle between requests, one in the middle of one.
    let mut idle = server.connect();
    idle.send(get("/healthz"));
    assert_eq!(idle.reply().status, 200);
    let mut slow = server.connect();
    let offer = post("/r/lobby", "slow");
    slow.send(&offer[..offer.len() - 2]);

    for (request, status, code, survives) in table() {
        let shown: String = String::from_utf8_lossy(&request)
            .chars()
            .take(120)
            .collect();
        let mut client = server.connect();
        client.send(&request);
        let reply = client.reply();
        assert_eq!(
            (reply.status, &*reply.problem_code()),
            (status, code),
            "{shown}"
        );
        if survives {
            client.send(get("/healthz"));
            assert_eq!(client.reply().text(), "ok\n", "{shown}");
        } else {
            assert_eq!(reply.header("Connection"), Some("close"), "{shown}");
            client.expect_end();
        }
    }

    slow.send(&offer[offer.len() - 2..]);
    assert_eq!(slow.reply().text(), "answer to slow");
    idle.send(get("/healthz"));
    assert_eq!(idle.reply().text(), "ok\n");
    assert_eq!(
        server.endpoint.counters().connects,
        1,
        "only the slow one got through"
    );
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    let server = Server::new(patient());
    for (path, allow) in [
        ("/r/lobby", "POST, OPTIONS"),
        ("/r/lobby/x", "PATCH, DELETE, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/ws", "GET, OPTIONS"),
    ] {
        let mut client = server.connect();
        client.send(get(path).replace("GET", "PUT"));
        let reply = client.reply();
        assert_eq!(
            (reply.status, reply.header("Allow")),
            (405, Some(allow)),
            "{path}"
        );
    }
}

#[test]
fn a_large_body_is_refused_before_it_is_sent() {
    let server = Server::new(patient());
    let mut client = server.connect();
    client.send(
        "POST /r/lobby HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\n\
         Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
    );
    let reply = client.reply();
    assert_eq!(reply.status, 413, "and no 100 before");
    client.expect_end();
}

#[test]
fn whoever_sends_a_large_body_anyway_still_reads_the_refusal() {
    let server = Server::new(patient());
    // Many times what an offer may be, all sent before anything is read.
    let request = post("/r/lobby", &"x".repeat(12 * OFFER_BYTES_MAX));
    assert_eq!(server.exchange(request).status, 413);
}

#[test]
fn half_a_request_and_an_end() {
    let server = Server::new(patient());
    let offer = post("/r/lobby", "v=0");
    for half in [
        "GET / HT",
        &offer[..offer.len() - 3],
        &offer[..offer.len() - 1],
    ] {
        let mut client = server.connect();
        client.send(half);
        client.0.shutdown(Shutdown::Write).expect("open");
        let reply = client.reply();
        assert_eq!(
            (reply.status, &*reply.problem_code()),
            (400, "bad_http"),
            "{half}"
        );
        client.expect_end();
    }
    let mut nothing = server.connect();
    nothing.0.shutdown(Shutdown::Write).expect("open");
    nothing.expect_end();
}
