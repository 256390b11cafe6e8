use super::*;
use crate::event::Reliability;
use crate::wire::{ForwardTsn, Skip};

fn forward(bench: &mut Bench, tsn: u32, skips: &[(u16, u32)]) {
    let skips: Vec<_> = skips
        .iter()
        .map(|(stream, sequence)| Skip {
            stream: StreamId::new(*stream),
            is_unordered: false,
            sequence: MessageSeq(*sequence),
        })
        .collect();
    let mut chunk = Vec::new();
    ForwardTsn::write(Tsn(PEER_FIRST.wrapping_add(tsn)), false, &skips, &mut chunk);
    bench.receive(&[(kind::FORWARD_TSN, 0, &chunk[4..])]);
}

fn lossy(reliability: Reliability) -> (Bench, StreamId) {
    Bench::open(ChannelOptions {
        reliability,
        ..ChannelOptions::default()
    })
}

/// Returns the point of a FORWARD-TSN in what was sent, counted from the first, and its entries.
fn forwarded(sent: &[Sent]) -> Option<(u32, Vec<(u16, u32)>)> {
    sent.iter().find_map(|sent| match sent {
        Sent::Other(kind::FORWARD_TSN, value) => {
            let forward = ForwardTsn::parse(value, false)?;
            let skips = forward
                .skips()
                .map(|skip| (skip.stream.get(), skip.sequence.0));
            Some((forward.cumulative.0, skips.collect()))
        }
        _ => None,
    })
}

#[test]
fn what_was_given_up_is_skipped() {
    let (mut bench, _) = lossy(Reliability::default());
    // TSN 1 is missing; 2 is ready, of 3 a part is there.
    bench.data_at(2, 0, 2, 53, b"ready", WHOLE);
    bench.data_at(3, 0, 3, 53, b"part", flag::BEGINS);
    assert_eq!(bench.messages(), Vec::<Vec<u8>>::new());
    forward(&mut bench, 1, &[(0, 1)]);
    assert_eq!(bench.messages(), [b"ready"]);
    forward(&mut bench, 4, &[(0, 3)]);
    bench.data_at(5, 0, 4, 53, b"next", WHOLE);
    assert_eq!(bench.messages(), [b"next"]);
    assert_eq!(bench.association.stats().receive_window, 1024 * 1024);
    // An old one is acknowledged again.
    bench.sent();
    forward(&mut bench, 2, &[(0, 2)]);
    assert!(matches!(
        bench.sent()[..],
        [Sent::Sack { cumulative: 5, .. }]
    ));
}

#[test]
fn what_has_arrived_of_the_skipped_is_delivered() {
    let (mut bench, _) = lossy(Reliability::default());
    bench.data_at(2, 0, 2, 53, b"a", WHOLE);
    bench.data_at(4, 0, 4, 53, b"b", WHOLE);
    forward(&mut bench, 4, &[(0, 4)]);
    assert_eq!(bench.messages(), [b"a", b"b"]);
}

#[test]
fn one_attempt_is_one() {
    for reliability in [
        Reliability::Retransmits(0),
        Reliability::Lifetime(Duration::ZERO),
    ] {
        let (mut bench, id) = lossy(reliability);
        bench.send(id, b"lost");
        assert_eq!(bench.sent_tsns(), [1]);
        bench.pass(1);
        for n in 0..3 {
            bench.send(id, &[n]);
            bench.sent();
        }
        bench.pass(50);
        bench.acknowledge_with(1, PEER_WINDOW, &[(2, 4)], &[]);
        let sent = bench.sent();
        let point = bench.first.wrapping_add(1);
        assert_eq!(
            forwarded(&sent),
            Some((point, vec![(0, 1)])),
            "{reliability:?}"
        );
        assert_eq!(sent.len(), 1);
        assert_eq!(bench.association.stats().messages_abandoned, 1);
        // Lost too; it is said again.
        let mut again = false;
        for _ in 0..60 {
            bench.pass(10);
            again |= forwarded(&bench.sent()).is_some();
        }
        assert!(again);
        bench.acknowledge(5);
        assert_eq!(bench.association.stats().bytes_in_flight, 0);
    }
}

#[test]
fn a_message_is_given_up_as_a_whole() {
    let (mut bench, id) = lossy(Reliability::Retransmits(0));
    // More than fits into the window: a part is not sent yet.
    bench.send(id, &[0; 30_000]);
    let sent = bench.sent_tsns().len() as u16;
    assert!(sent < 20);
    bench.send(id, b"after");
    bench.pass(40);
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, sent)], &[]);
    let sent_now = bench.sent();
    let (point, _) = forwarded(&sent_now).expect("given up");
    assert_eq!(point, bench.first.wrapping_add(u32::from(sent)));
    let data: Vec<_> = sent_now
        .iter()
        .filter(|sent| sent.kind() == kind::DATA)
        .collect();
    assert!(
        matches!(data[..], [Sent::Data { bytes, .. }] if bytes == b"after"),
        "{data:?}"
    );
    assert_eq!(bench.association.buffered_amount(id), 0);
}

#[test]
fn retransmissions_are_counted() {
    let (mut bench, id) = lossy(Reliability::Retransmits(2));
    bench.send(id, b"x");
    let mut times = bench.sent_tsns().len();
    for _ in 0..1_000 {
        bench.pass(10);
        times += bench.sent_tsns().len();
    }
    assert_eq!(times, 3);
}

#[test]
fn a_peer_without_partial_reliability_gets_everything() {
    let (mut bench, id) = lossy(Reliability::Retransmits(0));
    let mut supported = bench.association.supported;
    supported.forward_tsn = false;
    bench
        .association
        .sender
        .establish(supported, PEER_WINDOW, 1_160);
    bench.send(id, b"x");
    bench.sent();
    let mut times = 0;
    for _ in 0..100 {
        bench.pass(100);
        let sent = bench.sent();
        assert_eq!(forwarded(&sent), None);
        times += sent.len();
    }
    assert!(times > 3);
}
