//! `oneport chat`: two pipes into a room.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::time::Duration;

use oneport_link::{Kind, Write as Written};
use oneport_tests::{
    Result,
    lines::Lines,
    native::NativeClient,
    relay::{self, Relay},
    wait::{self, Look},
};
use serde_json::Value;

/// Longer than anything on loopback takes, a reconnection included.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A running `oneport chat`; it is killed when dropped.
struct Chat {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines,
    stderr: Lines,
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Chat {
    fn start(url: &str, name: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = relay::command()?;
        command.args(["chat", url, "--name", name]).args(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn()?;
        Ok(Self {
            stdin: process.stdin.take(),
            stdout: Lines::of(process.stdout.take().expect("it is piped")),
            stderr: Lines::of(process.stderr.take().expect("it is piped")),
            process,
        })
    }

    fn json(url: &str, name: &str) -> Result<Self> {
        let chat = Self::start(url, name, &["--json"])?;
        chat.wait_for("joined", |event| event["t"] == "joined")?;
        Ok(chat)
    }

    fn write(&mut self, line: &str) -> Result {
        let stdin = self.stdin.as_mut().expect("it is open");
        writeln!(stdin, "{line}")?;
        Ok(())
    }

    fn wait_for(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_default();
        let line = self
            .stdout
            .wait_for(what, TIMEOUT, |line| is_it(&parse(line)))?;
        Ok(parse(&line))
    }

    fn events(&self) -> Vec<Value> {
        let lines = self.stdout.all();
        let parse = |line: &String| serde_json::from_str(line).expect("every line is JSON");
        lines.iter().map(parse).collect()
    }

    fn texts(&self) -> Vec<String> {
        let events = self.events().into_iter();
        let texts = events.filter(|event| event["t"] == "msg");
        texts
            .map(|event| event["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Waits for its end, which the end of its input or a signal brings about.
    fn end(&mut self) -> Result<Option<i32>> {
        self.stdin = None;
        let status: ExitStatus = wait::until("chat to end", TIMEOUT, || {
            let ended = self.process.try_wait()?;
            Ok(ended.map_or_else(
                || Look::NotYet(format!("{:?} {:?}", self.stdout.all(), self.stderr.all())),
                Look::Done,
            ))
        })?;
        // The pipes are read to their end by other threads.
        let _ = self.stdout.wait_for("the end", TIMEOUT, |_| false);
        let _ = self.stderr.wait_for("the end", TIMEOUT, |_| false);
        Ok(status.code())
    }
}

#[test]
fn two_programs_talk() -> Result {
    let relay = Relay::on_loopback()?;
    let mut ada = Chat::json(relay.url(), "ada")?;
    let mut bob = Chat::json(relay.url(), "bob")?;
    ada.wait_for("bob's coming", |event| event["member"]["name"] == "bob")?;

    ada.write(r#"{"t":"pub","id":"a-1","text":"hello\nbob"}"#)?;
    let ack = ada.wait_for("the ack", |event| event["t"] == "ack")?;
    let heard = bob.wait_for("hello", |event| event["t"] == "msg")?;
    assert_eq!(ack["id"], "a-1");
    assert_eq!(
        (&heard["text"], &heard["topic"]),
        (&"hello\nbob".into(), &"chat".into())
    );
    assert_eq!(
        (&heard["offset"], &heard["history"]),
        (&ack["offset"], &Value::Null)
    );

    bob.write(r#"{"t":"pub","to":[1],"topic":"file","binary":"00ff"}"#)?;
    let bytes = ada.wait_for("bytes", |event| event["binary"] == "00ff")?;
    assert_eq!(
        (&bytes["topic"], &bytes["to"]),
        (&"file".into(), &serde_json::json!([1]))
    );

    bob.write(r#"{"t":"history","id":"h-1","count":2}"#)?;
    let begin = bob.wait_for("history", |event| event["t"] == "history_begin")?;
    let authors = serde_json::json!([{"id": 1, "name": "ada"}, {"id": 2, "name": "bob"}]);
    assert_eq!((&begin["id"], &begin["authors"]), (&"h-1".into(), &authors));
    let end = bob.wait_for("history", |event| event["t"] == "history_end")?;
    assert_eq!(end["id"], "h-1");

    assert_eq!(ada.end()?, Some(0));
    let gone = bob.wait_for("ada's going", |event| event["what"] == "left")?;
    assert_eq!(
        (&gone["reason"], &gone["member"]["name"]),
        (&"left".into(), &"ada".into())
    );
    assert_eq!(bob.end()?, Some(0));
    assert_eq!(
        bob.events().last().map(|event| event["t"] == "closed"),
        Some(true)
    );
    Ok(())
}

#[test]
fn lines_in_and_out_and_nothing_else() -> Result {
    let relay = Relay::on_loopback()?;
    let mut ada = Chat::start(relay.url(), "ada", &["--lines"])?;
    ada.stderr
        .wait_for("to be in", TIMEOUT, |line| line.contains("in room lobby"))?;
    let mut bob = Chat::start(relay.url(), "bob", &["--lines"])?;
    bob.stderr
        .wait_for("to be in", TIMEOUT, |line| line.contains("in room lobby"))?;
    let count = 500;
    for number in 0..count {
        ada.write(&format!("line {number}"))?;
    }
    ada.write("")?;
    ada.write("evil \u{1b}[2J")?;
    assert_eq!(ada.end()?, Some(0));
    let mut expected: Vec<_> = (0..count).map(|n| format!("ada: line {n}")).collect();
    expected.push("ada: evil \u{fffd}[2J".into());
    bob.stdout
        .wait_for("all", TIMEOUT, |line| line.contains("evil"))?;
    assert_eq!(bob.stdout.all(), expected);
    assert_eq!(ada.stdout.all(), [""; 0]);

    // Who comes later asks for some of it, and leaves at once.
    let mut eve = Chat::start(relay.url(), "eve", &["--lines", "--history", "2"])?;
    assert_eq!(eve.end()?, Some(0));
    // Ada has left, and the history has her name.
    assert_eq!(eve.stdout.all(), ["ada: line 499", "ada: evil \u{fffd}[2J"]);
    assert_eq!(bob.end()?, Some(0));
    Ok(())
}

/// A page that only has `createDataChannel('chat')` and a terminal talk without being told how. Whoever
/// wants to be apart from them has another topic, the empty one included.
#[test]
fn a_terminal_and_a_plain_page_talk() -> Result {
    let relay = Relay::on_loopback()?;
    let mut page = NativeClient::join(relay.address(), "lobby", "chat")?;
    let mut ada = Chat::json(relay.url(), "ada")?;
    let mut apart = Chat::start(relay.url(), "eve", &["--json", "--topic", ""])?;
    apart.wait_for("joined", |event| event["t"] == "joined")?;
    apart.write(r#"{"t":"pub","id":"1","text":"not for pages"}"#)?;
    apart.wait_for("the ack", |event| event["t"] == "ack")?;
    let heard = ada.wait_for("it", |event| event["text"] == "not for pages")?;
    // The relay leaves out an empty topic.
    assert_eq!(heard["topic"].as_str().unwrap_or_default(), "");
    ada.write(r#"{"t":"pub","text":"hello, page"}"#)?;
    page.run_until("the terminal's words", |page| !page.messages.is_empty())?;
    assert_eq!(page.heard(), ["hello, page"]);
    assert_eq!(page.send(Kind::Text, b"hello, terminal"), Written::Accepted);
    page.run_until("the answer", |_| {
        ada.texts().iter().any(|text| text == "hello, terminal")
    })?;
    Ok(())
}

#[test]
fn a_killed_relay_is_found_again_by_both() -> Result {
    let first = Relay::on_loopback()?;
    let listen = first.address().to_string();
    let mut ada = Chat::json(first.url(), "ada")?;
    let mut bob = Chat::json(first.url(), "bob")?;
    ada.write(r#"{"t":"pub","text":"before"}"#)?;
    bob.wait_for("it", |event| event["text"] == "before")?;
    // It says goodbye; the next one stands on the same port.
    assert_eq!(first.terminate()?.code(), Some(0));
    ada.wait_for("the loss", |event| event["t"] == "disconnected")?;
    ada.write(r#"{"t":"pub","id":"meanwhile","text":"meanwhile"}"#)?;
    let second = Relay::start(&["--listen", &listen])?;
    for chat in [&ada, &bob] {
        let told = chat.wait_for("why", |event| {
            event["recovered"] == false && event["reason"].is_string()
        })?;
        assert_eq!(told["room"], "lobby");
    }
    ada.wait_for("the ack", |event| event["id"] == "meanwhile")?;
    bob.write(r#"{"t":"pub","text":"after"}"#)?;
    ada.wait_for("after", |event| event["text"] == "after")?;
    assert_eq!(ada.end()?, Some(0));
    assert_eq!(bob.end()?, Some(0));
    assert_eq!(ada.texts(), ["after"]);
    assert!(bob.texts().iter().filter(|text| *text == "before").count() == 1);
    drop(second);
    Ok(())
}

#[test]
fn exit_codes() -> Result {
    let relay = Relay::on_loopback()?;
    let run = |url: &str, arguments: &[&str], input: &[&str]| -> Result<(Option<i32>, String)> {
        let mut chat = Chat::start(url, "ada", arguments)?;
        for line in input {
            chat.write(line)?;
        }
        let code = chat.end()?;
        Ok((code, chat.stderr.all().join("\n")))
    };
    let nobody = "http://127.0.0.1:1";
    for (url, arguments, input, code, hint) in [
        (relay.url(), &[][..], &["hello"][..], 0, ""),
        (
            relay.url(),
            &["--json"],
            &[r#"{"t":"pub","text":"hi"}"#],
            0,
            "",
        ),
        (relay.url(), &["--json"], &["hello"], 1, ""),
        (
            relay.url(),
            &["--json"],
            &[r#"{"t":"kick","member":7}"#],
            1,
            "",
        ),
        (nobody, &[], &[], 1, "cannot reach 127.0.0.1:1"),
        ("https://127.0.0.1:1", &[], &[], 1, "cannot reach"),
        ("lobby", &[], &[], 2, "http://"),
        (relay.url(), &["--room", "a b"], &[], 2, "--room"),
        (relay.url(), &["--lines", "--json"], &[], 2, "--json"),
        (
            relay.url(),
            &["--token-file", "/no/such/file"],
            &[],
            2,
            "/no/such/file",
        ),
    ] {
        let (found, stderr) = run(url, arguments, input)?;
        assert_eq!(found, Some(code), "{url} {arguments:?} {input:?}: {stderr}");
        assert!(stderr.contains(hint), "{stderr}");
    }
    Ok(())
}

#[test]
fn a_relay_that_stays_away_is_given_up() -> Result {
    let relay = Relay::on_loopback()?;
    let mut ada = Chat::start(relay.url(), "ada", &["--json", "--give-up-after", "2"])?;
    ada.wait_for("joined", |event| event["t"] == "joined")?;
    relay.terminate()?;
    ada.wait_for("the loss", |event| event["t"] == "disconnected")?;
    ada.write(r#"{"t":"pub","text":"into the void"}"#)?;
    assert_eq!(ada.end()?, Some(1));
    assert!(ada.stderr.all().concat().contains("lost"));
    Ok(())
}

#[test]
fn the_bot_answers() -> Result {
    let relay = Relay::on_loopback()?;
    let mut command = relay::example("oneport", "bot")?;
    command.args([relay.url(), "lobby"]);
    let mut bot = command.spawn()?;
    let asked = || -> Result<Value> {
        let mut ada = Chat::json(relay.url(), "ada")?;
        let is_bot = |event: &Value| event.to_string().contains(r#""name":"bot""#);
        ada.wait_for("the bot", is_bot)?;
        ada.write(r#"{"t":"pub","text":"nothing for you"}"#)?;
        ada.write(r#"{"t":"pub","text":"!hello"}"#)?;
        ada.wait_for("the answer", |event| event["t"] == "msg")
    };
    let answer = asked();
    let _ = bot.kill();
    bot.wait()?;
    assert_eq!(answer?["text"], "you said: hello");
    Ok(())
}

#[test]
fn a_relay_that_asks_for_tokens() -> Result {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (secret, token) = (file("chat.secret"), file("chat.token"));
    fs::write(&secret, "a secret for tests, of enough bytes to be one")?;
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--secret-file", &secret])?;
    let minted = relay::run(&["token", "--secret-file", &secret, "--room", "lobby"])?;
    assert_eq!(minted.status.code(), Some(0), "{minted:?}");
    fs::write(&token, minted.stdout)?;
    for (arguments, code) in [
        (&["--token-file", &token][..], 0),
        (&[], 1),
        (&["--token-file", &token, "--room", "attic"], 1),
        (&["--token-file", &secret], 2),
    ] {
        let mut chat = Chat::start(relay.url(), "ada", arguments)?;
        assert_eq!(
            chat.end()?,
            Some(code),
            "{arguments:?}: {:?}",
            chat.stderr.all()
        );
    }
    Ok(())
}

/// The address that the page's button copies is enough. What contradicts it is refused, and so is what
/// cannot be used of it: nothing is said in the wrong room, or in clear.
#[test]
fn an_invitation_is_followed_or_refused() -> Result {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (secret, other) = (file("invited.secret"), file("invited.token"));
    fs::write(&secret, "a secret for tests, of enough bytes to be one")?;
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--secret-file", &secret])?;
    let mint = |room: &str| -> Result<String> {
        let minted = relay::run(&["token", "--secret-file", &secret, "--room", room])?;
        assert_eq!(minted.status.code(), Some(0), "{minted:?}");
        Ok(String::from_utf8_lossy(&minted.stdout).trim().to_owned())
    };
    let token = mint("attic")?;
    fs::write(&other, mint("lobby")?)?;
    let key = "A".repeat(43);
    let nobody = "http://127.0.0.1:1/";
    let escaped = token.replace('.', "%2E").replace('e', "%65");
    for (url, arguments, code, said) in [
        (
            format!("{}#attic?token={token}", relay.url()),
            &[][..],
            0,
            "in room attic",
        ),
        (
            format!("{}#attic?key={key}&token={token}", relay.url()),
            &[],
            0,
            "encrypted",
        ),
        (
            format!("{}#%61ttic?x=y&token={escaped}", relay.url()),
            &[],
            0,
            "in room attic",
        ),
        (
            format!("{}#attic?token={token}", relay.url()),
            &["--room", "attic"],
            0,
            "attic",
        ),
        // Without a token there, and with one for another room.
        (format!("{}#attic", relay.url()), &[], 1, "401"),
        (
            format!("{}#lobby?token={token}", relay.url()),
            &[],
            1,
            "403",
        ),
        // Before anything is connected: nobody is there to refuse it.
        (format!("{nobody}#attic"), &["--room", "lobby"], 2, "attic"),
        (
            format!("{nobody}#attic?token={token}"),
            &["--token-file", &other],
            2,
            "--token-file",
        ),
        (format!("{nobody}#at%20tic"), &[], 2, "room"),
        (format!("{nobody}#attic?token="), &[], 2, "token"),
        (format!("{nobody}#attic?key="), &[], 2, "key"),
        (format!("{nobody}#attic?key={key}x"), &[], 2, "key"),
    ] {
        let mut chat = Chat::start(&url, "ada", arguments)?;
        let found = chat.end()?;
        let all = [chat.stdout.all(), chat.stderr.all()].concat().join("\n");
        assert_eq!(found, Some(code), "{url} {arguments:?}: {all}");
        assert!(all.contains(said), "{url} {arguments:?}: {all}");
        assert!(!all.contains(&token) && !all.contains(&key), "{url}: {all}");
    }
    // Nor is it in the log at its most talkative.
    let mut command = relay::command()?;
    let url = format!("{}#attic?token={token}&key={key}", relay.url());
    command.args(["chat", &url]).env("RUST_LOG", "trace");
    let output = command.stdin(Stdio::null()).output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.lines().count() > 10, "{log}");
    assert!(
        !log.contains(&token) && !log.contains(&key),
        "a secret is in the log"
    );
    Ok(())
}

/// Those with the key read each other, the others are told why they cannot, and the relay has only what
/// is sealed.
#[test]
fn a_private_room_is_private() -> Result {
    let relay = Relay::on_loopback()?;
    let private = format!("{}#lobby?key={}", relay.url(), "A".repeat(43));
    let other = format!("{}#lobby?key={}", relay.url(), "B".repeat(43));
    let mut page = NativeClient::join(relay.address(), "lobby", "chat")?;
    let mut ada = Chat::json(&private, "ada")?;
    let bob = Chat::json(&private, "bob")?;
    let stranger = Chat::json(&other, "stranger")?;
    let mut keyless = Chat::start(relay.url(), "keyless", &["--lines"])?;
    let is_in = |line: &str| line.contains("in room lobby");
    keyless.stderr.wait_for("to be in", TIMEOUT, is_in)?;

    ada.write(r#"{"t":"pub","text":"psst \u00fc"}"#)?;
    ada.write(r#"{"t":"pub","binary":"00ff","topic":"x"}"#)?;
    ada.write(r#"{"t":"pub","text":""}"#)?;
    let heard = bob.wait_for("a text", |event| event["t"] == "msg")?;
    assert_eq!(
        (&heard["text"], &heard["from"]),
        (&"psst \u{fc}".into(), &2.into())
    );
    let heard = bob.wait_for("bytes", |event| event["topic"] == "x")?;
    assert_eq!(heard["binary"], "00ff");
    bob.wait_for("nothing", |event| {
        event["t"] == "msg" && event["text"] == ""
    })?;
    let unreadable = |event: &Value| event["t"] == "unreadable";
    let told = stranger.wait_for("why not", unreadable)?;
    assert_eq!(
        (&told["why"], &told["from"]),
        (&"wrong_key".into(), &2.into())
    );
    assert!(told["text"].is_null() && told["binary"].is_null(), "{told}");
    let cannot = |line: &str| line.contains("from ada cannot be read: it is encrypted");
    keyless.stderr.wait_for("why not", TIMEOUT, cannot)?;
    page.run_until("what the relay has", |page| page.messages.len() >= 2)?;
    for (_, _, bytes) in &page.messages {
        assert!(bytes.starts_with("\u{1f512}\u{1}".as_bytes()), "{bytes:?}");
    }

    // What somebody says in clear is told, and not delivered as if it were right.
    keyless.write("in clear")?;
    let told = bob.wait_for("it", unreadable)?;
    assert_eq!(told["why"], "not_sealed");
    assert!(!bob.texts().contains(&"in clear".to_owned()));
    // The history of somebody who comes later, in words.
    let mut eve = Chat::start(&private, "eve", &["--lines", "--history", "9"])?;
    assert_eq!(eve.end()?, Some(0));
    assert_eq!(eve.stdout.all(), ["ada: psst \u{fc}", "ada:"]);
    // The key is for this room.
    ada.write(r#"{"t":"pub","room":"attic","text":"in clear"}"#)?;
    let refused = ada.wait_for("a refusal", |event| event["t"] == "err")?;
    assert_eq!(refused["code"], "bad_room");
    assert_eq!(ada.end()?, Some(1));
    Ok(())
}

/// Names, texts, and what comes of a kick.
#[test]
fn nothing_that_others_say_acts_on_the_terminal() -> Result {
    let relay = Relay::on_loopback()?;
    let mut ada = Chat::start(relay.url(), "ada", &[])?;
    let is_in = |line: &str| line.contains("in room lobby");
    ada.stdout.wait_for("to be in", TIMEOUT, is_in)?;
    let evil = "\u{202e}evil\u{200b}\u{e0041}";
    let mut eve = Chat::json(relay.url(), evil)?;
    let text = "a\\u001b[2Jb\\u202ec\\r\\nada: forged\\u2028d \\u200d\\ud83d\\ude00";
    eve.write(&format!(r#"{{"t":"pub","text":"{text}"}}"#))?;
    eve.write(r#"{"t":"pub","text":"the end"}"#)?;
    let said = |line: &str| line.ends_with(": the end");
    ada.stdout.wait_for("the end", TIMEOUT, said)?;
    let all = ada.stdout.all();
    let is_safe =
        |line: &String| !line.contains(['\u{1b}', '\u{202e}', '\u{200b}', '\u{2028}', '\u{e0041}']);
    assert!(all.iter().all(is_safe), "{all:?}");
    let name = "\u{fffd}evil\u{fffd}\u{fffd}";
    for line in [
        format!("* {name} joined"),
        format!("{name}: a\u{fffd}[2Jb\u{fffd}c"),
        format!("{name}: ada: forged\u{fffd}d \u{fffd}\u{1f600}"),
    ] {
        assert!(all.contains(&line), "{line}: {all:?}");
    }
    assert_eq!(ada.end()?, Some(0));
    Ok(())
}

#[test]
fn a_kick_says_why() -> Result {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let secret = folder.join("kick.secret").to_string_lossy().into_owned();
    fs::write(&secret, "a secret for tests, of enough bytes to be one")?;
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--secret-file", &secret])?;
    let invite = |rights: &str| -> Result<String> {
        let options = [
            "token",
            "--secret-file",
            &secret,
            "--room",
            "lobby",
            "--can",
            rights,
        ];
        let minted = relay::run(&options)?;
        let token = String::from_utf8_lossy(&minted.stdout).trim().to_owned();
        Ok(format!("{}#lobby?token={token}", relay.url()))
    };
    let mut ada = Chat::start(&invite("subscribe")?, "ada", &["--lines"])?;
    let is_in = |line: &str| line.contains("in room lobby");
    ada.stderr.wait_for("to be in", TIMEOUT, is_in)?;
    let mut eve = Chat::json(&invite("join,kick")?, "eve")?;
    eve.write(r#"{"t":"kick","id":"k","member":1,"message":"out\u202e!"}"#)?;
    eve.wait_for("the ack", |event| event["t"] == "ack")?;
    let told = "oneport: removed from the room: kicked: out\u{fffd}!";
    ada.stderr
        .wait_for("the reason", TIMEOUT, |line| line == told)?;
    assert_eq!(ada.end()?, Some(1));
    assert_eq!(eve.end()?, Some(0));
    Ok(())
}
