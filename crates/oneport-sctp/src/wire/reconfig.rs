//! RE-CONFIG (RFC 6525 section 3): outgoing stream reset requests and their responses.

use super::{kind, parameters, u16_at, u32_at};
use crate::types::{StreamId, Tsn};

mod parameter {
    pub(super) const OUTGOING_RESET: u16 = 13;
    pub(super) const INCOMING_RESET: u16 = 14;
    pub(super) const ASSOCIATION_RESET: u16 = 15;
    pub(super) const RESPONSE: u16 = 16;
    pub(super) const ADD_OUTGOING: u16 = 17;
    pub(super) const ADD_INCOMING: u16 = 18;
}

/// The most parameters that a chunk has (RFC 6525 section 3.1).
const PARAMETERS_MAX: usize = 2;

/// A chunk of one or two parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reconfig<'a> {
    /// At most one request and one response.
    Known {
        reset: Option<OutgoingReset<'a>>,
        response: Option<ResetResponse>,
    },
    /// A request of a kind that data channels do not need, by its number. It is denied.
    Other(u32),
}

/// A request to start a sender's streams again (RFC 6525 section 4.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutgoingReset<'a> {
    pub(crate) number: u32,
    /// The last TSN that was sent before.
    pub(crate) last: Tsn,
    streams: &'a [u8],
}

/// The answer to a request (RFC 6525 section 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResetResponse {
    pub(crate) number: u32,
    pub(crate) result: ResetResult,
}

/// The results that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetResult {
    NothingToDo,
    Performed,
    Denied,
    BadNumber,
    InProgress,
}

impl ResetResult {
    fn code(self) -> u32 {
        match self {
            Self::NothingToDo => 0,
            Self::Performed => 1,
            Self::Denied => 2,
            Self::BadNumber => 5,
            Self::InProgress => 6,
        }
    }

    fn from_code(code: u32) -> Self {
        match code {
            0 => Self::NothingToDo,
            1 => Self::Performed,
            5 => Self::BadNumber,
            6 => Self::InProgress,
            _ => Self::Denied,
        }
    }
}

impl<'a> Reconfig<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let (mut reset, mut response) = (None, None);
        for (kind, value) in parameters(value).take(PARAMETERS_MAX) {
            match kind {
                parameter::OUTGOING_RESET => {
                    let (fixed, streams) = value.split_at_checked(12)?;
                    reset = Some(OutgoingReset {
                        number: u32_at(fixed, 0),
                        last: Tsn(u32_at(fixed, 8)),
                        streams,
                    });
                }
                parameter::RESPONSE => {
                    let fixed = value.get(..8)?;
                    response = Some(ResetResponse {
                        number: u32_at(fixed, 0),
                        result: ResetResult::from_code(u32_at(fixed, 4)),
                    });
                }
                parameter::INCOMING_RESET
                | parameter::ASSOCIATION_RESET
                | parameter::ADD_OUTGOING
                | parameter::ADD_INCOMING => {
                    return Some(Self::Other(u32_at(value.get(..4)?, 0)));
                }
                _ => {}
            }
        }
        Some(Self::Known { reset, response })
    }
}

impl<'a> OutgoingReset<'a> {
    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamId> + 'a {
        let ids = self.streams.chunks_exact(2);
        ids.map(|id| StreamId::new(u16_at(id, 0)))
    }

    /// Appends a whole chunk with its padding.
    pub(crate) fn write(
        number: u32,
        answers: u32,
        last: Tsn,
        streams: &[StreamId],
        out: &mut Vec<u8>,
    ) {
        let len = 16 + 2 * streams.len() as u16;
        out.extend([kind::RECONFIG, 0]);
        out.extend((len + 4).to_be_bytes());
        out.extend(parameter::OUTGOING_RESET.to_be_bytes());
        out.extend(len.to_be_bytes());
        out.extend(number.to_be_bytes());
        out.extend(answers.to_be_bytes());
        out.extend(last.0.to_be_bytes());
        for stream in streams {
            out.extend(stream.get().to_be_bytes());
        }
        if !streams.len().is_multiple_of(2) {
            out.extend([0, 0]);
        }
    }
}

impl ResetResponse {
    /// Returns a whole chunk.
    pub(crate) fn chunk(self) -> Vec<u8> {
        let mut out = vec![kind::RECONFIG, 0, 0, 16];
        out.extend(parameter::RESPONSE.to_be_bytes());
        out.extend([0, 12]);
        out.extend(self.number.to_be_bytes());
        out.extend(self.result.code().to_be_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_parsed_again() {
        for count in 0..4 {
            let streams: Vec<_> = (0..count).map(|id| StreamId::new(id * 300)).collect();
            let mut bytes = Vec::new();
            OutgoingReset::write(5, 6, Tsn(7), &streams, &mut bytes);
            assert!(bytes.len().is_multiple_of(4));
            let len = usize::from(u16_at(&bytes, 2));
            let Some(Reconfig::Known {
                reset: Some(reset),
                response: None,
            }) = Reconfig::parse(&bytes[4..len])
            else {
                panic!("{bytes:?}");
            };
            assert_eq!((reset.number, reset.last), (5, Tsn(7)));
            assert!(reset.streams().eq(streams));
        }
    }

    #[test]
    fn responses_are_parsed_again() {
        use ResetResult::*;
        for result in [NothingToDo, Performed, Denied, BadNumber, InProgress] {
            let chunk = ResetResponse { number: 3, result }.chunk();
            let Some(Reconfig::Known {
                reset: None,
                response: Some(response),
            }) = Reconfig::parse(&chunk[4..])
            else {
                panic!("{chunk:?}");
            };
            assert_eq!(response, ResetResponse { number: 3, result });
        }
    }

    #[test]
    fn other_requests_are_recognised() {
        let chunk = [0, 17, 0, 12, 0, 0, 0, 9, 0, 1, 0, 0];
        assert!(matches!(Reconfig::parse(&chunk), Some(Reconfig::Other(9))));
    }
}
