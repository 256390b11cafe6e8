//! The binary with a secret, and the smallest clients that show it a token.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use oneport::token::{Authority, Claims, Rights, Secret, UnixTime};
use serde_json::{Value, json};
use tungstenite::Message;

pub(crate) const SECRET: &str = "Gr8-secret-of-forty-characters-in-a-file";

/// Longer than anything here takes; only reached by a bug.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a browser offers that has called `createDataChannel()`, without candidates.
pub(crate) const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\na=fingerprint:sha-256 \
    00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\
    \r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

/// The binary, without what the environment of the tests might say to it.
pub(crate) fn oneport(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneport"));
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"ONEPORT_") {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// Its exit code, stdout and stderr, once it has ended by itself.
pub(crate) fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it is built");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// A path that nobody else has.
fn temporary(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("access-{}-{number}-{name}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A file with this in it, gone when dropped.
pub(crate) struct TemporaryFile(PathBuf);

impl TemporaryFile {
    pub(crate) fn new(name: &str, content: &str) -> Self {
        let path = temporary(name);
        fs::write(&path, content).expect("a folder for tests");
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.0).expect("UTF-8")
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A relay that asks for tokens; killed when dropped.
pub(crate) struct Relay {
    process: Child,
    pub(crate) address: SocketAddr,
    /// All that it says before it serves.
    pub(crate) banner: String,
    log: TemporaryFile,
}

impl Relay {
    pub(crate) fn start() -> Self {
        let secret = TemporaryFile::new("secret", &format!("{SECRET}\n"));
        Self::spawn(&mut oneport(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--secret-file",
            secret.path(),
        ]))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let log = TemporaryFile::new("log", "");
        let stderr = File::create(log.path()).expect("a file");
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("it is built");
        let stdout = process.stdout.take().expect("it is piped");
        let mut banner = String::new();
        let mut page = None;
        for line in BufReader::new(stdout).lines() {
            let line = line.expect("UTF-8");
            page = page.or_else(|| Some(line.strip_prefix("page    http://")?.to_owned()));
            banner.push_str(&line);
            // The last line.
            if line.starts_with("memory") {
                break;
            }
        }
        let page = page.unwrap_or_else(|| panic!("it does not serve: {}", log.text()));
        let address: SocketAddr = page.trim_end_matches('/').parse().expect("an address");
        Self {
            process,
            address,
            banner,
            log,
        }
    }

    /// Status, code (empty if it is not refused) and whole response of an offer by HTTP.
    pub(crate) fn post(&self, room: &str, token: Option<&str>) -> (u16, String, String) {
        let authorization = token.map_or_else(String::new, |token| {
            format!("Authorization: Bearer {token}\r\n")
        });
        let request = format!(
            "POST /r/{room} HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\n\
             {authorization}Content-Length: {}\r\nConnection: close\r\n\r\n{OFFER}",
            OFFER.len()
        );
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("open");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        let (head, body) = response.split_once("\r\n\r\n").expect("a head");
        let status = head["HTTP/1.1 ".len()..][..3].parse().expect("a status");
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let code = body["code"].as_str().unwrap_or_default().to_owned();
        (status, code, response)
    }

    /// The whole response to a `GET`.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("open");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        response
    }

    /// Code (empty if it is not refused) and whole response of an offer by WebSocket.
    pub(crate) fn ask(&self, room: &str, token: Option<&str>) -> (String, String) {
        let url = format!("ws://{}/ws", self.address);
        let (mut socket, _) = tungstenite::client(url, self.connect()).expect("upgraded");
        let mut request = json!({"room": room, "offer": OFFER});
        if let Some(token) = token {
            request["token"] = token.into();
        }
        let request = Message::text(request.to_string());
        socket.send(request).expect("open");
        let response = socket.read().expect("open").to_string();
        let body: Value = serde_json::from_str(&response).expect("JSON");
        let code = body["error"]["code"].as_str().unwrap_or_default();
        assert_eq!(code.is_empty(), body["answer"].is_string(), "{response}");
        (code.to_owned(), response)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it serves");
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
        stream
    }

    /// Ends it as its user does, so that its log is whole; what it has logged.
    pub(crate) fn into_log(mut self) -> String {
        let pid = self.process.id().to_string();
        // The shell's own `kill`: a small system has no program of that name.
        let told = Command::new("/bin/sh")
            .args(["-c", "kill -s TERM \"$1\"", "kill", &pid])
            .status();
        assert!(told.is_ok_and(|status| status.success()), "it runs");
        let _ = self.process.wait();
        self.log.text()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn authority(secret: &str) -> Authority {
    Authority::new(&Secret::new(secret.as_bytes()).expect("long enough"))
}

/// What an ordinary member's token says, from now on for a minute.
pub(crate) fn claims(room: &str) -> Claims {
    let exp = UnixTime::now() + Duration::from_mins(1);
    Claims::new(room.parse().expect("a pattern"), exp)
}

/// Tokens for the room `lobby` of which none is good there, with the status and code of the refusal.
pub(crate) fn bad_tokens() -> Vec<(&'static str, String, u16, &'static str)> {
    let mint = |claims: &Claims| authority(SECRET).mint(claims);
    let lobby = claims("lobby");
    let good = mint(&lobby);
    let payload = good.split('.').nth(1).expect("three parts");
    let with = |change: &dyn Fn(&mut Claims)| {
        let mut claims = lobby.clone();
        change(&mut claims);
        mint(&claims)
    };
    let without_right = with(&|claims| claims.can = claims.can.without(Rights::MEMBER));
    let expired = with(&|claims| claims.exp = UnixTime::from_secs(1_700_000_000));
    let early = with(&|claims| claims.nbf = Some(claims.exp));
    vec![
        ("nonsense", "nonsense".to_owned(), 401, "token_bad"),
        // {"alg":"none"}, in the two ways to leave the signature out and with one.
        (
            "alg none",
            format!("eyJhbGciOiJub25lIn0.{payload}."),
            401,
            "token_bad",
        ),
        (
            "alg none, two parts",
            format!("eyJhbGciOiJub25lIn0.{payload}"),
            401,
            "token_bad",
        ),
        (
            "too long",
            format!("{good}{}", "x".repeat(4096)),
            401,
            "token_bad",
        ),
        (
            "another secret",
            authority(&SECRET.to_lowercase()).mint(&lobby),
            401,
            "token_bad",
        ),
        ("not yet valid", early, 401, "token_bad"),
        ("expired", expired, 401, "token_expired"),
        ("another room", mint(&claims("attic")), 403, "forbidden"),
        ("other rooms", mint(&claims("team-*")), 403, "forbidden"),
        ("no rights", without_right, 403, "forbidden"),
    ]
}
