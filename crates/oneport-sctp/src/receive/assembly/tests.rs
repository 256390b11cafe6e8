use super::*;
use crate::random::Random;
use crate::types::Tsn;
use crate::wire::flag;

fn at(n: u64) -> LongTsn {
    LongTsn::starting_at(Tsn(u32::MAX - 5)).plus(n)
}

fn assembly() -> Assembly {
    Assembly::new(1_000)
}

/// Fragment `index` of `count` of a message whose first fragment has the TSN `first`.
fn fragment(
    is_interleaved: bool,
    first: u64,
    index: u32,
    count: u32,
    sequence: u32,
) -> (Data<'static>, LongTsn) {
    let tsn = at(first + u64::from(index));
    let begins = if index == 0 { flag::BEGINS } else { 0 };
    let ends = if index + 1 == count { flag::ENDS } else { 0 };
    let payload: &'static [u8] =
        [b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7"][index as usize % 8];
    let header = DataHeader {
        tsn: tsn.wire(),
        stream: StreamId::new(1),
        sequence: MessageSeq(sequence),
        fragment: if is_interleaved { index } else { 0 },
        protocol: if is_interleaved && index > 0 { 0 } else { 53 },
        flags: begins | ends,
    };
    let data = Data {
        header,
        is_interleaved,
        payload,
    };
    (data, tsn)
}

#[test]
fn fragments_may_come_in_any_order() {
    let mut random = Random::new([1; 32]);
    for is_interleaved in [false, true] {
        for _ in 0..200 {
            let mut assembly = assembly();
            // Three messages of eight fragments, one after the other.
            let mut fragments: Vec<(u32, u32)> = (0..24).map(|n| (n / 8, n % 8)).collect();
            for n in (1..fragments.len()).rev() {
                let other = (random.u64() % (n as u64 + 1)) as usize;
                fragments.swap(n, other);
            }
            let mut whole = Vec::new();
            for (message, index) in fragments {
                let (data, tsn) =
                    fragment(is_interleaved, u64::from(message) * 8, index, 8, message);
                whole.extend(assembly.insert(&data, tsn).expect("it is small"));
            }
            whole.sort_by_key(|(message, _)| message.sequence);
            assert_eq!(whole.len(), 3);
            for (n, (message, last)) in whole.iter().enumerate() {
                assert_eq!(message.bytes, b"01234567");
                assert_eq!(message.protocol, 53);
                assert_eq!(*last, at(n as u64 * 8 + 7));
            }
            assert_eq!(assembly.charge(), 0);
        }
    }
}

#[test]
fn a_message_that_is_too_large_is_a_violation() {
    let mut assembly = Assembly::new(3);
    for index in 0..3 {
        let (data, tsn) = fragment(false, 0, index, 8, 0);
        assert_eq!(assembly.insert(&data, tsn), Ok(None));
    }
    let (data, tsn) = fragment(false, 0, 3, 8, 0);
    assert_eq!(assembly.insert(&data, tsn), Err(Violation::MessageTooLarge));
}

#[test]
fn fragments_in_order_are_one_part() {
    let mut assembly = assembly();
    for index in 0..7 {
        let (data, tsn) = fragment(false, 0, index, 8, 0);
        assembly.insert(&data, tsn).expect("small");
    }
    let run = assembly.runs.values().next().expect("a run");
    assert_eq!((run.parts.len(), run.bytes), (1, 7));
}

#[test]
fn one_byte_fragments_are_charged_and_cheap_in_any_order() {
    for is_reversed in [false, true] {
        let mut assembly = Assembly::new(1_000_000);
        let mut order: Vec<u32> = (1..4_000).collect();
        if is_reversed {
            order.reverse();
        }
        let steps = work::count(|| {
            for index in &order {
                let (data, tsn) = fragment(false, 0, *index, 5_000, 0);
                assembly.insert(&data, tsn).expect("small");
            }
        });
        assert!(steps <= 4_000, "{steps}");
        assert!(assembly.charge() >= 3_999);
    }
    // With holes, each is charged for what it takes.
    let mut assembly = Assembly::new(1_000_000);
    for index in 1..1_000 {
        let (data, tsn) = fragment(false, 0, 2 * index, 5_000, 0);
        assembly.insert(&data, tsn).expect("small");
    }
    assert!(assembly.charge() >= 999 * 2 * HELD_CHUNK_OVERHEAD);
}

#[test]
fn the_overdue_are_taken_in_the_order_of_sending() {
    let mut assembly = assembly();
    let message = |sequence| Received {
        stream: StreamId::new(1),
        sequence: MessageSeq(sequence),
        protocol: 53,
        is_unordered: false,
        bytes: vec![1],
    };
    assembly.wait((message(9), at(3)));
    assembly.wait((message(4), at(5)));
    assembly.wait((message(4), at(6)));
    assert_eq!(assembly.take_overdue(at(2)), None);
    assert_eq!(assembly.take_overdue(at(5)), Some(message(9)));
    assert_eq!(assembly.take_waiting(StreamId::new(1), MessageSeq(5)), None);
    assert_eq!(
        assembly.take_waiting(StreamId::new(1), MessageSeq(4)),
        Some(message(4))
    );
    assert_eq!(assembly.take_overdue(at(9)), None);
    assert_eq!(assembly.charge(), 0);
}

#[test]
fn orphans_are_dropped() {
    let mut assembly = assembly();
    // The begin of this one never comes, and the end of that one neither.
    let (middle, tsn) = fragment(false, 0, 1, 8, 0);
    assembly.insert(&middle, tsn).expect("small");
    let (first, tsn) = fragment(false, 4, 0, 8, 1);
    assembly.insert(&first, tsn).expect("small");
    assembly.drop_orphans(at(0));
    assert_eq!(assembly.runs.len(), 2);
    assembly.drop_orphans(at(4));
    assert_eq!(assembly.runs.len(), 1, "the second may go on at 5");
    assembly.drop_orphans(at(5));
    assert_eq!((assembly.runs.len(), assembly.charge()), (0, 0));
}

#[test]
fn given_up_messages_are_dropped_over_the_wrap() {
    let mut assembly = assembly();
    for sequence in [u32::MAX - 1, u32::MAX, 0, 1, 2] {
        let (data, tsn) = fragment(true, 0, 1, 8, sequence);
        assembly.insert(&data, tsn).expect("small");
    }
    let skip = Skip {
        stream: StreamId::new(1),
        is_unordered: false,
        sequence: MessageSeq(0),
    };
    assembly.skip_messages(&Skip {
        is_unordered: true,
        ..skip
    });
    assert_eq!(assembly.runs.len(), 5);
    assembly.skip_messages(&skip);
    let left: Vec<_> = (assembly.runs.values())
        .map(|run| run.header.sequence.0)
        .collect();
    assert_eq!(left, [1, 2]);
}
