//! What an operator reads, and what not.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::common::{Relay, SECRET, TemporaryFile, authority, claims, oneport};

/// Somebody who is in the room.
struct Talker(Child);

impl Talker {
    fn start(relay: &Relay, token: &TemporaryFile) -> Self {
        let url = format!("http://{}", relay.address);
        let arguments = ["chat", &url, "--json", "--token-file", token.path()];
        let mut command = oneport(&arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut talker = Self(command.spawn().expect("it is built"));
        let stdout = talker.0.stdout.as_mut().expect("it is piped");
        let mut events = BufReader::new(stdout).lines().map_while(Result::ok);
        assert!(
            events.any(|event| event.contains(r#""t":"joined""#)),
            "it joins"
        );
        talker
    }

    fn say_and_leave(mut self) {
        let mut stdin = self.0.stdin.take().expect("it is piped");
        stdin
            .write_all(b"{\"t\":\"pub\",\"text\":\"hello\"}\n")
            .expect("it reads");
        drop(stdin);
        assert!(self.0.wait().expect("it ran").success());
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A relay on which one says something and leaves, one is killed, and two are refused.
fn log_of_a_day(level: &str) -> Vec<Value> {
    let secret = TemporaryFile::new("secret", SECRET);
    let token = TemporaryFile::new("token", &authority(SECRET).mint(&claims("lobby")));
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--log-format",
        "json",
        "--log",
        level,
    ];
    let mut command = oneport(&arguments);
    let relay = Relay::spawn(command.args(["--secret-file", secret.path()]));
    let stays = Talker::start(&relay, &token);
    Talker::start(&relay, &token).say_and_leave();
    assert_eq!(relay.post("lobby", None).1, "token_missing");
    let other = authority(SECRET).mint(&claims("attic"));
    assert_eq!(relay.post("lobby", Some(&other)).1, "forbidden");
    let log = relay.into_log();
    drop(stays);
    let object = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    log.lines().map(object).collect()
}

fn messages<'a>(log: &'a [Value], level: &'a str) -> impl Iterator<Item = &'a str> {
    let of_level = log.iter().filter(move |line| line["level"] == level);
    of_level.filter_map(|line| line["message"].as_str())
}

#[test]
fn at_info_who_comes_and_goes_and_why_and_no_address() {
    let log = log_of_a_day("info");
    for told in [
        "member 1 joined room lobby",
        "member 2 joined room lobby",
        "member 2 left room lobby: left",
        "stopping",
        "2 connected",
        "2 refused (forbidden 1, token_missing 1)",
        "1 messages",
    ] {
        let mut all = messages(&log, "info");
        assert!(all.any(|message| message.contains(told)), "{told}: {log:?}");
    }
    for line in &log {
        let message = line["message"].as_str().expect("a string");
        // Every client is on this host.
        assert!(
            !message.contains("127.0.0.1") && !message.contains("::1"),
            "{line}"
        );
        assert!(line["level"] == "info" || line["level"] == "warn", "{line}");
        let time = line["time"].as_str().expect("a string");
        assert!(time.ends_with('Z') && time.contains('T'), "{line}");
        assert!(
            line["target"]
                .as_str()
                .is_some_and(|target| target.starts_with("oneport"))
        );
    }
    // Two who come and one who goes.
    assert!(log.len() < 25, "{log:?}");
}

#[test]
fn at_debug_there_are_addresses_and_nothing_for_each_datagram() {
    let log =
        log_of_a_day("info,oneport=debug,oneport_core=debug,oneport_io=debug,oneport_signal=debug");
    assert!(
        messages(&log, "debug").any(|message| message.contains("127.0.0.1")),
        "{log:?}"
    );
    assert!(
        messages(&log, "debug").any(|message| message.contains("may not enter")),
        "{log:?}"
    );
    assert_eq!(messages(&log, "trace").count(), 0);
    // Each of them sends and gets dozens of datagrams.
    assert!(log.len() < 100, "{}", log.len());
}
