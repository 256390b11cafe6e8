//! A response and its bytes.

use std::borrow::Cow;

/// An HTTP/1.1 response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Cow<'static, [u8]>,
}

/// What the request decides about how its response is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// The response to `HEAD`: the headers of the body without the body.
    pub(crate) head_only: bool,
    pub(crate) persistence: Persistence,
}

/// What becomes of the connection after a response (RFC 9112 section 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// It stays open, as every HTTP/1.1 client assumes.
    KeepAlive,
    /// It stays open, which an HTTP/1.0 client has to be told.
    KeepAliveSaid,
    Close,
}

impl Response {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Cow::Borrowed(&[]),
        }
    }

    /// Adds a header. Only visible ASCII and spaces of the value are kept: whatever text ends up
    /// in a value, it cannot add another header or begin the body (RFC 9110 section 5.5).
    pub(crate) fn header(
        mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        let mut value = value.into();
        if !value.chars().all(is_value_character) {
            value.to_mut().retain(is_value_character);
        }
        self.headers.push((name, value));
        self
    }

    pub(crate) fn body(
        mut self,
        content_type: &'static str,
        body: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    /// The headers that let pages of any origin read this response. There are no cookies here and
    /// nothing else that a browser adds by itself, so no page gains what its user did not give it.
    pub(crate) fn for_all_origins(self) -> Self {
        self.header("Access-Control-Allow-Origin", "*").header(
            "Access-Control-Expose-Headers",
            "Location, ETag, Retry-After",
        )
    }

    /// The response as it is sent; `date` is the value of its Date header.
    pub(crate) fn to_bytes(&self, form: Form, date: &str) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nDate: {date}\r\n",
            self.status,
            reason(self.status)
        );
        let mut line = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        };
        for (name, value) in &self.headers {
            line(name, value);
        }
        if self.has_length() {
            line("Content-Length", &self.body.len().to_string());
        }
        match form.persistence {
            Persistence::KeepAlive => {}
            Persistence::KeepAliveSaid => line("Connection", "keep-alive"),
            Persistence::Close => line("Connection", "close"),
        }
        let mut bytes = (head + "\r\n").into_bytes();
        if !form.head_only {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }

    /// 1xx and 204 must not have a Content-Length (RFC 9110 section 8.6); that of a 304 would be
    /// the length of the body that it does not send.
    fn has_length(&self) -> bool {
        !matches!(self.status, 100..=199 | 204 | 304)
    }
}

fn is_value_character(character: char) -> bool {
    matches!(character, ' '..='~')
}

/// The status in words (RFC 9110 section 15, RFC 6585).
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        // Words are optional (RFC 9112 section 4); this is for statuses of refusals to come.
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Form = Form {
        head_only: false,
        persistence: Persistence::KeepAlive,
    };

    fn text(response: &Response, form: Form) -> String {
        String::from_utf8(response.to_bytes(form, "now")).expect("ASCII")
    }

    #[test]
    fn bytes() {
        let response = Response::new(200)
            .header("X", "y".to_owned())
            .body("text/plain", b"hi");
        let head = "HTTP/1.1 200 OK\r\nDate: now\r\nX: y\r\nContent-Type: text/plain\r\n\
                    Content-Length: 2\r\n";
        assert_eq!(text(&response, KEEP), format!("{head}\r\nhi"));
        let head_only = Form {
            head_only: true,
            persistence: Persistence::KeepAliveSaid,
        };
        assert_eq!(
            text(&response, head_only),
            format!("{head}Connection: keep-alive\r\n\r\n")
        );
    }

    #[test]
    fn no_length_where_none_may_be() {
        for status in [101, 204, 304] {
            assert!(!text(&Response::new(status), KEEP).contains("Content-Length"));
        }
        let close = Form {
            persistence: Persistence::Close,
            ..KEEP
        };
        assert!(
            text(&Response::new(404), close)
                .ends_with("Content-Length: 0\r\nConnection: close\r\n\r\n")
        );
    }

    #[test]
    fn a_value_cannot_break_out() {
        let response = Response::new(204).header("X", "a\r\nY: b\u{e9}\u{7f} c".to_owned());
        assert_eq!(
            text(&response, KEEP),
            "HTTP/1.1 204 No Content\r\nDate: now\r\nX: aY: b c\r\n\r\n"
        );
    }
}
