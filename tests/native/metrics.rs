//! `/metrics` and `/readyz`: the figures after known traffic, and who may see them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use oneport_link::{ChannelConfig, Kind, Reliability, Write};
use oneport_tests::wait::{self, Look};
use oneport_tests::{Result, http, native::NativeClient, relay, relay::Relay};

/// For what happens in other threads and processes.
const SOON: Duration = Duration::from_secs(10);

type Samples = BTreeMap<String, f64>;

/// What a client asks for (`Accept`), and what it gets.
const TEXT: (&str, &str) = ("", "text/plain; version=0.0.4; charset=utf-8");
const OPEN_METRICS: (&str, &str) = (
    "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
);

/// The samples of a relay, by an independent parser of that format.
fn scrape_as(relay: SocketAddr, (accept, media_type): (&str, &str)) -> Result<Samples> {
    let accept: Vec<_> = [("Accept", accept)]
        .into_iter()
        .filter(|(_, accept)| !accept.is_empty())
        .collect();
    let response = http::request(relay, "GET", "/metrics", &accept, b"")?;
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("Content-Type"), Some(media_type));
    assert_eq!(response.header("Vary"), Some("Accept"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("native/exposition.py");
    // Debian's own, which has Debian's packages.
    let mut python = Command::new("/usr/bin/python3")
        .arg(script)
        .arg(media_type)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = python.stdin.take().expect("it is piped");
    stdin.write_all(&response.body)?;
    drop(stdin);
    let output = python.wait_with_output()?;
    assert!(
        output.status.success(),
        "python3-prometheus-client is missing, or this is not {media_type}:\n{}",
        response.text()
    );
    Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn scrape(relay: SocketAddr) -> Result<Samples> {
    scrape_as(relay, OPEN_METRICS)
}

#[test]
fn both_formats_have_the_same_samples() -> Result {
    let relay = Relay::on_loopback()?;
    let relay = relay.address();
    let names = |samples: Samples| samples.into_keys().collect::<Vec<_>>();
    let (text, open_metrics) = (scrape_as(relay, TEXT)?, scrape_as(relay, OPEN_METRICS)?);
    // Each code is there before it happens.
    for series in [
        "oneport_gaps_total{reason=slow}",
        "oneport_refusals_total{code=room_full}",
    ] {
        assert_eq!(text.get(series), Some(&0.0), "{series}");
    }
    assert_eq!(names(text), names(open_metrics));
    Ok(())
}

/// Scrapes until these figures are so.
fn expect(relay: SocketAddr, expected: &[(&str, f64)]) -> Result<Samples> {
    wait::until("the figures", SOON, || {
        let samples = scrape(relay)?;
        let strays: Vec<_> = (expected.iter())
            .map(|(name, value)| (name, *value, samples.get(*name).copied()))
            .filter(|(_, value, found)| *found != Some(*value))
            .collect();
        Ok(match strays.is_empty() {
            true => Look::Done(samples),
            false => Look::NotYet(format!("{strays:?}")),
        })
    })
}

/// Lets all of them live until it is so.
fn together(
    clients: &mut [NativeClient],
    what: &str,
    is_so: impl Fn(&[NativeClient]) -> bool,
) -> Result {
    wait::until(what, SOON, || {
        for client in clients.iter_mut() {
            client.turn(Duration::from_millis(1))?;
        }
        Ok(match is_so(clients) {
            true => Look::Done(()),
            false => Look::NotYet(String::new()),
        })
    })
}

#[test]
fn figures_follow_the_traffic() -> Result {
    const CLIENTS: usize = 5;
    const MESSAGES: usize = 7;
    const BYTES: usize = 100;
    let relay = Relay::on_loopback()?;
    let address = relay.address();
    let before = scrape(address)?;
    for name in [
        "oneport_links",
        "oneport_rooms",
        "oneport_messages_total{class=kept}",
    ] {
        assert_eq!(before[name], 0.0, "{name}");
    }

    let mut clients = (0..CLIENTS)
        .map(|_| NativeClient::join(address, "lobby", "chat"))
        .collect::<Result<Vec<_>>>()?;
    let payload = [b'x'; BYTES];
    for _ in 0..MESSAGES {
        assert_eq!(clients[0].send(Kind::Text, &payload), Write::Accepted);
    }
    together(&mut clients, "all messages", |clients| {
        clients[1..]
            .iter()
            .all(|client| client.messages.len() == MESSAGES)
    })?;
    let deliveries = (CLIENTS - 1) * MESSAGES;
    let samples = expect(
        address,
        &[
            ("oneport_build_info{version=0.1.0}", 1.0),
            ("oneport_loop_answering", 1.0),
            ("oneport_shutting_down", 0.0),
            ("oneport_links", CLIENTS as f64),
            ("oneport_established_total", CLIENTS as f64),
            ("oneport_handshakes", 0.0),
            ("oneport_sessions", 0.0),
            ("oneport_rooms", 1.0),
            ("oneport_members", CLIENTS as f64),
            ("oneport_members_away", 0.0),
            ("oneport_announcements_total", CLIENTS as f64),
            ("oneport_messages_total{class=kept}", MESSAGES as f64),
            ("oneport_messages_total{class=transient}", 0.0),
            ("oneport_messages_total{class=lossy}", 0.0),
            ("oneport_deliveries_total{from=ring}", deliveries as f64),
            ("oneport_deliveries_total{from=lossy}", 0.0),
            ("oneport_evictions_total", 0.0),
            ("oneport_channel_received_messages_total", MESSAGES as f64),
            (
                "oneport_channel_received_bytes_total",
                (MESSAGES * BYTES) as f64,
            ),
            (
                "oneport_channel_sent_bytes_total",
                (deliveries * BYTES) as f64,
            ),
            ("oneport_offers_total{result=answered}", CLIENTS as f64),
            ("oneport_offers_total{result=refused}", 0.0),
            ("oneport_datagrams_unmatched_total", 0.0),
        ],
    )?;
    // All were written in one turn after they came, and bundled or not, each link was written to.
    let written = samples["oneport_send_queue_seconds_count"];
    assert!((4.0..=deliveries as f64).contains(&written), "{written}");
    let bounded = samples["oneport_send_queue_seconds_bucket{le=10.0}"];
    assert_eq!(bounded, written);
    assert!(samples["oneport_loop_turn_seconds_count"] > 10.0);
    assert!(samples["oneport_udp_sent_datagrams_total"] >= 4.0);
    assert!(samples["oneport_ring_bytes"] >= (MESSAGES * BYTES) as f64);
    assert!((1e6..1e9).contains(&samples["process_resident_memory_bytes"]));
    assert!((5.0..1000.0).contains(&samples["process_open_fds"]));
    assert!(samples["process_max_fds"] > samples["process_open_fds"]);
    assert_eq!(samples["oneport_udp_kernel_drops_total"], 0.0);
    let asked = before["oneport_http_responses_total{class=2xx}"];
    let answered = samples["oneport_http_responses_total{class=2xx}"];
    assert!(answered >= asked + CLIENTS as f64 + 1.0);

    // What need not arrive is lossy; an offer is none; garbage comes.
    for _ in 0..2 {
        let careless = ChannelConfig {
            reliability: Reliability::Retransmits(0),
            ordered: false,
            ..ChannelConfig::new("moves")
        };
        clients.push(NativeClient::join_with(address, "lobby", careless)?);
    }
    assert_eq!(clients[CLIENTS].send(Kind::Binary, b"abc"), Write::Accepted);
    together(&mut clients, "a lossy message", |clients| {
        !clients[CLIENTS + 1].messages.is_empty()
    })?;
    let sdp = [("Content-Type", "application/sdp")];
    let refused = http::request(address, "POST", "/r/lobby", &sdp, b"v=0")?;
    let problem: serde_json::Value = serde_json::from_slice(&refused.body).expect("a problem");
    let code = problem["code"].as_str().expect("a code");
    let refusal = format!("oneport_refusals_total{{code={code}}}");
    let stranger = UdpSocket::bind("127.0.0.1:0")?;
    for _ in 0..3 {
        stranger.send_to(&[0xff; 20], address)?;
    }
    expect(
        address,
        &[
            ("oneport_messages_total{class=kept}", MESSAGES as f64),
            ("oneport_messages_total{class=lossy}", 1.0),
            ("oneport_deliveries_total{from=ring}", deliveries as f64),
            ("oneport_deliveries_total{from=lossy}", 1.0),
            (&*refusal, 1.0),
            ("oneport_offers_total{result=refused}", 1.0),
            ("oneport_datagrams_unmatched_total", 3.0),
        ],
    )?;

    // Somebody leaves.
    let location = clients[1]
        .response
        .as_ref()
        .and_then(|r| r.header("Location"));
    let location = location.expect("a session").to_owned();
    let left = http::request(address, "DELETE", &location, &[], b"")?;
    assert_eq!(left.status, 200);
    together(&mut clients, "the end", |clients| {
        clients[1].closed.is_some()
    })?;
    let remaining = (CLIENTS + 1) as f64;
    expect(
        address,
        &[
            ("oneport_links", remaining),
            ("oneport_members", remaining),
            ("oneport_closes_total{code=left}", 1.0),
            ("oneport_announcements_total", (CLIENTS + 2 + 1) as f64),
        ],
    )?;
    Ok(())
}

/// A relay with a secret, and tokens of it.
struct Guarded {
    relay: Relay,
    secret: PathBuf,
}

impl Guarded {
    fn start() -> Result<Self> {
        let secret = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("metrics.secret");
        fs::write(&secret, "a secret for tests, of enough bytes to be one")?;
        let path = secret.to_string_lossy();
        let relay = Relay::start(&["--listen", "127.0.0.1:0", "--secret-file", &path])?;
        Ok(Self { relay, secret })
    }

    fn token(&self, room: &str, can: &str) -> Result<String> {
        let path = self.secret.to_string_lossy();
        let options = [
            "token",
            "--secret-file",
            &path,
            "--room",
            room,
            "--can",
            can,
        ];
        let minted = relay::run(&options)?;
        assert_eq!(minted.status.code(), Some(0), "{minted:?}");
        let token = String::from_utf8_lossy(&minted.stdout).trim().to_owned();
        Ok(format!("Bearer {token}"))
    }
}

/// The status and the problem's code, if it is one.
fn ask(
    relay: SocketAddr,
    path: &str,
    host: &str,
    headers: &[(&str, &str)],
) -> Result<(u16, String)> {
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let response = http::send(relay, (request + "\r\n").as_bytes())?;
    assert_eq!(response.header("Access-Control-Allow-Origin"), None);
    let problem: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default();
    Ok((response.status, code.to_owned()))
}

#[test]
fn only_the_operator_sees_them() -> Result {
    let guarded = Guarded::start()?;
    let address = guarded.relay.address();
    let elsewhere = "relay.example";
    let all = guarded.token("*", "admin")?;
    let some = guarded.token("team-*", "admin")?;
    let member = guarded.token("*", "join,publish,subscribe,kick")?;
    for (token, expected) in [
        (None, (401, "token_missing")),
        (Some("Bearer nonsense"), (401, "token_bad")),
        (Some(&*member), (403, "forbidden")),
        (Some(&*some), (403, "forbidden")),
        (Some(&*all), (200, "")),
    ] {
        for path in ["/metrics", "/status/data"] {
            let headers: Vec<_> = token.map(|t| ("Authorization", t)).into_iter().collect();
            let (status, code) = ask(address, path, elsewhere, &headers)?;
            assert_eq!((status, &*code), expected, "{path} with {token:?}");
        }
    }

    // On this machine it goes without, but not by way of a proxy or of another page.
    assert_eq!(ask(address, "/metrics", "localhost", &[])?.0, 200);
    for header in [
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("Via", "1.1 proxy"),
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        let (status, code) = ask(address, "/metrics", "localhost", &[header])?;
        assert_eq!((status, &*code), (401, "token_missing"), "{header:?}");
    }

    // A relay without a secret can tell nobody elsewhere.
    let open = Relay::on_loopback()?;
    let (status, code) = ask(open.address(), "/metrics", elsewhere, &[])?;
    assert_eq!((status, &*code), (403, "operator_is_local"));
    Ok(())
}

#[test]
fn anybody_may_ask_whether_it_is_ready() -> Result {
    let relay = Relay::on_loopback()?;
    for path in ["/readyz", "/healthz"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_eq!(
            http::send(relay.address(), request.as_bytes())?.status,
            200,
            "{path}"
        );
    }
    let posted = http::request(relay.address(), "POST", "/readyz", &[], b"")?;
    assert_eq!(
        (posted.status, posted.header("Allow")),
        (405, Some("GET, HEAD"))
    );
    Ok(())
}
