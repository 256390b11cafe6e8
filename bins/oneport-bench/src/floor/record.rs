//! One delivery as one DTLS 1.2 record: what of it costs CPU, and its size.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;

/// The record's header (RFC 6347, section 4.1), which the seal covers too.
const HEADER: usize = 13;
/// The part of the nonce that is sent along (RFC 5288, section 3).
const NONCE: usize = 8;
/// A common SCTP header and that of a DATA chunk (RFC 9260, sections 3.1 and 3.3.1).
const SCTP: usize = 28;
const TAG: usize = 16;

/// What fits into one datagram on every path that WebRTC uses.
pub(super) const PAYLOAD_MAX: usize = 1200 - HEADER - NONCE - SCTP - TAG;

/// Seals records of one size.
pub(super) struct Sealer {
    key: LessSafeKey,
    plain: Vec<u8>,
}

impl Sealer {
    pub(super) fn new(payload_bytes: usize, key: [u8; 16]) -> Result<Self, Unspecified> {
        Ok(Self {
            key: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?),
            plain: vec![b'.'; SCTP + payload_bytes.min(PAYLOAD_MAX)],
        })
    }

    /// Writes the record of a message for one of its receivers. When it was due is its nonce, so that the
    /// receiver can tell without the key; receivers, who would have keys of their own, have salts.
    pub(super) fn seal(
        &self,
        receiver: u32,
        due_ns: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Unspecified> {
        let body = NONCE + self.plain.len() + TAG;
        out.clear();
        // Application data, DTLS 1.2, epoch 1; then a sequence number.
        out.extend_from_slice(&[23, 0xfe, 0xfd, 0, 1]);
        out.extend_from_slice(&due_ns.to_be_bytes()[2..]);
        out.extend_from_slice(&(body as u16).to_be_bytes());
        out.extend_from_slice(&due_ns.to_be_bytes());
        out.extend_from_slice(&self.plain);
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&receiver.to_be_bytes());
        nonce[4..].copy_from_slice(&due_ns.to_be_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let (head, plain) = out.split_at_mut(HEADER + NONCE);
        let aad = Aad::from(&head[..HEADER]);
        let tag = self.key.seal_in_place_separate_tag(nonce, aad, plain)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }
}

/// When the message in a record was due.
pub(super) fn due_ns(record: &[u8]) -> Option<u64> {
    let nonce = record.get(HEADER..)?.first_chunk()?;
    Some(u64::from_be_bytes(*nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_its_size_and_its_time() {
        let sealer = Sealer::new(100, [7; 16]).expect("a key");
        let (mut one, mut other) = (Vec::new(), Vec::new());
        sealer.seal(1, 1 << 60, &mut one).expect("it fits");
        sealer.seal(2, 1 << 60, &mut other).expect("it fits");
        assert_eq!(one.len(), 100 + 28 + 13 + 8 + 16);
        assert_eq!(due_ns(&one), Some(1 << 60));
        assert_eq!(one[..21], other[..21]);
        assert_ne!(one[21..], other[21..]);
        assert_eq!(due_ns(&one[..20]), None);
    }
}
