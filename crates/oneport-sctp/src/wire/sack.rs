//! SACK (RFC 9260 section 3.3.4).

use super::{CHUNK_HEADER_BYTES, kind, u16_at, u32_at};
use crate::types::Tsn;

/// A selective acknowledgement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sack<'a> {
    pub(crate) cumulative: Tsn,
    pub(crate) window: u32,
    gaps: &'a [u8],
    duplicates: &'a [u8],
}

/// A run of chunks received beyond the first that is missing, as distances from the cumulative TSN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GapBlock {
    pub(crate) start: u16,
    pub(crate) end: u16,
}

impl<'a> Sack<'a> {
    const FIXED_BYTES: usize = 12;
    pub(crate) const ENTRY_BYTES: usize = 4;
    /// Without gap blocks and duplicates, the chunk header included.
    pub(crate) const BYTES: usize = CHUNK_HEADER_BYTES + Self::FIXED_BYTES;

    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let (fixed, rest) = value.split_at_checked(Self::FIXED_BYTES)?;
        let gap_bytes = usize::from(u16_at(fixed, 8)) * Self::ENTRY_BYTES;
        let duplicate_bytes = usize::from(u16_at(fixed, 10)) * Self::ENTRY_BYTES;
        let (gaps, rest) = rest.split_at_checked(gap_bytes)?;
        Some(Self {
            cumulative: Tsn(u32_at(fixed, 0)),
            window: u32_at(fixed, 4),
            gaps,
            duplicates: rest.get(..duplicate_bytes)?,
        })
    }

    pub(crate) fn gaps(&self) -> impl Iterator<Item = GapBlock> + 'a {
        let blocks = self.gaps.chunks_exact(Self::ENTRY_BYTES);
        blocks.map(|block| GapBlock {
            start: u16_at(block, 0),
            end: u16_at(block, 2),
        })
    }

    pub(crate) fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }

    pub(crate) fn duplicates(&self) -> impl Iterator<Item = Tsn> + 'a {
        let entries = self.duplicates.chunks_exact(Self::ENTRY_BYTES);
        entries.map(|entry| Tsn(u32_at(entry, 0)))
    }

    /// Appends a whole chunk.
    pub(crate) fn write(
        cumulative: Tsn,
        window: u32,
        gaps: &[GapBlock],
        duplicates: &[Tsn],
        out: &mut Vec<u8>,
    ) {
        let entries = gaps.len() + duplicates.len();
        let mut fixed = [0; Self::BYTES];
        fixed[0] = kind::SACK;
        let len = Self::BYTES + entries * Self::ENTRY_BYTES;
        fixed[2..4].copy_from_slice(&(len as u16).to_be_bytes());
        fixed[4..8].copy_from_slice(&cumulative.0.to_be_bytes());
        fixed[8..12].copy_from_slice(&window.to_be_bytes());
        fixed[12..14].copy_from_slice(&(gaps.len() as u16).to_be_bytes());
        fixed[14..16].copy_from_slice(&(duplicates.len() as u16).to_be_bytes());
        out.extend_from_slice(&fixed);
        for gap in gaps {
            out.extend(gap.start.to_be_bytes());
            out.extend(gap.end.to_be_bytes());
        }
        for duplicate in duplicates {
            out.extend(duplicate.0.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_parsed_again() {
        let gaps = [(2, 2), (4, 900)].map(|(start, end)| GapBlock { start, end });
        let duplicates = [Tsn(1), Tsn(u32::MAX)];
        let mut bytes = Vec::new();
        Sack::write(Tsn(9), 77, &gaps, &duplicates, &mut bytes);
        assert_eq!(usize::from(u16_at(&bytes, 2)), bytes.len());
        let sack = Sack::parse(&bytes[4..]).expect("it is whole");
        assert_eq!((sack.cumulative, sack.window), (Tsn(9), 77));
        assert!(sack.gaps().eq(gaps));
        assert!(sack.duplicates().eq(duplicates));
    }

    #[test]
    fn counts_beyond_the_chunk_are_refused() {
        let mut bytes = Vec::new();
        Sack::write(Tsn(9), 77, &[], &[Tsn(1)], &mut bytes);
        for at in [12, 14] {
            let mut bytes = bytes.clone();
            bytes[at..at + 2].copy_from_slice(&2u16.to_be_bytes());
            assert!(Sack::parse(&bytes[4..]).is_none());
        }
    }
}
