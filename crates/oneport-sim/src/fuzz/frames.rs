//! Frames of `oneport.v1` from bytes that somebody else chose.

use oneport_wire::frame::{
    ClientBody, ClientFrame, MESSAGE_GROWTH_BYTES_MAX, Message, Publish, ServerFrame,
};
use oneport_wire::{Kind, MemberId, Offset, UnixMillis};

/// The first byte says whose frame the others are, and of which kind. What is taken for a frame can be
/// encoded, is the same when it is decoded again, and encodes to the same bytes again.
///
/// # Panics
///
/// Where that is not so.
pub fn frames(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let kind = if choice & 1 == 0 {
        Kind::Text
    } else {
        Kind::Binary
    };
    match choice & 2 {
        0 => client(kind, bytes),
        _ => server(kind, bytes),
    }
}

fn client(kind: Kind, bytes: &[u8]) {
    let frame = match ClientFrame::decode(kind, bytes) {
        Ok(frame) => frame,
        Err(rejection) => {
            // Whatever is wrong with it, there is an answer.
            let answer = ServerFrame::from(rejection);
            let mut encoded = Vec::new();
            let kind = answer.encode_into(&mut encoded);
            assert_eq!(ServerFrame::decode(kind, &encoded), Ok(answer));
            return;
        }
    };
    let mut encoded = Vec::new();
    let kind = frame.encode_into(&mut encoded);
    let again = ClientFrame::decode(kind, &encoded).expect("what was encoded");
    assert_eq!(again, frame);
    let mut twice = Vec::new();
    assert_eq!(again.encode_into(&mut twice), kind);
    assert_eq!(twice, encoded);
    if let ClientBody::Publish(publish) = frame.body {
        let mut message = Vec::new();
        as_message(publish).encode_into(&mut message);
        assert!(message.len() <= bytes.len() + MESSAGE_GROWTH_BYTES_MAX);
    }
}

/// What others get of it, with the longest numbers.
fn as_message(publish: Publish<'_>) -> ServerFrame<'_> {
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

fn server(kind: Kind, bytes: &[u8]) {
    let Ok(frame) = ServerFrame::decode(kind, bytes) else {
        return;
    };
    let mut encoded = Vec::new();
    let kind = frame.encode_into(&mut encoded);
    let again = ServerFrame::decode(kind, &encoded).expect("what was encoded");
    assert_eq!(again, frame);
    let mut twice = Vec::new();
    assert_eq!(again.encode_into(&mut twice), kind);
    assert_eq!(twice, encoded);
}
