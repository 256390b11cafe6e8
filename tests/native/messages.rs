//! Messages between native clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use oneport_link::{ChannelConfig, CloseReason, Kind, Reliability, Write};
use oneport_tests::{Result, native::NativeClient, relay::Relay};

/// Lets the other clients live while one waits.
fn say_and_hear(speaker: &mut NativeClient, hearer: &mut NativeClient, text: &str) -> Result {
    assert_eq!(speaker.send(Kind::Text, text.as_bytes()), Write::Accepted);
    hearer.run_until(text, |hearer| {
        let carried = speaker.turn(Duration::from_millis(1));
        carried.is_ok() && hearer.heard().last().is_some_and(|last| last == text)
    })
}

#[test]
fn over_ipv4_ipv6_and_several_addresses() -> Result {
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--listen", "[::1]:0"])?;
    let v4 = relay.address();
    let v6 = SocketAddr::new([0, 0, 0, 0, 0, 0, 0, 1].into(), relay.port());
    let mut ada = NativeClient::join(v4, "lobby", "chat")?;
    let mut bob = NativeClient::join(v6, "lobby", "chat")?;
    say_and_hear(&mut ada, &mut bob, "from IPv4")?;
    say_and_hear(&mut bob, &mut ada, "from IPv6")
}

#[test]
fn through_a_wildcard_address() -> Result {
    let relay = Relay::start(&["--listen", "0.0.0.0:0", "--open", "--announce", "127.0.0.1"])?;
    let address = SocketAddr::from(([127, 0, 0, 1], relay.port()));
    let mut ada = NativeClient::join(address, "lobby", "chat")?;
    let mut bob = NativeClient::join(address, "lobby", "chat")?;
    say_and_hear(&mut ada, &mut bob, "hello")
}

#[test]
fn sizes_and_kinds_and_one_byte_too_many() -> Result {
    let relay = Relay::on_loopback()?;
    let mut ada = NativeClient::join(relay.address(), "lobby", "chat")?;
    let mut bob = NativeClient::join(relay.address(), "lobby", "chat")?;
    let limit = 256 * 1024;
    for size in [1, 1200, 16 * 1024, 64 * 1024, limit] {
        for kind in [Kind::Text, Kind::Binary] {
            let payload = vec![b'a'; size];
            ada.run_until("room to send", |ada| {
                ada.send(kind, &payload) == Write::Accepted
            })?;
            bob.run_until("it arrives", |bob| {
                let carried = ada.turn(Duration::from_millis(1));
                carried.is_ok() && !bob.messages.is_empty()
            })?;
            let arrived = bob.messages.pop();
            assert!(
                arrived == Some(("chat".into(), kind, payload)),
                "{size} {kind:?}"
            );
        }
    }
    // The relay says what it takes, and this client, like a browser, sends no more.
    assert_eq!(ada.send(Kind::Binary, &vec![0; limit + 1]), Write::TooLarge);
    say_and_hear(&mut ada, &mut bob, "still here")
}

#[test]
fn unordered_and_unreliable_channels() -> Result {
    let relay = Relay::on_loopback()?;
    let unreliable = ChannelConfig {
        ordered: false,
        reliability: Reliability::Retransmits(0),
        ..ChannelConfig::new("positions")
    };
    let mut ada = NativeClient::join_with(relay.address(), "game", unreliable.clone())?;
    let mut bob = NativeClient::join_with(relay.address(), "game", unreliable)?;
    say_and_hear(&mut ada, &mut bob, "1,2,3")
}

/// 32 MiB in messages of 64 KiB: what a pacing mistake or a lost wake-up would make crawl.
#[test]
fn a_bulk_transfer_arrives_whole() -> Result {
    let relay = Relay::on_loopback()?;
    let mut ada = NativeClient::join(relay.address(), "lobby", "files")?;
    let mut bob = NativeClient::join(relay.address(), "lobby", "files")?;
    let count = 512_u32;
    // The room's ring holds 4 MiB for one who is slower: nobody gets further ahead than 2 MiB.
    let ahead_max = 32;
    let received = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&received);
    let receiver = std::thread::spawn(move || -> Result<Vec<u32>> {
        bob.run_until("all of it", |bob| {
            counter.store(bob.messages.len() as u32, Ordering::Relaxed);
            bob.messages.len() == count as usize
        })?;
        let number = |(_, _, payload): &(_, _, Vec<u8>)| {
            let first = payload.first_chunk::<4>().expect("64 KiB");
            u32::from_be_bytes(*first)
        };
        Ok(bob.messages.iter().map(number).collect())
    });
    let mut sent = 0;
    ada.run_until("all of it to be sent", |ada| {
        let mut payload = vec![0; 64 * 1024];
        payload[..4].copy_from_slice(&u32::to_be_bytes(sent));
        let until = count.min(received.load(Ordering::Relaxed) + ahead_max);
        while sent < until && ada.send(Kind::Binary, &payload) == Write::Accepted {
            sent += 1;
            payload[..4].copy_from_slice(&u32::to_be_bytes(sent));
        }
        sent == count
    })?;
    while !receiver.is_finished() {
        ada.turn(Duration::from_millis(5))?;
    }
    let numbers = receiver.join().expect("no panic")?;
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn sigterm_closes_every_client_and_exits_with_zero() -> Result {
    let relay = Relay::on_loopback()?;
    let mut ada = NativeClient::join(relay.address(), "lobby", "chat")?;
    let status = relay.terminate()?;
    assert_eq!(status.code(), Some(0));
    ada.run_until("the link to end", |ada| ada.closed.is_some())?;
    assert_eq!(ada.closed, Some(CloseReason::ByPeer));
    Ok(())
}
