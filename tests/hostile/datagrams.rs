//! Datagrams that belong to nobody, as fast as they can be sent.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use oneport_tests::{Result, relay::Relay, talkers::newcomer};

use crate::{WORST, alone, talkers};

const FLOOD: Duration = Duration::from_secs(5);

/// What the relay must look at before it can drop it: nothing, STUN without and with a user name of a
/// link that does not exist, DTLS, and noise of two sizes.
fn garbage() -> Vec<Vec<u8>> {
    let binding = [
        0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ];
    let mut named = binding.to_vec();
    named[3] = 12;
    // USERNAME (RFC 8489 section 14.3), of 8 bytes.
    named.extend([0, 6, 0, 8]);
    named.extend(b"abcd:efg");
    let handshake = [
        &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200][..],
        &[1; 200],
    ]
    .concat();
    vec![
        Vec::new(),
        binding.to_vec(),
        named,
        handshake,
        vec![0x9e; 40],
        vec![0xff; 1200],
    ]
}

/// Returns how many were sent.
fn flood(relay: SocketAddr) -> Result<u64> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let garbage = garbage();
    let begun = Instant::now();
    let mut sent = 0;
    while begun.elapsed() < FLOOD {
        for datagram in &garbage {
            sent += u64::from(socket.send_to(datagram, relay).is_ok());
        }
    }
    Ok(sent)
}

#[test]
fn garbage_at_full_speed() -> Result {
    let _alone = alone();
    let relay = Relay::on_loopback()?;
    let talkers = talkers(relay.url())?;
    let address = relay.address();
    let flooder = std::thread::spawn(move || flood(address));
    let mut took = Duration::ZERO;
    while !flooder.is_finished() {
        took = took.max(newcomer(relay.url())?);
    }
    let sent = flooder.join().expect("it does not panic")?;
    talkers.all_hear_all(WORST)?;
    let figures = talkers.finish();
    let per_s = sent as f64 / FLOOD.as_secs_f64();
    let remark = format!(
        "{per_s:.0} datagrams per s; newcomers need {:.1} s at most",
        took.as_secs_f64()
    );
    figures.print("garbage datagrams at full speed, 5 s", &remark);
    figures.assert_unnoticed(WORST);
    assert!(took < 2 * WORST, "{took:?}");
    Ok(())
}
