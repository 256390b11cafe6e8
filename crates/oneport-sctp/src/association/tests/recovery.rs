use super::*;
use crate::error::{CloseReason, Violation};
use crate::event::Timer;

/// Sends `count` messages, each in a packet of its own, a millisecond apart.
fn spread(bench: &mut Bench, id: StreamId, count: u8) {
    for n in 0..count {
        bench.send(id, &[n]);
        assert_eq!(bench.sent_tsns().len(), 1);
        bench.pass(1);
    }
}

fn open() -> (Bench, StreamId) {
    Bench::open(ChannelOptions::default())
}

fn timer(bench: &Bench) -> Option<(u128, Timer)> {
    let (at, timer) = bench.association.poll_timeout()?;
    Some((at.saturating_duration_since(bench.now).as_millis(), timer))
}

#[test]
fn three_overtakers_are_enough_at_first() {
    let (mut bench, id) = open();
    spread(&mut bench, id, 4);
    bench.pass(36);
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, 4)], &[]);
    assert_eq!(bench.sent_tsns(), [1]);
    assert_eq!(bench.association.stats().recoveries, 1);
}

#[test]
fn one_overtaker_is_enough_after_a_quarter_of_a_round_trip() {
    let (mut bench, id) = open();
    spread(&mut bench, id, 2);
    bench.pass(38);
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, 2)], &[]);
    assert_eq!(bench.sent_tsns(), []);
    assert_eq!(timer(&bench), Some((9, Timer::Reordering)));
    bench.pass(9);
    assert_eq!(bench.sent_tsns(), [1]);
}

#[test]
fn a_lost_retransmission_is_noticed_by_what_was_sent_later() {
    let (mut bench, id) = open();
    spread(&mut bench, id, 4);
    bench.pass(36);
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, 4)], &[]);
    assert_eq!(bench.sent_tsns(), [1]);
    bench.pass(1);
    spread(&mut bench, id, 3);
    bench.pass(36);
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, 7)], &[]);
    assert_eq!(bench.sent_tsns(), [1]);
}

#[test]
fn the_tail_is_probed_twice_and_then_times_out() {
    let (mut bench, id) = open();
    bench.send(id, b"tail");
    let sent = bench.sent();
    assert!(matches!(sent[..], [Sent::Data { flags, .. }] if flags & flag::IMMEDIATE != 0));
    let Some((wait, Timer::TailProbe)) = timer(&bench) else {
        panic!("{:?}", timer(&bench));
    };
    assert!((80..=100).contains(&wait), "{wait}");
    let mut times = Vec::new();
    let begin = bench.now;
    while times.len() < 4 {
        bench.pass(1);
        let sent = bench.sent();
        if let [Sent::Data { flags, .. }] = &sent[..] {
            assert!(flags & flag::IMMEDIATE != 0);
            times.push(bench.now.duration_since(begin).as_millis());
        }
    }
    let stats = bench.association.stats();
    assert_eq!((stats.tail_probes, stats.timeouts), (2, 2));
    assert!(
        times[0] <= 101 && times[1] <= 303 && times[2] <= 505,
        "{times:?}"
    );
}

#[test]
fn the_timer_restarts_only_if_the_cumulative_point_advances() {
    let (mut bench, id) = open();
    spread(&mut bench, id, 8);
    let deadline = |bench: &Bench| bench.association.sender.retransmission_deadline();
    let before = deadline(&bench);
    // Acknowledgements by gap blocks alone, with the first one lost.
    bench.pass(32);
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, 2)], &[]);
    assert_eq!(deadline(&bench), before);
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, 3)], &[]);
    assert_eq!(deadline(&bench), before);
    bench.acknowledge_with(2, PEER_WINDOW, &[(2, 3)], &[]);
    assert!(deadline(&bench) > before);
}

#[test]
fn everything_lost_is_repeated_after_the_timeout_at_the_window_of_one_packet() {
    let (mut bench, id) = open();
    for _ in 0..5 {
        bench.send(id, &[0; 1_132]);
    }
    assert_eq!(bench.sent_tsns(), [1, 2, 3, 4, 5]);
    bench.association.sender.forget_probes();
    let stats = loop {
        bench.pass(10);
        let stats = bench.association.stats();
        if stats.timeouts == 1 {
            break stats;
        }
        bench.sent();
    };
    assert_eq!(stats.congestion_window, 1_160);
    assert_eq!(bench.sent_tsns(), [1, 2]);
    bench.acknowledge(3);
    assert_eq!(bench.sent_tsns(), [3, 4, 5]);
}

#[test]
fn a_closed_window_is_probed_and_its_opening_used_at_once() {
    let (mut bench, id) = open();
    bench.send(id, &[1; 500]);
    assert_eq!(bench.sent_tsns(), [1]);
    bench.acknowledge_with(2, 0, &[], &[]);
    bench.send(id, &[2; 500]);
    bench.send(id, &[3; 500]);
    assert_eq!(bench.sent_tsns(), [2], "one chunk asks for space");
    bench.pass(40);
    bench.acknowledge_with(2, 0, &[], &[]);
    assert_eq!(bench.sent_tsns(), []);
    // It stays so for long: the peer answers, so it is not given up.
    for _ in 0..100 {
        bench.pass(500);
        bench.sent();
        bench.acknowledge_with(2, 0, &[], &[]);
    }
    assert_eq!(bench.events(), []);
    assert!(bench.association.stats().congestion_window >= 1_160 * 10);
    bench.acknowledge_with(2, 10_000, &[], &[]);
    assert_eq!(bench.sent_tsns(), [2, 3]);
}

#[test]
fn what_the_peer_takes_back_is_sent_again() {
    let (mut bench, id) = open();
    spread(&mut bench, id, 3);
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, 3)], &[]);
    bench.acknowledge_with(1, PEER_WINDOW, &[], &[]);
    let mut again = Vec::new();
    for _ in 0..60 {
        bench.pass(10);
        again.extend(bench.sent_tsns());
        if bench.association.stats().timeouts > 0 {
            break;
        }
    }
    assert!([1, 2, 3].iter().all(|tsn| again.contains(tsn)), "{again:?}");
}

#[test]
fn an_acknowledgement_of_what_was_not_sent_ends_the_association() {
    let (mut bench, id) = open();
    bench.send(id, b"x");
    bench.sent();
    // A gap block beyond is cut off.
    bench.acknowledge_with(1, PEER_WINDOW, &[(2, 500)], &[]);
    assert_eq!(bench.events(), []);
    bench.acknowledge(3);
    let reason = CloseReason::ProtocolViolation(Violation::AcknowledgedUnsent);
    assert_eq!(bench.events(), [Event::Closed(reason)]);
}

#[test]
fn old_acknowledgements_change_nothing() {
    let (mut bench, id) = open();
    spread(&mut bench, id, 3);
    bench.acknowledge(3);
    let before = bench.association.stats();
    bench.acknowledge_with(1, 5, &[(2, 3)], &[]);
    assert_eq!(bench.association.stats().peer_window, before.peer_window);
    assert_eq!(bench.association.stats().bytes_in_flight, 1);
}

#[test]
fn reordering_within_the_window_causes_no_repetition() {
    let (mut bench, id) = open();
    spread(&mut bench, id, 6);
    bench.pass(34);
    // Each overtakes one.
    for (count, gap) in [(1, Some((2, 2))), (3, None), (3, Some((2, 2))), (5, None)] {
        bench.acknowledge_with(
            count,
            PEER_WINDOW,
            &gap.into_iter().collect::<Vec<_>>(),
            &[],
        );
        assert_eq!(bench.sent_tsns(), []);
    }
}

#[test]
fn after_an_outage_the_first_repetition_comes_at_once() {
    let (mut bench, id) = open();
    bench.send(id, b"x");
    bench.sent();
    for _ in 0..50 {
        bench.pass(100);
        bench.sent();
    }
    assert!(bench.association.stats().retransmission_timeout.as_secs() >= 2);
    bench.pass(100);
    bench.association.path_changed(bench.now);
    assert_eq!(bench.sent_tsns(), [1]);
    assert!(bench.association.stats().retransmission_timeout.as_millis() <= 500);
    bench.pass(40);
    bench.acknowledge(2);
    assert_eq!(bench.association.stats().bytes_in_flight, 0);
}

#[test]
fn a_silent_peer_is_given_up_only_where_that_is_wanted() {
    for (timeouts_max, is_given_up) in [(Some(5), true), (None, false)] {
        let config = Config {
            timeouts_max,
            ..config()
        };
        let (mut bench, id) = Bench::open_with(config, ChannelOptions::default());
        bench.send(id, b"x");
        for _ in 0..1_000 {
            bench.pass(100);
            bench.sent();
        }
        let closed = [Event::Closed(CloseReason::TimedOut)];
        assert_eq!(bench.events() == closed, is_given_up);
    }
}
