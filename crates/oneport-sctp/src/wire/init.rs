//! INIT and INIT ACK (RFC 9260 sections 3.3.2 and 3.3.3) and the parameters that are known in them.

use super::{kind, parameters, u16_at, u32_at};
use crate::types::{Tsn, VerificationTag};

/// Parameter types.
mod parameter {
    pub(super) const STATE_COOKIE: u16 = 7;
    /// RFC 9653.
    pub(super) const ZERO_CHECKSUM: u16 = 0x8001;
    /// RFC 5061 section 4.2.7.
    pub(super) const SUPPORTED_EXTENSIONS: u16 = 0x8008;
    /// RFC 3758.
    pub(super) const FORWARD_TSN_SUPPORTED: u16 = 0xc000;
}

/// The error detection method that makes the checksum needless: DTLS (RFC 9653 section 8).
const DTLS: u32 = 1;

/// The extensions that one end announces, or that both have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Supported {
    /// Partial reliability, FORWARD-TSN (RFC 3758).
    pub(crate) forward_tsn: bool,
    /// Stream reset, RE-CONFIG (RFC 6525).
    pub(crate) reconfig: bool,
    /// I-DATA and I-FORWARD-TSN (RFC 8260).
    pub(crate) interleaving: bool,
    /// Packets without a checksum are accepted (RFC 9653).
    pub(crate) zero_checksum: bool,
}

/// The fields of INIT or INIT ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Init<'a> {
    pub(crate) tag: VerificationTag,
    pub(crate) window: u32,
    pub(crate) outbound_streams: u16,
    pub(crate) inbound_streams: u16,
    pub(crate) first_tsn: Tsn,
    pub(crate) supported: Supported,
    /// Empty in INIT.
    pub(crate) cookie: &'a [u8],
}

impl Supported {
    /// Returns what both ends have.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            forward_tsn: self.forward_tsn && other.forward_tsn,
            reconfig: self.reconfig && other.reconfig,
            interleaving: self.interleaving && other.interleaving,
            zero_checksum: self.zero_checksum && other.zero_checksum,
        }
    }

    /// Returns the extensions as bits, for the cookie.
    pub(crate) fn bits(self) -> u8 {
        u8::from(self.forward_tsn)
            | u8::from(self.reconfig) << 1
            | u8::from(self.interleaving) << 2
            | u8::from(self.zero_checksum) << 3
    }

    pub(crate) fn from_bits(bits: u8) -> Self {
        Self {
            forward_tsn: bits & 1 != 0,
            reconfig: bits & 2 != 0,
            interleaving: bits & 4 != 0,
            zero_checksum: bits & 8 != 0,
        }
    }
}

impl<'a> Init<'a> {
    const FIXED_BYTES: usize = 16;

    /// A tag of zero and a number of streams of zero are refused (RFC 9260 section 3.3.2).
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let (fixed, rest) = value.split_at_checked(Self::FIXED_BYTES)?;
        let mut init = Self {
            tag: VerificationTag(u32_at(fixed, 0)),
            window: u32_at(fixed, 4),
            outbound_streams: u16_at(fixed, 8),
            inbound_streams: u16_at(fixed, 10),
            first_tsn: Tsn(u32_at(fixed, 12)),
            supported: Supported::default(),
            cookie: &[],
        };
        let is_valid = init.tag != VerificationTag::NONE
            && init.outbound_streams != 0
            && init.inbound_streams != 0;
        for (kind, value) in parameters(rest) {
            init.note(kind, value);
        }
        is_valid.then_some(init)
    }

    fn note(&mut self, parameter: u16, value: &'a [u8]) {
        match parameter {
            parameter::STATE_COOKIE => self.cookie = value,
            parameter::ZERO_CHECKSUM => {
                self.supported.zero_checksum = value.len() == 4 && u32_at(value, 0) == DTLS;
            }
            parameter::FORWARD_TSN_SUPPORTED => self.supported.forward_tsn = true,
            parameter::SUPPORTED_EXTENSIONS => {
                self.supported.reconfig |= value.contains(&kind::RECONFIG);
                self.supported.forward_tsn |= value.contains(&kind::FORWARD_TSN);
                self.supported.interleaving |= value.contains(&kind::I_DATA);
            }
            _ => {}
        }
    }

    /// Appends the value of the chunk.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.tag.0.to_be_bytes());
        out.extend(self.window.to_be_bytes());
        out.extend(self.outbound_streams.to_be_bytes());
        out.extend(self.inbound_streams.to_be_bytes());
        out.extend(self.first_tsn.0.to_be_bytes());
        if !self.cookie.is_empty() {
            write_parameter(parameter::STATE_COOKIE, self.cookie, out);
        }
        if self.supported.forward_tsn {
            write_parameter(parameter::FORWARD_TSN_SUPPORTED, &[], out);
        }
        let extensions: Vec<u8> = [
            (self.supported.reconfig, kind::RECONFIG),
            (self.supported.forward_tsn, kind::FORWARD_TSN),
            (self.supported.interleaving, kind::I_DATA),
            (
                self.supported.interleaving && self.supported.forward_tsn,
                kind::I_FORWARD_TSN,
            ),
        ]
        .into_iter()
        .filter_map(|(is_supported, kind)| is_supported.then_some(kind))
        .collect();
        if !extensions.is_empty() {
            write_parameter(parameter::SUPPORTED_EXTENSIONS, &extensions, out);
        }
        if self.supported.zero_checksum {
            write_parameter(parameter::ZERO_CHECKSUM, &DTLS.to_be_bytes(), out);
        }
    }
}

fn write_parameter(kind: u16, value: &[u8], out: &mut Vec<u8>) {
    out.extend(kind.to_be_bytes());
    // Cookies and lists of extensions are far below 64 KiB.
    out.extend((value.len() as u16 + 4).to_be_bytes());
    out.extend(value);
    while !out.len().is_multiple_of(4) {
        out.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(bits: u8, cookie: &[u8]) -> Init<'_> {
        Init {
            tag: VerificationTag(5),
            window: 100_000,
            outbound_streams: 1024,
            inbound_streams: 300,
            first_tsn: Tsn(u32::MAX),
            supported: Supported::from_bits(bits),
            cookie,
        }
    }

    #[test]
    fn what_is_written_is_parsed_again() {
        for bits in 0..16 {
            for cookie in [&b""[..], b"1", b"four", b"fifth"] {
                let init = init(bits, cookie);
                let mut bytes = Vec::new();
                init.write(&mut bytes);
                assert_eq!(Init::parse(&bytes), Some(init));
                assert_eq!(init.supported.bits(), bits);
            }
        }
    }

    #[test]
    fn zero_tags_and_no_streams_are_refused() {
        for edit in [0..4, 8..10, 10..12] {
            let mut bytes = Vec::new();
            init(0, &[]).write(&mut bytes);
            bytes[edit].fill(0);
            assert_eq!(Init::parse(&bytes), None);
        }
    }

    #[test]
    fn unknown_parameters_are_skipped() {
        let mut bytes = Vec::new();
        init(0, &[]).write(&mut bytes);
        bytes.extend([0x80, 0x77, 0, 5, 1, 0, 0, 0]);
        write_parameter(parameter::FORWARD_TSN_SUPPORTED, &[], &mut bytes);
        assert!(Init::parse(&bytes).is_some_and(|init| init.supported.forward_tsn));
    }

    #[test]
    fn another_error_detection_method_is_not_ours() {
        let mut bytes = Vec::new();
        init(0, &[]).write(&mut bytes);
        write_parameter(parameter::ZERO_CHECKSUM, &[0, 0, 0, 2], &mut bytes);
        assert!(Init::parse(&bytes).is_some_and(|init| !init.supported.zero_checksum));
    }
}
