//! The part of a session description that an ICE restart exchanges.

use std::fmt;

/// What an ICE restart exchanges: a session description fragment (RFC 8840 section 9) with the user
/// name fragment and the password of whoever sends it. Its candidates are not looked at, because the
/// relay learns its clients' addresses from their checks.
///
/// ```
/// use oneport_wire::IceFragment;
///
/// let fragment = IceFragment::parse(
///     "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
///      m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n",
/// )?;
/// assert_eq!(fragment.ufrag(), "EsAw");
/// # Ok::<(), oneport_wire::IceFragmentError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct IceFragment {
    ufrag: String,
    password: String,
    mid: String,
}

/// The lengths that RFC 8839 section 5.4 allows, in characters.
const UFRAG_CHARS: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 22..=256;

/// The longest identification tag that is repeated in an answer, in bytes; browsers count from 0, and
/// RFC 5888 section 4 sets no limit.
const MID_BYTES_MAX: usize = 64;

/// Where no tag is said; a browser's only section has this one.
const MID_DEFAULT: &str = "0";

impl IceFragment {
    /// Reads a fragment. A whole description is one too.
    ///
    /// # Errors
    ///
    /// Where it is not made of lines as SDP is, or does not say who the sender is, or says it twice.
    pub fn parse(text: &str) -> Result<Self, IceFragmentError> {
        let lines = || text.lines().filter(|line| !line.is_empty());
        if !lines().all(is_sdp_line) {
            return Err(IceFragmentError::NotSdp);
        }
        let ufrag = only(lines(), "a=ice-ufrag:")?.ok_or(IceFragmentError::NoUfrag)?;
        let password = only(lines(), "a=ice-pwd:")?.ok_or(IceFragmentError::NoPassword)?;
        if !UFRAG_CHARS.contains(&ufrag.len()) || !ufrag.bytes().all(is_ice_char) {
            return Err(IceFragmentError::BadUfrag);
        }
        if !PASSWORD_CHARS.contains(&password.len()) || !password.bytes().all(is_ice_char) {
            return Err(IceFragmentError::BadPassword);
        }
        let mid = lines().find_map(|line| line.strip_prefix("a=mid:"));
        let mid = mid.filter(|mid| is_token(mid)).unwrap_or(MID_DEFAULT);
        Ok(Self {
            ufrag: ufrag.into(),
            password: password.into(),
            mid: mid.into(),
        })
    }

    /// The sender's user name fragment.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The sender's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The fragment that answers this one, from an ICE-lite agent with these candidates, each as it
    /// stands in SDP behind `a=`.
    pub fn answer(&self, ufrag: &str, password: &str, candidates: &[String]) -> String {
        let mid = &self.mid;
        let mut answer = format!(
            "a=ice-lite\r\na=group:BUNDLE {mid}\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:{mid}\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n"
        );
        for candidate in candidates {
            answer.push_str("a=");
            answer.push_str(candidate);
            answer.push_str("\r\n");
        }
        answer + "a=end-of-candidates\r\n"
    }
}

/// The password is nobody's business.
impl fmt::Debug for IceFragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceFragment({})", self.ufrag)
    }
}

/// RFC 8866 section 5: a letter and a value, and nothing between.
fn is_sdp_line(line: &str) -> bool {
    let mut bytes = line.bytes();
    bytes.next().is_some_and(|kind| kind.is_ascii_lowercase()) && bytes.next() == Some(b'=')
}

/// The value of an attribute that may stand in several places, if it is the same in all.
fn only<'a>(
    lines: impl Iterator<Item = &'a str>,
    attribute: &str,
) -> Result<Option<&'a str>, IceFragmentError> {
    let mut values = lines.filter_map(|line| line.strip_prefix(attribute));
    let first = values.next();
    match values.all(|value| Some(value) == first) {
        true => Ok(first),
        false => Err(IceFragmentError::Ambiguous),
    }
}

/// RFC 8839 section 5.1, `ice-char`.
fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// RFC 8866 section 9, `token`, as far as tags go.
fn is_token(text: &str) -> bool {
    let is_token_char =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
    (1..=MID_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_token_char)
}

/// Why a text is no [`IceFragment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IceFragmentError {
    /// It has a line that is none of SDP.
    NotSdp,
    /// It has no `a=ice-ufrag`.
    NoUfrag,
    /// It has no `a=ice-pwd`.
    NoPassword,
    /// It names different ones for different sections, which all have one transport.
    Ambiguous,
    /// The user name fragment is not 4 to 256 characters of `A-Za-z0-9+/`.
    BadUfrag,
    /// The password is not 22 to 256 characters of `A-Za-z0-9+/`.
    BadPassword,
}

impl fmt::Display for IceFragmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSdp => "it has a line that is none of SDP",
            Self::NoUfrag => "it has no a=ice-ufrag",
            Self::NoPassword => "it has no a=ice-pwd",
            Self::Ambiguous => "its sections have different credentials",
            Self::BadUfrag => "an ice-ufrag has 4 to 256 characters of A-Za-z0-9+/",
            Self::BadPassword => "an ice-pwd has 22 to 256 characters of A-Za-z0-9+/",
        })
    }
}

impl std::error::Error for IceFragmentError {}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "P2uYro0UCOQ4zxjKXaWCBui1";

    fn with(ufrag: &str, password: &str) -> String {
        format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n")
    }

    /// The example of RFC 9725 section 4.3.3, shortened.
    #[test]
    fn the_example_of_whip() {
        let text = "a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\n\
                    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:ysXw\r\n\
                    a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n\
                    a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\n";
        let fragment = IceFragment::parse(text).expect("a fragment");
        assert_eq!(fragment.ufrag(), "ysXw");
        assert_eq!(fragment.password(), "vw5LmwG4y/e6dPP/zAP9Gp5k");
        let answer = fragment.answer(
            "ours",
            PASSWORD,
            &["candidate:1 1 udp 1 a 1 typ host".into()],
        );
        let read = IceFragment::parse(&answer).expect("what is answered can be read");
        assert_eq!((read.ufrag(), read.password()), ("ours", PASSWORD));
        assert_eq!(read.mid, "0");
        assert!(answer.contains("\r\na=candidate:1 "));
    }

    #[test]
    fn the_tag_is_repeated_if_it_is_one() {
        for (mid, wanted) in [
            ("data", "data"),
            ("a b", "0"),
            ("", "0"),
            (&"x".repeat(65), "0"),
        ] {
            let text = format!("{}a=mid:{mid}\r\n", with("abcd", PASSWORD));
            assert_eq!(IceFragment::parse(&text).expect(mid).mid, wanted);
        }
    }

    #[test]
    fn what_is_none() {
        use IceFragmentError as E;
        let long = "x".repeat(257);
        for (text, wanted) in [
            (String::new(), E::NoUfrag),
            ("hello".into(), E::NotSdp),
            (with("abcd", PASSWORD) + "\u{e9}=x", E::NotSdp),
            ("a=ice-ufrag:abcd\r\n".into(), E::NoPassword),
            (with("abc", PASSWORD), E::BadUfrag),
            (with(&long, PASSWORD), E::BadUfrag),
            (with("ab:d", PASSWORD), E::BadUfrag),
            (with("abcd", &PASSWORD[..21]), E::BadPassword),
            (with("abcd", &long), E::BadPassword),
            (with("abcd", "P2uYro0UCOQ4zxjKXa CBui1"), E::BadPassword),
            (
                with("abcd", PASSWORD) + &with("efgh", PASSWORD),
                E::Ambiguous,
            ),
        ] {
            assert_eq!(IceFragment::parse(&text), Err(wanted), "{text}");
        }
        let twice = with("abcd", PASSWORD).repeat(2);
        assert!(
            IceFragment::parse(&twice).is_ok(),
            "bundled sections repeat it"
        );
    }

    #[test]
    fn the_password_is_not_shown() {
        let fragment = IceFragment::parse(&with("abcd", PASSWORD)).expect("one");
        assert_eq!(format!("{fragment:?}"), "IceFragment(abcd)");
    }
}
