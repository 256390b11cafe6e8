use super::*;
use crate::error::{CloseReason, Violation};
use crate::event::Acknowledged;

const DCEP_OPEN: [u8; 12] = [3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Returns a bench where the peer has opened streams 1 and 3.
fn bench() -> Bench {
    bench_with(config())
}

fn bench_with(config: Config) -> Bench {
    let mut bench = Bench::established_with(config);
    for stream in [1, 3] {
        bench.data(stream, 50, &DCEP_OPEN);
    }
    assert_eq!(bench.sent().len(), 3, "two answers and an acknowledgement");
    bench.acknowledge(2);
    assert_eq!(bench.events().len(), 2);
    bench
}

#[test]
fn every_second_packet_is_acknowledged_or_after_a_while() {
    let mut bench = bench();
    bench.data(1, 53, b"1");
    assert_eq!(bench.sent(), []);
    bench.pass(20);
    assert_eq!(bench.sent().len(), 1);
    bench.data(1, 53, b"2");
    bench.data(1, 53, b"3");
    let sent = bench.sent();
    assert!(
        matches!(sent[..], [Sent::Sack { cumulative: 4, .. }]),
        "{sent:?}"
    );
    // With the I bit at once.
    bench.data_at(5, 1, 4, 53, b"4", WHOLE | flag::IMMEDIATE);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn an_acknowledgement_goes_along_with_data() {
    let mut bench = bench();
    bench.data(1, 53, b"1");
    bench.send(StreamId::new(1), b"answer");
    let kinds: Vec<_> = bench.sent().iter().map(Sent::kind).collect();
    assert_eq!(kinds, [kind::SACK, kind::DATA]);
}

#[test]
fn a_loss_holds_up_its_own_stream_alone() {
    let mut bench = bench();
    // Stream 1's first message is missing.
    bench.data_at(3, 1, 2, 53, b"1b", WHOLE);
    bench.data_at(4, 3, 1, 53, b"3a", WHOLE);
    bench.data_at(5, 1, 0, 53, b"unordered", WHOLE | flag::UNORDERED);
    assert_eq!(bench.messages(), [&b"3a"[..], b"unordered"]);
    let sent = bench.sent();
    let Some(Sent::Sack {
        cumulative, gaps, ..
    }) = sent.last()
    else {
        panic!("{sent:?}");
    };
    assert_eq!((*cumulative, &gaps[..]), (1, &[(2, 4)][..]));
    bench.data_at(2, 1, 1, 53, b"1a", WHOLE);
    assert_eq!(bench.messages(), [b"1a", b"1b"]);
}

#[test]
fn duplicates_are_reported_at_once_and_not_delivered() {
    let mut bench = bench();
    bench.data_at(2, 1, 1, 53, b"a", WHOLE);
    bench.data_at(2, 1, 1, 53, b"a", WHOLE);
    bench.data_at(4, 1, 3, 53, b"c", WHOLE);
    bench.data_at(4, 1, 3, 53, b"c", WHOLE);
    assert_eq!(bench.messages(), [b"a"]);
    let sent = bench.sent();
    let Some(Sent::Sack { duplicates, .. }) = sent.last() else {
        panic!("{sent:?}");
    };
    assert_eq!(duplicates[..], [2, 4]);
}

#[test]
fn numbers_wrap() {
    // The peer's TSNs wrap after two chunks; here the SSNs wrap too.
    let mut bench = bench();
    bench
        .association
        .channels
        .get_mut(StreamId::new(1))
        .expect("there")
        .set_next_incoming(MessageSeq(0xfffe));
    for (tsn, ssn) in [(5, 1), (3, 0xffff), (4, 0), (2, 0xfffe)] {
        bench.data_at(tsn, 1, ssn, 53, &[tsn as u8], WHOLE);
    }
    assert_eq!(bench.messages(), [[2], [3], [4], [5]]);
}

#[test]
fn empty_messages_are_one_byte_on_the_wire() {
    let mut bench = bench();
    bench.data(1, 56, &[0]);
    bench.data(1, 57, &[0]);
    let kinds: Vec<_> = bench
        .events()
        .into_iter()
        .map(|event| match event {
            Event::Message { kind, bytes, .. } if bytes.is_empty() => kind,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, [Kind::Text, Kind::Binary]);
    bench.sent();
    bench
        .association
        .send(bench.now, StreamId::new(1), Kind::Text, b""[..].into())
        .expect("sent");
    let sent = bench.sent();
    assert!(
        matches!(&sent[..], [Sent::Data { bytes, .. }] if bytes == &[0]),
        "{sent:?}"
    );
    bench.acknowledge(3);
    let acknowledged = bench.association.acknowledged(StreamId::new(1));
    assert_eq!(
        acknowledged,
        Acknowledged {
            messages: 1,
            bytes: 0
        }
    );
}

#[test]
fn data_without_payload_is_not_acknowledged() {
    let mut bench = bench();
    bench.data_at(2, 1, 1, 53, b"", WHOLE);
    bench.pass(1_000);
    assert_eq!(bench.sent(), []);
    assert_eq!(bench.association.stats().packets_dropped, 1);
}

#[test]
fn odd_lengths_are_padded() {
    let mut bench = bench();
    for len in 1..=9u8 {
        bench.data(1, 53, &vec![len; len.into()]);
        assert_eq!(bench.messages(), [vec![len; len.into()]]);
        bench.send(StreamId::new(1), &vec![len; len.into()]);
    }
    let lengths: Vec<_> = bench
        .sent()
        .into_iter()
        .filter_map(|sent| match sent {
            Sent::Data { bytes, .. } => Some(bytes.len()),
            _ => None,
        })
        .collect();
    assert_eq!(lengths, (1..=9).collect::<Vec<_>>());
}

#[test]
fn unknown_chunks_of_all_four_kinds() {
    for (unknown, is_read, is_reported) in [
        (0x3f, false, false),
        (0x7f, false, true),
        (0xbf, true, false),
        (0xff, true, true),
    ] {
        let mut bench = bench();
        bench.receive(&[(unknown, 0, b"???"), (kind::HEARTBEAT, 0, b"beat")]);
        let kinds: Vec<_> = bench.sent().iter().map(Sent::kind).collect();
        assert_eq!(kinds.contains(&kind::HEARTBEAT_ACK), is_read, "{unknown}");
        assert_eq!(kinds.contains(&kind::ERROR), is_reported, "{unknown}");
    }
}

#[test]
fn streams_without_a_channel_have_no_state() {
    let mut bench = bench();
    let before = bench.association.channels.count();
    for n in 0..200u32 {
        bench.data_at(2 + n, 5 + n as u16, 0, 53, b"x", WHOLE);
        bench.sent();
    }
    assert_eq!(bench.association.channels.count(), before);
    assert_eq!(bench.events(), []);
    assert_eq!(bench.association.stats().messages_unclaimed, 200);
    assert_eq!(bench.association.stats().receive_window, 1024 * 1024);
}

#[test]
fn the_window_follows_the_application() {
    let mut bench = bench_with(Config {
        message_bytes_max: 1_000,
        receive_window: 4_000,
        ..config()
    });
    let mut events = Vec::new();
    for _ in 0..8 {
        bench.data(1, 53, &[0; 1_000]);
        events.extend(bench.events());
    }
    // Four are taken; what comes into the closed window is dropped and answered.
    assert_eq!(events.len(), 4);
    let Some(Sent::Sack {
        window, cumulative, ..
    }) = bench.sent().pop()
    else {
        panic!();
    };
    assert_eq!((window, cumulative), (0, 5));
    assert_eq!(bench.association.stats().chunks_refused, 4);
    // The peer hears of space once there is enough of it.
    bench.association.release(StreamId::new(1), 500);
    assert_eq!(bench.sent(), []);
    bench.association.release(StreamId::new(1), 1_500);
    assert!(matches!(
        bench.sent()[..],
        [Sent::Sack { window: 2_000, .. }]
    ));
    // More than was delivered cannot be released.
    bench.association.release(StreamId::new(1), 1 << 30);
    assert_eq!(bench.association.stats().receive_window, 4_000);
}

#[test]
fn a_message_beyond_the_limit_ends_the_association() {
    let mut bench = bench_with(Config {
        message_bytes_max: 1_000,
        ..config()
    });
    bench.data_at(2, 1, 1, 53, &[0; 600], flag::BEGINS);
    bench.data_at(3, 1, 1, 53, &[0; 600], flag::ENDS);
    let reason = CloseReason::ProtocolViolation(Violation::MessageTooLarge);
    assert_eq!(bench.events(), [Event::Closed(reason)]);
    let kinds: Vec<_> = bench.sent().iter().map(Sent::kind).collect();
    assert_eq!(kinds, [kind::ABORT]);
}

#[test]
fn fragments_without_a_beginning_or_an_end_leave_nothing() {
    let mut bench = bench();
    bench.data_at(2, 1, 1, 53, b"orphan", flag::ENDS);
    bench.data_at(3, 1, 1, 53, b"half", flag::BEGINS);
    bench.data_at(4, 1, 1, 53, b"whole", WHOLE);
    assert_eq!(bench.messages(), [b"whole"]);
    assert_eq!(bench.association.stats().receive_window, 1024 * 1024);
}

#[test]
fn messages_wait_for_the_open_of_their_channel() {
    let mut bench = Bench::established();
    bench.data_at(1, 1, 1, 53, b"early", WHOLE);
    assert_eq!(bench.events(), []);
    bench.data_at(0, 1, 0, 50, &DCEP_OPEN, WHOLE);
    let events = bench.events();
    assert!(
        matches!(&events[..], [Event::ChannelOpen(..), Event::Message { .. }]),
        "{events:?}"
    );
}

#[test]
fn a_message_that_is_too_large_for_the_peer_is_refused() {
    let mut bench = bench();
    bench.association.set_peer_message_bytes_max(10);
    let mut send = |bytes: &[u8]| {
        bench
            .association
            .send(bench.now, StreamId::new(1), Kind::Text, bytes.into())
    };
    assert_eq!(send(&[0; 11]), Err(crate::SendError::TooLarge));
    assert_eq!(send(&[0; 10]), Ok(()));
}

#[test]
fn the_send_buffer_is_bounded_and_takes_one_message_of_any_size() {
    let mut bench = bench_with(Config {
        send_buffer: 1_000,
        ..config()
    });
    let id = StreamId::new(1);
    bench.send(id, &[0; 5_000]);
    let again = bench
        .association
        .send(bench.now, id, Kind::Text, b"x"[..].into());
    assert_eq!(again, Err(crate::SendError::Full));
    assert_eq!(bench.sent_tsns().len(), 5);
    assert_eq!(bench.association.buffered_amount(id), 0);
    bench.acknowledge(7);
    bench.send(id, b"x");
}

#[test]
fn delivery_is_acknowledged_in_the_order_of_sending() {
    let mut bench = bench();
    let id = StreamId::new(1);
    bench.send(id, &[0; 2_000]);
    bench.send(id, &[0; 10]);
    bench.sent();
    bench.acknowledge_with(2, PEER_WINDOW, &[(2, 3)], &[]);
    assert_eq!(bench.association.acknowledged(id), Acknowledged::default());
    bench.acknowledge(3);
    let part = bench.association.acknowledged(id);
    assert_eq!((part.messages, part.bytes), (0, 1_132));
    bench.acknowledge(5);
    let all = bench.association.acknowledged(id);
    assert_eq!((all.messages, all.bytes), (2, 2_010));
}
