use super::*;
use crate::channels::Queued;
use crate::types::{MessageSeq, Span, StreamId};

const FIRST: u32 = u32::MAX - 2;

fn at(millis: u64) -> Time {
    Time::START.plus(Span::from_millis(millis))
}

/// A flight of so many messages of one chunk of 100 bytes, each in a packet of its own.
fn flight(count: u32, limit: Limit) -> Flight {
    let mut flight = Flight::new(Tsn(FIRST));
    for n in 0..count {
        let message = Queued {
            payload: vec![0; 100].into(),
            protocol: 53,
            is_unordered: false,
            limit,
        };
        let stream = StreamId::new((n % 2) as u16);
        let serial = flight.messages.begin(message, stream, 1, MessageSeq(n / 2));
        flight.send(at(n.into()), n, fragment(serial));
        flight.messages.complete(serial);
    }
    flight
}

fn fragment(message: u64) -> Fragment {
    Fragment {
        message,
        offset: 0,
        fragment: 0,
        len: 100,
        flags: flag::BEGINS | flag::ENDS,
    }
}

fn up_to(flight: &mut Flight, count: u64) -> (Newly, usize) {
    let mut newly = Newly::default();
    let mut left = 0;
    let cumulative = LongTsn::starting_at(Tsn(FIRST)).plus(count).previous();
    flight.acknowledge_up_to(cumulative, &mut newly, |_, _, _| left += 1);
    (newly, left)
}

fn gap(flight: &mut Flight, start: u16, end: u16) -> Newly {
    let mut newly = Newly::default();
    flight.acknowledge_gap(GapBlock { start, end }, &mut newly);
    newly
}

/// The indices of chunks in the order of their line.
fn lost(flight: &mut Flight) -> Vec<u32> {
    let mut lost = Vec::new();
    while let Some(tsn) = flight.next_lost() {
        lost.push(tsn.wire().0.wrapping_sub(FIRST));
        flight.send_again(at(1000), 1000, tsn);
    }
    lost
}

#[test]
fn what_is_acknowledged_leaves() {
    let mut flight = flight(4, Limit::NONE);
    assert_eq!((flight.bytes(), flight.bytes_kept()), (400, 400));
    let (newly, left) = up_to(&mut flight, 3);
    assert_eq!((newly.bytes, newly.chunks, left), (300, 3, 3));
    let latest = newly.latest.expect("a transmission");
    assert_eq!((latest.packet, latest.sent_at), (2, at(2)));
    assert_eq!((flight.bytes(), flight.messages.len()), (100, 1));
    up_to(&mut flight, 4);
    assert!(flight.is_empty());
    assert_eq!(flight.messages.len(), 0);
    assert_eq!(flight.in_flight.first(), None);
}

#[test]
fn a_gap_block_counts_once() {
    let mut flight = flight(10, Limit::NONE);
    assert_eq!(gap(&mut flight, 2, 4).bytes, 300);
    assert_eq!(flight.bytes(), 700);
    assert_eq!(gap(&mut flight, 2, 5).bytes, 100);
    assert_eq!(gap(&mut flight, 2, 5), Newly::default());
    // Beyond what was sent there is nothing.
    assert_eq!(gap(&mut flight, 10, 60_000).chunks, 1);
    let (newly, left) = up_to(&mut flight, 10);
    assert_eq!((newly.chunks, left), (5, 10));
    assert_eq!((flight.bytes(), flight.bytes_kept()), (0, 0));
}

#[test]
fn repeated_gap_blocks_cost_a_few_steps() {
    let mut flight = flight(4_000, Limit::NONE);
    gap(&mut flight, 2, 4_000);
    let steps = work::count(|| {
        for _ in 0..100 {
            gap(&mut flight, 2, 4_000);
        }
    });
    assert!(steps < 400, "{steps}");
    // Also where the block is another each time.
    let steps = work::count(|| {
        for start in 2..102 {
            gap(&mut flight, start, 4_000);
        }
    });
    assert!(steps < 2_000, "{steps}");
}

#[test]
fn reordering_is_noticed() {
    let mut flight = flight(5, Limit::NONE);
    assert!(!gap(&mut flight, 3, 3).is_reordered);
    assert!(gap(&mut flight, 2, 2).is_reordered);
    // Not if the earlier one was repeated: that one may have arrived.
    flight.lose_oldest(at(9));
    let tsn = flight.next_lost().expect("lost");
    flight.send_again(at(9), 9, tsn);
    let (newly, _) = up_to(&mut flight, 1);
    assert!(!newly.is_reordered);
    assert!(newly.latest.expect("a transmission").is_ambiguous);
}

#[test]
fn the_lost_are_repeated_in_their_order() {
    let mut flight = flight(6, Limit::NONE);
    gap(&mut flight, 4, 4);
    for _ in 0..3 {
        assert_eq!(flight.lose_oldest(at(9)), None);
    }
    assert_eq!(flight.bytes(), 200);
    // A lost one that arrived after all is not repeated.
    gap(&mut flight, 2, 2);
    assert_eq!(lost(&mut flight), [0, 2]);
    assert_eq!(flight.bytes(), 400);
    // They are now the newest.
    let newest = flight.newest().expect("in flight");
    assert_eq!(newest.wire().0.wrapping_sub(FIRST), 2);
    assert_eq!(flight.oldest().expect("in flight").1.sent_at, at(4));
}

#[test]
fn an_acknowledgement_that_is_taken_back_is_a_loss() {
    let mut flight = flight(6, Limit::NONE);
    gap(&mut flight, 2, 5);
    flight.lose_reneged(&[GapBlock { start: 2, end: 2 }, GapBlock { start: 5, end: 5 }]);
    assert_eq!(lost(&mut flight), [2, 3]);
    assert_eq!(gap(&mut flight, 2, 5).chunks, 2);
}

#[test]
fn abandoned_messages_are_announced() {
    let once = Limit {
        transmissions: 1,
        ..Limit::NONE
    };
    let mut flight = flight(5, once);
    assert!(!flight.advance());
    for _ in 0..3 {
        let serial = flight.lose_oldest(at(9)).expect("it may not be repeated");
        flight.messages.abandon(serial);
    }
    assert!(flight.advance());
    let (point, skips) = flight.skips(false).expect("there is one");
    assert_eq!(point.0.wrapping_sub(FIRST), 2);
    let skips: Vec<_> = skips
        .iter()
        .map(|skip| (skip.stream.get(), skip.sequence.0))
        .collect();
    assert_eq!(skips, [(0, 1), (1, 0)]);
    // They count as gone, but not as delivered.
    let mut delivered = Vec::new();
    let cumulative = LongTsn::starting_at(Tsn(FIRST)).plus(3);
    let mut newly = Newly::default();
    flight.acknowledge_up_to(cumulative, &mut newly, |_, _, is_delivered| {
        delivered.push(is_delivered);
    });
    assert_eq!(delivered, [false, false, false, true]);
    assert!(flight.skips(false).is_none());
}

#[test]
fn a_lifetime_ends_repetition() {
    let limit = Limit {
        expires: at(5),
        ..Limit::NONE
    };
    let mut flight = flight(2, limit);
    assert_eq!(flight.lose_oldest(at(5)), None);
    assert_eq!(flight.lose_oldest(at(6)), Some(1));
}
