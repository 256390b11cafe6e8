use super::*;
use crate::wire::{OutgoingReset, Reconfig, ResetResponse, ResetResult};

/// The number of a request, the last TSN before it, and its streams.
type Asked = (u32, u32, Vec<u16>);

/// Returns the fields of the request and the response in what was sent.
fn reconfigs(sent: &[Sent]) -> (Option<Asked>, Option<ResetResponse>) {
    let (mut request, mut answer) = (None, None);
    for sent in sent {
        let Sent::Other(kind::RECONFIG, value) = sent else {
            continue;
        };
        let Some(Reconfig::Known { reset, response }) = Reconfig::parse(value) else {
            panic!("{value:?}");
        };
        if let Some(reset) = reset {
            let streams = reset.streams().map(StreamId::get).collect();
            request = Some((reset.number, reset.last.0, streams));
        }
        answer = answer.or(response);
    }
    (request, answer)
}

fn respond(bench: &mut Bench, number: u32, result: ResetResult) {
    let chunk = ResetResponse { number, result }.chunk();
    bench.receive(&[(kind::RECONFIG, 0, &chunk[4..])]);
}

/// The peer asks; its requests are numbered from its first TSN on.
fn request(bench: &mut Bench, number: u32, last: u32, streams: &[u16]) {
    let streams: Vec<_> = streams.iter().map(|id| StreamId::new(*id)).collect();
    let last = Tsn(PEER_FIRST.wrapping_add(last));
    let mut chunk = Vec::new();
    OutgoingReset::write(
        PEER_FIRST.wrapping_add(number),
        0,
        last,
        &streams,
        &mut chunk,
    );
    let len = usize::from(u16::from_be_bytes([chunk[2], chunk[3]]));
    bench.receive(&[(kind::RECONFIG, 0, &chunk[4..len])]);
}

fn open() -> (Bench, StreamId) {
    Bench::open(ChannelOptions::default())
}

#[test]
fn closing_sends_everything_first_and_names_the_last_chunk() {
    let (mut bench, id) = open();
    for _ in 0..30 {
        bench.send(id, &[0; 1_000]);
    }
    bench.association.close(bench.now, id);
    let (early, _) = reconfigs(&bench.sent());
    assert_eq!(early, None, "the window is full");
    bench.pass(10);
    bench.acknowledge(5);
    bench.pass(1);
    bench.acknowledge(11);
    let (early, _) = reconfigs(&bench.sent());
    assert_eq!(early, None);
    bench.pass(10);
    bench.acknowledge(23);
    let (asked, _) = reconfigs(&bench.sent());
    let (number, last, streams) = asked.expect("everything was sent");
    assert_eq!((number, last), (bench.first, bench.first.wrapping_add(30)));
    assert_eq!(streams, [id.get()]);
    // In progress; then it is asked again.
    respond(&mut bench, number, ResetResult::InProgress);
    bench.acknowledge(31);
    bench.pass(3_000);
    let (again, _) = reconfigs(&bench.sent());
    assert_eq!(again, Some((number, last, streams)));
    respond(&mut bench, number, ResetResult::Performed);
    assert_eq!(bench.events(), [], "the peer's half is open");
    request(&mut bench, 0, 0, &[id.get()]);
    assert_eq!(bench.events(), [Event::ChannelClosed(id)]);
}

#[test]
fn a_reset_of_the_peer_waits_for_its_data_and_is_answered_again() {
    let (mut bench, id) = open();
    // Its TSN 1 is missing, TSN 2 has arrived.
    bench.data_at(2, 0, 2, 53, b"second", WHOLE);
    request(&mut bench, 0, 2, &[id.get()]);
    let (asked, answer) = reconfigs(&bench.sent());
    assert_eq!(asked, None);
    assert_eq!(
        answer.map(|answer| answer.result),
        Some(ResetResult::InProgress)
    );
    bench.data_at(1, 0, 1, 53, b"first", WHOLE);
    assert_eq!(bench.messages(), [&b"first"[..], b"second"]);
    let (asked, answer) = reconfigs(&bench.sent());
    assert_eq!(
        answer.map(|answer| answer.result),
        Some(ResetResult::Performed)
    );
    let (number, ..) = asked.expect("our half follows");
    // The answer was lost.
    request(&mut bench, 0, 2, &[id.get()]);
    let (_, answer) = reconfigs(&bench.sent());
    assert_eq!(
        answer.map(|answer| answer.result),
        Some(ResetResult::Performed)
    );
    respond(&mut bench, number, ResetResult::Performed);
    assert_eq!(bench.events(), [Event::ChannelClosed(id)]);
}

#[test]
fn a_number_is_used_again_at_once() {
    let (mut bench, id) = open();
    bench.association.close(bench.now, id);
    let (asked, _) = reconfigs(&bench.sent());
    let (number, ..) = asked.expect("at once");
    request(&mut bench, 0, 0, &[id.get()]);
    respond(&mut bench, number, ResetResult::Performed);
    assert_eq!(bench.events(), [Event::ChannelClosed(id)]);
    assert_eq!(
        bench.association.open(bench.now, ChannelOptions::default()),
        Ok(id)
    );
    let sent = bench.sent();
    let open = sent.iter().find(|sent| sent.kind() == kind::DATA);
    assert!(matches!(open, Some(Sent::Data { tsn: 1, .. })), "{sent:?}");
}

#[test]
fn the_peer_may_use_a_number_again_before_its_answer_is_here() {
    let mut bench = Bench::established();
    let open = [3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    bench.data(1, 50, &open);
    bench.sent();
    bench.acknowledge(1);
    request(&mut bench, 0, 0, &[1]);
    let (asked, _) = reconfigs(&bench.sent());
    let (number, ..) = asked.expect("our half follows");
    bench.events();
    // Its response to that is lost; it begins anew.
    bench.data_at(1, 1, 0, 50, &open, WHOLE);
    let id = StreamId::new(1);
    let events = bench.events();
    assert!(
        matches!(&events[..], [Event::ChannelClosed(a), Event::ChannelOpen(b, _)] if *a == id && *b == id),
        "{events:?}"
    );
    respond(&mut bench, number, ResetResult::Performed);
    assert_eq!(bench.events(), []);
    bench.send(id, b"it works");
    // The number of a stream's first message is zero again.
    assert!(bench.association.channels.get(id).is_some());
}

#[test]
fn a_denied_request_takes_a_number() {
    let (mut bench, id) = open();
    let mut value = vec![0, 17, 0, 12];
    value.extend(PEER_FIRST.to_be_bytes());
    value.extend([0, 1, 0, 0]);
    let result = |bench: &mut Bench| reconfigs(&bench.sent()).1.map(|answer| answer.result);
    for _ in 0..2 {
        bench.receive(&[(kind::RECONFIG, 0, &value)]);
        assert_eq!(result(&mut bench), Some(ResetResult::Denied));
    }
    request(&mut bench, 1, 0, &[id.get()]);
    assert_eq!(result(&mut bench), Some(ResetResult::Performed));
}

#[test]
fn a_request_may_have_another_number_after_it_was_in_progress() {
    let (mut bench, id) = open();
    let result = |bench: &mut Bench| reconfigs(&bench.sent()).1.map(|answer| answer.result);
    for number in 0..3 {
        request(&mut bench, number, 1, &[id.get()]);
        assert_eq!(result(&mut bench), Some(ResetResult::InProgress));
    }
    request(&mut bench, 4, 1, &[id.get()]);
    assert_eq!(result(&mut bench), Some(ResetResult::BadNumber));
    bench.data(id.get(), 53, b"last");
    assert_eq!(result(&mut bench), Some(ResetResult::Performed));
    request(&mut bench, 2, 1, &[id.get()]);
    assert_eq!(result(&mut bench), Some(ResetResult::Performed));
}
