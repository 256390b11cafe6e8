//! The data channel establishment protocol (RFC 8832), and the payload protocol identifiers of
//! RFC 8831 section 8.

use std::time::Duration;

use crate::event::{ChannelOptions, Kind, Reliability};
use crate::wire::{u16_at, u32_at};

/// Payload protocol identifiers.
pub(crate) mod protocol {
    pub(crate) const DCEP: u32 = 50;
    pub(crate) const TEXT: u32 = 51;
    /// Deprecated fragmentation by the application (RFC 8831 section 6.6).
    const BINARY_PARTIAL: u32 = 52;
    pub(crate) const BINARY: u32 = 53;
    /// Deprecated, as above.
    const TEXT_PARTIAL: u32 = 54;
    pub(crate) const TEXT_EMPTY: u32 = 56;
    pub(crate) const BINARY_EMPTY: u32 = 57;

    pub(crate) fn is_text(protocol: u32) -> bool {
        matches!(protocol, TEXT | TEXT_PARTIAL | TEXT_EMPTY)
    }

    pub(crate) fn is_binary(protocol: u32) -> bool {
        matches!(protocol, BINARY | BINARY_PARTIAL | BINARY_EMPTY)
    }

    pub(crate) fn is_empty(protocol: u32) -> bool {
        matches!(protocol, TEXT_EMPTY | BINARY_EMPTY)
    }
}

const ACK: u8 = 2;
const OPEN: u8 = 3;
const OPEN_BYTES: usize = 12;
const UNORDERED: u8 = 0x80;

/// A message of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dcep {
    Open(Box<ChannelOptions>),
    Ack,
}

/// Returns the identifier for a message. SCTP has no empty messages: they are one byte and an
/// identifier of their own.
pub(crate) fn protocol_of(kind: Kind, is_empty: bool) -> u32 {
    match (kind, is_empty) {
        (Kind::Text, false) => protocol::TEXT,
        (Kind::Text, true) => protocol::TEXT_EMPTY,
        (Kind::Binary, false) => protocol::BINARY,
        (Kind::Binary, true) => protocol::BINARY_EMPTY,
    }
}

/// Returns what a message of this identifier is, or `None` for one that data channels do not have.
pub(crate) fn kind_of(identifier: u32) -> Option<Kind> {
    if protocol::is_text(identifier) {
        Some(Kind::Text)
    } else {
        protocol::is_binary(identifier).then_some(Kind::Binary)
    }
}

impl Dcep {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match *bytes.first()? {
            ACK => Some(Self::Ack),
            OPEN => parse_open(bytes).map(|options| Self::Open(Box::new(options))),
            _ => None,
        }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        match self {
            Self::Ack => vec![ACK],
            Self::Open(options) => write_open(options),
        }
    }
}

fn parse_open(bytes: &[u8]) -> Option<ChannelOptions> {
    let (fixed, rest) = bytes.split_at_checked(OPEN_BYTES)?;
    let parameter = u32_at(fixed, 4);
    let (label_bytes, protocol_bytes) = (u16_at(fixed, 8), u16_at(fixed, 10));
    let (label, rest) = rest.split_at_checked(usize::from(label_bytes))?;
    let protocol = rest.get(..usize::from(protocol_bytes))?;
    let reliability = match fixed[1] & !UNORDERED {
        0 => Reliability::Reliable,
        1 => Reliability::Retransmits(u16::try_from(parameter).unwrap_or(u16::MAX)),
        2 => Reliability::Lifetime(Duration::from_millis(parameter.into())),
        _ => return None,
    };
    Some(ChannelOptions {
        label: String::from_utf8(label.to_vec()).ok()?,
        protocol: String::from_utf8(protocol.to_vec()).ok()?,
        unordered: fixed[1] & UNORDERED != 0,
        reliability,
        negotiated: None,
    })
}

fn write_open(options: &ChannelOptions) -> Vec<u8> {
    let (kind, parameter) = match options.reliability {
        Reliability::Reliable => (0, 0),
        Reliability::Retransmits(count) => (1, u32::from(count)),
        Reliability::Lifetime(life) => (2, u32::try_from(life.as_millis()).unwrap_or(u32::MAX)),
    };
    let order = if options.unordered { UNORDERED } else { 0 };
    // The priority is 256, "normal" (RFC 8831 section 6.4).
    let mut out = vec![OPEN, kind | order, 1, 0];
    out.extend(parameter.to_be_bytes());
    // The lengths were checked when the channel was opened.
    out.extend((options.label.len() as u16).to_be_bytes());
    out.extend((options.protocol.len() as u16).to_be_bytes());
    out.extend(options.label.as_bytes());
    out.extend(options.protocol.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_parsed_again() {
        for unordered in [false, true] {
            for reliability in [
                Reliability::Reliable,
                Reliability::Retransmits(0),
                Reliability::Retransmits(65_535),
                Reliability::Lifetime(Duration::ZERO),
                Reliability::Lifetime(Duration::from_millis(70_000)),
            ] {
                let options = ChannelOptions {
                    label: "größer".into(),
                    protocol: "p".into(),
                    unordered,
                    reliability,
                    negotiated: None,
                };
                let open = Dcep::Open(Box::new(options));
                assert_eq!(Dcep::parse(&open.write()), Some(open));
            }
        }
        assert_eq!(Dcep::parse(&Dcep::Ack.write()), Some(Dcep::Ack));
    }

    #[test]
    fn malformed_messages_are_refused() {
        let open = Dcep::Open(Box::new(ChannelOptions {
            label: "label".into(),
            ..ChannelOptions::default()
        }));
        let bytes = open.write();
        for len in 0..bytes.len() {
            assert_eq!(Dcep::parse(&bytes[..len]), None, "{len}");
        }
        for (at, byte) in [(1, 3), (8, 1), (12, 0xff)] {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            assert_eq!(Dcep::parse(&bytes), None);
        }
    }

    #[test]
    fn every_identifier_has_its_kind() {
        for kind in [Kind::Text, Kind::Binary] {
            for is_empty in [false, true] {
                let identifier = protocol_of(kind, is_empty);
                assert_eq!(kind_of(identifier), Some(kind));
                assert_eq!(protocol::is_empty(identifier), is_empty);
            }
        }
        assert_eq!(kind_of(protocol::DCEP), None);
        assert_eq!(kind_of(0), None);
    }
}
