//! `oneport check`: what it says of relays that work, and of what may be wrong with others.

use std::fs;
use std::net::TcpListener;
use std::process::Output;
use std::time::{Duration, Instant};

use oneport_tests::{
    Result,
    certificate::Pair,
    network::Network,
    relay::{self, Relay},
    stub::Stub,
};
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "a secret that is long enough for this";

/// What a check found: its exit code, and of each step the name, the result and the text.
#[derive(Debug)]
struct Found {
    code: Option<i32>,
    steps: Vec<[String; 3]>,
}

impl Found {
    /// Each step's result, as `name ok, tcp failed`.
    fn results(&self) -> String {
        let results = self.steps.iter();
        let results: Vec<_> = results
            .map(|[step, result, _]| format!("{step} {result}"))
            .collect();
        results.join(", ")
    }

    /// What it said of that step.
    fn of(&self, step: &str) -> &str {
        let found = self.steps.iter().find(|[name, ..]| name == step);
        found.map_or("", |[_, _, text]| text)
    }

    /// The first step that failed, and what it said; all after it were skipped.
    fn failure(&self) -> (&str, &str) {
        assert_eq!(self.code, Some(1), "{self:?}");
        let is = |wanted: &'static str| move |[_, result, _]: &&[String; 3]| result == wanted;
        let [step, _, text] = self
            .steps
            .iter()
            .find(is("failed"))
            .expect("one has failed");
        let after = self.steps.iter().skip_while(|[name, ..]| name != step);
        assert!(after.skip(1).all(|step| is("skipped")(&step)), "{self:?}");
        assert_eq!(self.steps.last().expect("many")[0], "ice-tcp", "{self:?}");
        (step, text)
    }
}

fn check(arguments: &[&str]) -> Result<Found> {
    let begun = Instant::now();
    let Output { status, stdout, .. } = relay::run(&[&["check", "--json"], arguments].concat())?;
    assert!(begun.elapsed() < Duration::from_secs(120), "{arguments:?}");
    let steps = String::from_utf8_lossy(&stdout);
    let steps = steps.lines().map(|line| {
        let step: Value = serde_json::from_str(line).expect("JSON");
        ["step", "result", "text"].map(|key| step[key].as_str().expect("a text").to_owned())
    });
    Ok(Found {
        code: status.code(),
        steps: steps.collect(),
    })
}

fn token(secret_file: &str, room: &str) -> Result<String> {
    let output = relay::run(&["token", "--secret-file", secret_file, "--room", room])?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[test]
fn of_a_relay_all_works() -> Result {
    let relay = Relay::on_loopback()?;
    let found = check(&[relay.url()])?;
    assert_eq!(
        found.results(),
        "name ok, tcp ok, http ok, clock ok, token ok, udp ok, ice-tcp ok",
        "{found:?}"
    );
    assert_eq!(found.code, Some(0));
    assert_eq!(
        found.of("http"),
        format!("oneport {}", env!("CARGO_PKG_VERSION"))
    );
    let in_words = relay::run(&["check", relay.url()])?;
    let in_words = String::from_utf8_lossy(&in_words.stdout).into_owned();
    assert_eq!(in_words.lines().count(), 7, "{in_words}");
    assert!(
        in_words.starts_with("ok       name     127.0.0.1"),
        "{in_words}"
    );
    Ok(())
}

#[test]
fn whoever_needs_a_token_is_told_so() -> Result {
    let folder = TempDir::new()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (secret, other_secret, file) = (path("secret"), path("other"), path("token"));
    fs::write(&secret, SECRET)?;
    fs::write(&other_secret, SECRET.to_uppercase())?;
    let pair = Pair::until(2090)?;
    let arguments = pair.arguments();
    let arguments = arguments.iter().map(String::as_str);
    let relay = Relay::start(
        &arguments
            .chain(["--secret-file", &secret])
            .collect::<Vec<_>>(),
    )?;
    let chain = pair.chain().display().to_string();
    let trusting = [relay.url(), "--ca", &chain];

    let none = check(&trusting)?;
    let (step, text) = none.failure();
    assert!(
        step == "token" && text.contains("add --token-file"),
        "{text}"
    );
    let with_token = [&trusting[..], &["--token-file", &file]].concat();
    fs::write(&file, token(&other_secret, "lobby")?)?;
    let (forged, strayed) = (check(&with_token)?, token(&secret, "attic")?);
    let (step, text) = forged.failure();
    assert!(step == "token" && text.contains("not valid"), "{text}");
    fs::write(&file, &strayed)?;
    let elsewhere = check(&with_token)?;
    let (step, text) = elsewhere.failure();
    assert!(step == "token" && text.contains("does not allow"), "{text}");

    let in_its_room = check(&[&with_token[..], &["--room", "attic"]].concat())?;
    assert_eq!(in_its_room.code, Some(0), "{in_its_room:?}");
    let invitation = format!("{}#attic?token={strayed}", relay.url());
    let invited = check(&[&invitation, "--ca", &chain])?;
    assert_eq!(
        invited.results(),
        "name ok, tcp ok, tls ok, http ok, clock ok, token ok, udp ok, ice-tcp ok",
        "{invited:?}"
    );
    assert!(
        invited.of("tls").contains("until 2090-01-01"),
        "{invited:?}"
    );
    assert!(
        !format!("{invited:?}").contains(&strayed),
        "a secret is said"
    );
    Ok(())
}

#[test]
fn a_certificate_that_no_browser_takes_is_told() -> Result {
    for (year, is_trusted, why) in [
        (2001, true, "has expired"),
        (2090, false, "no known authority"),
    ] {
        let pair = Pair::until(year)?;
        let arguments = pair.arguments();
        let relay = Relay::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        let chain = pair.chain().display().to_string();
        let trusting = [relay.url(), "--ca", &chain];
        let found = check(if is_trusted {
            &trusting
        } else {
            &trusting[..1]
        })?;
        let (step, text) = found.failure();
        assert!(step == "tls" && text.contains(why), "{found:?}");
    }
    let plain = Relay::on_loopback()?;
    let found = check(&[&plain.url().replace("http://", "https://")])?;
    let (step, text) = found.failure();
    assert!(step == "tls" && text.contains("speaks no TLS"), "{found:?}");
    Ok(())
}

#[test]
fn where_no_relay_is_that_is_told() -> Result {
    let nobody = relay::free_address()?;
    let found = check(&[&format!("http://{nobody}")])?;
    let (step, text) = found.failure();
    assert!(
        step == "tcp" && text.contains("does the relay run"),
        "{found:?}"
    );

    let other = Stub::serve(&[("/healthz", "<p>hello</p>")])?;
    let url = other.url("/");
    let found = check(&[&url])?;
    let (step, text) = found.failure();
    assert!(
        step == "http" && text.contains("is not oneport"),
        "{found:?}"
    );

    // The system takes connections for it, and nobody reads them.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let found = check(&[&format!("https://{}", silent.local_addr()?)])?;
    let (step, text) = found.failure();
    assert!(
        step == "tls" && text.contains("does not answer"),
        "{found:?}"
    );

    // Unusable arguments, the second with a label of a name that is too long.
    for url in ["lobby", &format!("http://{}.invalid", "x".repeat(64))] {
        let bad = check(&[url])?;
        assert!(bad.code == Some(2) && bad.steps.is_empty(), "{bad:?}");
    }
    Ok(())
}

#[test]
fn a_firewall_that_lets_no_udp_in_is_told() -> Result {
    let Some(network) = Network::enter("check::a_firewall_that_lets_no_udp_in_is_told")? else {
        return Ok(());
    };
    let relay = network.relay()?;
    assert_eq!(check(&[relay.url()])?.code, Some(0));
    // No name server is reachable from this network.
    let found = check(&["http://nowhere.invalid"])?;
    assert_eq!(found.failure().0, "name", "{found:?}");
    // A port from which nobody sends.
    network.block_udp(9)?;
    let found = check(&[relay.url()])?;
    assert_eq!(
        found.results(),
        "name ok, tcp ok, http ok, clock ok, token ok, udp failed, ice-tcp ok",
        "{found:?}"
    );
    assert!(found.of("udp").contains("firewall"), "{found:?}");
    assert_eq!(found.code, Some(1));
    network.lose(100)?;
    let found = check(&[relay.url()])?;
    assert_eq!(found.failure().0, "tcp", "{found:?}");
    Ok(())
}
