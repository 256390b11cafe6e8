//! The kinds of chunks, and the step from bytes to a typed chunk.

use super::{CHUNK_HEADER_BYTES, Data, ForwardTsn, Init, Reconfig, Sack, u32_at};
use crate::types::Tsn;

/// Chunk types (RFC 9260 section 3.2, and the documents named).
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const INIT: u8 = 1;
    pub(crate) const INIT_ACK: u8 = 2;
    pub(crate) const SACK: u8 = 3;
    pub(crate) const HEARTBEAT: u8 = 4;
    pub(crate) const HEARTBEAT_ACK: u8 = 5;
    pub(crate) const ABORT: u8 = 6;
    pub(crate) const SHUTDOWN: u8 = 7;
    pub(crate) const SHUTDOWN_ACK: u8 = 8;
    pub(crate) const ERROR: u8 = 9;
    pub(crate) const COOKIE_ECHO: u8 = 10;
    pub(crate) const COOKIE_ACK: u8 = 11;
    pub(crate) const SHUTDOWN_COMPLETE: u8 = 14;
    /// RFC 8260.
    pub(crate) const I_DATA: u8 = 64;
    /// RFC 6525.
    pub(crate) const RECONFIG: u8 = 130;
    /// RFC 4820.
    pub(crate) const PAD: u8 = 132;
    /// RFC 3758.
    pub(crate) const FORWARD_TSN: u8 = 192;
    /// RFC 8260.
    pub(crate) const I_FORWARD_TSN: u8 = 194;
}

/// A chunk whose header is there and whose length fits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawChunk<'a> {
    /// With the header, without the padding.
    pub(crate) whole: &'a [u8],
}

/// A chunk whose fields are there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chunk<'a> {
    /// DATA or I-DATA.
    Data(Data<'a>),
    Init(Init<'a>),
    InitAck(Init<'a>),
    Sack(Sack<'a>),
    /// The value is returned as it came.
    Heartbeat(&'a [u8]),
    HeartbeatAck(&'a [u8]),
    /// The causes.
    Abort(&'a [u8]),
    Shutdown(Tsn),
    ShutdownAck,
    /// The causes.
    Error(&'a [u8]),
    CookieEcho(&'a [u8]),
    CookieAck,
    ShutdownComplete,
    Reconfig(Reconfig<'a>),
    Pad,
    /// FORWARD-TSN or I-FORWARD-TSN.
    ForwardTsn(ForwardTsn<'a>),
    Unknown(RawChunk<'a>),
}

impl<'a> RawChunk<'a> {
    pub(crate) fn kind(self) -> u8 {
        self.whole[0]
    }

    pub(crate) fn flags(self) -> u8 {
        self.whole[1]
    }

    pub(crate) fn value(self) -> &'a [u8] {
        &self.whole[CHUNK_HEADER_BYTES..]
    }

    /// Returns `None` if a field of a known kind is missing or wrong.
    pub(crate) fn parse(self) -> Option<Chunk<'a>> {
        let value = self.value();
        Some(match self.kind() {
            kind::DATA | kind::I_DATA => Chunk::Data(Data::parse(self)?),
            kind::SACK => Chunk::Sack(Sack::parse(value)?),
            kind::INIT => Chunk::Init(Init::parse(value)?),
            kind::INIT_ACK => Chunk::InitAck(Init::parse(value)?),
            kind::HEARTBEAT => Chunk::Heartbeat(value),
            kind::HEARTBEAT_ACK => Chunk::HeartbeatAck(value),
            kind::ABORT => Chunk::Abort(value),
            kind::SHUTDOWN => Chunk::Shutdown(Tsn(u32_at(value.get(..4)?, 0))),
            kind::SHUTDOWN_ACK => Chunk::ShutdownAck,
            kind::ERROR => Chunk::Error(value),
            kind::COOKIE_ECHO => Chunk::CookieEcho(value),
            kind::COOKIE_ACK => Chunk::CookieAck,
            kind::SHUTDOWN_COMPLETE => Chunk::ShutdownComplete,
            kind::RECONFIG => Chunk::Reconfig(Reconfig::parse(value)?),
            kind::PAD => Chunk::Pad,
            kind::FORWARD_TSN => Chunk::ForwardTsn(ForwardTsn::parse(value, false)?),
            kind::I_FORWARD_TSN => Chunk::ForwardTsn(ForwardTsn::parse(value, true)?),
            _ => Chunk::Unknown(self),
        })
    }

    /// Returns true if the rest of the packet is to be dropped after a chunk of an unknown kind: the
    /// highest bit is zero (RFC 9260 section 3.2).
    pub(crate) fn stops_the_packet(self) -> bool {
        self.kind() & 0x80 == 0
    }

    /// Returns true if a chunk of an unknown kind is to be reported: the second bit is one.
    pub(crate) fn wants_a_report(self) -> bool {
        self.kind() & 0x40 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_high_bits_say_what_an_unknown_chunk_causes() {
        let reaction = |kind| {
            let chunk = RawChunk {
                whole: &[kind, 0, 0, 4],
            };
            assert!(matches!(chunk.parse(), Some(Chunk::Unknown(_))));
            (chunk.stops_the_packet(), chunk.wants_a_report())
        };
        assert_eq!(reaction(0x3f), (true, false));
        assert_eq!(reaction(0x7f), (true, true));
        assert_eq!(reaction(0xbf), (false, false));
        assert_eq!(reaction(0xff), (false, true));
    }

    #[test]
    fn short_chunks_are_refused() {
        for kind in [
            kind::DATA,
            kind::I_DATA,
            kind::INIT,
            kind::INIT_ACK,
            kind::SACK,
            kind::SHUTDOWN,
            kind::FORWARD_TSN,
            kind::I_FORWARD_TSN,
        ] {
            let chunk = RawChunk {
                whole: &[kind, 0, 0, 7, 0, 0, 0],
            };
            assert!(chunk.parse().is_none(), "{kind}");
        }
    }
}
