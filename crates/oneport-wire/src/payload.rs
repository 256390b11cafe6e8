//! What a message carries, and the two kinds of data channel messages.

use std::borrow::Cow;

/// Whether a data channel message is text or binary data (RFC 8831 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string, in UTF-8.
    Text,
    /// Bytes.
    Binary,
}

/// What one client tells others. Text stays text and bytes stay bytes from one end to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// Bytes.
    Binary(Cow<'a, [u8]>),
}

impl Payload<'_> {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }

    /// The bytes, of text in UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The same, without the input that it may have been borrowed from.
    pub fn into_owned(self) -> Payload<'static> {
        match self {
            Self::Text(text) => Payload::Text(text.into_owned().into()),
            Self::Binary(bytes) => Payload::Binary(bytes.into_owned().into()),
        }
    }
}

impl<'a> From<&'a str> for Payload<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Payload<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Vec<u8>> for Payload<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl<'a> From<&'a [u8]> for Payload<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(bytes.into())
    }
}
