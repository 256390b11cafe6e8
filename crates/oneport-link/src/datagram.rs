//! What a datagram is, from its first bytes.

use str0m::ice::StunMessage;

/// What a datagram is (RFC 7983 section 7), as far as a relay for data channels cares.
#[derive(Debug, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// A STUN message with a USERNAME, `recipient:sender` (RFC 8445 section 7.2.2): a check.
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

impl<'a> Datagram<'a> {
    /// Looks at a datagram. Costs a few nanoseconds for DTLS, under a microsecond for STUN.
    pub fn classify(bytes: &'a [u8]) -> Self {
        match bytes.first() {
            Some(0..=1) => Self::classify_stun(bytes),
            Some(20..=63) => Self::Dtls,
            _ => Self::Unknown,
        }
    }

    fn classify_stun(bytes: &'a [u8]) -> Self {
        // 20 bytes are a header (RFC 8489 section 5), below which str0m's parser must not be asked.
        if bytes.len() < 20 {
            return Self::Unknown;
        }
        let Ok(message) = StunMessage::parse(bytes) else {
            return Self::Unknown;
        };
        match message.username().and_then(|name| name.split_once(':')) {
            Some((ufrag, _)) if message.is_binding_request() => Self::Check {
                ufrag,
                nominates: message.use_candidate(),
            },
            _ => Self::Stun,
        }
    }
}

/// Whether a datagram that we send is a STUN binding success response (RFC 8489 section 5: class
/// 0b10, method 1). One is only sent to an address whose check passed the integrity test.
pub(crate) fn is_binding_success(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x01, 0x01])
}

/// Whether a datagram that we send is STUN rather than DTLS.
pub(crate) fn is_stun(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0..=3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_first_byte() {
        assert_eq!(Datagram::classify(&[]), Datagram::Unknown);
        assert_eq!(Datagram::classify(&[22, 254, 253]), Datagram::Dtls);
        assert_eq!(Datagram::classify(&[128, 96]), Datagram::Unknown);
        assert_eq!(Datagram::classify(&[0; 19]), Datagram::Unknown);
        assert_eq!(Datagram::classify(&[0; 20]), Datagram::Unknown);
    }
}
