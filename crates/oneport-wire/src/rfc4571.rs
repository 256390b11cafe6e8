//! Datagrams on a stream, each behind its length (RFC 4571): how ICE speaks over TCP (RFC 6544).

use std::fmt;

/// The largest datagram in a frame, in bytes. Nobody who speaks WebRTC makes larger ones than fit an Ethernet
/// frame, for the same datagram may have to leave by UDP; libwebrtc takes none over 2,048. It also keeps
/// the first byte of a stream below that of a TLS handshake, 0x16, and of every method of HTTP.
pub const FRAME_BYTES_MAX: usize = 4096;

/// The length before each datagram, in network order (RFC 4571 section 2).
const LENGTH_BYTES: usize = 2;

/// A frame is longer than [`FRAME_BYTES_MAX`]. On a stream that ends it: nobody knows where the next one
/// begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameTooLong {
    /// How long, in bytes.
    pub bytes: usize,
}

impl fmt::Display for FrameTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes } = self;
        write!(f, "a frame of {bytes} bytes, at most {FRAME_BYTES_MAX}")
    }
}

impl std::error::Error for FrameTooLong {}

/// Adds a datagram to what is to be sent on a stream.
///
/// # Errors
///
/// [`FrameTooLong`]; nothing is added then.
pub fn encode(datagram: &[u8], stream: &mut Vec<u8>) -> Result<(), FrameTooLong> {
    let bytes = datagram.len();
    let length = u16::try_from(bytes).map_err(|_| FrameTooLong { bytes })?;
    check(bytes)?;
    stream.extend_from_slice(&length.to_be_bytes());
    stream.extend_from_slice(datagram);
    Ok(())
}

/// How many bytes of a stream a datagram takes.
pub fn encoded_bytes(datagram: &[u8]) -> usize {
    LENGTH_BYTES + datagram.len()
}

/// Finds the datagrams in a stream, in whatever pieces it arrives. It holds the beginning of one frame at
/// most.
#[derive(Debug, Default)]
pub struct Decoder {
    begun: Vec<u8>,
}

impl Decoder {
    /// Takes the next bytes of the stream and gives each datagram that they complete to `take`. Those that
    /// lie in the bytes as a whole are not copied.
    ///
    /// # Errors
    ///
    /// [`FrameTooLong`]; the datagrams before it were given.
    pub fn decode(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), FrameTooLong> {
        while !bytes.is_empty() {
            if !self.begun.is_empty() {
                bytes = self.go_on(bytes)?;
                if let Some((datagram, _)) = split(&self.begun)? {
                    take(datagram);
                    self.begun.clear();
                }
            } else if let Some((datagram, rest)) = split(bytes)? {
                take(datagram);
                bytes = rest;
            } else {
                self.begun.extend_from_slice(bytes);
                bytes = &[];
            }
        }
        Ok(())
    }

    /// Adds what the begun frame, or at first its length, lacks; answers the bytes after it.
    fn go_on<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], FrameTooLong> {
        let frame_bytes = length(&self.begun)?.map_or(LENGTH_BYTES, |bytes| LENGTH_BYTES + bytes);
        let missing = frame_bytes.saturating_sub(self.begun.len());
        let (more, rest) = bytes.split_at(missing.min(bytes.len()));
        self.begun.extend_from_slice(more);
        Ok(rest)
    }
}

/// A datagram and what follows it.
type Split<'a> = (&'a [u8], &'a [u8]);

/// The first datagram; `None` if it is not complete.
fn split(bytes: &[u8]) -> Result<Option<Split<'_>>, FrameTooLong> {
    let Some(length) = length(bytes)? else {
        return Ok(None);
    };
    Ok(bytes[LENGTH_BYTES..].split_at_checked(length))
}

/// What the first two bytes say.
fn length(bytes: &[u8]) -> Result<Option<usize>, FrameTooLong> {
    let Some(length) = bytes.first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    check(usize::from(u16::from_be_bytes(*length))).map(Some)
}

fn check(bytes: usize) -> Result<usize, FrameTooLong> {
    match bytes <= FRAME_BYTES_MAX {
        true => Ok(bytes),
        false => Err(FrameTooLong { bytes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Vec<u8>>, FrameTooLong> {
        let mut datagrams = Vec::new();
        decoder.decode(bytes, |datagram| datagrams.push(datagram.to_vec()))?;
        Ok(datagrams)
    }

    #[test]
    fn every_split_gives_the_same_datagrams() {
        let datagrams = [&b"one"[..], b"", b"three", b"4"].map(<[u8]>::to_vec);
        let mut stream = Vec::new();
        for datagram in &datagrams {
            encode(datagram, &mut stream).expect("it fits");
        }
        assert_eq!(stream[..5], *b"\0\x03one");
        let bytes: usize = datagrams
            .iter()
            .map(|datagram| encoded_bytes(datagram))
            .sum();
        assert_eq!(stream.len(), bytes);
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let mut decoder = Decoder::default();
                let pieces = [&stream[..first], &stream[first..second], &stream[second..]];
                let found = pieces.map(|piece| decoded(&mut decoder, piece).expect("short frames"));
                assert_eq!(found.concat(), datagrams, "{first} {second}");
            }
        }
    }

    #[test]
    fn the_longest_frame() {
        let longest = vec![7; FRAME_BYTES_MAX];
        let mut stream = Vec::new();
        encode(&longest, &mut stream).expect("it fits");
        let mut decoder = Decoder::default();
        for byte in &stream[..stream.len() - 1] {
            assert_eq!(decoded(&mut decoder, &[*byte]), Ok(vec![]));
        }
        assert!(decoder.begun.len() <= LENGTH_BYTES + FRAME_BYTES_MAX);
        assert_eq!(decoded(&mut decoder, &[7]), Ok(vec![longest]));
    }

    #[test]
    fn a_longer_one_is_the_end() {
        let bytes = FRAME_BYTES_MAX + 1;
        let mut stream = Vec::new();
        assert_eq!(
            encode(&vec![7; bytes], &mut stream),
            Err(FrameTooLong { bytes })
        );
        let bytes = 70_000;
        assert_eq!(
            encode(&vec![7; bytes], &mut stream),
            Err(FrameTooLong { bytes })
        );
        assert!(stream.is_empty());

        let mut found = 0;
        let error = Decoder::default().decode(b"\0\x01x\x10\x01", |_| found += 1);
        assert_eq!((error, found), (Err(FrameTooLong { bytes: 4097 }), 1));
        let mut decoder = Decoder::default();
        assert_eq!(decoded(&mut decoder, b"\xff"), Ok(vec![]));
        let error = Err(FrameTooLong { bytes: 65_535 });
        assert_eq!(decoded(&mut decoder, b"\xff"), error);
    }
}
