use super::*;
use crate::error::CloseReason;

/// The association begins. Returns the tag of its INIT.
fn connect(bench: &mut Bench) {
    bench.association.connect(bench.now);
    let sent = bench.sent();
    assert!(
        matches!(&sent[..], [Sent::Other(kind::INIT, _)]),
        "{sent:?}"
    );
}

fn answer(bench: &mut Bench, cookie: &[u8], tag: u32) {
    let value = init(cookie, tag);
    bench.receive(&[(kind::INIT_ACK, 0, &value)]);
}

#[test]
fn the_four_steps() {
    let mut bench = Bench::closed();
    connect(&mut bench);
    answer(&mut bench, b"cookie", PEER_TAG);
    assert_eq!(
        bench.sent(),
        [Sent::Other(kind::COOKIE_ECHO, b"cookie".into())]
    );
    assert!(!bench.association.is_established());
    bench.receive(&[(kind::COOKIE_ACK, 0, &[])]);
    assert_eq!(bench.events(), [Event::Established]);
    // A second one changes nothing.
    bench.receive(&[(kind::COOKIE_ACK, 0, &[])]);
    assert_eq!(bench.events(), []);
}

#[test]
fn data_goes_with_the_cookie_and_not_alone() {
    let mut bench = Bench::closed();
    bench
        .association
        .open(bench.now, ChannelOptions::default())
        .expect("open");
    connect(&mut bench);
    answer(&mut bench, b"cookie", PEER_TAG);
    let kinds: Vec<_> = bench.sent().iter().map(Sent::kind).collect();
    assert_eq!(kinds, [kind::COOKIE_ECHO, kind::DATA]);
    bench
        .association
        .open(bench.now, ChannelOptions::default())
        .expect("open");
    assert_eq!(bench.sent(), []);
    bench.receive(&[(kind::COOKIE_ACK, 0, &[])]);
    assert_eq!(bench.sent_tsns(), [1]);
}

#[test]
fn init_and_cookie_echo_are_repeated_and_given_up() {
    let mut bench = Bench::with(Config {
        timeouts_max: Some(3),
        ..config()
    });
    connect(&mut bench);
    for wait in [500, 1_000] {
        bench.pass(wait - 1);
        assert_eq!(bench.sent(), []);
        bench.pass(1);
        assert_eq!(bench.sent().len(), 1);
    }
    answer(&mut bench, b"c", PEER_TAG);
    bench.sent();
    for _ in 0..10 {
        bench.pass(3_000);
        bench.sent();
    }
    assert_eq!(bench.events(), [Event::Closed(CloseReason::TimedOut)]);
    assert_eq!(bench.association.poll_timeout(), None);
}

#[test]
fn an_init_leaves_no_state() {
    let mut bench = Bench::closed();
    let before = format!("{:?}", bench.association.channels);
    let cookie = bench.ask_for_cookie(1);
    bench.ask_for_cookie(2);
    assert_eq!(format!("{:?}", bench.association.channels), before);
    assert_eq!(bench.association.poll_timeout(), None);
    // The first one is still good: nothing was overwritten.
    bench.receive(&[(kind::COOKIE_ECHO, 0, &cookie)]);
    assert_eq!(bench.events(), [Event::Established]);
    assert_eq!(bench.association.handshake.peer_tag(), VerificationTag(1));
}

#[test]
fn inits_are_answered_at_a_bounded_rate() {
    let mut bench = Bench::established();
    let value = init(&[], 5);
    let init = packet(VerificationTag::NONE, &[(kind::INIT, 0, &value)]);
    let mut answers = 0;
    for _ in 0..100 {
        bench.association.handle_packet(bench.now, &init);
        answers += bench.sent().len();
    }
    // One was answered to get here.
    assert_eq!(answers + 1, crate::config::INIT_ANSWERS_MAX as usize);
    bench.pass(1_000);
    bench.association.handle_packet(bench.now, &init);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn both_begin_at_once() {
    // Ours is answered, and theirs too: which COOKIE ECHO comes first does not matter.
    let mut bench = Bench::closed();
    connect(&mut bench);
    let cookie = bench.ask_for_cookie(PEER_TAG);
    bench.receive(&[(kind::COOKIE_ECHO, 0, &cookie)]);
    assert_eq!(bench.events(), [Event::Established]);
    assert_eq!(bench.sent(), [Sent::Other(kind::COOKIE_ACK, vec![])]);
    answer(&mut bench, b"late", PEER_TAG);
    assert_eq!(bench.sent(), []);

    let mut bench = Bench::closed();
    connect(&mut bench);
    let cookie = bench.ask_for_cookie(PEER_TAG);
    answer(&mut bench, b"cookie", PEER_TAG);
    bench.sent();
    bench.receive(&[(kind::COOKIE_ECHO, 0, &cookie)]);
    assert_eq!(bench.events(), [Event::Established]);
    assert_eq!(bench.sent(), [Sent::Other(kind::COOKIE_ACK, vec![])]);
    bench.receive(&[(kind::COOKIE_ACK, 0, &[])]);
    assert_eq!(bench.events(), []);
}

#[test]
fn stale_and_forged_cookies() {
    let mut bench = Bench::closed();
    let cookie = bench.ask_for_cookie(PEER_TAG);
    let mut forged = cookie.clone();
    forged[20] ^= 1;
    bench.receive(&[(kind::COOKIE_ECHO, 0, &forged)]);
    assert_eq!((bench.sent(), bench.events()), (vec![], vec![]));
    bench.pass(60_001);
    bench.receive(&[(kind::COOKIE_ECHO, 0, &cookie)]);
    assert_eq!(bench.events(), []);
    assert!(!bench.association.is_established());
    let error = vec![0, 3, 0, 8, 0, 0, 3, 232];
    assert_eq!(bench.sent(), [Sent::Other(kind::ERROR, error)]);
}

#[test]
fn a_stale_cookie_of_the_peer_means_to_begin_again() {
    let mut bench = Bench::closed();
    connect(&mut bench);
    answer(&mut bench, b"cookie", PEER_TAG);
    bench.sent();
    bench.receive(&[(kind::ERROR, 0, &[0, 3, 0, 8, 0, 0, 0, 1])]);
    assert!(matches!(&bench.sent()[..], [Sent::Other(kind::INIT, _)]));
}

#[test]
fn wrong_tags_are_dropped() {
    let mut bench = Bench::established();
    for tag in [0, PEER_TAG, bench.tag.0 ^ 1] {
        let abort = packet(VerificationTag(tag), &[(kind::ABORT, 0, &[])]);
        bench.association.handle_packet(bench.now, &abort);
    }
    assert_eq!(bench.events(), []);
    assert_eq!(bench.association.stats().packets_dropped, 3);
    // With the T bit, it may be our own tag that comes back.
    let abort = packet(VerificationTag(PEER_TAG), &[(kind::ABORT, 1, &[])]);
    bench.association.handle_packet(bench.now, &abort);
    assert_eq!(
        bench.events(),
        [Event::Closed(CloseReason::PeerAborted(None))]
    );
}

#[test]
fn an_init_with_others_in_its_packet_brings_nothing_else() {
    let mut bench = Bench::established();
    let value = init(&[], 5);
    // INIT first: what follows is dropped. INIT later: its tag is not zero.
    let both: [(u8, u8, &[u8]); 2] = [(kind::INIT, 0, &value), (kind::ABORT, 0, &[])];
    bench
        .association
        .handle_packet(bench.now, &packet(VerificationTag::NONE, &both));
    bench.sent();
    bench.receive(&[(kind::HEARTBEAT, 0, b"x"), (kind::INIT, 0, &value)]);
    let kinds: Vec<_> = bench.sent().iter().map(Sent::kind).collect();
    assert_eq!(kinds, [kind::HEARTBEAT_ACK]);
    assert_eq!(bench.events(), []);
}

#[test]
fn a_restart_of_the_peer_ends_all_channels() {
    let (mut bench, id) = Bench::open(ChannelOptions::default());
    bench.send(id, b"never acknowledged");
    bench.sent();
    let cookie = bench.ask_for_cookie(99);
    // Nothing has happened yet.
    assert_eq!(bench.events(), []);
    let value = &cookie[..];
    let tag = u32::from_be_bytes(cookie[8..12].try_into().expect("four"));
    let echo = packet(VerificationTag(tag), &[(kind::COOKIE_ECHO, 0, value)]);
    bench.association.handle_packet(bench.now, &echo);
    assert_eq!(bench.events(), [Event::ChannelClosed(id), Event::Restarted]);
    bench.tag = VerificationTag(tag);
    assert_eq!(bench.sent(), [Sent::Other(kind::COOKIE_ACK, vec![])]);
    assert_eq!(
        bench.association.open(bench.now, ChannelOptions::default()),
        Ok(id)
    );
}

#[test]
fn a_wrong_checksum_is_dropped_and_a_missing_one_only_where_agreed() {
    for zero_checksum in [false, true] {
        let mut bench = Bench::established_with(Config {
            zero_checksum,
            ..config()
        });
        let mut heartbeat = packet(bench.tag, &[(kind::HEARTBEAT, 0, b"1234")]);
        heartbeat[8] ^= 1;
        bench.association.handle_packet(bench.now, &heartbeat);
        assert_eq!(bench.sent(), []);
        heartbeat[8..12].fill(0);
        bench.association.handle_packet(bench.now, &heartbeat);
        assert_eq!(bench.sent().len(), usize::from(zero_checksum));
    }
}

#[test]
fn there_is_no_heartbeat_before_the_association_is_established() {
    let mut bench = Bench::with(Config {
        heartbeat_interval: Some(Duration::from_secs(1)),
        ..config()
    });
    let cookie = bench.ask_for_cookie(PEER_TAG);
    assert_eq!(bench.association.poll_timeout(), None);
    bench.receive(&[(kind::COOKIE_ECHO, 0, &cookie)]);
    bench.sent();
    let timer = bench.association.poll_timeout().map(|(_, timer)| timer);
    assert_eq!(timer, Some(crate::Timer::Heartbeat));
}

#[test]
fn nothing_is_read_after_a_restart_that_is_not_accepted() {
    let (mut bench, id) = Bench::open(ChannelOptions::default());
    let cookie = bench.ask_for_cookie(0x8888);
    bench.send(id, b"last");
    bench.association.shutdown(bench.now);
    bench.sent();
    let new_tag = u32::from_be_bytes([cookie[8], cookie[9], cookie[10], cookie[11]]);
    let data = data_chunk(1, id.get(), 1, 53, b"of another association", WHOLE);
    let packet = packet(
        VerificationTag(new_tag),
        &[
            (kind::COOKIE_ECHO, 0, &cookie),
            (kind::DATA, WHOLE, &data[4..]),
        ],
    );
    bench.association.handle_packet(bench.now, &packet);
    assert_eq!(bench.events(), []);
}
