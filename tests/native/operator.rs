//! The HTTP API for a backend, as REFERENCE.md shows it, and webhooks, with the real binary.

use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use oneport::client::{Event, Join, join};
use oneport::token::{Authority, Claims, Right, Secret, UnixTime};
use oneport::wire::{AccessToken, RoomName};
use oneport::{Participant, wire};
use oneport_tests::{Result, http, relay::Relay};
use serde_json::{Value, json};

const REFERENCE: &str = include_str!("../../bins/oneport/REFERENCE.md");
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Generous: machines are busy.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A file that is gone with this.
struct Temporary(std::path::PathBuf);

impl Temporary {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("oneport-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).expect("a temporary file");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn token(rooms: &str, rights: &[Right]) -> String {
    let secret = Secret::new(SECRET.as_bytes()).expect("long enough");
    let exp = UnixTime::now() + Duration::from_mins(10);
    Authority::new(&secret).mint(&Claims {
        can: rights.iter().copied().collect(),
        ..Claims::new(rooms.parse().expect("a pattern"), exp)
    })
}

fn lobby() -> RoomName {
    "lobby".parse().expect("a name")
}

/// A member of the lobby, with a token of its own.
fn member(relay: &Relay, name: &str) -> Participant {
    let access = token("*", &[Right::Join, Right::Publish, Right::Subscribe]);
    let access: AccessToken = access.parse().expect("a token");
    let mut member = Participant::connect(relay.url(), lobby(), Some(access)).expect("it gets in");
    let name = name.parse().ok();
    member
        .join(Join {
            name,
            ..join(lobby())
        })
        .expect("a command");
    event(&mut member, "joined", |event| {
        matches!(event, Event::Joined(..)).then_some(())
    });
    member
}

fn event<T>(member: &mut Participant, what: &str, find: impl Fn(&Event) -> Option<T>) -> T {
    let since = Instant::now();
    while since.elapsed() < TIMEOUT {
        let event = member.next_event(Duration::from_secs(1)).expect("it lives");
        if let Some(found) = event.as_ref().and_then(&find) {
            return found;
        }
    }
    panic!("not {what} in time")
}

/// The shell commands of a section of REFERENCE.md, each with what continues its lines.
fn commands(heading: &str) -> Vec<String> {
    let (_, section) = REFERENCE
        .split_once(&format!("\n{heading}\n"))
        .expect(heading);
    let section = section.split("\n## ").next().expect("a part");
    let blocks = section.split("```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().expect("a block"));
    let lines: String = blocks.map(|block| block.replace("\\\n", " ")).collect();
    lines.lines().map(str::to_owned).collect()
}

/// What a shell prints that runs this.
fn shell(command: &str, relay: &str, token: &str) -> (bool, String) {
    let output = Command::new("sh")
        .args(["-euc", command])
        .envs([("RELAY", relay), ("TOKEN", token)])
        .output()
        .expect("a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), format!("{text}{errors}"))
}

/// The examples of REFERENCE.md, word by word and in their order, and what they do to members.
#[test]
fn the_examples_for_a_backend() -> Result {
    let secret = Temporary::new("examples", SECRET);
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--secret-file", secret.path()])?;
    let mut ada = member(&relay, "ada");
    let mut bob = member(&relay, "bob");
    let url = relay.url().trim_end_matches('/').to_owned();
    let admin = token("*", &[Right::Admin]);
    let mut answers = Vec::new();
    for command in commands("## For a backend: the HTTP API") {
        // Those are set by the test.
        if command.starts_with("RELAY=") || command.starts_with("TOKEN=") {
            continue;
        }
        let (is_ok, text) = shell(&command, &url, &admin);
        assert!(is_ok, "{command}\n{text}");
        answers.push(serde_json::from_str::<Value>(&text).unwrap_or_default());
    }
    let [rooms, room, members, said, latest, since, kicked, closed] = &answers[..] else {
        panic!("{} examples", answers.len());
    };
    assert_eq!(rooms["rooms"][0], *room);
    assert_eq!(
        (&room["room"], &room["members"]),
        (&json!("lobby"), &json!(2))
    );
    assert_eq!(members["members"][0]["name"], "ada");
    assert_eq!(members["members"][1]["id"], 2);
    assert_eq!(
        members["members"][1]["session"].as_str().map(str::len),
        Some(16)
    );
    assert_eq!(
        (&said["epoch"], &said["offset"]),
        (&room["epoch"], &room["offset"])
    );
    assert_eq!(latest, since);
    let message = &latest["messages"][0];
    assert_eq!(message["from"], 0);
    assert_eq!(message["text"], "Maintenance at noon.");
    assert_eq!((kicked, closed), (&Value::Null, &json!({"members": 1})));

    for member in [&mut ada, &mut bob] {
        let from = event(member, "told", |event| match event {
            Event::Message { message, .. } => Some(message.from),
            _ => None,
        });
        assert_eq!(from, wire::MemberId::RELAY);
    }
    for (member, expected) in [(&mut ada, "closed"), (&mut bob, "kicked")] {
        let reason = event(member, "sent away", |event| match event {
            Event::Left(left) => Some(left.reason.as_str()),
            _ => None,
        });
        assert_eq!(reason, expected);
    }
    Ok(())
}

/// Status and code of a request that comes by another name than that of this machine, so that only a
/// token counts.
fn from_elsewhere(relay: &Relay, line: &str, token: Option<&str>) -> Result<(u16, Value)> {
    let token = token.map_or_else(String::new, |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    let head = format!(
        "{line} HTTP/1.1\r\nHost: relay.example\r\n{token}Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let response = http::send(relay.address(), head.as_bytes())?;
    let body = serde_json::from_slice(&response.body).unwrap_or_default();
    Ok((response.status, body))
}

#[test]
fn a_token_says_which_rooms() -> Result {
    let secret = Temporary::new("rooms", SECRET);
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--secret-file", secret.path()])?;
    let _ada = member(&relay, "ada");
    let team = token("team-*", &[Right::Admin]);
    let every = token("*", &[Right::Admin]);
    let kicker = token("*", &[Right::Join, Right::Kick]);
    let (all, none) = (json!(["lobby"]), json!([]));
    for (token, rooms) in [(&team, &none), (&every, &all)] {
        let (status, body) = from_elsewhere(&relay, "GET /api/v1/rooms", Some(token))?;
        let names = body["rooms"].as_array().expect("a list").iter();
        let names: Value = names.map(|room| room["room"].clone()).collect();
        assert_eq!((status, &names), (200, rooms));
    }
    for (line, token, status, code) in [
        ("GET /api/v1/rooms", None, 401, "token_missing"),
        ("GET /api/v1/rooms", Some(&*kicker), 403, "forbidden"),
        ("GET /api/v1/rooms/lobby", Some(&team), 403, "forbidden"),
        ("DELETE /api/v1/rooms/lobby", Some(&team), 403, "forbidden"),
        (
            "DELETE /api/v1/rooms/team-1",
            Some(&team),
            404,
            "no_such_room",
        ),
        (
            "DELETE /api/v1/rooms/lobby/members/99",
            Some(&every),
            404,
            "no_such_member",
        ),
        (
            "GET /api/v1/rooms/lobby/messages?epoch=0000000000000000",
            Some(&every),
            409,
            "epoch_changed",
        ),
        (
            "POST /api/v1/rooms/lobby/messages",
            Some(&every),
            415,
            "unsupported_media_type",
        ),
        (
            "PUT /api/v1/rooms/lobby",
            Some(&every),
            405,
            "method_not_allowed",
        ),
        ("GET /api/v1/room", Some(&every), 404, "not_found"),
    ] {
        let (found, body) = from_elsewhere(&relay, line, token)?;
        assert_eq!((found, &body["code"]), (status, &json!(code)), "{line}");
    }
    Ok(())
}

/// Reads requests and answers all of them with 204, or none at all.
fn receiver(answers: bool) -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/events",
        listener.local_addr().expect("an address")
    );
    let (requests, arrived) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(std::result::Result::ok) {
            let requests = requests.clone();
            std::thread::spawn(move || {
                while let Some(request) = read_request(&stream) {
                    if requests.send(request).is_err() || !answers {
                        // Held open, and silent, for longer than any test.
                        std::thread::sleep(TIMEOUT);
                        return;
                    }
                    let _ = (&stream).write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
                }
            });
        }
    });
    (url, arrived)
}

fn read_request(mut stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let mut body = vec![0; header(&head, "content-length").parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    let mut values = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    values.next().map_or("", |(_, value)| value)
}

/// The way of REFERENCE.md to check a signature, in Python: not our code, and not our library.
fn is_signed(head: &str, body: &[u8]) -> bool {
    let script = "import base64, hmac, hashlib, sys\n\
        secret, id, timestamp, signature = sys.argv[1:]\n\
        key = base64.b64decode(secret.removeprefix('whsec_'))\n\
        signed = f'{id}.{timestamp}.'.encode() + sys.stdin.buffer.read()\n\
        expected = 'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()\n\
        sys.exit(0 if expected == signature else 1)\n";
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let mut python = Command::new("python3")
        .args(["-c", script, WEBHOOK_SECRET])
        .args(names.map(|name| header(head, name)))
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("python3");
    let written = python.stdin.take().expect("it is piped").write_all(body);
    written.is_ok() && python.wait().is_ok_and(|status| status.success())
}

#[test]
fn a_webhook_is_told_what_happens_until_the_end() -> Result {
    let secret = Temporary::new("webhook", SECRET);
    let signing = Temporary::new("signing", WEBHOOK_SECRET);
    let (url, requests) = receiver(true);
    let relay = Relay::start(&[
        "--listen",
        "127.0.0.1:0",
        "--secret-file",
        secret.path(),
        "--webhook",
        &url,
        "--webhook-secret-file",
        signing.path(),
        "--webhook-messages",
        "lob*",
    ])?;
    let mut ada = member(&relay, "ada");
    let bob = member(&relay, "bob");
    ada.say(&lobby(), "chat", "hello").expect("a command");
    event(&mut ada, "acknowledged", |event| {
        matches!(event, Event::Ack(..)).then_some(())
    });
    // The API reads the author's name as well.
    let (admin, list) = (
        token("*", &[Right::Admin]),
        "GET /api/v1/rooms/lobby/messages",
    );
    let (_, page) = from_elsewhere(&relay, list, Some(&admin))?;
    let message = &page["messages"][0];
    assert_eq!(
        (&message["name"], &message["text"]),
        (&json!("ada"), &json!("hello"))
    );
    bob.close().expect("it leaves");
    let mut told: Vec<Value> = Vec::new();
    let mut take = |until: &str| {
        let since = Instant::now();
        while told.last().is_none_or(|event| event["type"] != until) {
            let left = TIMEOUT.saturating_sub(since.elapsed());
            let (head, body) = requests.recv_timeout(left).expect(until);
            assert!(is_signed(&head, &body), "{head}");
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(body["dropped"], 0);
            told.extend(body["events"].as_array().expect("a list").iter().cloned());
        }
        told.clone()
    };
    take("member_left");
    // What was said last is told before the program ends.
    ada.say(&lobby(), "chat", "bye").expect("a command");
    event(&mut ada, "acknowledged", |event| {
        matches!(event, Event::Ack(..)).then_some(())
    });
    assert!(relay.terminate()?.success());
    let told = take("message");
    let short: Vec<_> = told
        .iter()
        .map(|event| {
            let name = [&event["member"]["name"], &event["name"]];
            let name = name.map(|name| name.as_str().unwrap_or_default()).concat();
            let text = event["text"].as_str().unwrap_or_default();
            format!(
                "{} {name} {text}",
                event["type"].as_str().unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            "room_opened  ",
            "member_joined ada ",
            "member_joined bob ",
            "message ada hello",
            "member_left bob ",
            "message ada bye",
        ]
    );
    let offsets = told.iter().filter_map(|event| event["offset"].as_u64());
    assert!(offsets.is_sorted());
    Ok(())
}

/// A receiver that accepts and never answers. Members talk as if it were not there.
#[test]
fn a_receiver_that_hangs_holds_up_nobody() -> Result {
    let secret = Temporary::new("hangs", SECRET);
    let (url, requests) = receiver(false);
    let signing = Temporary::new("hangs-signing", WEBHOOK_SECRET);
    let p99 = |webhook: &[&str]| -> Result<Duration> {
        let listen = ["--listen", "127.0.0.1:0", "--secret-file", secret.path()];
        let relay = Relay::start(&[&listen, webhook].concat())?;
        let (mut ada, mut bob) = (member(&relay, "ada"), member(&relay, "bob"));
        let mut times = Vec::new();
        for n in 0..300 {
            let text = format!("{n}{}", "x".repeat(2000));
            let since = Instant::now();
            ada.say(&lobby(), "chat", &text).expect("a command");
            event(&mut bob, "heard", |event| {
                matches!(event, Event::Message { .. }).then_some(())
            });
            times.push(since.elapsed());
        }
        times.sort();
        Ok(times[times.len() * 99 / 100])
    };
    let without = p99(&[])?;
    let with = p99(&[
        "--webhook",
        &url,
        "--webhook-secret-file",
        signing.path(),
        "--webhook-messages",
        "*",
    ])?;
    requests.recv_timeout(TIMEOUT).expect("it was asked");
    println!(
        "| p99 of 300 messages | without a webhook {without:?} | with one that hangs {with:?} |"
    );
    // The receiver's silence is 10 s long; noise of a busy machine is not.
    assert!(with < without + Duration::from_millis(500));
    Ok(())
}
