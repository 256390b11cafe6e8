use super::*;
use crate::channels::{Limit, Queued};
use crate::config::Config;
use crate::send::{Flight, Fragment};
use crate::types::{MessageSeq, StreamId};
use crate::wire::GapBlock;

fn at(millis: u64) -> Time {
    Time::START.plus(Span::from_millis(millis))
}

/// A path of 40 ms, and packets of one chunk each, one each millisecond.
fn world(count: u32) -> (Rack, RoundTrip, Flight) {
    let mut path = RoundTrip::new(&Config::default());
    for _ in 0..100 {
        path.measure(Span::from_millis(40));
    }
    let mut flight = Flight::new(Tsn(0));
    for n in 0..count {
        let message = Queued {
            payload: vec![0; 10].into(),
            protocol: 53,
            is_unordered: false,
            limit: Limit::NONE,
        };
        let messages = flight.messages_mut();
        let message = messages.begin(message, StreamId::new(0), 1, MessageSeq(n));
        messages.complete(message);
        let fragment = Fragment {
            message,
            offset: 0,
            fragment: 0,
            len: 10,
            flags: 3,
        };
        flight.send(at(n.into()), n, fragment);
    }
    (Rack::default(), path, flight)
}

fn acknowledge(rack: &mut Rack, path: &RoundTrip, flight: &mut Flight, now: u64, tsn: u16) {
    let mut newly = Newly::default();
    let block = GapBlock {
        start: tsn + 1,
        end: tsn + 1,
    };
    flight.acknowledge_gap(block, &mut newly);
    rack.note_acknowledged(at(now), &newly, path);
}

fn verdict(rack: &Rack, path: &RoundTrip, flight: &Flight, now: u64) -> Verdict {
    let (_, chunk) = flight.oldest().expect("in flight");
    rack.judge(at(now), chunk, path)
}

#[test]
fn a_packet_that_one_overtook_is_lost_a_quarter_of_a_round_trip_later() {
    let (mut rack, path, mut flight) = world(2);
    assert_eq!(verdict(&rack, &path, &flight, 100), Verdict::Unknown);
    acknowledge(&mut rack, &path, &mut flight, 41, 1);
    let due = Verdict::LostAt(at(50));
    assert_eq!(verdict(&rack, &path, &flight, 41), due);
    assert_eq!(verdict(&rack, &path, &flight, 50), Verdict::Lost);
}

#[test]
fn three_overtakers_suffice_until_something_was_reordered() {
    let (mut rack, path, mut flight) = world(5);
    acknowledge(&mut rack, &path, &mut flight, 43, 3);
    assert_eq!(verdict(&rack, &path, &flight, 43), Verdict::Lost);
    acknowledge(&mut rack, &path, &mut flight, 44, 2);
    assert_eq!(verdict(&rack, &path, &flight, 44), Verdict::LostAt(at(50)));
}

#[test]
fn duplicates_of_what_was_repeated_widen_the_window() {
    let (mut rack, path, mut flight) = world(5);
    acknowledge(&mut rack, &path, &mut flight, 41, 1);
    let point = |n| LongTsn::starting_at(Tsn(0)).plus(n);
    // A duplicate of something else says nothing.
    rack.note_repeated(Tsn(0));
    rack.note_duplicates([Tsn(7)].into_iter(), point(0), point(4));
    assert_eq!(rack.widened, 0);
    rack.note_duplicates([Tsn(0)].into_iter(), point(0), point(4));
    assert_eq!(verdict(&rack, &path, &flight, 41), Verdict::LostAt(at(60)));
    // Once in a round trip.
    rack.note_repeated(Tsn(1));
    rack.note_duplicates([Tsn(1)].into_iter(), point(3), point(9));
    assert_eq!(rack.widened, 1);
    rack.note_repeated(Tsn(2));
    rack.note_duplicates([Tsn(2)].into_iter(), point(4), point(9));
    assert_eq!(rack.widened, 2);
    // Not beyond the round trip.
    rack.widened = WIDENED_MAX;
    assert_eq!(verdict(&rack, &path, &flight, 41), Verdict::LostAt(at(80)));
    for _ in 0..RECOVERIES_KEPT {
        rack.note_recovery();
    }
    assert_eq!(rack.widened, 0);
}

#[test]
fn an_early_acknowledgement_of_a_repeated_packet_is_of_the_first() {
    let (mut rack, path, mut flight) = world(2);
    flight.lose_oldest(at(50));
    let tsn = flight.next_lost().expect("lost");
    flight.send_again(at(50), 2, tsn);
    let mut newly = Newly::default();
    flight.acknowledge_up_to(tsn, &mut newly, |_, _, _| {});
    rack.note_acknowledged(at(51), &newly, &path);
    assert_eq!(verdict(&rack, &path, &flight, 51), Verdict::Unknown);
}

#[test]
fn only_the_last_repetitions_are_remembered() {
    let mut rack = Rack::default();
    for tsn in 0..1_000 {
        rack.note_repeated(Tsn(tsn));
    }
    assert_eq!(rack.repeated.len(), REPEATED_MAX);
}
