//! Clients without UDP: the data over TCP, on the same port.

use std::time::Duration;

use oneport::{Participant, Trust};
use oneport_link::{Kind, Write};
use oneport_tests::{Result, native::NativeClient, relay::Relay};

/// What carries a message from one to the other while neither waits for anything else.
fn passes(from: &mut NativeClient, to: &mut NativeClient, kind: Kind, payload: &[u8]) -> Result {
    from.run_until("room to send", |from| {
        let carried = to.turn(Duration::from_millis(1));
        carried.is_ok() && from.send(kind, payload) == Write::Accepted
    })?;
    to.run_until("it arrives", |to| {
        let carried = from.turn(Duration::from_millis(1));
        carried.is_ok() && !to.messages.is_empty()
    })?;
    let arrived = to.messages.remove(0);
    assert!(arrived == ("chat".into(), kind, payload.to_vec()));
    assert!(to.messages.is_empty());
    Ok(())
}

#[test]
fn messages_of_every_size_pass_between_tcp_and_udp() -> Result {
    let relay = Relay::on_loopback()?;
    let at = relay.address();
    let mut blocked = NativeClient::join_over_tcp(at, "lobby", "chat")?;
    let mut friend = NativeClient::join(at, "lobby", "chat")?;
    let mut other = NativeClient::join_over_tcp(at, "lobby", "chat")?;
    for (size, byte) in [
        (1, b'a'),
        (1200, b'b'),
        (64 * 1024, b'c'),
        (256 * 1024, b'd'),
    ] {
        for kind in [Kind::Text, Kind::Binary] {
            let payload = vec![byte; size];
            passes(&mut blocked, &mut friend, kind, &payload)?;
            passes(&mut friend, &mut blocked, kind, &payload)?;
            other.run_until("the same", |other| other.messages.len() == 2)?;
            other.messages.clear();
        }
    }
    Ok(())
}

#[test]
fn a_thousand_messages_arrive_in_order() -> Result {
    const MESSAGES: usize = 1000;
    let relay = Relay::on_loopback()?;
    let mut ada = NativeClient::join_over_tcp(relay.address(), "lobby", "chat")?;
    let mut bob = NativeClient::join_over_tcp(relay.address(), "lobby", "chat")?;
    let mut sent = 0;
    bob.run_until("all of them", |bob| {
        while sent < MESSAGES
            && ada.send(Kind::Text, sent.to_string().as_bytes()) == Write::Accepted
        {
            sent += 1;
        }
        ada.turn(Duration::from_millis(1)).is_ok() && bob.messages.len() == MESSAGES
    })?;
    let expected: Vec<_> = (0..MESSAGES).map(|number| number.to_string()).collect();
    assert_eq!(bob.heard(), expected);
    Ok(())
}

/// Whoever hangs up without a word is missed after a while, and can come back at once.
#[test]
fn who_was_cut_off_comes_back() -> Result {
    let relay = Relay::start_logging(&["--listen", "127.0.0.1:0"], "info")?;
    let mut friend = NativeClient::join(relay.address(), "lobby", "chat")?;
    for _ in 0..3 {
        let mut blocked = NativeClient::join_over_tcp(relay.address(), "lobby", "chat")?;
        passes(&mut blocked, &mut friend, Kind::Text, b"here I am")?;
        passes(&mut friend, &mut blocked, Kind::Text, b"welcome")?;
    }
    let lost = relay.wait_for_log("left room lobby", Duration::from_secs(30))?;
    assert!(lost.contains("lost"), "{lost}");
    Ok(())
}

/// The first megabytes go to a client that does not read: it costs only itself.
#[test]
fn who_does_not_read_is_let_go_and_nobody_else() -> Result {
    const MESSAGES: usize = 128;
    let relay = Relay::start_logging(&["--listen", "127.0.0.1:0"], "info")?;
    let mut speaker = NativeClient::join_over_tcp(relay.address(), "lobby", "chat")?;
    let mut listener = NativeClient::join_over_tcp(relay.address(), "lobby", "chat")?;
    let _deaf = NativeClient::join_over_tcp(relay.address(), "lobby", "chat")?;
    for number in 0..MESSAGES {
        let payload = vec![number as u8; 64 * 1024];
        passes(&mut speaker, &mut listener, Kind::Binary, &payload)?;
    }
    let slow = relay.wait_for_log("left room lobby", Duration::from_secs(30))?;
    assert!(slow.contains("slow"), "{slow}");
    passes(&mut listener, &mut speaker, Kind::Text, b"still here")
}

#[test]
fn a_relay_can_be_tried_over_tcp_alone() -> Result {
    let relay = Relay::on_loopback()?;
    let room = "lobby".parse().expect("a name");
    let took = Participant::try_tcp(relay.url(), room, None, &Trust::default());
    let took = took.expect("it is reached");
    assert!(took < Duration::from_secs(5), "{took:?}");
    Ok(())
}
