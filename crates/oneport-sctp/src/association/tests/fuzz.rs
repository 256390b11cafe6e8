//! Bodies for fuzzing: arbitrary chunks in each state. Here with seeded bytes.

use super::*;
use crate::random::Random;

/// Brings an association into one of its states.
fn bench(state: u8) -> Bench {
    match state % 6 {
        0 => Bench::closed(),
        1 => {
            let mut bench = Bench::closed();
            bench.association.connect(bench.now);
            bench
        }
        2 => {
            let mut bench = Bench::closed();
            bench.association.connect(bench.now);
            bench.sent();
            let value = init(b"cookie", PEER_TAG);
            bench.receive(&[(kind::INIT_ACK, 0, &value)]);
            bench
        }
        3 => Bench::established(),
        4 => {
            let (mut bench, id) = Bench::open(ChannelOptions::default());
            bench.send(id, &[0; 20_000]);
            bench.sent();
            bench
        }
        _ => {
            let (mut bench, id) = Bench::open(ChannelOptions::default());
            bench.send(id, b"last");
            bench.association.shutdown(bench.now);
            bench.sent();
            bench
        }
    }
}

const KINDS: [u8; 20] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 64, 130, 132, 192, 194, 0x7f, 0xff,
];

/// Feeds a packet of arbitrary chunks. Numbers are near those that count.
fn body(bench: &mut Bench, random: &mut Random) {
    let mut chunks = Vec::new();
    for _ in 0..1 + random.u64() % 4 {
        let kind = KINDS[random.u64() as usize % KINDS.len()];
        let len = random.u64() as usize % 40;
        let mut value: Vec<u8> = (0..len)
            .map(|_| {
                random.u64() as u8
                    & if random.u64().is_multiple_of(2) {
                        3
                    } else {
                        255
                    }
            })
            .collect();
        if value.len() >= 4 && !random.u64().is_multiple_of(8) {
            let base = if kind == kind::SACK || kind == kind::SHUTDOWN {
                bench.first
            } else {
                PEER_FIRST
            };
            let near = base.wrapping_add(random.u32() % 30).wrapping_sub(2);
            value[..4].copy_from_slice(&near.to_be_bytes());
        }
        chunks.push((kind, random.u64() as u8, value));
    }
    let borrowed: Vec<_> = chunks
        .iter()
        .map(|(kind, flags, value)| (*kind, *flags, &value[..]))
        .collect();
    let tag = if chunks[0].0 == kind::INIT {
        VerificationTag::NONE
    } else {
        bench.tag
    };
    let packet = packet(tag, &borrowed);
    bench.association.handle_packet(bench.now, &packet);
    // Also the bytes as they are.
    bench
        .association
        .handle_packet(bench.now, &packet[random.u64() as usize % packet.len()..]);
}

#[test]
fn arbitrary_chunks_in_every_state() {
    for seed in 0..600u64 {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut random = Random::new(bytes);
        let mut bench = bench(seed as u8);
        for _ in 0..60 {
            body(&mut bench, &mut random);
            let mut out = Vec::new();
            let mut packets = 0;
            while bench.association.poll_transmit(bench.now, &mut out) {
                packets += 1;
                assert!(packets < 100, "seed {seed}: it does not end");
            }
            while bench.association.poll_event().is_some() {}
            bench.pass(random.u64() % 300);
            let stats = bench.association.stats();
            assert!(stats.bytes_in_flight <= 20_100, "seed {seed}: {stats:?}");
            assert!(
                stats.receive_window <= 1024 * 1024,
                "seed {seed}: {stats:?}"
            );
        }
    }
}
