//! DATA (RFC 9260 section 3.3.1) and I-DATA (RFC 8260 section 2.1).

use super::{RawChunk, kind, u16_at, u32_at};
use crate::types::{MessageSeq, StreamId, Tsn};

/// Flags of DATA and I-DATA.
pub(crate) mod flag {
    pub(crate) const ENDS: u8 = 1;
    pub(crate) const BEGINS: u8 = 2;
    pub(crate) const UNORDERED: u8 = 4;
    /// Acknowledge without delay (RFC 7053).
    pub(crate) const IMMEDIATE: u8 = 8;
}

/// The fields of a chunk of user data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataHeader {
    pub(crate) tsn: Tsn,
    pub(crate) stream: StreamId,
    /// The SSN, which means nothing if the message is unordered; or the MID.
    pub(crate) sequence: MessageSeq,
    /// The number of the fragment in its message, with I-DATA.
    pub(crate) fragment: u32,
    /// The payload protocol identifier. With I-DATA, only the first fragment carries it.
    pub(crate) protocol: u32,
    /// As in [`flag`].
    pub(crate) flags: u8,
}

/// A fragment of a message, or all of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Data<'a> {
    pub(crate) header: DataHeader,
    pub(crate) is_interleaved: bool,
    /// At least one byte.
    pub(crate) payload: &'a [u8],
}

impl DataHeader {
    /// Of DATA, the chunk header included.
    pub(crate) const BYTES: usize = 16;
    /// Of I-DATA, the chunk header included.
    pub(crate) const INTERLEAVED_BYTES: usize = 20;

    pub(crate) fn begins(&self) -> bool {
        self.flags & flag::BEGINS != 0
    }

    pub(crate) fn ends(&self) -> bool {
        self.flags & flag::ENDS != 0
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.begins() && self.ends()
    }

    pub(crate) fn is_unordered(&self) -> bool {
        self.flags & flag::UNORDERED != 0
    }

    pub(crate) fn is_immediate(&self) -> bool {
        self.flags & flag::IMMEDIATE != 0
    }

    pub(crate) const fn bytes(is_interleaved: bool) -> usize {
        if is_interleaved {
            Self::INTERLEAVED_BYTES
        } else {
            Self::BYTES
        }
    }

    /// Appends the header of a chunk with `len` bytes of payload.
    pub(crate) fn write(&self, is_interleaved: bool, len: u16, out: &mut Vec<u8>) {
        let mut bytes = [0; Self::INTERLEAVED_BYTES];
        let size = Self::bytes(is_interleaved);
        bytes[1] = self.flags;
        bytes[2..4].copy_from_slice(&(size as u16 + len).to_be_bytes());
        bytes[4..8].copy_from_slice(&self.tsn.0.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.stream.get().to_be_bytes());
        if is_interleaved {
            bytes[0] = kind::I_DATA;
            bytes[12..16].copy_from_slice(&self.sequence.0.to_be_bytes());
            let shared = if self.begins() {
                self.protocol
            } else {
                self.fragment
            };
            bytes[16..20].copy_from_slice(&shared.to_be_bytes());
        } else {
            bytes[0] = kind::DATA;
            // The sequence number of a message that is not interleaved stays within 16 bits.
            bytes[10..12].copy_from_slice(&(self.sequence.0 as u16).to_be_bytes());
            bytes[12..16].copy_from_slice(&self.protocol.to_be_bytes());
        }
        out.extend_from_slice(&bytes[..size]);
    }
}

impl<'a> Data<'a> {
    /// A chunk without payload is refused (RFC 9260 section 6.2: the peer must not send it).
    pub(crate) fn parse(chunk: RawChunk<'a>) -> Option<Self> {
        let (bytes, flags) = (chunk.whole, chunk.flags());
        let is_interleaved = chunk.kind() == kind::I_DATA;
        let size = DataHeader::bytes(is_interleaved);
        let (head, payload) = bytes.split_at_checked(size)?;
        let begins = flags & flag::BEGINS != 0;
        let (sequence, fragment, protocol) = if is_interleaved {
            let shared = u32_at(head, 16);
            let (fragment, protocol) = if begins { (0, shared) } else { (shared, 0) };
            (u32_at(head, 12), fragment, protocol)
        } else {
            (u32::from(u16_at(head, 10)), 0, u32_at(head, 12))
        };
        let header = DataHeader {
            tsn: Tsn(u32_at(head, 4)),
            stream: StreamId::new(u16_at(head, 8)),
            sequence: MessageSeq(sequence),
            fragment,
            protocol,
            flags,
        };
        (!payload.is_empty()).then_some(Self {
            header,
            is_interleaved,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_parsed_again() {
        for is_interleaved in [false, true] {
            for flags in 0..16 {
                let begins = flags & flag::BEGINS != 0;
                let header = DataHeader {
                    tsn: Tsn(u32::MAX - 1),
                    stream: StreamId::new(513),
                    sequence: MessageSeq(if is_interleaved { 0x1_0002 } else { 0xfffe }),
                    fragment: if is_interleaved && !begins { 77 } else { 0 },
                    protocol: if is_interleaved && !begins { 0 } else { 53 },
                    flags,
                };
                let mut bytes = Vec::new();
                header.write(is_interleaved, 3, &mut bytes);
                bytes.extend(b"abc");
                let data = Data::parse(RawChunk { whole: &bytes }).expect("it is whole");
                assert_eq!(data.header, header);
                assert_eq!(data.payload, b"abc");
                assert_eq!(data.is_interleaved, is_interleaved);
            }
        }
    }

    #[test]
    fn empty_data_is_refused() {
        let mut bytes = vec![0; DataHeader::BYTES];
        assert!(Data::parse(RawChunk { whole: &bytes }).is_none());
        bytes.push(1);
        assert!(Data::parse(RawChunk { whole: &bytes }).is_some());
    }
}
