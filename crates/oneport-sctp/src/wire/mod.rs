//! Packets, chunks and parameters as bytes (RFC 9260 section 3).
//!
//! Everything here is checked when it is parsed: whoever holds a typed view reads it without bounds of
//! its own.

mod chunk;
mod data;
mod forward;
mod init;
mod packet;
mod reconfig;
mod sack;
mod writer;

pub(crate) use chunk::{Chunk, RawChunk, kind};
pub(crate) use data::{Data, DataHeader, flag};
pub(crate) use forward::{ForwardTsn, Skip};
pub(crate) use init::{Init, Supported};
pub(crate) use packet::{PacketView, checksum};
pub(crate) use reconfig::{OutgoingReset, Reconfig, ResetResponse, ResetResult};
pub(crate) use sack::{GapBlock, Sack};
pub(crate) use writer::PacketWriter;

/// Source port, destination port, verification tag, checksum.
pub(crate) const COMMON_HEADER_BYTES: usize = 12;

/// Type, flags, length.
pub(crate) const CHUNK_HEADER_BYTES: usize = 4;

/// Reads 16 bits in network order. The caller has checked the length.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// Reads 32 bits in network order. The caller has checked the length.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Iterates over type, length and value, padded to four bytes: parameters and error causes.
pub(crate) fn parameters(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let len = usize::from(u16_at(rest.get(..4)?, 2));
        let value = rest.get(4..len)?;
        let kind = u16_at(rest, 0);
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_end_where_they_do_not_fit() {
        let bytes = [0, 1, 0, 5, 7, 0, 0, 0, 0, 2, 0, 4, 0, 3, 0, 9, 1];
        let found: Vec<_> = parameters(&bytes).collect();
        assert_eq!(found, [(1, &[7][..]), (2, &[][..])]);
        // A length below that of the header itself does not loop.
        assert_eq!(parameters(&[0, 1, 0, 0, 0, 0, 0, 0]).count(), 0);
        assert_eq!(parameters(&[0, 1, 0]).count(), 0);
    }
}
