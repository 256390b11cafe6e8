//! The state cookie (RFC 9260 section 5.1.3): what an INIT and its answer agreed on, held by the peer
//! until it proves that it got the answer.

use crate::random::Random;
use crate::types::{Time, Tsn, VerificationTag};
use crate::wire::{Supported, u16_at, u32_at};

/// What an end announces of itself in INIT or INIT ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) tag: VerificationTag,
    pub(crate) first_tsn: Tsn,
    pub(crate) window: u32,
    pub(crate) inbound_streams: u16,
    pub(crate) supported: Supported,
}

/// A cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) made_at: Time,
    pub(crate) local_tag: VerificationTag,
    pub(crate) local_tsn: Tsn,
    pub(crate) peer: Announced,
    /// The tags of the association that was there when the INIT came, to know a restart by
    /// (RFC 9260 section 5.2.2); zero if there was none.
    pub(crate) tie_tags: (VerificationTag, VerificationTag),
}

const FIELD_BYTES: usize = 39;

impl Cookie {
    const BYTES: usize = FIELD_BYTES + 8;

    /// Returns the cookie's bytes with their authentication code.
    pub(crate) fn write(&self, random: &Random) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::BYTES);
        out.extend(self.made_at.as_micros().to_be_bytes());
        for word in [
            self.local_tag.0,
            self.local_tsn.0,
            self.peer.tag.0,
            self.peer.first_tsn.0,
            self.peer.window,
            self.tie_tags.0.0,
            self.tie_tags.1.0,
        ] {
            out.extend(word.to_be_bytes());
        }
        out.extend(self.peer.inbound_streams.to_be_bytes());
        out.push(self.peer.supported.bits());
        let code = random.authenticate(&out);
        out.extend(code.to_be_bytes());
        out
    }

    /// Returns `None` for what is not a cookie of ours.
    pub(crate) fn parse(bytes: &[u8], random: &Random) -> Option<Self> {
        let (fields, code) = bytes.split_at_checked(FIELD_BYTES)?;
        // The time of the comparison says nothing useful: a forger has one guess in 2^64 per packet.
        if *code != random.authenticate(fields).to_be_bytes() {
            return None;
        }
        let tag = |at| VerificationTag(u32_at(fields, at));
        let micros = u64::from(u32_at(fields, 0)) << 32 | u64::from(u32_at(fields, 4));
        Some(Self {
            made_at: Time::from_micros(micros),
            local_tag: tag(8),
            local_tsn: Tsn(u32_at(fields, 12)),
            peer: Announced {
                tag: tag(16),
                first_tsn: Tsn(u32_at(fields, 20)),
                window: u32_at(fields, 24),
                inbound_streams: u16_at(fields, 36),
                supported: Supported::from_bits(fields[38]),
            },
            tie_tags: (tag(28), tag(32)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie() -> Cookie {
        Cookie {
            made_at: Time::from_micros(0x1_2345_6789),
            local_tag: VerificationTag(1),
            local_tsn: Tsn(2),
            peer: Announced {
                tag: VerificationTag(3),
                first_tsn: Tsn(4),
                window: 5,
                inbound_streams: 6,
                supported: Supported::from_bits(0b1010),
            },
            tie_tags: (VerificationTag(7), VerificationTag(8)),
        }
    }

    #[test]
    fn what_is_written_is_parsed_again() {
        let random = Random::new([1; 32]);
        let bytes = cookie().write(&random);
        assert_eq!(bytes.len(), Cookie::BYTES);
        assert_eq!(Cookie::parse(&bytes, &random), Some(cookie()));
    }

    #[test]
    fn forged_cookies_are_refused() {
        let random = Random::new([1; 32]);
        let bytes = cookie().write(&random);
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Cookie::parse(&forged, &random), None, "{bit}");
        }
        for len in 0..bytes.len() {
            assert_eq!(Cookie::parse(&bytes[..len], &random), None, "{len}");
        }
        assert_eq!(Cookie::parse(&bytes, &Random::new([2; 32])), None);
    }
}
