//! SCTP packets as bytes (RFC 9260 section 3).

/// The types of chunks that the relay's library knows.
pub(super) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const INIT: u8 = 1;
    pub(crate) const INIT_ACK: u8 = 2;
    pub(crate) const SACK: u8 = 3;
    pub(crate) const COOKIE_ECHO: u8 = 10;
    pub(crate) const COOKIE_ACK: u8 = 11;
    pub(crate) const RECONFIG: u8 = 130;
    pub(crate) const FORWARD_TSN: u8 = 192;

    /// And one that it does not know.
    pub(crate) const ALL: [u8; 19] = [
        DATA,
        INIT,
        INIT_ACK,
        SACK,
        4,
        5,
        6,
        7,
        8,
        9,
        COOKIE_ECHO,
        COOKIE_ACK,
        12,
        13,
        14,
        RECONFIG,
        FORWARD_TSN,
        194,
        255,
    ];
}

/// Our verification tag and our first TSN: nobody else guesses, so they may be anything.
pub(super) const TAG: u32 = 7;
pub(super) const FIRST_TSN: u32 = 1000;

/// RFC 8831 section 6.2: the port on both sides, as browsers have it.
const PORT: u16 = 5000;

/// A chunk.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) kind: u8,
    flags: u8,
    pub(super) body: Vec<u8>,
    /// What its header says, if not the truth.
    pub(super) claimed_length: Option<u16>,
}

impl Chunk {
    pub(super) fn new(kind: u8, flags: u8, body: Vec<u8>) -> Self {
        Self {
            kind,
            flags,
            body,
            claimed_length: None,
        }
    }
}

/// An INIT that asks for what WebRTC needs, and for whatever these parameters say.
pub(super) fn init(streams: u16, parameters: &[u8]) -> Chunk {
    // Partial reliability, RECONFIG and FORWARD-TSN (RFC 5061 section 4.2.7).
    const EXTENSIONS: [u8; 12] = [0xc0, 0, 0, 4, 0x80, 8, 0, 6, 130, 192, 0, 0];
    let mut body = TAG.to_be_bytes().to_vec();
    body.extend((128u32 << 10).to_be_bytes());
    body.extend(streams.to_be_bytes().repeat(2));
    body.extend(FIRST_TSN.to_be_bytes());
    body.extend(EXTENSIONS);
    body.extend(parameters);
    Chunk::new(kind::INIT, 0, body)
}

pub(super) fn packet(tag: u32, chunks: &[Chunk]) -> Vec<u8> {
    let mut bytes = PORT.to_be_bytes().repeat(2);
    bytes.extend(tag.to_be_bytes());
    bytes.extend([0; 4]);
    for chunk in chunks {
        let length = chunk.claimed_length.unwrap_or(4 + chunk.body.len() as u16);
        bytes.extend([chunk.kind, chunk.flags]);
        bytes.extend(length.to_be_bytes());
        bytes.extend(&chunk.body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    let checksum = crc32c(&bytes);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The chunks of a packet that nobody has tampered with: their types and bodies.
pub(super) fn chunks(packet: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = packet.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (head, _) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let body = rest.get(4..length)?;
        let kind = head[0];
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    })
}

/// The number at this place of a chunk's body.
pub(super) fn number(body: &[u8], at: usize) -> Option<u32> {
    let bytes = body.get(at..at + 4)?;
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// RFC 9260 appendix A.
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
    !bytes.iter().fold(u32::MAX, step)
}

/// What each byte does to a checksum.
const fn table() -> [u32; 256] {
    const REVERSED_POLYNOMIAL: u32 = 0x82f6_3b78;
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (REVERSED_POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
