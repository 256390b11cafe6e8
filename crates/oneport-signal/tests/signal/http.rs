//! What good requests get.

use std::net::{IpAddr, Ipv4Addr};

use oneport_signal::Asset;
use oneport_wire::OFFER_BYTES_MAX;

use crate::common::{ASSETS, Reply, SESSION, Server, get, patient, post};

fn server() -> Server {
    Server::new(patient())
}

/// One request on a connection of its own that stays open.
fn ask(server: &Server, request: impl AsRef<[u8]>) -> Reply {
    let mut client = server.connect();
    client.send(request);
    client.reply()
}

#[test]
fn an_offer_is_answered() {
    let server = server();
    let reply = ask(&server, post("/r/lobby?token=x", "v=0\r\n"));
    assert_eq!(reply.status, 201);
    assert_eq!(reply.text(), "answer to v=0\r\n");
    assert_eq!(reply.header("Content-Type"), Some("application/sdp"));
    let location = format!("/r/lobby/{SESSION}");
    assert_eq!(reply.header("Location"), Some(&*location));
    assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"));
    let exposed = Some("Location, ETag, Retry-After");
    assert_eq!(reply.header("Access-Control-Expose-Headers"), exposed);
    // The quote and the line break that the backend put into its tag are gone.
    assert_eq!(reply.header("ETag"), Some("\"iceX-Evil:1\""));

    let offers = server.backend.offers.lock().expect("no panic");
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    assert_eq!(*offers, [("lobby".into(), "v=0\r\n".into(), client)]);
    let counters = server.endpoint.counters();
    assert_eq!((counters.served, counters.connects), (1, 1));
    assert_eq!(counters.responses, [0, 1, 0, 0, 0]);
}

#[test]
fn an_offer_may_be_as_long_as_the_limit() {
    let offer = "x".repeat(OFFER_BYTES_MAX);
    let reply = ask(&server(), post("/r/lobby", &offer));
    assert_eq!(reply.status, 201);
    assert_eq!(reply.body.len(), "answer to ".len() + OFFER_BYTES_MAX);
}

#[test]
fn the_content_type_may_have_parameters_and_any_case() {
    let request = post("/r/lobby", "v=0").replace("/sdp", "/SDP; charset=utf-8");
    assert_eq!(ask(&server(), request).status, 201);
}

#[test]
fn refusals_of_the_backend_become_problems() {
    let server = server();
    for (room, status, code, retry) in [
        ("full", 503, "room_full", Some("30")),
        ("no-channel", 422, "no_data_channel", None),
        ("eager", 429, "too_many_handshakes_from_address", Some("5")),
    ] {
        let reply = ask(&server, post(&format!("/r/{room}"), "v=0"));
        assert_eq!((reply.status, &*reply.problem_code()), (status, code));
        assert_eq!(reply.header("Retry-After"), retry);
    }
    assert_eq!(server.endpoint.counters().refusals, 3);
}

#[test]
fn access_tokens_reach_the_backend() {
    let server = server();
    let ask_with = |authorization: &str| {
        let request = post("/r/club", "v=0");
        let headers = format!("Host: x\r\n{authorization}");
        ask(&server, request.replace("Host: x\r\n", &headers))
    };
    for (authorization, status, code, challenge) in [
        ("", 401, "token_missing", Some("Bearer")),
        (
            "Authorization: Basic bWVtYmVy\r\n",
            401,
            "token_missing",
            Some("Bearer"),
        ),
        (
            "Authorization: Bearer guess\r\n",
            401,
            "token_bad",
            Some("Bearer error=\"invalid_token\""),
        ),
        (
            "Authorization: Bearer expired\r\n",
            401,
            "token_expired",
            Some("Bearer error=\"invalid_token\""),
        ),
        (
            "Authorization: Bearer elsewhere\r\n",
            403,
            "forbidden",
            None,
        ),
    ] {
        let reply = ask_with(authorization);
        assert_eq!((reply.status, &*reply.problem_code()), (status, code));
        assert_eq!(reply.header("WWW-Authenticate"), challenge, "{code}");
        assert_eq!(reply.header("Retry-After"), None, "{code}");
    }
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let reply = ask_with(&format!("authorization: {scheme} member\r\n"));
        assert_eq!(reply.status, 201, "{scheme}");
    }
    let twice = "Authorization: Bearer member\r\n".repeat(2);
    assert_eq!(ask_with(&twice).status, 400);
    // Where no token is asked for, one does no harm.
    let open = post("/r/lobby", "v=0").replace("Host: x", "Host: x\r\nAuthorization: Bearer y");
    assert_eq!(ask(&server, open).status, 201);
}

#[test]
fn delete_ends_a_session() {
    let server = server();
    let delete = |path: String| {
        let request = format!("DELETE {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        ask(&server, request)
    };
    let reply = delete(format!("/r/lobby/{SESSION}"));
    assert_eq!((reply.status, &*reply.body), (200, &b""[..]));
    assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"));
    for path in [
        format!("/r/other/{SESSION}"),
        format!("/r/lobby/{}", SESSION.replace('0', "1")),
        "/r/lobby/x".to_owned(),
    ] {
        let reply = delete(path);
        assert_eq!(
            (reply.status, &*reply.problem_code()),
            (404, "no_such_session")
        );
    }
}

#[test]
fn pages_come_with_strict_headers() {
    let server = server();
    let page = ask(&server, get("/?utm=x"));
    assert_eq!((page.status, &*page.body), (200, ASSETS[0].body));
    assert_eq!(page.header("Content-Type"), Some(ASSETS[0].content_type));
    assert_eq!(page.header("Cache-Control"), Some("no-cache"));
    assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(page.header("Referrer-Policy"), Some("no-referrer"));
    assert_eq!(
        page.header("Cross-Origin-Opener-Policy"),
        Some("same-origin")
    );
    assert_eq!(
        page.header("Content-Security-Policy"),
        Some(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
    assert_eq!(page.header("Access-Control-Allow-Origin"), None);

    let library = ask(&server, get("/oneport.js"));
    assert_eq!(library.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(
        library.header("Cross-Origin-Resource-Policy"),
        Some("cross-origin")
    );
    let date = library.header("Date").expect("RFC 9110 section 6.6.1");
    assert!(date.ends_with(" GMT"));
}

#[test]
fn a_page_is_not_sent_twice() {
    let server = server();
    let etag = ask(&server, get("/")).header("ETag").map(str::to_owned);
    let etag = etag.expect("a tag");
    let conditional = |tag: &str| {
        let request = get("/").replace("\r\n\r\n", &format!("\r\nIf-None-Match: {tag}\r\n\r\n"));
        ask(&server, request)
    };
    let fresh = conditional(&etag);
    assert_eq!((fresh.status, &*fresh.body), (304, &b""[..]));
    assert_eq!(fresh.header("ETag"), Some(&*etag));
    assert_eq!(conditional("\"other\"").status, 200);
}

#[test]
fn head_has_the_headers_and_no_body() {
    let server = server();
    for (path, length) in [
        ("/", "15"),
        ("/healthz", "3"),
        ("/nothing", ""),
        ("/ws", ""),
    ] {
        let mut client = server.connect();
        client.send(get(path).replace("GET", "HEAD"));
        let head = client.head();
        if length.is_empty() {
            assert!(matches!(head.status, 404 | 405));
        } else {
            assert_eq!(
                (head.status, head.header("Content-Length")),
                (200, Some(length))
            );
        }
        // What comes next is the next response, so there was no body.
        client.send(get("/healthz"));
        assert_eq!(client.reply().text(), "ok\n");
    }
}

#[test]
fn health() {
    let reply = ask(&server(), get("/healthz"));
    assert_eq!((reply.status, reply.text()), (200, "ok\n"));
    assert_eq!(
        reply.header("Content-Type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"));
}

#[test]
fn preflights() {
    let server = server();
    for (path, methods) in [
        ("/r/lobby", "POST, OPTIONS"),
        ("/r/not%20a%20room", "POST, OPTIONS"),
        ("/r/lobby/x", "PATCH, DELETE, OPTIONS"),
        ("/ws", "GET, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/oneport.js", "GET, HEAD, OPTIONS"),
        ("*", "OPTIONS"),
    ] {
        let request = format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: x\r\nOrigin: https://example.org\r\n\
             Access-Control-Request-Method: POST\r\n\r\n"
        );
        let reply = ask(&server, request);
        assert_eq!((reply.status, &*reply.body), (204, &b""[..]), "{path}");
        assert_eq!(reply.header("Content-Length"), None);
        assert_eq!(reply.header("Allow"), Some(methods));
        assert_eq!(reply.header("Access-Control-Allow-Methods"), Some(methods));
        assert_eq!(reply.header("Access-Control-Allow-Origin"), Some("*"));
        let headers = Some("content-type, authorization, if-match");
        assert_eq!(reply.header("Access-Control-Allow-Headers"), headers);
        assert_eq!(reply.header("Access-Control-Max-Age"), Some("7200"));
        let accepts = path.starts_with("/r/") && !path.ends_with("/x");
        assert_eq!(reply.header("Accept-Post").is_some(), accepts, "{path}");
    }
}

#[test]
fn expect_continue_is_told_to_go_on() {
    let server = server();
    let mut client = server.connect();
    let request = post("/r/lobby", "v=0").replace("Host", "Expect: 100-continue\r\nHost");
    let (head, body) = request.split_at(request.len() - 3);
    client.send(head);
    assert_eq!(client.head().head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send(body);
    assert_eq!(client.reply().text(), "answer to v=0");
    // A client that does not wait needs no permission.
    client.send(&request);
    assert_eq!(client.reply().status, 201);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = server();
    let mut client = server.connect();
    let requests = [
        post("/r/lobby", "one"),
        get("/healthz"),
        get("/nothing"),
        post("/r/lobby", "two"),
    ];
    client.send(requests.concat());
    assert_eq!(client.reply().text(), "answer to one");
    assert_eq!(client.reply().text(), "ok\n");
    assert_eq!(client.reply().status, 404);
    assert_eq!(client.reply().text(), "answer to two");
    assert_eq!(server.endpoint.counters().served, 1);
}

#[test]
fn a_request_may_come_in_any_pieces() {
    let server = server();
    let mut client = server.connect();
    for byte in post("/r/lobby", "v=0").bytes() {
        client.send([byte]);
    }
    assert_eq!(client.reply().text(), "answer to v=0");
}

#[test]
fn keep_alive_is_as_the_client_says() {
    let server = server();
    let with = |version: &str, header: &str| {
        format!("GET /healthz HTTP/{version}\r\nHost: x\r\n{header}\r\n")
    };
    for request in [with("1.1", "Connection: close\r\n"), with("1.0", "")] {
        let reply = server.exchange(request);
        assert_eq!(reply.header("Connection"), Some("close"));
    }
    let mut client = server.connect();
    for (request, connection) in [
        (with("1.1", ""), None),
        (
            with("1.0", "Connection: Keep-Alive\r\n"),
            Some("keep-alive"),
        ),
    ] {
        client.send(request);
        assert_eq!(client.reply().header("Connection"), connection);
    }
}

#[test]
fn an_asset_cannot_take_the_place_of_an_endpoint() {
    static ASSETS: &[Asset] = &[Asset {
        path: "/healthz",
        content_type: "text/html",
        body: b"ill",
    }];
    let server = Server::with_assets(patient(), ASSETS);
    assert_eq!(ask(&server, get("/healthz")).text(), "ok\n");
}

#[test]
fn a_body_that_nobody_wants_is_not_taken_for_a_request() {
    let server = server();
    let smuggled = get("/oneport.js");
    let length = smuggled.len();
    for (method, path) in [("GET", "/healthz"), ("OPTIONS", "/r/lobby")] {
        let reply = server.exchange(format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{smuggled}"
        ));
        assert_eq!(reply.status / 100, 2);
        assert_eq!(reply.header("Connection"), Some("close"));
    }
}
