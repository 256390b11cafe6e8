//! The part of a session description that an ICE restart exchanges.

use std::fmt;

mod sections;

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
    /// The `m=` line of the section with that tag, without `m=` and with port 9.
    media: String,
}

/// The lengths that RFC 8839 section 5.4 allows, in characters.
const UFRAG_CHARS: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 22..=256;

/// The longest identification tag and `m=` line that an answer repeats, in bytes: a link keeps its latest
/// fragment. Browsers count from 0, and RFC 5888 section 4 sets no limit.
const REPEATED_BYTES_MAX: usize = 256;

/// Where there is no tag; a browser's only section has this one.
const MID_DEFAULT: &str = "0";

/// Where there is no `m=` line.
const MEDIA_DEFAULT: &str = "application 9 UDP/DTLS/SCTP webrtc-datachannel";

impl IceFragment {
    /// Reads a fragment. A whole description is one too.
    ///
    /// # Errors
    ///
    /// Where it is not made of lines as SDP is, or does not say who the sender is, or says it twice.
    pub fn parse(text: &str) -> Result<Self, IceFragmentError> {
        let mut lines = text.split(['\r', '\n']).map(str::trim);
        if !lines.all(|line| line.is_empty() || is_sdp_line(line)) {
            return Err(IceFragmentError::NotSdp);
        }
        let section = sections::chosen(text)?;
        let ufrag = section.ufrag.ok_or(IceFragmentError::NoUfrag)?;
        let password = section.password.ok_or(IceFragmentError::NoPassword)?;
        if !UFRAG_CHARS.contains(&ufrag.len()) || !ufrag.bytes().all(is_ice_char) {
            return Err(IceFragmentError::BadUfrag);
        }
        if !PASSWORD_CHARS.contains(&password.len()) || !password.bytes().all(is_ice_char) {
            return Err(IceFragmentError::BadPassword);
        }
        let mid = section.mid.filter(|mid| is_token(mid));
        Ok(Self {
            ufrag: ufrag.into(),
            password: password.into(),
            mid: mid.unwrap_or(MID_DEFAULT).into(),
            media: section
                .media
                .and_then(open_media)
                .unwrap_or_else(|| MEDIA_DEFAULT.into()),
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
        let (mid, media) = (&self.mid, &self.media);
        let mut answer = format!(
            "a=ice-lite\r\na=group:BUNDLE {mid}\r\nm={media}\r\na=mid:{mid}\r\n\
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

/// What follows `m=`, with port 9 in the place of the sender's; `None` where it cannot be repeated.
fn open_media(line: &str) -> Option<String> {
    let mut words = line.splitn(3, ' ');
    let (media, _port, rest) = (words.next()?, words.next()?, words.next()?);
    let is_short = line.len() <= REPEATED_BYTES_MAX;
    is_short.then(|| format!("{media} 9 {rest}"))
}

/// RFC 8839 section 5.1, `ice-char`.
fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// RFC 8866 section 9, `token`, as far as tags go.
fn is_token(text: &str) -> bool {
    let is_token_char =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
    (1..=REPEATED_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_token_char)
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
    /// It has different ones, and nothing tells which are those of the data channels.
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
            (&"x".repeat(256), &"x".repeat(256)),
            (&"x".repeat(257), "0"),
        ] {
            let text = format!("{}a=mid:{mid}\r\n", with("abcd", PASSWORD));
            assert_eq!(IceFragment::parse(&text).expect(mid).mid, wanted);
        }
    }

    #[test]
    fn the_section_of_the_data_channels_counts() {
        let other = "P2uYro0UCOQ4zxjKXaWCBui2";
        let audio = |port: u16, ufrag| {
            let credentials = with(ufrag, other);
            format!("m=audio {port} RTP/AVP 0\r\na=mid:0\r\n{credentials}")
        };
        let data = |ufrag| {
            let credentials = with(ufrag, PASSWORD);
            format!("m=application 9 DTLS/SCTP 5000\r\na=mid:1\r\n{credentials}")
        };
        for (what, text, wanted) in [
            (
                "rejected audio",
                audio(0, "aaaa") + &data("dddd"),
                ("dddd", "1"),
            ),
            ("no group", audio(9, "aaaa") + &data("dddd"), ("dddd", "1")),
            (
                "the tagged section of a group",
                format!("a=group:BUNDLE 0 1\r\n{}{}", audio(9, "aaaa"), data("dddd")),
                ("aaaa", "0"),
            ),
            (
                "a group whose first section is rejected",
                format!("a=group:BUNDLE 0 1\r\n{}{}", audio(0, "aaaa"), data("dddd")),
                ("dddd", "1"),
            ),
            (
                "attributes of the session",
                with("ssss", PASSWORD) + "m=application 9 DTLS/SCTP 5000 \r\n\r\na=mid: 1 \r\n",
                ("ssss", "1"),
            ),
        ] {
            let fragment = IceFragment::parse(&text).expect(what);
            assert_eq!((fragment.ufrag(), fragment.mid.as_str()), wanted, "{what}");
        }
        let old = IceFragment::parse(&data("dddd")).expect("one");
        let answer = old.answer("ours", PASSWORD, &[]);
        assert!(answer.contains("\r\nm=application 9 DTLS/SCTP 5000\r\na=mid:1\r\n"));
        let two = data("dddd") + &data("eeee");
        assert_eq!(IceFragment::parse(&two), Err(IceFragmentError::Ambiguous));
    }

    /// Looking at each section for each tag would need seconds.
    #[test]
    fn the_cost_is_linear() {
        let group = format!("a=group:BUNDLE{}\r\n", " x".repeat(40_000));
        let data =
            |ufrag: &str| format!("m=application 9 DTLS/SCTP 5000\r\na=ice-ufrag:{ufrag}\r\n");
        let sections = "m=\r\n".repeat(6_000) + &data("dddd") + &data("eeee");
        let text = with("ssss", PASSWORD) + &group + &sections;
        let begun = std::time::Instant::now();
        assert_eq!(IceFragment::parse(&text), Err(IceFragmentError::Ambiguous));
        let took = begun.elapsed();
        assert!(took < std::time::Duration::from_millis(500), "{took:?}");
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
