//! Which of the loop's sources an event belongs to.

use mio::Token;

/// How many low bits of a token tell the kind of its source; the rest is the index.
const KIND_BITS: u32 = 3;

/// A source of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Another thread queued a command, or the alarm rang: there is nothing to do for the source itself.
    Wake,
    /// The UDP socket of that index.
    Udp(usize),
    /// The TCP listener of that index.
    Listener(usize),
    /// The TCP connection of that number, waiting for its first byte.
    Waiting(usize),
    /// The TCP connection of that number, which carries datagrams.
    Framed(usize),
}

impl From<Source> for Token {
    fn from(source: Source) -> Self {
        let (kind, index) = match source {
            Source::Wake => (0, 0),
            Source::Udp(index) => (1, index),
            Source::Listener(index) => (2, index),
            Source::Waiting(number) => (3, number),
            Source::Framed(number) => (4, number),
        };
        Self(index << KIND_BITS | kind)
    }
}

impl From<Token> for Source {
    fn from(Token(token): Token) -> Self {
        let index = token >> KIND_BITS;
        match token & ((1 << KIND_BITS) - 1) {
            0 => Self::Wake,
            1 => Self::Udp(index),
            2 => Self::Listener(index),
            3 => Self::Waiting(index),
            _ => Self::Framed(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_source() {
        for source in [
            Source::Wake,
            Source::Udp(0),
            Source::Udp(7),
            Source::Listener(0),
            Source::Listener(3),
            Source::Waiting(0),
            Source::Waiting(1_000_000),
            Source::Framed(0),
            Source::Framed(1_000_001),
        ] {
            assert_eq!(Source::from(Token::from(source)), source);
        }
    }
}
