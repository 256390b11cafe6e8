//! FORWARD-TSN (RFC 3758 section 3.2) and I-FORWARD-TSN (RFC 8260 section 2.3).

use super::{CHUNK_HEADER_BYTES, kind, u16_at, u32_at};
use crate::types::{MessageSeq, StreamId, Tsn};

/// What a sender will not send again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForwardTsn<'a> {
    pub(crate) cumulative: Tsn,
    pub(crate) is_interleaved: bool,
    skips: &'a [u8],
}

/// The last message of a stream that is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skip {
    pub(crate) stream: StreamId,
    /// Always false without interleaving: there, only ordered messages are listed.
    pub(crate) is_unordered: bool,
    pub(crate) sequence: MessageSeq,
}

impl<'a> ForwardTsn<'a> {
    /// Without entries, the chunk header included.
    pub(crate) const BYTES: usize = CHUNK_HEADER_BYTES + 4;

    pub(crate) const fn entry_bytes(is_interleaved: bool) -> usize {
        if is_interleaved { 8 } else { 4 }
    }

    pub(crate) fn parse(value: &'a [u8], is_interleaved: bool) -> Option<Self> {
        let (cumulative, skips) = value.split_at_checked(4)?;
        Some(Self {
            cumulative: Tsn(u32_at(cumulative, 0)),
            is_interleaved,
            skips,
        })
    }

    pub(crate) fn skips(&self) -> impl Iterator<Item = Skip> + 'a {
        let is_interleaved = self.is_interleaved;
        let entries = self.skips.chunks_exact(Self::entry_bytes(is_interleaved));
        entries.map(move |entry| Skip {
            stream: StreamId::new(u16_at(entry, 0)),
            is_unordered: is_interleaved && entry[3] & 1 != 0,
            sequence: MessageSeq(if is_interleaved {
                u32_at(entry, 4)
            } else {
                u32::from(u16_at(entry, 2))
            }),
        })
    }

    /// Appends a whole chunk.
    pub(crate) fn write(cumulative: Tsn, is_interleaved: bool, skips: &[Skip], out: &mut Vec<u8>) {
        let len = Self::BYTES + skips.len() * Self::entry_bytes(is_interleaved);
        out.push(if is_interleaved {
            kind::I_FORWARD_TSN
        } else {
            kind::FORWARD_TSN
        });
        out.push(0);
        out.extend((len as u16).to_be_bytes());
        out.extend(cumulative.0.to_be_bytes());
        for skip in skips {
            out.extend(skip.stream.get().to_be_bytes());
            if is_interleaved {
                out.extend([0, u8::from(skip.is_unordered)]);
                out.extend(skip.sequence.0.to_be_bytes());
            } else {
                out.extend((skip.sequence.0 as u16).to_be_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_parsed_again() {
        for is_interleaved in [false, true] {
            let skips = [(1, false, 7), (900, is_interleaved, 65_535)].map(
                |(stream, is_unordered, sequence)| Skip {
                    stream: StreamId::new(stream),
                    is_unordered,
                    sequence: MessageSeq(sequence),
                },
            );
            let mut bytes = Vec::new();
            ForwardTsn::write(Tsn(5), is_interleaved, &skips, &mut bytes);
            assert_eq!(usize::from(u16_at(&bytes, 2)), bytes.len());
            let forward = ForwardTsn::parse(&bytes[4..], is_interleaved).expect("it is whole");
            assert_eq!(forward.cumulative, Tsn(5));
            assert!(forward.skips().eq(skips));
        }
    }
}
