//! The common header and the walk over a packet's chunks (RFC 9260 sections 3.1 and 3.2).

use super::{CHUNK_HEADER_BYTES, COMMON_HEADER_BYTES, RawChunk, u16_at, u32_at};
use crate::types::VerificationTag;

/// A packet whose common header is there. Its chunks are split, but not parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PacketView<'a> {
    bytes: &'a [u8],
}

impl<'a> PacketView<'a> {
    /// Returns `None` for what cannot hold a chunk.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let is_long_enough = bytes.len() >= COMMON_HEADER_BYTES + CHUNK_HEADER_BYTES;
        is_long_enough.then_some(Self { bytes })
    }

    pub(crate) fn tag(self) -> VerificationTag {
        VerificationTag(u32_at(self.bytes, 4))
    }

    /// Returns true if the checksum is that of the bytes.
    pub(crate) fn is_intact(self) -> bool {
        self.stated_checksum() == checksum(self.bytes)
    }

    /// Returns true if the sender left the checksum out (RFC 9653).
    pub(crate) fn is_unchecked(self) -> bool {
        self.stated_checksum() == 0
    }

    fn stated_checksum(self) -> u32 {
        // The one field in the other byte order (RFC 9260 appendix A).
        u32_at(self.bytes, 8).swap_bytes()
    }

    pub(crate) fn first_kind(self) -> u8 {
        self.bytes[COMMON_HEADER_BYTES]
    }

    /// Iterates over the chunks up to the first that does not fit.
    pub(crate) fn chunks(self) -> impl Iterator<Item = RawChunk<'a>> {
        let mut rest = &self.bytes[COMMON_HEADER_BYTES..];
        std::iter::from_fn(move || {
            let len = usize::from(u16_at(rest.get(..CHUNK_HEADER_BYTES)?, 2));
            let whole = rest.get(..len).filter(|_| len >= CHUNK_HEADER_BYTES)?;
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
            Some(RawChunk { whole })
        })
    }
}

/// Returns the CRC32c of a packet whose checksum field counts as zero.
pub(crate) fn checksum(packet: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&packet[..8]);
    let crc = crc32c::crc32c_append(crc, &[0; 4]);
    crc32c::crc32c_append(crc, &packet[COMMON_HEADER_BYTES..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(chunks: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x13, 0x88, 0x13, 0x88, 0, 0, 0, 7, 0, 0, 0, 0];
        packet.extend(chunks);
        packet
    }

    fn lengths(chunks: &[u8]) -> Vec<usize> {
        let packet = packet(chunks);
        let view = PacketView::new(&packet).expect("long enough");
        view.chunks().map(|chunk| chunk.whole.len()).collect()
    }

    #[test]
    fn chunks_are_padded_and_the_last_need_not_be() {
        assert_eq!(lengths(&[1, 0, 0, 5, 9, 0, 0, 0, 2, 0, 0, 6, 1, 2]), [5, 6]);
    }

    #[test]
    fn the_walk_ends_at_a_length_that_is_wrong() {
        for length in [0, 1, 3, 9, 255] {
            assert_eq!(lengths(&[1, 0, 0, 4, 2, 0, 0, length, 0, 0, 0, 0]), [4]);
        }
        assert!(PacketView::new(&packet(&[1, 0, 0])).is_none());
    }

    #[test]
    fn a_changed_bit_is_found() {
        let mut packet = packet(&[1, 0, 0, 4]);
        let crc = checksum(&packet);
        packet[8..12].copy_from_slice(&crc.to_le_bytes());
        assert!(PacketView::new(&packet).expect("a packet").is_intact());
        for bit in 0..packet.len() * 8 {
            let mut changed = packet.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!PacketView::new(&changed).expect("a packet").is_intact());
        }
    }
}
