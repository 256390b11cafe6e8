//! What a TCP connection is, judged by its first bytes.

use oneport_wire::rfc4571::FRAME_BYTES_MAX;

/// How many first bytes are looked at: as many as the longest pattern below needs.
pub(crate) const SNIFFED_BYTES_MAX: usize = 10;

/// How ICE-TCP begins, by its place in the stream: behind the length of the frame, a STUN binding request with
/// the magic cookie (RFC 8489 section 5).
const CHECK: [(usize, u8); 6] = [
    (2, 0x00),
    (3, 0x01),
    (6, 0x21),
    (7, 0x12),
    (8, 0xa4),
    (9, 0x42),
];

/// How TLS begins: with a handshake record, of a version that is never anything but 3 point something
/// (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
const TLS_MAJOR: u8 = 0x03;

/// What the first bytes of a TCP connection say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniff {
    /// Too few bytes to tell.
    NeedMore,
    /// A request line, or at least text that deserves a clear answer in HTTP; or the TLS around it.
    Http,
    /// A connectivity check in a frame: the connection carries datagrams.
    Framed,
    /// Nothing that is spoken here.
    Unknown,
}

/// Judges a connection by its first bytes.
///
/// An HTTP request begins with a method (RFC 9110 section 9.1). Methods are upper-case by
/// convention only, so any letter counts: a 400 from the HTTP side says more than a closed socket.
///
/// ICE-TCP begins with a frame length of two bytes in network order (RFC 4571 section 2), of which the
/// first is below that of every letter and of TLS, as no frame is as long.
pub(crate) fn sniff(first: &[u8]) -> Sniff {
    match first {
        [] => Sniff::NeedMore,
        [byte, ..] if byte.is_ascii_alphabetic() => Sniff::Http,
        [TLS_HANDSHAKE] => Sniff::NeedMore,
        [TLS_HANDSHAKE, TLS_MAJOR, ..] => Sniff::Http,
        [high] if usize::from(*high) <= FRAME_BYTES_MAX >> 8 => Sniff::NeedMore,
        [high, low, ..] if is_length_of_check([*high, *low]) => sniff_check(first),
        [_, ..] => Sniff::Unknown,
    }
}

/// A STUN message has at least its header (RFC 8489 section 5).
fn is_length_of_check(length: [u8; 2]) -> bool {
    const HEADER_BYTES: usize = 20;
    (HEADER_BYTES..=FRAME_BYTES_MAX).contains(&usize::from(u16::from_be_bytes(length)))
}

fn sniff_check(first: &[u8]) -> Sniff {
    let differs = |(at, wanted): &(usize, u8)| first.get(*at).is_some_and(|byte| byte != wanted);
    if CHECK.iter().any(differs) {
        Sniff::Unknown
    } else if first.len() < SNIFFED_BYTES_MAX {
        Sniff::NeedMore
    } else {
        Sniff::Framed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_needs_more() {
        assert_eq!(sniff(b""), Sniff::NeedMore);
    }

    #[test]
    fn letters_are_http() {
        for first in ["G", "GET / HTTP/1.1\r\n", "OPTIONS", "get", "Zebra"] {
            assert_eq!(sniff(first.as_bytes()), Sniff::Http, "{first}");
        }
    }

    #[test]
    fn so_is_the_tls_around_it() {
        assert_eq!(sniff(&[0x16]), Sniff::NeedMore);
        assert_eq!(sniff(&[0x16, 0x03]), Sniff::Http);
        assert_eq!(sniff(&[0x16, 0x03, 0x01]), Sniff::Http);
    }

    #[test]
    fn others_are_unknown() {
        let no_cookie: &[u8] = &[0x00, 0x14, 0x00, 0x01, 0x00, 0x00, 0x21, 0x13];
        let no_length: &[u8] = &[0x00, 0x13];
        for first in [
            no_cookie,
            no_length,
            b"\x16\x02",
            b"\r\n\r\n",
            b" GET",
            b"\xff",
            b"0",
        ] {
            assert_eq!(sniff(first), Sniff::Unknown, "{first:?}");
        }
    }

    #[test]
    fn a_check_in_a_frame_carries_datagrams() {
        let first = [0x00, 0x64, 0x00, 0x01, 0x00, 0x50, 0x21, 0x12, 0xa4, 0x42];
        assert_eq!(sniff(&first), Sniff::Framed);
        for length in 0..first.len() {
            assert_eq!(sniff(&first[..length]), Sniff::NeedMore, "{length}");
        }
        for (at, _) in CHECK {
            let mut other = first;
            other[at] ^= 0x10;
            assert_eq!(sniff(&other), Sniff::Unknown, "{at}");
        }
    }
}
