//! Signaling over HTTP, from the client's side: one POST on a connection of its own.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use oneport_wire::{AccessToken, OFFER_BYTES_MAX, RoomName};

use super::ParticipantError;

/// How long a host has to take a connection; it may have several addresses.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a relay has for its answer, which takes it about a millisecond.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest response; an answer has about as many bytes as an offer.
const RESPONSE_BYTES_MAX: u64 = 2 * OFFER_BYTES_MAX as u64;

/// Knows where the relay is and carries offers there.
#[derive(Debug)]
pub(super) struct Carrier {
    /// Host and port, as in the URL.
    authority: String,
    host: String,
    port: u16,
    /// What stands before `/r/` in the path, such as a proxy may want it.
    base: String,
    home: RoomName,
    token: Option<AccessToken>,
}

/// A connection to the relay's signaling.
#[derive(Debug)]
pub(super) struct Conversation<'a> {
    carrier: &'a Carrier,
    stream: TcpStream,
    local_ip: IpAddr,
}

impl Carrier {
    pub(super) fn new(
        url: &str,
        home: RoomName,
        token: Option<AccessToken>,
    ) -> Result<Self, ParticipantError> {
        let bad = ParticipantError::Url;
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(bad("the URL does not begin with http://"));
        };
        if scheme.eq_ignore_ascii_case("https") {
            return Err(bad(
                "https is not supported yet: use the http:// URL, for example through an SSH tunnel",
            ));
        }
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(bad("the URL does not begin with http://"));
        }
        if rest.contains(|c: char| c.is_ascii_control() || c == ' ') {
            return Err(bad("the URL contains white space"));
        }
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_authority(authority).ok_or(bad("the URL names no host"))?;
        let base = match path.trim_matches('/') {
            "" => String::new(),
            path => format!("/{path}"),
        };
        Ok(Self {
            authority: authority.into(),
            host,
            port,
            base,
            home,
            token,
        })
    }

    /// Connects, so that it is known from which address the relay is reached.
    pub(super) fn begin(&self) -> Result<Conversation<'_>, ParticipantError> {
        let unreachable = |cause| ParticipantError::Unreachable {
            authority: self.authority.clone(),
            cause,
        };
        let addresses = (self.host.as_str(), self.port).to_socket_addrs();
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses.map_err(unreachable)? {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
                    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
                    let local_ip = stream.local_addr()?.ip().to_canonical();
                    return Ok(Conversation {
                        carrier: self,
                        stream,
                        local_ip,
                    });
                }
                Err(error) => failure = error,
            }
        }
        Err(unreachable(failure))
    }

    fn head(&self, offer: &str) -> String {
        let Self {
            authority,
            base,
            home,
            ..
        } = self;
        let length = offer.len();
        let mut head = format!(
            "POST {base}/r/{home} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/sdp\r\n\
             Accept: application/sdp\r\nContent-Length: {length}\r\nConnection: close\r\n"
        );
        if let Some(token) = &self.token {
            let _ = write!(head, "Authorization: Bearer {}\r\n", token.reveal());
        }
        head + "\r\n"
    }
}

impl Conversation<'_> {
    pub(super) fn local_ip(&self) -> IpAddr {
        self.local_ip
    }

    /// Gives the offer and takes the answer.
    pub(super) fn exchange(mut self, offer: &str) -> Result<String, ParticipantError> {
        let unreachable = |cause| ParticipantError::Unreachable {
            authority: self.carrier.authority.clone(),
            cause,
        };
        let request = self.carrier.head(offer) + offer;
        self.stream
            .write_all(request.as_bytes())
            .map_err(unreachable)?;
        let mut response = Vec::new();
        let read = (&self.stream)
            .take(RESPONSE_BYTES_MAX)
            .read_to_end(&mut response);
        read.map_err(unreachable)?;
        answer(&response)
    }
}

/// `host`, `host:port`, `1.2.3.4:port` or `[::1]:port`.
fn split_authority(authority: &str) -> Option<(String, u16)> {
    /// RFC 9110 section 4.2.1.
    const HTTP_PORT: u16 = 80;
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Some(HTTP_PORT), |port| port.parse().ok())?;
    (!host.is_empty() && !host.contains('@')).then(|| (host.into(), port))
}

/// The answer in a response, or what the response refuses.
fn answer(response: &[u8]) -> Result<String, ParticipantError> {
    let text = std::str::from_utf8(response);
    let text = text.map_err(|_| ParticipantError::Garbled("the response is not text"))?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(ParticipantError::Garbled("the response is not HTTP"))?;
    let status = head.strip_prefix("HTTP/1.");
    let status = status.and_then(|rest| rest.get(2..5)?.parse::<u16>().ok());
    let status = status.ok_or(ParticipantError::Garbled("the response is not HTTP"))?;
    if status == 201 {
        return Ok(body.to_owned());
    }
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    let retry_after = header("Retry-After").and_then(|value| value.parse().ok());
    let problem: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let detail = problem
        .as_ref()
        .and_then(|problem| problem["detail"].as_str());
    Err(ParticipantError::Refused {
        status,
        message: detail.unwrap_or("no reason is given").to_owned(),
        retry_after: retry_after.map(Duration::from_secs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carrier(url: &str) -> Result<Carrier, ParticipantError> {
        Carrier::new(url, "lobby".parse().expect("a name"), None)
    }

    #[test]
    fn urls() {
        for (url, host, port, base) in [
            ("http://127.0.0.1:3478", "127.0.0.1", 3478, ""),
            ("http://[::1]:3478/#lobby", "::1", 3478, ""),
            ("HTTP://relay.example", "relay.example", 80, ""),
            (
                "http://relay.example/chat/?x=1",
                "relay.example",
                80,
                "/chat",
            ),
        ] {
            let carrier = carrier(url).expect(url);
            assert_eq!((carrier.host.as_str(), carrier.port), (host, port), "{url}");
            assert_eq!(carrier.base, base, "{url}");
        }
        for url in [
            "",
            "lobby",
            "ftp://x",
            "http://",
            "http://:1",
            "http://x:y",
            "http://a@b",
            "http://a b",
        ] {
            assert!(
                matches!(carrier(url), Err(ParticipantError::Url(_))),
                "{url}"
            );
        }
        let https = carrier("https://relay.example").expect_err("not yet");
        assert!(https.to_string().contains("not supported yet"));
    }

    #[test]
    fn responses() {
        let answered =
            answer(b"HTTP/1.1 201 Created\r\nETag: x\r\n\r\nv=0\r\n").expect("an answer");
        assert_eq!(answered, "v=0\r\n");
        let full =
            b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 30\r\n\r\n{\"detail\":\"full\"}";
        let full = answer(full).expect_err("refused");
        assert_eq!(full.to_string(), "refused (503): full");
        assert_eq!(full.retry_after(), Some(Duration::from_secs(30)));
        assert!(!full.is_final());
        let unknown = answer(b"HTTP/1.1 404 Not Found\r\n\r\n<html>").expect_err("refused");
        assert!(unknown.is_final());
        for garbage in [&b""[..], b"SSH-2.0", b"HTTP/1.1 2\r\n\r\n", b"\xff\r\n\r\n"] {
            assert!(matches!(answer(garbage), Err(ParticipantError::Garbled(_))));
        }
    }
}
