//! An error for the client.

use std::borrow::Cow;

use oneport_wire::{Refusal, RestartRefusal};

use crate::head::Fault;
use crate::response::{Response, reason};

/// Why a request fails, on its way to become a response of type `application/problem+json`
/// (RFC 9457) with a member `code` for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: u16,
    code: &'static str,
    detail: Cow<'static, str>,
    headers: Vec<(&'static str, Cow<'static, str>)>,
}

impl Problem {
    /// A problem with this HTTP status, a word for programs, and a sentence for people.
    pub fn new(status: u16, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            headers: Vec::new(),
        }
    }

    /// There is nothing at this path.
    pub fn not_found() -> Self {
        Self::new(404, "not_found", "there is nothing at this path")
    }

    pub(crate) fn no_such_session() -> Self {
        Self::from(RestartRefusal::NoSuchSession)
    }

    /// `allow` is the list of the methods that there are (RFC 9110 section 10.2.1).
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let detail = format!("the methods here are {allow}");
        Self::new(405, "method_not_allowed", detail).header("Allow", allow)
    }

    /// A whole request did not arrive in time.
    pub(crate) fn request_timeout() -> Self {
        Self::new(
            408,
            "request_timeout",
            "the request took too long to arrive",
        )
    }

    /// The client stopped sending in the middle.
    pub(crate) fn incomplete() -> Self {
        Self::new(400, "bad_http", "the request ended before it was complete")
    }

    /// An operator's request is longer than [`Config::operator_body_bytes_max`](crate::Config).
    pub(crate) fn body_too_large(bytes_max: usize) -> Self {
        let detail = format!("a request here has at most {bytes_max} bytes");
        Self::new(413, "body_too_large", detail)
    }

    pub(crate) fn length_required() -> Self {
        let detail = "the body's length must be told by Content-Length, without Transfer-Encoding";
        Self::new(411, "length_required", detail)
    }

    /// `accept` is the header that tells `wanted`: Accept-Post (W3C LDP section 7.1) or Accept-Patch
    /// (RFC 5789 section 3.1).
    pub(crate) fn unsupported_media_type(accept: &'static str, wanted: &'static str) -> Self {
        let detail = format!("the Content-Type must be {wanted}");
        Self::new(415, "unsupported_media_type", detail).header(accept, wanted)
    }

    /// The request at `/ws` has no `Upgrade: websocket`, or one of another version (RFC 6455
    /// section 4.4).
    pub(crate) fn upgrade_required(detail: &'static str) -> Self {
        Self::new(426, "upgrade_required", detail)
            .header("Upgrade", "websocket")
            .header("Connection", "upgrade")
            .header("Sec-WebSocket-Version", "13")
    }

    /// The upgrade to WebSocket breaks RFC 6455 section 4.2.1.
    pub(crate) fn bad_upgrade(detail: &'static str) -> Self {
        Self::new(400, "bad_upgrade", detail)
    }

    /// There is no name to lead the client to.
    pub(crate) fn https_only() -> Self {
        let detail = "this relay speaks https, and the Host header names no host to lead there";
        Self::new(400, "https_only", detail)
    }

    pub(crate) fn too_many_connections() -> Self {
        let detail = "too many connections to signaling at this moment";
        Self::new(503, "too_many_connections", detail).header("Retry-After", "1")
    }

    /// The problem with one more header in its response.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The word for programs.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// As a response that pages of other origins cannot read.
    pub(crate) fn into_private_response(self) -> Response {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": reason(self.status),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        });
        let response = Response::new(self.status)
            .body("application/problem+json", body.to_string().into_bytes())
            .header("Cache-Control", "no-store")
            .header("X-Content-Type-Options", "nosniff");
        self.headers
            .into_iter()
            .fold(response, |response, (name, value)| {
                response.header(name, value)
            })
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed(detail) => Self::new(400, "bad_http", detail),
            Fault::TargetTooLong => Self::new(414, "target_too_long", "the URL is too long"),
            Fault::HeadTooLarge => Self::new(431, "head_too_large", "the headers are too large"),
            Fault::Version => Self::new(
                505,
                "version_not_supported",
                "this endpoint speaks HTTP/1.1",
            ),
            Fault::Expectation => {
                let detail = "the only expectation that can be met is 100-continue";
                Self::new(417, "expectation_failed", detail)
            }
            Fault::Chunked => Self::length_required(),
        }
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let problem = Self::new(refusal.http_status(), refusal.code(), refusal.to_string());
        let problem = match challenge(refusal) {
            Some(challenge) => problem.header("WWW-Authenticate", challenge),
            None => problem,
        };
        match refusal.retry_after_secs() {
            Some(seconds) => problem.header("Retry-After", seconds.to_string()),
            None => problem,
        }
    }
}

impl From<RestartRefusal> for Problem {
    fn from(refusal: RestartRefusal) -> Self {
        let problem = Self::new(refusal.http_status(), refusal.code(), refusal.to_string());
        match refusal {
            RestartRefusal::Busy => problem.header("Retry-After", "1"),
            _ => problem,
        }
    }
}

/// What a response with status 401 must say (RFC 9110 section 11.6.1), in the words of RFC 6750
/// section 3.
fn challenge(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::TokenMissing => Some("Bearer"),
        Refusal::TokenBad | Refusal::TokenNotYetValid | Refusal::TokenExpired => {
            Some("Bearer error=\"invalid_token\"")
        }
        _ => None,
    }
}

impl From<Problem> for Response {
    /// All problems but an operator's can be read by pages of any origin: some are found before it is known what the
    /// request is for, and none tells a secret.
    fn from(problem: Problem) -> Self {
        problem.into_private_response().for_all_origins()
    }
}

#[cfg(test)]
mod tests {
    use crate::response::{Form, Persistence};

    use super::*;

    fn text(problem: Problem) -> String {
        let form = Form {
            head_only: false,
            persistence: Persistence::Close,
        };
        String::from_utf8(Response::from(problem).to_bytes(form, "now")).expect("UTF-8")
    }

    #[test]
    fn a_refusal_keeps_its_code_status_and_retry_time() {
        let text = text(Problem::from(&Refusal::RoomFull));
        assert!(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
        assert!(text.contains("\r\nRetry-After: 30\r\n"));
        assert!(text.contains("\r\nAccess-Control-Allow-Origin: *\r\n"));
        let (_, body) = text.split_once("\r\n\r\n").expect("a body");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "type": "about:blank",
                "title": "Service Unavailable",
                "status": 503,
                "detail": "the room is full",
                "code": "room_full",
            })
        );
    }

    #[test]
    fn no_retry_time_where_none_helps() {
        let refusal = Refusal::BadOffer("\"\r\n".into());
        let text = text(Problem::from(&refusal));
        assert!(text.starts_with("HTTP/1.1 400 "));
        assert!(!text.contains("Retry-After:"));
    }

    #[test]
    fn who_must_authenticate_is_told_how() {
        for (refusal, challenge) in [
            (Refusal::TokenMissing, Some("Bearer")),
            (Refusal::TokenBad, Some("Bearer error=\"invalid_token\"")),
            (
                Refusal::TokenExpired,
                Some("Bearer error=\"invalid_token\""),
            ),
            (Refusal::Forbidden, None),
        ] {
            let text = text(Problem::from(&refusal));
            let mut lines = text.lines();
            let found = lines.find_map(|line| line.strip_prefix("WWW-Authenticate: "));
            assert_eq!(found, challenge, "{refusal:?}");
            assert_eq!(challenge.is_some(), refusal.http_status() == 401);
        }
    }

    #[test]
    fn every_status_has_a_name() {
        let faults = [
            Fault::Malformed(""),
            Fault::TargetTooLong,
            Fault::HeadTooLarge,
            Fault::Version,
            Fault::Expectation,
            Fault::Chunked,
        ];
        let refusals = [
            Refusal::BadRequest(""),
            Refusal::TokenMissing,
            Refusal::Forbidden,
            Refusal::OfferTooLarge,
            Refusal::NoDataChannel,
            Refusal::TooManyClientsFromAddress,
            Refusal::TooManyHandshakesFromAddress,
            Refusal::Busy,
        ];
        let restarts = [
            RestartRefusal::TooLarge,
            RestartRefusal::NoPrecondition,
            RestartRefusal::Outdated,
        ];
        let own = [
            Problem::not_found(),
            Problem::method_not_allowed("GET"),
            Problem::request_timeout(),
            Problem::unsupported_media_type("Accept-Post", "application/sdp"),
            Problem::upgrade_required(""),
        ];
        let problems = faults
            .map(Problem::from)
            .into_iter()
            .chain(refusals.iter().map(Problem::from))
            .chain(restarts.map(Problem::from))
            .chain(own);
        for problem in problems {
            assert_ne!(reason(problem.status), "", "{problem:?}");
        }
    }
}
