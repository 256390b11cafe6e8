use super::*;
use crate::event::Reliability;
use std::time::Duration;

fn channels() -> Channels {
    Channels::new(&Config::default(), Role::Client)
}

fn open(channels: &mut Channels) -> StreamId {
    channels.open(ChannelOptions::default()).expect("open")
}

/// Sends everything that is queued, a message a turn, and returns whose turns they were.
fn drain(channels: &mut Channels) -> Vec<u16> {
    let mut turns = Vec::new();
    while let Some((id, _)) = channels.scheduled() {
        if let Some((message, _)) = channels.take_scheduled(Time::START, false) {
            channels.note_sent(message.payload.len());
            turns.push(id.get());
        }
        channels.end_turn();
    }
    turns
}

fn send(channels: &mut Channels, id: StreamId, bytes: &[u8]) {
    channels
        .send(Time::START, id, bytes.into(), protocol::BINARY)
        .expect("sent");
}

#[test]
fn numbers_have_the_parity_of_the_role_and_the_lowest_free_one_is_taken() {
    let mut channels = channels();
    let ids: Vec<_> = (0..3).map(|_| open(&mut channels).get()).collect();
    assert_eq!(ids, [0, 2, 4]);
    drain(&mut channels);
    let two = StreamId::new(2);
    assert!(channels.close(two));
    assert_eq!(channels.take_drained(10), [two]);
    assert_eq!(channels.reset_incoming(two), None);
    assert_eq!(channels.reset_outgoing(two), Some(0));
    assert_eq!(open(&mut channels), two);
    let mut server = Channels::new(&Config::default(), Role::Server);
    assert_eq!(open(&mut server).get(), 1);
}

#[test]
fn there_are_no_more_channels_than_allowed() {
    let config = Config {
        channels_max: 3,
        ..Config::default()
    };
    let mut channels = Channels::new(&config, Role::Client);
    for _ in 0..3 {
        open(&mut channels);
    }
    let options = ChannelOptions::default();
    assert_eq!(channels.open(options.clone()), Err(OpenError::TooMany));
    assert!(!channels.accept(StreamId::new(1), &options, MessageSeq(1)));
    let mut channels = self::channels();
    channels.limit_streams(3);
    assert_eq!(
        [open(&mut channels).get(), open(&mut channels).get()],
        [0, 2]
    );
    assert_eq!(channels.open(options.clone()), Err(OpenError::TooMany));
    assert!(!channels.accept(StreamId::new(3), &options, MessageSeq(1)));
    assert!(channels.accept(StreamId::new(1), &options, MessageSeq(1)));
}

#[test]
fn negotiated_numbers_are_taken_once() {
    let mut channels = channels();
    let options = |id| ChannelOptions {
        negotiated: Some(StreamId::new(id)),
        ..ChannelOptions::default()
    };
    assert_eq!(channels.open(options(7)), Ok(StreamId::new(7)));
    assert!(!channels.has_scheduled(), "there is no handshake");
    assert_eq!(channels.open(options(7)), Err(OpenError::Unavailable));
    assert_eq!(channels.open(options(1024)), Err(OpenError::Unavailable));
}

#[test]
fn channels_take_turns() {
    let mut channels = channels();
    let (a, b) = (open(&mut channels), open(&mut channels));
    drain(&mut channels);
    for _ in 0..3 {
        send(&mut channels, a, b"a");
    }
    send(&mut channels, b, b"b");
    assert_eq!(channels.queued_bytes(), 4);
    assert_eq!(drain(&mut channels), [0, 2, 0, 0]);
    assert_eq!(channels.queued_bytes(), 0);
}

#[test]
fn what_expires_in_the_queue_is_dropped() {
    let mut channels = channels();
    let options = ChannelOptions {
        reliability: Reliability::Lifetime(Duration::from_millis(5)),
        ..ChannelOptions::default()
    };
    let id = channels.open(options).expect("open");
    drain(&mut channels);
    send(&mut channels, id, b"first");
    let later = Time::START.plus(Span::from_millis(6));
    channels
        .send(later, id, b"later"[..].into(), protocol::BINARY)
        .expect("sent");
    let (message, sequence) = channels.take_scheduled(later, false).expect("one is left");
    // OPEN was number 0; what was dropped has none.
    assert_eq!(sequence, MessageSeq(1));
    assert_eq!(message.payload.len(), 5);
    assert_eq!(channels.queued_bytes(), 5);
    assert_eq!(channels.abandoned(), 1);
}

#[test]
fn messages_before_the_confirmation_are_ordered() {
    let mut channels = channels();
    let options = ChannelOptions {
        unordered: true,
        ..ChannelOptions::default()
    };
    let id = channels.open(options).expect("open");
    drain(&mut channels);
    send(&mut channels, id, b"1");
    assert!(channels.get_mut(id).expect("there").confirm().is_some());
    assert!(channels.get_mut(id).expect("there").confirm().is_none());
    send(&mut channels, id, b"2");
    let order: Vec<_> = std::iter::from_fn(|| channels.take_scheduled(Time::START, false))
        .map(|(message, _)| message.is_unordered)
        .collect();
    assert_eq!(order, [false, true]);
}

#[test]
fn a_reset_by_the_peer_drops_what_was_not_begun() {
    let mut channels = channels();
    let id = open(&mut channels);
    drain(&mut channels);
    send(&mut channels, id, b"never read");
    assert_eq!(channels.reset_incoming(id), None);
    assert_eq!(channels.queued_bytes(), 0);
    assert_eq!(
        channels.send(Time::START, id, b"x"[..].into(), protocol::BINARY),
        Err(SendError::NoChannel)
    );
    assert_eq!(channels.take_drained(10), [id]);
    assert_eq!(channels.reset_outgoing(id), Some(0));
    assert_eq!(channels.count(), 0);
}

use crate::types::Span;
