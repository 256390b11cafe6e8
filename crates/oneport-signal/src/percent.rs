//! Percent-encoding in URLs (RFC 3986 section 2.1).

use std::fmt;

/// Decodes a part of a path or a query. What can be read in two ways is refused: nothing is replaced or taken
/// literally. A `+` stays one; in forms it is a space, which is for the caller to replace before.
///
/// # Errors
///
/// [`PercentError`].
pub fn percent_decode(text: &str) -> Result<String, PercentError> {
    let mut parts = text.split('%');
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or(PercentError::Escape)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(PercentError::Escape);
        }
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| PercentError::Escape)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| PercentError::NotUtf8)
}

/// Why a part of a URL cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PercentError {
    /// A `%` is not followed by two hexadecimal digits.
    Escape,
    /// The decoded bytes are not UTF-8.
    NotUtf8,
}

impl fmt::Display for PercentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Escape => "a % is not followed by two hexadecimal digits (write % itself as %25)",
            Self::NotUtf8 => "the percent-encoded text is not UTF-8",
        })
    }
}

impl std::error::Error for PercentError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        for (text, decoded) in [
            ("", Ok("")),
            ("a+b", Ok("a+b")),
            ("%61%2f%2F%25", Ok("a//%")),
            ("%c3%A9\u{e9}", Ok("\u{e9}\u{e9}")),
            ("%00", Ok("\0")),
            ("%", Err(PercentError::Escape)),
            ("%4", Err(PercentError::Escape)),
            ("%zz", Err(PercentError::Escape)),
            ("%%41", Err(PercentError::Escape)),
            ("%+1", Err(PercentError::Escape)),
            ("%u0041", Err(PercentError::Escape)),
            ("a%4\u{e9}", Err(PercentError::Escape)),
            ("%\u{e9}", Err(PercentError::Escape)),
            ("%ff", Err(PercentError::NotUtf8)),
            ("%c3", Err(PercentError::NotUtf8)),
            ("%c0%af", Err(PercentError::NotUtf8)),
            ("%ed%a0%80", Err(PercentError::NotUtf8)),
        ] {
            assert_eq!(percent_decode(text), decoded.map(str::to_owned), "{text}");
        }
    }
}
