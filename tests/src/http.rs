//! A blocking HTTP/1.1 client that sends exactly the bytes it is given.
//!
//! For tables of bad requests, and for the few good ones that a test makes. It knows no redirects, no
//! chunked bodies and no connection reuse.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use crate::{Error, Result};

/// Generous for a loopback server; what a test of slowness asks for, it passes itself.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Larger than any response of ours.
const RESPONSE_BYTES_MAX: usize = 16 << 20;

/// A parsed response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names and values in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body, as long as `Content-Length` says, or else all that came.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text, with replacement characters where it is none.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request with a body and reads the response.
///
/// # Errors
/// As [`send`].
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Response> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str(&format!(
        "Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    ));
    send(address, &[bytes.as_bytes(), body].concat())
}

/// Sends a GET request and reads the response.
///
/// # Errors
/// As [`send`].
pub fn get(address: SocketAddr, path: &str) -> Result<Response> {
    request(address, "GET", path, &[], b"")
}

/// Sends these bytes, whatever they are, and reads one response within 5 s.
///
/// # Errors
/// [`Error::Gone`] when the server closes without a whole response, [`Error::Expired`] when it keeps
/// the connection and says nothing, [`Error::Garbled`] when what it says is not HTTP.
pub fn send(address: SocketAddr, bytes: &[u8]) -> Result<Response> {
    send_within(address, bytes, TIMEOUT)
}

/// [`send`] with another bound on the whole exchange.
///
/// # Errors
/// As [`send`].
pub fn send_within(address: SocketAddr, bytes: &[u8], timeout: Duration) -> Result<Response> {
    send_on(
        TcpStream::connect_timeout(&address, timeout)?,
        bytes,
        timeout,
    )
}

/// [`send_within`] on a connection that is there already.
///
/// # Errors
/// As [`send`].
pub fn send_on(mut stream: TcpStream, bytes: &[u8], timeout: Duration) -> Result<Response> {
    let start = Instant::now();
    let address = stream.peer_addr()?;
    stream.set_write_timeout(Some(timeout))?;
    // A server may answer and close before it has read all of a bad request: what counts is the answer.
    let _ = stream.write_all(bytes);

    let mut received = Vec::new();
    let mut buffer = [0; 16 << 10];
    let gone = || Error::Gone {
        what: format!("the server at {address}"),
    };
    loop {
        let left = timeout
            .saturating_sub(start.elapsed())
            .max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) => return parse(&received, true)?.ok_or_else(gone),
            Ok(length) => received.extend_from_slice(&buffer[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let what = format!("a response of the server at {address}");
                let seen = String::from_utf8_lossy(&received).into_owned();
                return Err(Error::Expired {
                    what,
                    after: timeout,
                    seen,
                });
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                return parse(&received, true)?.ok_or_else(gone);
            }
            Err(error) => return Err(error.into()),
        }
        if received.len() > RESPONSE_BYTES_MAX {
            return Err(Error::Garbled {
                what: "a response without end".into(),
            });
        }
        if let Some(response) = parse(&received, false)? {
            return Ok(response);
        }
    }
}

/// A response, or `None` while more of it must come; `ended` says that nothing more will.
fn parse(bytes: &[u8], ended: bool) -> Result<Option<Response>> {
    let Some(head_length) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&bytes[..head_length]);
    let garbled = || Error::Garbled {
        what: head.clone().into_owned(),
    };
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .ok_or_else(garbled)?;
    let status = status
        .get(..3)
        .and_then(|code| code.parse().ok())
        .ok_or_else(garbled)?;
    let headers = lines
        .map(|line| line.split_once(':').ok_or_else(garbled))
        .map(|header| header.map(|(name, value)| (name.to_owned(), value.trim().to_owned())))
        .collect::<Result<Vec<_>>>()?;

    let mut response = Response {
        status,
        headers,
        body: bytes[head_length + 4..].to_vec(),
    };
    let length = match response.header("content-length") {
        Some(length) => Some(length.parse().map_err(|_| garbled())?),
        None if status == 204 || status == 304 => Some(0),
        None => None,
    };
    match length {
        Some(length) if response.body.len() >= length => response.body.truncate(length),
        None if ended => {}
        _ => return Ok(None),
    }
    Ok(Some(response))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_when_its_length_says_so() -> Result {
        let bytes = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nETag: \"a:b\"\r\n\r\nhi";
        for length in 0..bytes.len() {
            assert_eq!(parse(&bytes[..length], true)?, None, "at {length}");
        }
        let response = parse(bytes, false)?.expect("it is whole");
        assert_eq!((response.status, response.text().as_str()), (201, "hi"));
        assert_eq!(response.header("etag"), Some("\"a:b\""));
        Ok(())
    }

    #[test]
    fn without_a_length_the_end_of_the_connection_counts() -> Result {
        let bytes = b"HTTP/1.1 200 OK\r\n\r\nhi";
        assert_eq!(parse(bytes, false)?, None);
        assert_eq!(parse(bytes, true)?.expect("it is whole").body, b"hi");
        assert!(parse(b"SSH-2.0\r\n\r\n", true).is_err());
        Ok(())
    }
}
