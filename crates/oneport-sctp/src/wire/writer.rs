//! Writes one packet into a buffer of the caller.

use super::{CHUNK_HEADER_BYTES, COMMON_HEADER_BYTES, checksum};
use crate::types::VerificationTag;

/// A packet under way: a common header, then chunks.
#[derive(Debug)]
pub(crate) struct PacketWriter<'a> {
    out: &'a mut Vec<u8>,
    bytes_max: usize,
    needs_checksum: bool,
}

impl<'a> PacketWriter<'a> {
    /// Starts a packet in place of what is in `out`.
    pub(crate) fn new(
        out: &'a mut Vec<u8>,
        port: u16,
        tag: VerificationTag,
        bytes_max: usize,
    ) -> Self {
        out.clear();
        let mut header = [0; COMMON_HEADER_BYTES];
        header[..2].copy_from_slice(&port.to_be_bytes());
        header[2..4].copy_from_slice(&port.to_be_bytes());
        header[4..8].copy_from_slice(&tag.0.to_be_bytes());
        out.extend_from_slice(&header);
        Self {
            out,
            bytes_max,
            needs_checksum: false,
        }
    }

    /// Returns the number of bytes that a further chunk may have.
    pub(crate) fn room(&self) -> usize {
        self.bytes_max.saturating_sub(self.out.len())
    }

    /// Returns where the next chunk begins.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// Sets flags of the chunk that begins at `at`.
    pub(crate) fn set_flags(&mut self, at: usize, flags: u8) {
        self.out[at + 1] |= flags;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.out.len() == COMMON_HEADER_BYTES
    }

    /// Lets this packet be longer than others: a probe of the path.
    pub(crate) fn extend_to(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// The checksum is not left out, whatever the peer accepts.
    pub(crate) fn require_checksum(&mut self) {
        self.needs_checksum = true;
    }

    /// Appends a chunk of these parts, with padding. The caller has looked at [`Self::room`].
    pub(crate) fn chunk(&mut self, kind: u8, flags: u8, value: &[u8]) {
        let len = CHUNK_HEADER_BYTES + value.len();
        self.out.extend_from_slice(&[kind, flags]);
        // A chunk is within a packet, and a packet within a datagram.
        self.out.extend_from_slice(&(len as u16).to_be_bytes());
        self.out.extend_from_slice(value);
        self.pad();
    }

    /// Appends what `write` writes, with padding.
    pub(crate) fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(self.out);
        self.pad();
    }

    fn pad(&mut self) {
        let over = self.out.len() % 4;
        if over != 0 {
            self.out.extend_from_slice(&[0; 3][..4 - over]);
        }
    }

    /// Ends the packet. Returns false if there is no chunk in it.
    pub(crate) fn finish(self, may_omit_checksum: bool) -> bool {
        if self.is_empty() {
            return false;
        }
        if self.needs_checksum || !may_omit_checksum {
            let crc = checksum(self.out);
            self.out[8..COMMON_HEADER_BYTES].copy_from_slice(&crc.to_le_bytes());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::PacketView;

    #[test]
    fn chunks_are_padded_and_checked() {
        let mut out = vec![1, 2, 3];
        for (needs, may_omit) in [(false, false), (false, true), (true, true)] {
            let mut packet = PacketWriter::new(&mut out, 5000, VerificationTag(9), 100);
            assert_eq!(packet.room(), 88);
            packet.chunk(4, 1, b"hello");
            if needs {
                packet.require_checksum();
            }
            assert_eq!(packet.room(), 76);
            assert!(packet.finish(may_omit));
            let view = PacketView::new(&out).expect("a packet");
            assert_eq!(view.tag(), VerificationTag(9));
            assert_eq!(view.is_intact(), needs || !may_omit);
            assert_eq!(view.is_unchecked(), may_omit && !needs);
            let chunks: Vec<_> = view.chunks().map(|chunk| chunk.whole.to_vec()).collect();
            assert_eq!(chunks, [b"\x04\x01\x00\x09hello"]);
        }
        assert!(!PacketWriter::new(&mut out, 1, VerificationTag(1), 100).finish(false));
    }
}
