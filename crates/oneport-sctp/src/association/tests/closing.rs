use super::*;
use crate::error::{CloseReason, OpenError, SendError};

#[test]
fn a_shutdown_waits_for_what_was_sent() {
    let (mut bench, id) = Bench::open(ChannelOptions::default());
    bench.send(id, b"last words");
    bench.association.shutdown(bench.now);
    assert_eq!(bench.sent_tsns(), [1]);
    let refused = bench
        .association
        .send(bench.now, id, Kind::Text, b"x"[..].into());
    assert_eq!(refused, Err(SendError::NoChannel));
    let refused = bench.association.open(bench.now, ChannelOptions::default());
    assert_eq!(refused, Err(OpenError::Closed));
    bench.acknowledge(2);
    let kinds: Vec<_> = bench.sent().iter().map(Sent::kind).collect();
    assert_eq!(kinds, [kind::SHUTDOWN]);
    // It is repeated; and also said again if data comes.
    bench.pass(1_000);
    assert_eq!(bench.sent().len(), 1);
    bench.data(id.get(), 53, b"more");
    let kinds: Vec<_> = bench.sent().iter().map(Sent::kind).collect();
    assert_eq!(
        kinds,
        [kind::SHUTDOWN, kind::SACK]
            .into_iter()
            .filter(|kind| kinds.contains(kind))
            .collect::<Vec<_>>()
    );
    assert!(kinds.contains(&kind::SHUTDOWN));
    bench.events();
    bench.receive(&[(kind::SHUTDOWN_ACK, 0, &[])]);
    assert_eq!(bench.events(), [Event::Closed(CloseReason::Shutdown)]);
    assert_eq!(bench.sent(), [Sent::Other(kind::SHUTDOWN_COMPLETE, vec![])]);
    assert_eq!(bench.sent(), []);
    assert_eq!(bench.association.poll_timeout(), None);
}

#[test]
fn a_shutdown_of_the_peer_is_answered_when_all_is_acknowledged() {
    let (mut bench, id) = Bench::open(ChannelOptions::default());
    bench.send(id, b"under way");
    bench.sent();
    let cumulative = bench.first.to_be_bytes();
    bench.receive(&[(kind::SHUTDOWN, 0, &cumulative)]);
    assert_eq!(bench.sent(), []);
    // SHUTDOWN acknowledges as well.
    let cumulative = bench.first.wrapping_add(1).to_be_bytes();
    bench.receive(&[(kind::SHUTDOWN, 0, &cumulative)]);
    assert_eq!(bench.sent(), [Sent::Other(kind::SHUTDOWN_ACK, vec![])]);
    bench.receive(&[(kind::SHUTDOWN_COMPLETE, 0, &[])]);
    assert_eq!(bench.events(), [Event::Closed(CloseReason::PeerShutdown)]);
}

#[test]
fn both_shut_down_at_once() {
    let mut bench = Bench::established();
    bench.association.shutdown(bench.now);
    bench.sent();
    let cumulative = bench.first.wrapping_sub(1).to_be_bytes();
    bench.receive(&[(kind::SHUTDOWN, 0, &cumulative)]);
    assert_eq!(bench.sent(), [Sent::Other(kind::SHUTDOWN_ACK, vec![])]);
    bench.receive(&[(kind::SHUTDOWN_ACK, 0, &[])]);
    assert_eq!(bench.sent(), [Sent::Other(kind::SHUTDOWN_COMPLETE, vec![])]);
    assert_eq!(bench.events(), [Event::Closed(CloseReason::PeerShutdown)]);
}

#[test]
fn an_unanswered_shutdown_ends() {
    let mut bench = Bench::established();
    bench.association.shutdown(bench.now);
    for _ in 0..1_000 {
        bench.sent();
        bench.pass(100);
    }
    assert_eq!(bench.events(), [Event::Closed(CloseReason::TimedOut)]);
}

#[test]
fn aborts_say_why() {
    let mut bench = Bench::established();
    bench.association.abort(bench.now, "going away");
    let sent = bench.sent();
    let [Sent::Other(kind::ABORT, value)] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(value[..], *b"\0\x0c\0\x0egoing away");
    assert_eq!(bench.events(), [Event::Closed(CloseReason::Aborted)]);
    let mut other = Bench::established();
    other.receive(&[(kind::ABORT, 0, value)]);
    let reason = CloseReason::PeerAborted(Some("going away".into()));
    assert_eq!(other.events(), [Event::Closed(reason)]);
    // Nothing follows.
    other.receive(&[(kind::HEARTBEAT, 0, b"x")]);
    assert_eq!(other.sent(), []);
}

#[test]
fn a_peer_that_still_sends_is_waited_for() {
    let (mut bench, id) = Bench::open(ChannelOptions::default());
    bench.association.shutdown(bench.now);
    bench.sent();
    for _ in 0..30 {
        bench.data(id.get(), 53, b"more");
        bench.sent();
    }
    assert_eq!(bench.messages().len(), 30);
    // Some silence is no end.
    for _ in 0..5 {
        bench.pass(1_000);
        bench.sent();
    }
    assert_eq!(bench.events(), []);
}
