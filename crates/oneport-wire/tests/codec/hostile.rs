//! Bytes that somebody else chose. None of them panics, and whatever is taken for a frame is one: it
//! can be encoded and decodes to itself.

use oneport_wire::Kind;
use oneport_wire::frame::{ClientFrame, ServerFrame};

use crate::model::Frame;
use crate::random::Random;
use crate::vectors::{Direction, vectors};

/// Whether it was taken for a frame of a client.
fn try_client(kind: Kind, bytes: &[u8]) -> bool {
    match ClientFrame::decode(kind, bytes) {
        Ok(frame) => {
            let (kind, encoded) = frame.encode();
            assert_eq!(ClientFrame::decode(kind, &encoded), Ok(frame));
            true
        }
        Err(rejection) => {
            assert!(rejection.message.len() <= 200, "{}", rejection.message);
            let answer = ServerFrame::from(rejection);
            let (kind, encoded) = answer.encode();
            assert_eq!(ServerFrame::decode(kind, &encoded), Ok(answer));
            false
        }
    }
}

/// Whether it was taken for a frame of the relay.
fn try_server(kind: Kind, bytes: &[u8]) -> bool {
    let Ok(frame) = ServerFrame::decode(kind, bytes) else {
        return false;
    };
    let (kind, encoded) = frame.encode();
    assert_eq!(ServerFrame::decode(kind, &encoded), Ok(frame));
    true
}

fn each_truncation(direction: &Direction, decode: fn(Kind, &[u8]) -> bool) {
    for vector in &direction.valid {
        let (kind, bytes) = vector.message.bytes();
        for length in 0..bytes.len() {
            let is_frame = decode(kind, &bytes[..length]);
            // Text ends with a brace; of a binary frame the payload may end anywhere.
            let is_white =
                kind == Kind::Text && bytes[length..].iter().all(u8::is_ascii_whitespace);
            assert!(
                !is_frame || kind == Kind::Binary || is_white,
                "{}",
                vector.name
            );
        }
    }
}

fn each_mutation(direction: &Direction, decode: fn(Kind, &[u8]) -> bool) {
    for vector in &direction.valid {
        let (kind, mut bytes) = vector.message.bytes();
        // A long run of one byte says no more than its ends.
        let is_amid_a_run = |bytes: &[u8], at: usize| {
            at >= 8
                && bytes[at - 8..bytes.len().min(at + 8)]
                    .iter()
                    .all(|b| *b == bytes[at])
        };
        for at in 0..bytes.len() {
            if is_amid_a_run(&bytes, at) {
                continue;
            }
            let original = bytes[at];
            let bits = (0..8).map(|bit| original ^ 1 << bit);
            for byte in bits.chain(*b"\"\\{}[],:0-\0\xff") {
                bytes[at] = byte;
                decode(kind, &bytes);
            }
            bytes[at] = original;
        }
    }
}

#[test]
fn each_truncation_of_each_frame_of_clients() {
    each_truncation(&vectors().client, try_client);
}

#[test]
fn each_truncation_of_each_frame_of_the_relay() {
    each_truncation(&vectors().server, try_server);
}

#[test]
fn mutations_of_each_byte_of_each_frame_of_clients() {
    each_mutation(&vectors().client, try_client);
}

#[test]
fn mutations_of_each_byte_of_each_frame_of_the_relay() {
    each_mutation(&vectors().server, try_server);
}

#[test]
fn random_bytes() {
    let mut random = Random(4);
    for _ in 0..50_000 {
        let bytes = random.bytes(64);
        for kind in [Kind::Text, Kind::Binary] {
            try_client(kind, &bytes);
            try_server(kind, &bytes);
        }
        // Random bytes seldom have a type.
        let mut typed = vec![random.pick(&[1, 2])];
        typed.extend(bytes);
        try_client(Kind::Binary, &typed);
        try_server(Kind::Binary, &typed);
    }
}

#[test]
fn random_pieces_of_frames() {
    const PIECES: [&str; 32] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "\\ud800",
        " ",
        "-",
        "1",
        "1e9",
        "null",
        "true",
        "\"t\":",
        "\"pub\"",
        "\"join\"",
        "\"msg\"",
        "\"ping\"",
        "\"room\":",
        "\"a\"",
        "\"text\":",
        "\"meta\":",
        "\"since\":",
        "\"to\":",
        "\"n\":",
        "\"from\":",
        "\"time\":",
        "\u{e9}",
        "{\"t\":",
    ];
    let mut random = Random(5);
    for _ in 0..50_000 {
        let count = random.below(24);
        let text: String = (0..count).map(|_| random.pick(&PIECES)).collect();
        try_client(Kind::Text, text.as_bytes());
        try_server(Kind::Text, text.as_bytes());
    }
}

#[test]
fn nested_a_hundred_thousand_deep() {
    let brackets = "[".repeat(100_000) + &"]".repeat(100_000);
    // `join` knows no `text`, so that it skips it as it skips `x`.
    for (member, is_frame) in [("x", true), ("text", true), ("meta", false)] {
        let text = format!(r#"{{"t":"join","room":"a","{member}":{brackets}}}"#);
        assert_eq!(
            try_client(Kind::Text, text.as_bytes()),
            is_frame,
            "{member}"
        );
    }
    assert!(!try_client(Kind::Text, brackets.as_bytes()));
    assert!(!try_server(Kind::Text, brackets.as_bytes()));
}
