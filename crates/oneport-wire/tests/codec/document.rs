//! PROTOCOL.md says what the code does.

use std::collections::BTreeSet;

use oneport_wire::frame::{
    ClientFrame, HistoryBegin, MESSAGE_GROWTH_BYTES_MAX, Member, ServerFrame,
};
use oneport_wire::*;

use crate::model::{Frame, unhex};
use crate::vectors::{types, vectors};

const DOCUMENT: &str = include_str!("../../PROTOCOL.md");

/// The text from this heading to the next one of the same depth.
fn section(heading: &str) -> &'static str {
    let start = format!("\n{heading}\n");
    let depth = heading.split(' ').next().expect("a heading");
    let (_, text) = DOCUMENT
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {heading}"));
    text.split_once(&format!("\n{depth} "))
        .map_or(text, |(section, _)| section)
}

/// The rows of the first table, each cell without white space around it, without its head.
fn table(section: &str) -> Vec<Vec<String>> {
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

fn code_row(word: &str, fault: Fault, retry_helps: bool, meaning: &str) -> Vec<String> {
    let retry = if retry_helps { "yes" } else { "no" };
    [&format!("`{word}`"), fault.as_str(), retry, meaning]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn codes_of_err() {
    let rows = ErrorCode::ALL
        .iter()
        .map(|c| code_row(c.as_str(), c.fault(), c.retry_helps(), c.meaning()));
    assert_eq!(
        table(section("### Codes of `err`")),
        rows.collect::<Vec<_>>()
    );
}

#[test]
fn codes_of_bye() {
    let rows = ByeCode::ALL
        .iter()
        .map(|c| code_row(c.as_str(), c.fault(), c.retry_helps(), c.meaning()));
    assert_eq!(
        table(section("### Codes of `bye`")),
        rows.collect::<Vec<_>>()
    );
}

#[test]
fn fixed_limits() {
    let limits = [
        ("a message of the relay", MESSAGE_BYTES_MAX),
        ("a frame of a client", CLIENT_FRAME_BYTES_MAX),
        (
            "what a `msg` is longer than its `pub`",
            MESSAGE_GROWTH_BYTES_MAX,
        ),
        ("a room's name", RoomName::BYTES_MAX),
        ("a member's name", MemberName::BYTES_MAX),
        ("metadata", Meta::BYTES_MAX),
        (
            "arrays and objects in each other in metadata",
            Meta::DEPTH_MAX,
        ),
        ("a topic", Topic::BYTES_MAX),
        ("an id of a frame", RequestId::BYTES_MAX),
        ("the message of a kick", Notice::BYTES_MAX),
        ("an access token", AccessToken::BYTES_MAX),
        ("recipients of a message", Recipients::COUNT_MAX),
        ("members on a page", Member::PAGE_MAX),
        ("authors in a `history_begin`", HistoryBegin::AUTHORS_MAX),
        ("silence before a link is dead", SILENCE_MS_MAX as usize),
    ];
    let in_document: Vec<(String, usize)> = table(section("## 4. Limits"))
        .into_iter()
        .map(|row| {
            let number = row[1].split(' ').next().expect("a number");
            (
                row[0].clone(),
                number.replace(',', "").parse().expect("a number"),
            )
        })
        .collect();
    assert_eq!(
        in_document,
        limits.map(|(what, limit)| (what.to_owned(), limit))
    );
}

#[test]
fn every_type_has_its_section() {
    let vectors = vectors();
    for (heading, direction) in [
        ("## 5. Frames of the client", &vectors.client),
        ("## 6. Frames of the relay", &vectors.server),
    ] {
        let headings = section(heading)
            .lines()
            .filter_map(|line| line.strip_prefix("### "));
        let described: BTreeSet<&str> = headings.map(|types| types.trim_matches('`')).collect();
        assert_eq!(described, types(direction), "{heading}");
    }
}

/// Lines that begin with `C: ` or `S: ` are frames of the client or the server, as JSON or as
/// hexadecimal digits.
#[test]
fn examples_are_frames() {
    let mut count = 0;
    for line in DOCUMENT.lines() {
        let (is_client, frame) = match (line.strip_prefix("C: "), line.strip_prefix("S: ")) {
            (Some(frame), _) => (true, frame),
            (_, Some(frame)) => (false, frame),
            _ => continue,
        };
        let (kind, bytes) = if frame.starts_with('{') {
            (Kind::Text, frame.as_bytes().to_vec())
        } else {
            (Kind::Binary, unhex(&frame.replace(' ', "")))
        };
        let encoded = if is_client {
            ClientFrame::decode(kind, &bytes).expect(line).encode()
        } else {
            ServerFrame::decode(kind, &bytes).expect(line).encode()
        };
        assert!(encoded == (kind, bytes), "{line}");
        count += 1;
    }
    assert!(count > 40, "{count}");
}
