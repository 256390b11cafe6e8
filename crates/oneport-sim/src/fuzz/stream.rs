//! Datagrams in a stream that somebody else wrote.

use oneport_wire::rfc4571::{self, Decoder, FRAME_BYTES_MAX, FrameTooLong};

/// The first byte says in pieces of which size the others arrive. The pieces make no difference; what is found
/// is what a plain reading of RFC 4571 finds, and encodes to the bytes in which it was found.
///
/// # Panics
///
/// Where that is not so.
pub fn stream(data: &[u8]) {
    let Some((piece, stream)) = data.split_first() else {
        return;
    };
    let mut decoder = Decoder::default();
    let mut found = Vec::new();
    let mut end = Ok(());
    for piece in stream.chunks(usize::from(*piece).max(1)) {
        end = decoder.decode(piece, |datagram| found.push(datagram.to_vec()));
        if end.is_err() {
            break;
        }
    }
    let mut encoded = Vec::new();
    for datagram in &found {
        rfc4571::encode(datagram, &mut encoded).expect("what was decoded");
    }
    let rest = stream
        .strip_prefix(&encoded[..])
        .expect("what it was found in");
    let length = rest
        .first_chunk::<2>()
        .map(|length| usize::from(u16::from_be_bytes(*length)));
    match (end, length) {
        (Ok(()), None) => {}
        (Ok(()), Some(bytes)) => assert!(bytes <= FRAME_BYTES_MAX && rest.len() < 2 + bytes),
        (Err(FrameTooLong { bytes }), length) => {
            assert!(bytes > FRAME_BYTES_MAX && length == Some(bytes));
        }
    }
}
