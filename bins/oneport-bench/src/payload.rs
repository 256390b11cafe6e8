//! What a message of the load says: who sent it as which, and when it should have left.

/// Tells our messages from others.
const MAGIC: [u8; 4] = *b"opb1";

/// One message of the load. In its bytes, numbers are in network byte order:
///
/// ```text
///  0       4            8            12               20
/// +-------+------------+------------+----------------+--  ...  --+
/// | magic | sender, 32 | number, 32 | due in ns, 64  |  filler   |
/// +-------+------------+------------+----------------+--  ...  --+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) sender: u32,
    pub(crate) number: u32,
    /// When it was to be sent, in nanoseconds since the fleet's beginning. Not when it was: who is late
    /// to send would otherwise not notice (coordinated omission).
    pub(crate) due_ns: u64,
}

impl Payload {
    /// The smallest message.
    pub(crate) const BYTES_MIN: usize = 20;

    /// Writes it, as so many bytes.
    pub(crate) fn write(self, bytes: usize, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.sender.to_be_bytes());
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.due_ns.to_be_bytes());
        out.resize(bytes.max(Self::BYTES_MIN), b'.');
    }

    /// Reads it, if it is one.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (sender, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (due_ns, _) = rest.split_first_chunk()?;
        (*magic == MAGIC).then(|| Self {
            sender: u32::from_be_bytes(*sender),
            number: u32::from_be_bytes(*number),
            due_ns: u64::from_be_bytes(*due_ns),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let payload = Payload {
            sender: 7,
            number: 70_000,
            due_ns: 1 << 40,
        };
        let mut bytes = Vec::new();
        for size in [0, 20, 100] {
            payload.write(size, &mut bytes);
            assert_eq!(bytes.len(), size.max(Payload::BYTES_MIN));
            assert_eq!(Payload::read(&bytes), Some(payload));
        }
        assert_eq!(Payload::read(&bytes[..19]), None);
        assert_eq!(Payload::read(&[b'x'; 100]), None);
    }
}
