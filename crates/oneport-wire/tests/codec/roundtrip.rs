//! What can be constructed can be encoded, decodes to itself, and fits a message.

use std::collections::BTreeSet;

use oneport_wire::frame::{
    Author, ClientBody, ClientFrame, HistoryBegin, MESSAGE_GROWTH_BYTES_MAX, Member, MembersPage,
    Message, Publish, ServerFrame,
};
use oneport_wire::{
    CLIENT_FRAME_BYTES_MAX, Kind, MESSAGE_BYTES_MAX, MemberId, Offset, Payload, UnixMillis,
};

use crate::model::Frame;
use crate::random::Random;
use crate::vectors::{types, vectors};

const FRAMES: usize = 10_000;

#[test]
fn frames_of_clients() {
    let mut random = Random(1);
    let mut seen = BTreeSet::new();
    for _ in 0..FRAMES {
        let frame = random.client_frame();
        let (kind, bytes) = frame.encode();
        assert_eq!(ClientFrame::decode(kind, &bytes), Ok(frame.clone()));
        seen.insert(frame.model()["t"].as_str().expect("a type").to_owned());
    }
    assert!(seen.iter().eq(types(&vectors().client)));
}

#[test]
fn frames_of_the_relay() {
    let mut random = Random(2);
    let mut seen = BTreeSet::new();
    for _ in 0..FRAMES {
        let frame = random.server_frame();
        let (kind, bytes) = frame.encode();
        assert_eq!(ServerFrame::decode(kind, &bytes), Ok(frame.clone()));
        seen.insert(frame.model()["t"].as_str().expect("a type").to_owned());
    }
    assert!(seen.iter().eq(types(&vectors().server)));
}

#[test]
fn encoding_appends() {
    let frame = ServerFrame::Ping { n: 1 };
    let mut out = b"before".to_vec();
    assert_eq!(frame.encode_into(&mut out), Kind::Text);
    assert_eq!(out, br#"before{"t":"ping","n":1}"#);
}

#[test]
fn a_payload_without_escapes_is_not_copied() {
    let text = br#"{"t":"pub","room":"a","text":"\u00e9 at the end of this one: "}"#;
    let plain = br#"{"t":"pub","room":"a","text":"plain"}"#;
    assert!(matches!(
        text_of(plain),
        std::borrow::Cow::Borrowed("plain")
    ));
    assert!(matches!(text_of(text), std::borrow::Cow::Owned(_)));
}

fn text_of(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match ClientFrame::decode(Kind::Text, bytes).map(|frame| frame.body) {
        Ok(ClientBody::Publish(Publish {
            payload: Payload::Text(text),
            ..
        })) => text,
        other => panic!("{other:?}"),
    }
}

/// The `msg` that becomes of a `pub`, with the longest numbers.
fn longest_message(publish: Publish<'_>) -> ServerFrame<'_> {
    ServerFrame::from(Message {
        room: publish.room,
        offset: Some(Offset::MAX),
        from: MemberId::new(u32::MAX),
        time: UnixMillis::MAX,
        topic: publish.topic,
        to: publish.to,
        payload: publish.payload,
    })
}

#[test]
fn a_message_is_hardly_longer_than_what_was_published() {
    const { assert!(CLIENT_FRAME_BYTES_MAX + MESSAGE_GROWTH_BYTES_MAX <= MESSAGE_BYTES_MAX) };
    let mut random = Random(3);
    let published: Vec<(Kind, Vec<u8>)> = vectors()
        .client
        .valid
        .iter()
        .map(|vector| vector.message.bytes())
        .chain((0..FRAMES).map(|_| {
            let frame = ClientFrame::from(ClientBody::Publish(random.publish()));
            frame.encode()
        }))
        .collect();
    let mut growth_max = 0;
    for (kind, bytes) in &published {
        let frame = ClientFrame::decode(*kind, bytes).expect("a frame");
        if let ClientBody::Publish(publish) = frame.body {
            let (_, message) = longest_message(publish).encode();
            growth_max = growth_max.max(message.len() as isize - bytes.len() as isize);
        }
    }
    assert_eq!(growth_max, MESSAGE_GROWTH_BYTES_MAX as isize);
}

#[test]
fn a_full_page_of_members_fits_a_message() {
    let member = Member {
        id: MemberId::new(u32::MAX),
        name: Some("\"".repeat(64).parse().expect("a name")),
        meta: Some(
            format!("\"{}\"", "x".repeat(2046))
                .parse()
                .expect("metadata"),
        ),
        away: true,
    };
    let page = ServerFrame::Members(MembersPage {
        id: Some("\"".repeat(64).parse().expect("an id")),
        room: "r".repeat(64).parse().expect("a room"),
        offset: Offset::MAX,
        total: u32::MAX,
        members: vec![member; Member::PAGE_MAX],
        more: true,
    });
    let (_, bytes) = page.encode();
    // `joined` has a few members more, all short.
    assert!(bytes.len() + 1024 <= MESSAGE_BYTES_MAX, "{}", bytes.len());
}

#[test]
fn the_names_of_the_most_authors_fit_a_message() {
    let author = Author {
        id: MemberId::new(u32::MAX),
        name: "\"".repeat(64).parse().expect("a name"),
    };
    let frame_bytes = |count| {
        let begin = ServerFrame::HistoryBegin(HistoryBegin {
            id: Some("\"".repeat(64).parse().expect("an id")),
            room: "r".repeat(64).parse().expect("a room"),
            authors: vec![author.clone(); count],
        });
        begin.encode().1.len()
    };
    assert_eq!(frame_bytes(2) - frame_bytes(1), Author::BYTES_MAX);
    let bytes = frame_bytes(HistoryBegin::AUTHORS_MAX);
    assert!(bytes <= MESSAGE_BYTES_MAX, "{bytes}");
}
