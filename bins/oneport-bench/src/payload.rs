//! What a message of the load says: who sent it as which, and when it should have left.

use std::io::Write;

/// Tell our messages from others.
const MAGIC: [u8; 4] = *b"opb1";
const TEXT_MAGIC: [u8; 4] = *b"opt1";

/// What comes after the header.
const FILLER: u8 = b'.';

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As bytes.
    Binary,
    /// As text of which JSON needs to escape nothing.
    Text,
}

impl Form {
    /// The smallest message.
    pub(crate) const fn bytes_min(self) -> usize {
        match self {
            Self::Binary => 20,
            Self::Text => 36,
        }
    }
}

/// One message of the load. In its bytes, numbers are in network byte order:
///
/// ```text
///  0       4            8            12               20
/// +-------+------------+------------+----------------+--  ...  --+
/// | magic | sender, 32 | number, 32 | due in ns, 64  |  filler   |
/// +-------+------------+------------+----------------+--  ...  --+
/// ```
///
/// As text it has another magic, and the numbers are hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) sender: u32,
    pub(crate) number: u32,
    /// When it was to be sent, in nanoseconds since the fleet's beginning. Not when it was: who is late
    /// to send would otherwise not notice (coordinated omission).
    pub(crate) due_ns: u64,
}

impl Payload {
    /// Writes it, as so many bytes.
    pub(crate) fn write(self, bytes: usize, form: Form, out: &mut Vec<u8>) {
        let Self {
            sender,
            number,
            due_ns,
        } = self;
        out.clear();
        match form {
            Form::Binary => {
                out.extend_from_slice(&MAGIC);
                out.extend_from_slice(&sender.to_be_bytes());
                out.extend_from_slice(&number.to_be_bytes());
                out.extend_from_slice(&due_ns.to_be_bytes());
            }
            Form::Text => {
                out.extend_from_slice(&TEXT_MAGIC);
                write!(out, "{sender:08x}{number:08x}{due_ns:016x}").expect("there is memory");
            }
        }
        out.resize(bytes.max(form.bytes_min()), FILLER);
    }

    /// Reads it, if it is one.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        match *magic {
            MAGIC => Self::read_binary(rest),
            TEXT_MAGIC => Self::read_text(rest),
            _ => None,
        }
    }

    fn read_binary(bytes: &[u8]) -> Option<Self> {
        let (sender, rest) = bytes.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (due_ns, _) = rest.split_first_chunk()?;
        Some(Self {
            sender: u32::from_be_bytes(*sender),
            number: u32::from_be_bytes(*number),
            due_ns: u64::from_be_bytes(*due_ns),
        })
    }

    fn read_text(bytes: &[u8]) -> Option<Self> {
        let (sender, rest) = bytes.split_first_chunk::<8>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (due_ns, _) = rest.split_first_chunk::<16>()?;
        Some(Self {
            sender: u32::try_from(hexadecimal(sender)?).ok()?,
            number: u32::try_from(hexadecimal(number)?).ok()?,
            due_ns: hexadecimal(due_ns)?,
        })
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
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
        for form in [Form::Binary, Form::Text] {
            for size in [0, form.bytes_min(), 100] {
                payload.write(size, form, &mut bytes);
                assert_eq!(bytes.len(), size.max(form.bytes_min()));
                assert_eq!(Payload::read(&bytes), Some(payload));
            }
            assert_eq!(Payload::read(&bytes[..form.bytes_min() - 1]), None);
        }
        assert_eq!(Payload::read(&[b'x'; 100]), None);
        for digits in ["é".repeat(30), format!("x{}", "é".repeat(30))] {
            let not_ascii = format!("opt1{digits}");
            assert_eq!(Payload::read(not_ascii.as_bytes()), None);
        }
    }

    #[test]
    fn text_is_text_without_escapes() {
        let payload = Payload {
            sender: u32::MAX,
            number: u32::MAX,
            due_ns: u64::MAX,
        };
        let mut bytes = Vec::new();
        payload.write(50, Form::Text, &mut bytes);
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == FILLER;
        assert!(bytes.iter().all(is_plain), "{bytes:?}");
    }
}
