//! What a datagram is, from its first bytes.

/// What a datagram is (RFC 7983 section 7), as far as a relay for data channels cares.
#[derive(Debug, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// A STUN binding request with a USERNAME, `recipient:sender` (RFC 8445 section 7.2.2): a check.
    Check {
        /// The recipient's user name fragment: ours, if the check is for us.
        ufrag: &'a str,
        /// Whether the peer nominates the path.
        nominates: bool,
    },
    /// Another STUN message.
    Stun,
    /// A DTLS record.
    Dtls,
    /// Nothing that we take: media, or garbage.
    Unknown,
}

/// RFC 8489 section 5.
const HEADER_BYTES: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
/// Class 0b10 (success response) of the binding method.
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];

/// RFC 8489 section 18.3 and RFC 8445 section 20.1.
const USERNAME: u16 = 0x0006;
const USE_CANDIDATE: u16 = 0x0025;

impl<'a> Datagram<'a> {
    /// Looks at a datagram, without believing any of it. Costs a few nanoseconds, also for what
    /// strangers send: only what names a user that we know is worth a parser.
    pub fn classify(bytes: &'a [u8]) -> Self {
        match bytes.first() {
            Some(0..=3) if bytes.len() >= HEADER_BYTES && bytes[4..8] == MAGIC_COOKIE => {
                Self::classify_stun(bytes)
            }
            Some(20..=63) => Self::Dtls,
            _ => Self::Unknown,
        }
    }

    fn classify_stun(bytes: &'a [u8]) -> Self {
        if !bytes.starts_with(&BINDING_REQUEST) {
            return Self::Stun;
        }
        let mut ufrag = None;
        let mut nominates = false;
        let mut rest = &bytes[HEADER_BYTES..];
        while let Some((kind, value, following)) = split_attribute(rest) {
            rest = following;
            match kind {
                USERNAME => ufrag = std::str::from_utf8(value).ok(),
                USE_CANDIDATE => nominates = true,
                _ => {}
            }
        }
        match ufrag.and_then(|name| name.split_once(':')) {
            Some((ufrag, _)) => Self::Check { ufrag, nominates },
            None => Self::Stun,
        }
    }
}

/// The first attribute's type and value, and what follows: values are padded to multiples of four
/// (RFC 8489 section 14).
fn split_attribute(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let kind = u16::from_be_bytes([head[0], head[1]]);
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let value = rest.get(..length)?;
    let following = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, value, following))
}

/// Whether a datagram that we send is a STUN binding success response. One is only sent to an
/// address whose check passed the integrity test.
pub(crate) fn is_binding_success(bytes: &[u8]) -> bool {
    bytes.starts_with(&BINDING_SUCCESS)
}

/// Whether a datagram that we send is STUN rather than DTLS.
pub(crate) fn is_stun(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0..=3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attributes: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend([7; 12]);
        bytes.extend(attributes);
        bytes
    }

    #[test]
    fn by_first_byte() {
        assert_eq!(Datagram::classify(&[]), Datagram::Unknown);
        assert_eq!(Datagram::classify(&[22, 254, 253]), Datagram::Dtls);
        assert_eq!(Datagram::classify(&[128, 96]), Datagram::Unknown);
        assert_eq!(Datagram::classify(&[0; 19]), Datagram::Unknown);
        assert_eq!(
            Datagram::classify(&[0; 20]),
            Datagram::Unknown,
            "no magic cookie"
        );
        assert_eq!(Datagram::classify(&check(&[])), Datagram::Stun);
    }

    #[test]
    fn a_check_says_for_whom_it_is() {
        let username = b"\x00\x06\x00\x05us:me\x00\x00\x00";
        let ufrag = "us";
        let bytes = check(username);
        let nominates = false;
        assert_eq!(
            Datagram::classify(&bytes),
            Datagram::Check { ufrag, nominates }
        );
        let bytes = check(&[&username[..], b"\x00\x25\x00\x00"].concat());
        let nominates = true;
        assert_eq!(
            Datagram::classify(&bytes),
            Datagram::Check { ufrag, nominates }
        );
    }

    #[test]
    fn every_truncation_is_survived() {
        let bytes = check(b"\x00\x25\x00\x00\x00\x06\x00\x05us:me\x00\x00\x00\x00\x06\xff\xff");
        for length in 0..bytes.len() {
            let _ = Datagram::classify(&bytes[..length]);
        }
        for text in [
            &b"\x00\x06\x00\x02\xc3\x28\x00\x00"[..],
            b"\x00\x06\x00\x02us\x00\x00",
        ] {
            assert_eq!(Datagram::classify(&check(text)), Datagram::Stun);
        }
    }
}
