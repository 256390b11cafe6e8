//! URLs that users type.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest host name (RFC 1035 section 2.3.4), without the dot at its end.
const HOST_BYTES_MAX: usize = 253;

/// The longest part of a host name between two dots (RFC 1035 section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// An absolute `http` or `https` URL (RFC 9110 section 4.2) with all parts checked, borrowed from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HttpUrl<'a> {
    pub(crate) is_https: bool,
    /// What stands before an `@`: a user name and perhaps a password.
    pub(crate) user_info: Option<&'a str>,
    /// Host and port as in the text.
    pub(crate) authority: &'a str,
    /// A name or an address, which has no brackets.
    pub(crate) host: &'a str,
    /// The port, or the scheme's default.
    pub(crate) port: u16,
    /// Empty, or begins with a slash.
    pub(crate) path: &'a str,
    pub(crate) fragment: Option<&'a str>,
}

impl<'a> HttpUrl<'a> {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// [`HttpUrlError`] says which part is wrong.
    pub(crate) fn parse(text: &'a str) -> Result<Self, HttpUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(HttpUrlError::Scheme)?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err(HttpUrlError::Scheme);
        }
        if rest.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(HttpUrlError::WhiteSpace);
        }
        if !rest.is_ascii() {
            return Err(HttpUrlError::Character);
        }
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if !is_percent_encoded(target) {
            return Err(HttpUrlError::Percent);
        }
        let (user_info, authority) = match authority.rsplit_once('@') {
            Some((user_info, authority)) => (Some(user_info), authority),
            None => (None, authority),
        };
        let (host, port) = split_authority(authority)?;
        // RFC 9110 sections 4.2.1 and 4.2.2.
        let default_port = if is_https { 443 } else { 80 };
        Ok(Self {
            is_https,
            user_info,
            authority,
            host,
            port: port.unwrap_or(default_port),
            path: target.split('?').next().unwrap_or_default(),
            fragment,
        })
    }
}

/// `host`, `host:port`, `192.0.2.1:port` or `[2001:db8::1]:port`.
fn split_authority(authority: &str) -> Result<(&str, Option<u16>), HttpUrlError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(HttpUrlError::Host)?;
            if host.parse::<Ipv6Addr>().is_err() {
                return Err(HttpUrlError::Host);
            }
            match rest.strip_prefix(':') {
                None if !rest.is_empty() => return Err(HttpUrlError::Host),
                port => (host, port),
            }
        }
        None => {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            };
            check_name(host)?;
            (host, port)
        }
    };
    Ok((host, port.map(parse_port).transpose()?))
}

fn parse_port(port: &str) -> Result<u16, HttpUrlError> {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|port| is_number && *port > 0);
    number.ok_or(HttpUrlError::Port)
}

/// A host name, or an IPv4 address: what ends in a number can only be one.
fn check_name(host: &str) -> Result<(), HttpUrlError> {
    if host.is_empty() {
        return Err(HttpUrlError::NoHost);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(is_good)
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_address = last.bytes().all(|byte| byte.is_ascii_digit());
    let is_good = match is_address {
        true => host.parse::<Ipv4Addr>().is_ok(),
        false => name.len() <= HOST_BYTES_MAX && name.split('.').all(is_label),
    };
    match is_good {
        true => Ok(()),
        false => Err(HttpUrlError::Host),
    }
}

/// Whether each `%` begins an escape (RFC 3986 section 2.1).
fn is_percent_encoded(target: &str) -> bool {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    target.split('%').skip(1).all(is_escape)
}

/// Why a text is not an absolute `http` or `https` URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpUrlError {
    /// It does not begin with `http://` or `https://`.
    Scheme,
    /// It contains spaces or control characters.
    WhiteSpace,
    /// It contains characters that a URL must encode.
    Character,
    /// It contains a `%` without two hexadecimal digits after it.
    Percent,
    /// It contains a user name or a password where that has no meaning.
    UserInfo,
    /// It has no host.
    NoHost,
    /// Its host is neither a name nor an address.
    Host,
    /// Its port is out of range.
    Port,
    /// It has a fragment where that has no meaning.
    Fragment,
}

impl HttpUrlError {
    /// The error as a sentence without its end.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Scheme => "the URL does not begin with https:// or http://",
            Self::WhiteSpace => "the URL contains white space",
            Self::Character => {
                "the URL contains characters that must be encoded, with % or in the host name with xn--"
            }
            Self::Percent => "the URL contains a % that two hexadecimal digits do not follow",
            Self::UserInfo => "the URL contains a user name or password, which would not be sent",
            Self::NoHost => "the URL names no host",
            Self::Host => "the URL's host is neither a name nor an address (IPv6 in brackets)",
            Self::Port => "the URL's port is not a number from 1 to 65535",
            Self::Fragment => "the URL has a fragment (#), which would not be sent",
        }
    }
}

impl fmt::Display for HttpUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for HttpUrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_urls() {
        for (text, host, port, path, fragment) in [
            ("http://a", "a", 80, "", None),
            ("HTTPS://a.example./", "a.example.", 443, "/", None),
            ("http://a?b", "a", 80, "", None),
            ("http://a/b%2fc?d=%20#e?f", "a", 80, "/b%2fc", Some("e?f")),
            ("http://127.0.0.1:65535", "127.0.0.1", 65535, "", None),
            ("http://[::1]:1/#", "::1", 1, "/", Some("")),
            ("http://[2001:db8::1]", "2001:db8::1", 80, "", None),
            ("http://1.example", "1.example", 80, "", None),
            ("http://a_b-c:080/", "a_b-c", 80, "/", None),
        ] {
            let url = HttpUrl::parse(text).expect(text);
            let found = (url.host, url.port, url.path, url.fragment);
            assert_eq!(found, (host, port, path, fragment), "{text}");
        }
    }

    #[test]
    fn user_information_is_apart_from_the_host() {
        for (text, user_info, authority) in [
            ("http://a:1/@b", None, "a:1"),
            ("http://b@a", Some("b"), "a"),
            ("http://b:c@d@a:1/", Some("b:c@d"), "a:1"),
            ("http://@a", Some(""), "a"),
        ] {
            let url = HttpUrl::parse(text).expect(text);
            assert_eq!(
                (url.user_info, url.authority),
                (user_info, authority),
                "{text}"
            );
        }
    }

    #[test]
    fn bad_urls_have_their_reason() {
        let long = format!("http://{}", "a.".repeat(127));
        let longer = format!("http://{}a", "a.".repeat(127));
        assert!(HttpUrl::parse(&long).is_ok());
        for (text, error) in [
            ("", HttpUrlError::Scheme),
            ("a.example", HttpUrlError::Scheme),
            ("//a", HttpUrlError::Scheme),
            ("http:/a", HttpUrlError::Scheme),
            (" http://a", HttpUrlError::Scheme),
            ("ftp://a", HttpUrlError::Scheme),
            ("http://a b", HttpUrlError::WhiteSpace),
            ("http://a/b c", HttpUrlError::WhiteSpace),
            ("http://a/\tb", HttpUrlError::WhiteSpace),
            ("http://a/b\n", HttpUrlError::WhiteSpace),
            ("http://a/\u{a0}", HttpUrlError::WhiteSpace),
            ("http://a/#\0", HttpUrlError::WhiteSpace),
            ("http://b\u{fc}cher.example", HttpUrlError::Character),
            ("http://a/\u{e9}", HttpUrlError::Character),
            ("http://a/%", HttpUrlError::Percent),
            ("http://a/%zz", HttpUrlError::Percent),
            ("http://a/?b=%4", HttpUrlError::Percent),
            ("http://b@", HttpUrlError::NoHost),
            ("http://b:c@a:0", HttpUrlError::Port),
            ("http://", HttpUrlError::NoHost),
            ("http:///b", HttpUrlError::NoHost),
            ("http://:80/", HttpUrlError::NoHost),
            ("http://?b", HttpUrlError::NoHost),
            ("http://#b", HttpUrlError::NoHost),
            ("http://a..b", HttpUrlError::Host),
            ("http://.a", HttpUrlError::Host),
            ("http://a%20b", HttpUrlError::Host),
            ("http://a\\b", HttpUrlError::Host),
            ("http://256.0.0.1", HttpUrlError::Host),
            ("http://1.2.3", HttpUrlError::Host),
            ("http://127.0.0.1.", HttpUrlError::Host),
            ("http://2130706433", HttpUrlError::Host),
            ("http://[::1", HttpUrlError::Host),
            ("http://[::1]80", HttpUrlError::Host),
            ("http://[]", HttpUrlError::Host),
            ("http://[a]", HttpUrlError::Host),
            ("http://[fe80::1%25eth0]", HttpUrlError::Host),
            ("http://::1/", HttpUrlError::NoHost),
            (&longer, HttpUrlError::Host),
            ("http://a:0", HttpUrlError::Port),
            ("http://a:", HttpUrlError::Port),
            ("http://a:65536", HttpUrlError::Port),
            ("http://a:99999/", HttpUrlError::Port),
            ("http://a:+80", HttpUrlError::Port),
            ("http://a:-1", HttpUrlError::Port),
            ("http://a:8o", HttpUrlError::Port),
            ("http://a:1:2", HttpUrlError::Port),
            ("http://[::1]:99999999999999999999", HttpUrlError::Port),
        ] {
            assert_eq!(HttpUrl::parse(text), Err(error), "{text}");
        }
    }
}
