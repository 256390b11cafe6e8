//! A request's head: everything before its body.

use std::num::IntErrorKind;

use oneport_wire::{AccessToken, AccessTokenError};

use crate::authorization;
use crate::forwarded::Forwarded;
use crate::locality;

/// The head of an HTTP/1 request, as far as this endpoint looks at it.
///
/// What can be constructed obeys RFC 9112: where the message ends is beyond doubt, and no header
/// that may stand once stands twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// The path of the target, without its query; `*` for `OPTIONS *`.
    pub(crate) path: String,
    /// What stands behind the target's question mark.
    pub(crate) query: String,
    /// The Host header, whatever it says.
    pub(crate) host: Option<String>,
    pub(crate) forwarded: Forwarded,
    /// HTTP/1.1, otherwise 1.0.
    pub(crate) http11: bool,
    pub(crate) content_length: Option<u64>,
    /// The client takes another request's response on this connection.
    pub(crate) keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub(crate) expects_continue: bool,
    /// Media type without parameters, in lower case.
    pub(crate) content_type: Option<String>,
    pub(crate) accept: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_match: Option<String>,
    /// `Authorization: Bearer`; other schemes count as nothing.
    pub(crate) access_token: Option<Result<AccessToken, AccessTokenError>>,
    pub(crate) upgrade: Upgrade,
    /// Nothing in it says that it comes from elsewhere than this machine; that the connection does not
    /// either is for others to see. HTTP/1.0 is what a proxy speaks that was told nothing.
    pub(crate) looks_local: bool,
}

/// A request's wish to speak WebSocket, for the handshake to judge (RFC 6455 section 4.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Upgrade {
    /// `Upgrade: websocket`.
    pub(crate) websocket: bool,
    /// `Connection: upgrade`.
    pub(crate) connection: bool,
    pub(crate) version: Option<String>,
    pub(crate) key: Option<String>,
}

/// A request's method (RFC 9110 section 9), as far as something here is done by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `POST`.
    Post,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
    /// `OPTIONS`.
    Options,
    /// Any other.
    Other,
}

/// Why bytes are not the beginning of a request that can be answered. The client's fault, and
/// where its next request begins is unknown: the connection must close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not HTTP, or ambiguous.
    Malformed(&'static str),
    /// The request line alone is longer than a whole head may be.
    TargetTooLong,
    /// The head is too long or has too many headers.
    HeadTooLarge,
    /// It is another version of HTTP.
    Version,
    /// It expects something else than `100-continue`.
    Expectation,
    /// The body's end is not told by Content-Length.
    Chunked,
}

/// The most headers in a request: browsers send about 20, and each proxy adds some.
const HEADERS_MAX: usize = 64;

impl Head {
    /// Reads a head from the beginning of `bytes`. Returns it with its length, or `None` if it is
    /// not complete yet. The result does not depend on how the bytes were split on their way.
    pub(crate) fn parse(bytes: &[u8], bytes_max: usize) -> Result<Option<(Self, usize)>, Fault> {
        let within = &bytes[..bytes.len().min(bytes_max)];
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(within) {
            Ok(httparse::Status::Complete(length)) => {
                Ok(Some((Self::from_httparse(&request)?, length)))
            }
            Ok(httparse::Status::Partial) if within.len() < bytes_max => Ok(None),
            Ok(httparse::Status::Partial) if within.contains(&b'\n') => Err(Fault::HeadTooLarge),
            Ok(httparse::Status::Partial) => Err(Fault::TargetTooLong),
            Err(httparse::Error::TooManyHeaders) => Err(Fault::HeadTooLarge),
            Err(httparse::Error::Version) if names_a_version(within) => Err(Fault::Version),
            Err(_) => Err(Fault::Malformed("this is not HTTP/1.1")),
        }
    }

    fn from_httparse(request: &httparse::Request<'_, '_>) -> Result<Self, Fault> {
        let headers = Headers(request.headers);
        let http11 = request.version == Some(1);
        let method = Method::from(request.method.unwrap_or_default());
        let host = headers.single("Host")?;
        if http11 && host.is_none() {
            // RFC 9112 section 3.2.
            return Err(Fault::Malformed("HTTP/1.1 needs a Host header"));
        }
        Ok(Self {
            method,
            path: path(request.path.unwrap_or_default(), method)?,
            query: query(request.path.unwrap_or_default()).to_owned(),
            host: host.map(text),
            forwarded: Forwarded {
                addresses: headers.joined("X-Forwarded-For"),
                proto: headers.joined("X-Forwarded-Proto"),
            },
            http11,
            content_length: content_length(&headers)?,
            keep_alive: !headers.has_token("Connection", "close")
                && (http11 || headers.has_token("Connection", "keep-alive")),
            expects_continue: http11 && expects_continue(&headers)?,
            content_type: headers.single("Content-Type")?.map(essence),
            accept: headers.joined("Accept"),
            if_none_match: headers.joined("If-None-Match"),
            if_match: headers.joined("If-Match"),
            access_token: headers
                .single("Authorization")?
                .and_then(authorization::bearer),
            upgrade: Upgrade {
                websocket: headers.has_token("Upgrade", "websocket"),
                connection: headers.has_token("Connection", "upgrade"),
                version: headers.single("Sec-WebSocket-Version")?.map(text),
                key: headers.single("Sec-WebSocket-Key")?.map(text),
            },
            looks_local: http11 && locality::looks_local(&headers),
        })
    }
}

impl From<&str> for Method {
    fn from(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

/// The path of a request target: origin form, or absolute form, which a server must take too
/// (RFC 9112 section 3.2).
fn path(target: &str, method: Method) -> Result<String, Fault> {
    if target == "*" && method == Method::Options {
        return Ok(target.to_owned());
    }
    let target = target.split('?').next().unwrap_or_default();
    if target.starts_with('/') {
        return Ok(target.to_owned());
    }
    match target.split_once("://") {
        Some((_, rest)) => Ok(rest
            .find('/')
            .map_or("/", |slash| &rest[slash..])
            .to_owned()),
        None => Err(Fault::Malformed("the target is neither a path nor a URL")),
    }
}

/// The query of a request target, as it was sent; a client has no fragment to send.
fn query(target: &str) -> &str {
    target.split_once('?').map_or("", |(_, query)| query)
}

/// The body's length. Whatever could make two parsers disagree about it is refused, because that
/// is how requests are smuggled (RFC 9112 sections 6.3 and 11.2).
fn content_length(headers: &Headers<'_>) -> Result<Option<u64>, Fault> {
    let length = headers.single("Content-Length")?;
    if headers.single("Transfer-Encoding")?.is_some() {
        return Err(match length {
            Some(_) => Fault::Malformed("Content-Length and Transfer-Encoding contradict"),
            None => Fault::Chunked,
        });
    }
    let Some(length) = length else {
        return Ok(None);
    };
    let digits = str::from_utf8(length).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Malformed("Content-Length is not a number"));
    }
    match digits.parse() {
        Ok(length) => Ok(Some(length)),
        // More than anybody can send is too much, not nonsense.
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Ok(Some(u64::MAX)),
        Err(_) => Err(Fault::Malformed("Content-Length is not a number")),
    }
}

/// RFC 9110 section 10.1.1.
fn expects_continue(headers: &Headers<'_>) -> Result<bool, Fault> {
    match headers.single("Expect")? {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(b"100-continue") => Ok(true),
        Some(_) => Err(Fault::Expectation),
    }
}

/// The media type without its parameters (RFC 9110 section 8.3.1).
fn essence(content_type: &[u8]) -> String {
    let essence = content_type.split(|byte| *byte == b';').next();
    text(essence.unwrap_or_default().trim_ascii()).to_ascii_lowercase()
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// Whether the request line ends like one of another HTTP version, rather than like no HTTP at
/// all. One digit decides, because that is as far as the parser goes.
fn names_a_version(bytes: &[u8]) -> bool {
    let line = bytes.trim_ascii_start().split(|byte| *byte == b'\n').next();
    line.and_then(|line| line.split(|byte| *byte == b' ').nth(2))
        .and_then(|version| version.strip_prefix(b"HTTP/"))
        .is_some_and(|version| version.first().is_some_and(u8::is_ascii_digit))
}

/// The headers by name; names are case-insensitive, and values trimmed.
pub(crate) struct Headers<'a>(&'a [httparse::Header<'a>]);

impl<'a> Headers<'a> {
    pub(crate) fn all(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.trim_ascii())
    }

    /// The value of a header that may stand once.
    fn single(&self, name: &'static str) -> Result<Option<&'a [u8]>, Fault> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Fault::Malformed(
                "a header that may stand once stands twice",
            ));
        }
        Ok(first)
    }

    /// A list header as one line (RFC 9110 section 5.3).
    fn joined(&self, name: &'static str) -> Option<String> {
        let lines: Vec<_> = self.all(name).map(text).collect();
        (!lines.is_empty()).then(|| lines.join(","))
    }

    /// Whether a list header names this token, in any case.
    fn has_token(&self, name: &'static str, token: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|element| element.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
