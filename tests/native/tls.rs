//! https on the one port, with the native client.

use std::path::Path;
use std::time::Duration;

use oneport::client::{Event, join};
use oneport::{Participant, ParticipantError, Trust};
use oneport_tests::{
    Result,
    certificate::Pair,
    http,
    relay::Relay,
    wait::{self, Look},
};

/// Longer than anything on loopback takes.
const TIMEOUT: Duration = Duration::from_secs(40);

fn start(pair: &Pair) -> Result<Relay> {
    let arguments = pair.arguments();
    Relay::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn connect(relay: &Relay, trusted: Option<&Path>) -> Result<Participant, ParticipantError> {
    let trust = trusted.map(|path| Trust::only(path).expect("a certificate"));
    let room = "lobby".parse().expect("a name");
    Participant::connect_trusting(relay.url(), room, None, &trust.unwrap_or_default())
}

#[test]
fn a_participant_says_something_by_https() -> Result {
    let pair = Pair::until(2090)?;
    let relay = start(&pair)?;
    assert!(
        relay.url().starts_with("https://localhost:"),
        "{}",
        relay.url()
    );
    relay.wait_for_log("the certificate is valid until 2090-01-01", TIMEOUT)?;
    let mut ada = connect(&relay, Some(&pair.chain()))?;
    let room = "lobby".parse().expect("a name");
    ada.join(join("lobby".parse().expect("a name")))?;
    ada.say(&room, "chat", "hello")?;
    wait::until("the acknowledgement", TIMEOUT, || {
        Ok(match ada.next_event(Duration::from_secs(1))? {
            Some(Event::Ack(_)) => Look::Done(()),
            other => Look::NotYet(format!("{other:?}")),
        })
    })?;
    ada.close()?;
    // From this machine by plain http: a collector on the host needs no certificate.
    let metrics = http::get(relay.address(), "/metrics")?.text();
    for part in [
        "\noneport_tls_certificate_expiry_timestamp_seconds 3786912000.0\n",
        "\noneport_tls_handshakes_total{result=\"done\"} 1\n",
        "\noneport_tls_handshakes_total{result=\"failed\"} 0\n",
    ] {
        assert!(metrics.contains(part), "{part}{metrics}");
    }
    Ok(())
}

#[test]
fn whom_nobody_vouches_for_is_refused() -> Result {
    let pair = Pair::until(2090)?;
    let relay = start(&pair)?;
    let stranger = connect(&relay, None).err().expect("refused");
    assert!(stranger.to_string().contains("UnknownIssuer"), "{stranger}");
    let expired = Pair::until(2001)?;
    let relay = start(&expired)?;
    relay.wait_for_log("has expired at 2001-01-01", TIMEOUT)?;
    let expired = connect(&relay, Some(&expired.chain()))
        .err()
        .expect("refused");
    assert!(expired.to_string().contains("xpired"), "{expired}");
    Ok(())
}
