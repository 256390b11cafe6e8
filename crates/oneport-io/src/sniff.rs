//! What a TCP connection is, judged by its first bytes.

/// How many first bytes are looked at: as many as the longest pattern below needs.
pub(crate) const SNIFFED_BYTES_MAX: usize = 1;

/// What the first bytes of a TCP connection say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniff {
    /// Too few bytes to tell.
    NeedMore,
    /// A request line, or at least text that deserves a clear answer in HTTP.
    Http,
    /// Nothing that is spoken here.
    Unknown,
}

/// Judges a connection by its first bytes.
///
/// An HTTP request begins with a method (RFC 9110 section 9.1). Methods are upper-case by
/// convention only, so any letter counts: a 400 from the HTTP side says more than a closed socket.
///
/// The patterns that are to come cannot be taken for it. ICE-TCP begins with a frame length of two
/// bytes in network order (RFC 4571 section 2), then a STUN binding request, 0x00 0x01 with the magic
/// cookie 0x2112A442 at offset 6 of the stream (RFC 8489 section 5): the first byte stays below
/// 0x41, `A`, for every frame of less than 16,640 bytes. TLS begins with 0x16 0x03 (RFC 8446
/// section 5.1).
pub(crate) fn sniff(first: &[u8]) -> Sniff {
    match first {
        [] => Sniff::NeedMore,
        [byte, ..] if byte.is_ascii_alphabetic() => Sniff::Http,
        [_, ..] => Sniff::Unknown,
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
    fn others_are_unknown() {
        let stun_frame: &[u8] = &[0x00, 0x14, 0x00, 0x01];
        let client_hello: &[u8] = &[0x16, 0x03, 0x01];
        for first in [stun_frame, client_hello, b"\r\n", b" GET", b"\xff", b"0"] {
            assert_eq!(sniff(first), Sniff::Unknown, "{first:?}");
        }
    }
}
