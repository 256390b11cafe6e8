//! Signaling, good and bad.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use oneport_link::{ChannelConfig, CloseReason, Kind, Write};
use oneport_tests::{
    Result,
    http::{self, Response},
    native::NativeClient,
    relay::Relay,
};
use serde_json::{Value, json};

const SDP: (&str, &str) = ("Content-Type", "application/sdp");

fn code(response: &Response) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    body["code"].as_str().unwrap_or_default().to_owned()
}

/// Status and, where it is a refusal, code of each bad input. The relay serves others meanwhile.
#[test]
fn every_bad_input_has_its_status() -> Result {
    let relay = Relay::on_loopback()?;
    let at = relay.address();
    let mut ada = NativeClient::join(at, "lobby", "chat")?;
    let half = TcpStream::connect(at)?;
    (&half).write_all(b"POST /r/lobby HTTP/1.1\r\nHost: x\r\nContent-Le")?;

    let no_data = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
    let large = "x".repeat(65 * 1024);
    let posts: [(&str, &[_], &str, u16, &str); 9] = [
        ("/r/lobby", &[SDP], "this is not SDP", 400, "bad_offer"),
        ("/r/lobby", &[SDP], no_data, 422, "no_data_channel"),
        ("/r/lobby", &[SDP], "", 400, "bad_offer"),
        ("/r/lobby", &[SDP], &large, 413, "offer_too_large"),
        (
            "/r/lobby",
            &[("Content-Type", "text/plain")],
            "v=0",
            415,
            "unsupported_media_type",
        ),
        ("/r/lobby", &[], "v=0", 415, "unsupported_media_type"),
        ("/r/a%20b", &[SDP], "v=0", 400, "bad_room"),
        ("/r/", &[SDP], "v=0", 400, "bad_room"),
        ("/nowhere", &[SDP], "v=0", 404, "not_found"),
    ];
    for (path, headers, body, status, wanted) in posts {
        let response = http::request(at, "POST", path, headers, body.as_bytes())?;
        let start = body.get(..20).unwrap_or(body);
        assert_eq!(
            (response.status, code(&response).as_str()),
            (status, wanted),
            "{path} {start}"
        );
        assert_eq!(
            response.header("content-type"),
            Some("application/problem+json"),
            "{path}"
        );
    }
    assert_eq!(
        http::request(at, "PUT", "/r/lobby", &[SDP], b"v=0")?.status,
        405
    );
    assert_eq!(http::request(at, "POST", "/", &[], b"")?.status, 405);
    assert_eq!(http::get(at, "/r/lobby")?.status, 405);
    let unknown = format!("/r/lobby/{}", "0".repeat(32));
    assert_eq!(http::request(at, "DELETE", &unknown, &[], b"")?.status, 404);
    assert_eq!(http::send(at, b"EHLO relay\r\n\r\n")?.status, 400);

    // Others are served while the half request is still open, and it gets its answer in time.
    let mut bob = NativeClient::join(at, "lobby", "chat")?;
    ada.turn(Duration::from_millis(1))?;
    bob.turn(Duration::from_millis(1))?;
    half.set_read_timeout(Some(Duration::from_secs(15)))?;
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut &half, &mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    Ok(())
}

/// What is neither HTTP nor anything else is closed without an answer.
#[test]
fn garbage_is_closed() -> Result {
    let relay = Relay::on_loopback()?;
    let stream = TcpStream::connect(relay.address())?;
    (&stream).write_all(&[0xff; 100])?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answer = Vec::new();
    // A reset is a close as well.
    let _ = std::io::Read::read_to_end(&mut &stream, &mut answer);
    assert_eq!(answer, b"");
    Ok(())
}

/// An offer whose client never sends a check costs a link for ten seconds.
#[test]
fn a_client_that_never_comes_is_forgotten() -> Result {
    let relay = Relay::start_logging(&["--listen", "127.0.0.1:0"], "oneport_core=debug")?;
    let (_silent, offer) = NativeClient::offer(relay.address(), ChannelConfig::new("chat"))?;
    let response = http::request(
        relay.address(),
        "POST",
        "/r/lobby",
        &[SDP],
        offer.as_bytes(),
    )?;
    assert_eq!(response.status, 201);
    relay.wait_for_log("never joined room lobby", Duration::from_secs(13))?;
    Ok(())
}

#[test]
fn a_session_has_a_url_and_ends_with_it() -> Result {
    let relay = Relay::on_loopback()?;
    let at = relay.address();
    let mut ada = NativeClient::join(at, "lobby", "chat")?;
    let response = ada.response.take().expect("it joined");
    let session = response.header("location").expect("a session").to_owned();
    assert!(session.starts_with("/r/lobby/"), "{session}");
    assert!(response.header("etag").is_some_and(|tag| tag.len() > 2));
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));

    let elsewhere = session.replace("lobby", "attic");
    assert_eq!(
        http::request(at, "DELETE", &elsewhere, &[], b"")?.status,
        404
    );
    assert_eq!(http::request(at, "DELETE", &session, &[], b"")?.status, 200);
    assert_eq!(http::request(at, "DELETE", &session, &[], b"")?.status, 404);
    ada.run_until("the link to end", |ada| ada.closed.is_some())?;
    assert_eq!(ada.closed, Some(CloseReason::ByPeer));
    Ok(())
}

/// The others see a framed member leave at once, and its place cannot be resumed.
#[test]
fn a_delete_is_a_leave_of_all_that_the_session_is_in() -> Result {
    let relay = Relay::on_loopback()?;
    let at = relay.address();
    let framed = || -> Result<NativeClient> {
        let channel = ChannelConfig {
            protocol: "oneport.v1".into(),
            ..ChannelConfig::new("main")
        };
        NativeClient::join_with(at, "home", channel)
    };
    let say = |client: &mut NativeClient, frame: Value, answer: &str| {
        assert_eq!(
            client.send(Kind::Text, frame.to_string().as_bytes()),
            Write::Accepted
        );
        client.run_until(answer, |client| client.heard().join("\n").contains(answer))
    };
    let (mut ada, mut bob) = (framed()?, framed()?);
    for client in [&mut ada, &mut bob] {
        say(client, json!({"t": "hello", "version": 1}), "welcome")?;
        say(client, json!({"t": "join", "room": "lobby"}), "\"joined\"")?;
    }
    let response = bob.response.take().expect("it joined");
    let session = response.header("location").expect("a session").to_owned();
    assert_eq!(http::request(at, "DELETE", &session, &[], b"")?.status, 200);
    ada.run_until("bob has left", |ada| {
        let last = ada.heard().pop().unwrap_or_default();
        last.contains(r#""what":"left","reason":"left""#)
    })?;
    assert!(!ada.heard().join("\n").contains("away"));
    bob.run_until("the link to end", |bob| bob.closed.is_some())?;
    let welcome: Value = serde_json::from_str(&bob.heard()[0]).expect("JSON");
    let mut again = framed()?;
    let hello = json!({"t": "hello", "version": 1, "resume": welcome["resume"]});
    say(&mut again, hello, r#""resumed":false"#)
}

#[test]
fn the_same_exchange_over_websocket() -> Result {
    let relay = Relay::on_loopback()?;
    let exchange = |request: Value| -> Value {
        let url = format!("ws://{}/ws", relay.address());
        let (mut socket, _) = tungstenite::connect(url).expect("a WebSocket");
        let request = tungstenite::Message::text(request.to_string());
        socket.send(request).expect("it is sent");
        let answer = socket.read().expect("an answer");
        serde_json::from_str(answer.to_text().expect("text")).expect("JSON")
    };
    let (mut ada, offer) = NativeClient::offer(relay.address(), ChannelConfig::new("chat"))?;
    let answer = exchange(json!({"room": "lobby", "offer": offer}));
    ada.accept(answer["answer"].as_str().expect("an answer"))?;
    ada.run_until("the channel to open", |ada| !ada.channels.is_empty())?;
    assert!(
        answer["session"]
            .as_str()
            .is_some_and(|path| path.starts_with("/r/lobby/"))
    );

    let refused = |request| exchange(request)["error"]["code"].clone();
    assert_eq!(
        refused(json!({"room": "lobby", "offer": "no"})),
        "bad_offer"
    );
    assert_eq!(refused(json!({"room": "a b", "offer": "v=0"})), "bad_room");
    assert_eq!(refused(json!({"rooms": []})), "bad_request");
    Ok(())
}

#[test]
fn a_client_beyond_the_memory_is_asked_to_come_later() -> Result {
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--max-memory", "8M"])?;
    let at = relay.address();
    let _ada = NativeClient::join(at, "lobby", "chat")?;
    let (_bob, offer) = NativeClient::offer(at, ChannelConfig::new("chat"))?;
    let refused = http::request(at, "POST", "/r/lobby", &[SDP], offer.as_bytes())?;
    assert_eq!((refused.status, &*code(&refused)), (503, "memory"));
    assert_eq!(refused.header("retry-after"), Some("30"));
    Ok(())
}

#[test]
fn answers_name_the_announced_address() -> Result {
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--announce", "203.0.113.7"])?;
    let at = SocketAddr::from(([127, 0, 0, 1], relay.port()));
    let (_ada, offer) = NativeClient::offer(at, ChannelConfig::new("chat"))?;
    let answer = http::request(at, "POST", "/r/lobby", &[SDP], offer.as_bytes())?.text();
    let candidates: Vec<_> = answer
        .lines()
        .filter(|l| l.starts_with("a=candidate:"))
        .collect();
    // UDP first, TCP with clearly lower priority.
    assert_eq!(candidates.len(), 2, "{answer}");
    let wanted = format!("203.0.113.7 {} typ host", relay.port());
    let priority = |candidate: &str, transport: &str| {
        assert!(candidate.contains(&wanted), "{answer}");
        let words: Vec<_> = candidate.split(' ').collect();
        assert_eq!(words[2], transport, "{answer}");
        words[3].parse::<u32>().expect("a priority")
    };
    let [udp, tcp] = [(0, "udp"), (1, "tcp")].map(|(at, name)| priority(candidates[at], name));
    // Type preferences are eight bits, and what differs in them comes first (RFC 8445 section 5.1.2.1).
    assert!(udp >> 24 > tcp >> 24, "{answer}");
    assert!(candidates[1].contains("tcptype passive"), "{answer}");
    assert!(answer.contains("a=ice-lite"), "{answer}");
    Ok(())
}
