use super::*;

const BYTES_MAX: usize = 2048;

fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, Fault> {
    Head::parse(bytes, BYTES_MAX)
}

fn head(request: &str) -> Head {
    let (head, length) = parse(request.as_bytes()).expect("valid").expect("complete");
    assert_eq!(length, request.len());
    head
}

fn fault(request: &str) -> Fault {
    parse(request.as_bytes()).expect_err(request)
}

fn with(headers: &str) -> String {
    format!("POST /r/a HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n")
}

#[test]
fn a_whole_request() {
    let head = head(
        "POST /r/lobby?x=/y HTTP/1.1\r\nhOST: a\r\nContent-Type: Application/SDP ;charset=utf-8\r\n\
         Content-Length:  12 \r\nExpect: 100-Continue\r\n\r\n",
    );
    assert_eq!(
        head,
        Head {
            method: Method::Post,
            path: "/r/lobby".into(),
            query: "x=/y".into(),
            host: Some("a".into()),
            forwarded: Forwarded::default(),
            http11: true,
            content_length: Some(12),
            keep_alive: true,
            expects_continue: true,
            content_type: Some("application/sdp".into()),
            accept: None,
            if_none_match: None,
            if_match: None,
            access_token: None,
            upgrade: Upgrade::default(),
            looks_local: false,
        }
    );
}

#[test]
fn keep_alive_by_version_and_token() {
    for (request, keep_alive) in [
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", true),
        (
            "GET / HTTP/1.1\r\nHost:\r\nConnection: Close\r\n\r\n",
            false,
        ),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", true),
        (
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
            false,
        ),
    ] {
        assert_eq!(head(request).keep_alive, keep_alive, "{request}");
    }
}

#[test]
fn an_access_token_is_seen_but_not_printed() {
    let head = head(&with("AUTHORIZATION:  bearer a.b.c "));
    let token = head.access_token.clone().expect("one");
    assert_eq!(token.as_ref().map(AccessToken::reveal), Ok("a.b.c"));
    assert!(!format!("{head:?}").contains("a.b.c"));
}

#[test]
fn targets() {
    for (target, path) in [
        ("/", "/"),
        ("/a?b", "/a"),
        ("?", ""),
        ("http://h/a/b?c", "/a/b"),
        ("http://h", "/"),
        ("a", ""),
        ("*", ""),
    ] {
        let request = format!("GET {target} HTTP/1.0\r\n\r\n");
        let result = parse(request.as_bytes());
        match path {
            "" => assert!(matches!(result, Err(Fault::Malformed(_))), "{target}"),
            _ => assert_eq!(head(&request).path, path),
        }
    }
    assert_eq!(head("OPTIONS * HTTP/1.0\r\n\r\n").path, "*");
}

#[test]
fn faults() {
    let malformed = [
        "\x16\x03\x01\x02\x00\x01".to_owned(),
        "hello\r\n\r\n".to_owned(),
        "GET / FTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n".to_owned(),
        with("Content-Length: 1\r\nContent-Length: 1"),
        with("Content-Length: 1, 1"),
        with("Content-Length: +1"),
        with("Content-Length: -1"),
        with("Content-Length: 0x1"),
        with("Content-Length:"),
        with("Content-Length: 1\r\nTransfer-Encoding: chunked"),
        with("Content-Type: a\r\nContent-Type: b"),
        with("Authorization: Bearer a\r\nAuthorization: Bearer b"),
    ];
    for request in &malformed {
        assert!(matches!(fault(request), Fault::Malformed(_)), "{request}");
    }
    for (request, expected) in [
        ("GET / HTTP/2.0\r\n\r\n".to_owned(), Fault::Version),
        (
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            Fault::Version,
        ),
        ("GET / HTTP/1.2\r\n\r\n".to_owned(), Fault::Version),
        (with("Expect: 200-ok"), Fault::Expectation),
        (with("Transfer-Encoding: chunked"), Fault::Chunked),
        (with(&"A: b\r\n".repeat(HEADERS_MAX)), Fault::HeadTooLarge),
    ] {
        assert_eq!(fault(&request), expected, "{request}");
    }
}

#[test]
fn a_length_beyond_numbers_is_only_large() {
    let request = with("Content-Length: 99999999999999999999999");
    assert_eq!(head(&request).content_length, Some(u64::MAX));
}

#[test]
fn the_size_limit_is_exact() {
    let of_length = |length: usize| {
        let rest = "GET / HTTP/1.0\r\nA: \r\n\r\n".len();
        let padding = "x".repeat(length - rest);
        format!("GET / HTTP/1.0\r\nA: {padding}\r\n\r\n")
    };
    assert!(matches!(
        parse(of_length(BYTES_MAX).as_bytes()),
        Ok(Some(_))
    ));
    assert_eq!(fault(&of_length(BYTES_MAX + 1)), Fault::HeadTooLarge);
    let target = format!("GET /{} HTTP/1.0\r\n\r\n", "x".repeat(BYTES_MAX));
    assert_eq!(fault(&target), Fault::TargetTooLong);
}

#[test]
fn any_split_gives_the_same_result() {
    let long = "y".repeat(BYTES_MAX);
    let requests = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\n".to_owned(),
        "\r\n\nGET /x?y HTTP/1.0\nConnection: keep-alive\n\n".to_owned(),
        with("Content-Type: application/sdp\r\nContent-Length: 3") + "v=0",
        with("Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: k"),
        with("Content-Length: nonsense"),
        with("Bad\0name: x\r\nContent-Length: 1\r\nContent-Length: 1"),
        with(&"A: b\r\n".repeat(HEADERS_MAX)),
        with(&format!("A: {long}")),
        with(&format!("A: {long}\0")),
        format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        "GET / HTTP/3.0\r\n\r\n".to_owned(),
        "GET / HTTP/1.7\r\n\r\n".to_owned(),
        "GET / XTTP/1.1\r\n\r\n".to_owned(),
        "no http at all\r\n\r\n".to_owned(),
        "GET http://caf\u{e9}/ HTTP/1.1\r\nHost: \u{e9}\r\n\r\n".to_owned(),
    ];
    for request in requests {
        let bytes = request.as_bytes();
        let byte_by_byte = (0..=bytes.len())
            .map(|length| parse(&bytes[..length]))
            .find(|result| *result != Ok(None))
            .expect("decided in the end");
        assert_eq!(byte_by_byte, parse(bytes), "{request}");
    }
}
