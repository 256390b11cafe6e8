//! The table of worst cases in the documentation of the crate, in steps of loops that a peer controls.

use super::*;
use crate::config::{CHUNKS_PER_PACKET_MAX, CONTROL_CHUNKS_MAX, EVENTS_MAX, TSN_AHEAD_MAX};
use crate::work;

/// A DTLS record holds no more.
const PACKET_MAX: usize = 16 * 1024;

/// Returns the steps for one packet of `chunks`.
fn steps(bench: &mut Bench, chunks: &[(u8, u8, &[u8])]) -> u64 {
    let packet = packet(bench.tag, chunks);
    assert!(packet.len() <= PACKET_MAX, "{}", packet.len());
    let now = bench.now;
    work::count(|| bench.association.handle_packet(now, &packet))
}

fn open() -> (Bench, StreamId) {
    Bench::open(ChannelOptions::default())
}

#[test]
fn a_packet_of_many_chunks() {
    let (mut bench, _) = open();
    for (kind, value) in [
        (kind::HEARTBEAT, &b"x"[..]),
        (kind::COOKIE_ACK, b""),
        (kind::PAD, b""),
        (0xff, b""),
        (kind::ERROR, b"\0\x06\0\x04"),
    ] {
        let chunks = vec![(kind, 0, value); 2_000];
        assert!(steps(&mut bench, &chunks) <= CHUNKS_PER_PACKET_MAX as u64);
        assert!(bench.association.control.len() <= CONTROL_CHUNKS_MAX);
    }
}

#[test]
fn many_small_messages_in_one_packet() {
    let (mut bench, _) = open();
    let data: Vec<_> = (0..500)
        .map(|n| data_chunk(1 + n, 0, 1 + n, 53, b"x", WHOLE))
        .collect();
    let chunks: Vec<_> = data
        .iter()
        .map(|data| (kind::DATA, WHOLE, &data[4..]))
        .collect();
    assert!(steps(&mut bench, &chunks) <= 2 * CHUNKS_PER_PACKET_MAX as u64);
    assert_eq!(bench.messages().len(), CHUNKS_PER_PACKET_MAX);
}

#[test]
fn gap_blocks_that_alternate() {
    let (mut bench, id) = open();
    for _ in 0..4_000 {
        bench.send(id, b"x");
    }
    bench.association.sender.open_window();
    assert_eq!(bench.sent_tsns().len(), 4_000);
    // What is acknowledged costs a step once. After that, a SACK costs a few for each block.
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, 4_000)], &[]);
    let mut sack = |gaps: &[(u16, u16)]| {
        let now = bench.now;
        let gaps: Vec<_> = gaps
            .iter()
            .map(|(start, end)| GapBlock {
                start: *start,
                end: *end,
            })
            .collect();
        let mut chunk = Vec::new();
        Sack::write(Tsn(bench.first), PEER_WINDOW, &gaps, &[], &mut chunk);
        let packet = packet(bench.tag, &[(kind::SACK, 0, &chunk[4..]); 3]);
        let steps = work::count(|| bench.association.handle_packet(now, &packet));
        bench.association.poll_event();
        steps
    };
    let many: Vec<_> = (0..1_000).map(|n| (2 + 3 * n, 3 + 3 * n)).collect();
    for _ in 0..20 {
        assert!(sack(&many) <= 300);
        assert!(sack(&[(2, 4_000)]) <= 300);
        assert!(sack(&[]) <= 300);
    }
}

#[test]
fn a_forward_tsn_of_many_entries() {
    let (mut bench, _) = open();
    for n in 0..200 {
        bench.data_at(3 + 2 * n, 0, 50 + n, 53, b"x", WHOLE);
    }
    let mut value = PEER_FIRST.wrapping_add(1_000).to_be_bytes().to_vec();
    for n in 0..3_900u32 {
        value.extend([0, 0]);
        value.extend((n as u16).to_be_bytes());
    }
    assert!(steps(&mut bench, &[(kind::FORWARD_TSN, 0, &value)]) <= 1_000);
}

#[test]
fn one_byte_out_of_order_takes_what_it_costs() {
    let (mut bench, _) = open();
    let config = config();
    let mut taken = 0u64;
    for n in 0..20_000u32 {
        let received = bench.association.stats().chunks_received;
        bench.data_at(3 + 2 * n, 0, 2 + n, 53, b"x", flag::BEGINS);
        bench.association.poll_transmit(bench.now, &mut Vec::new());
        taken += bench.association.stats().chunks_received - received;
    }
    // Each is charged with 256 bytes and more, so the window holds a few thousand.
    assert!(taken <= u64::from(config.receive_window) / 256, "{taken}");
    assert!(taken <= TSN_AHEAD_MAX);
}

#[test]
fn events_that_nobody_polls() {
    let (mut bench, _) = open();
    for n in 0..EVENTS_MAX as u32 + 100 {
        let packet = packet(
            bench.tag,
            &[(
                kind::DATA,
                WHOLE,
                &data_chunk(1 + n, 0, 1 + n, 57, &[0], WHOLE)[4..],
            )],
        );
        bench.association.handle_packet(bench.now, &packet);
    }
    assert_eq!(bench.association.events.len(), EVENTS_MAX);
    assert_eq!(bench.association.stats().chunks_refused, 100);
}

#[test]
fn channels_are_bounded() {
    let mut bench = Bench::established_with(Config {
        channels_max: 10,
        ..config()
    });
    for n in 0..100u32 {
        bench.data_at(
            n,
            1 + 2 * n as u16,
            0,
            50,
            &[3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            WHOLE,
        );
    }
    assert_eq!(bench.association.stats().channels, 10);
}

#[test]
fn interleaved_messages_that_never_end() {
    let mut bench = Bench::established_with(Config {
        interleaving: true,
        ..config()
    });
    let payload = [0; 1_000];
    for n in 0..5_000u32 {
        let header = DataHeader {
            tsn: Tsn(PEER_FIRST.wrapping_add(n)),
            stream: StreamId::new(n as u16),
            sequence: MessageSeq(n),
            fragment: 0,
            protocol: 53,
            flags: flag::BEGINS,
        };
        let mut chunk = Vec::new();
        header.write(true, 1_000, &mut chunk);
        chunk.extend(payload);
        bench.receive(&[(kind::I_DATA, flag::BEGINS, &chunk[4..])]);
        bench.sent();
    }
    let violation = crate::Violation::TooMuchUnfinished;
    let reason = crate::CloseReason::ProtocolViolation(violation);
    assert_eq!(bench.events(), [Event::Closed(reason)]);
    let received = bench.association.stats().chunks_received;
    assert!(received * 1_000 <= 2 * u64::from(config().receive_window));
}

#[test]
fn the_longest_echo_fits_into_the_smallest_packet() {
    let mut bench = Bench::established_with(Config {
        packet_bytes_base: 0,
        packet_bytes_max: 0,
        ..config()
    });
    bench.receive(&[(0xff, 0, &[1; 600]), (kind::HEARTBEAT, 0, b"next")]);
    let kinds: Vec<_> = bench.sent().iter().map(Sent::kind).collect();
    assert_eq!(kinds, [kind::ERROR, kind::HEARTBEAT_ACK]);
}
