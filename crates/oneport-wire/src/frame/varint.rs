//! Integers of 1, 2, 4 or 8 bytes (RFC 9000 section 16): the two highest bits of the first byte say
//! of how many, the rest is the number in network byte order.

/// A number below 2^62, all that a varint can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VarInt(u64);

impl VarInt {
    pub(super) fn get(self) -> u64 {
        self.0
    }

    /// Appends it in as few bytes as it takes.
    pub(super) fn encode_into(self, out: &mut Vec<u8>) {
        let bytes = self.0.to_be_bytes();
        let (length, mark) = match self.0 {
            0..=0x3f => (1, 0b00),
            0x40..=0x3fff => (2, 0b01),
            0x4000..=0x3fff_ffff => (4, 0b10),
            _ => (8, 0b11),
        };
        let start = out.len();
        out.extend_from_slice(&bytes[8 - length..]);
        out[start] |= mark << 6;
    }

    /// Takes one from the front, however many bytes it was written with.
    pub(super) fn take(input: &mut &[u8]) -> Option<Self> {
        let length = 1 << (input.first()? >> 6);
        let (bytes, rest) = input.split_at_checked(length)?;
        *input = rest;
        let first = u64::from(bytes[0] & 0x3f);
        let number = bytes[1..]
            .iter()
            .fold(first, |n, byte| n << 8 | u64::from(*byte));
        Some(Self(number))
    }
}

impl From<u32> for VarInt {
    fn from(number: u32) -> Self {
        Self(number.into())
    }
}

impl From<crate::Offset> for VarInt {
    fn from(offset: crate::Offset) -> Self {
        Self(offset.get())
    }
}

impl From<crate::UnixMillis> for VarInt {
    fn from(time: crate::UnixMillis) -> Self {
        Self(time.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(number: VarInt) -> Vec<u8> {
        let mut out = Vec::new();
        number.encode_into(&mut out);
        out
    }

    /// The samples of RFC 9000 appendix A.1.
    #[test]
    fn samples_of_the_rfc() {
        let samples: [(u64, &[u8]); 4] = [
            (
                151_288_809_941_952_652,
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c],
            ),
            (494_878_333, &[0x9d, 0x7f, 0x3e, 0x7d]),
            (15_293, &[0x7b, 0xbd]),
            (37, &[0x25]),
        ];
        for (number, bytes) in samples {
            assert_eq!(encoded(VarInt(number)), bytes);
            let mut input = bytes;
            assert_eq!(VarInt::take(&mut input), Some(VarInt(number)));
            assert!(input.is_empty());
        }
        assert_eq!(VarInt::take(&mut &[0x40, 0x25][..]), Some(VarInt(37)));
    }

    #[test]
    fn at_each_length_and_one_past_it() {
        for (number, length) in [
            (0, 1),
            (0x3f, 1),
            (0x40, 2),
            (0x3fff, 2),
            (0x4000, 4),
            (0x3fff_ffff, 4),
            (0x4000_0000, 8),
            ((1 << 62) - 1, 8),
        ] {
            let bytes = encoded(VarInt(number));
            assert_eq!(bytes.len(), length, "{number}");
            assert_eq!(VarInt::take(&mut &bytes[..]), Some(VarInt(number)));
            assert_eq!(VarInt::take(&mut &bytes[..length - 1]), None, "{number}");
        }
    }
}
