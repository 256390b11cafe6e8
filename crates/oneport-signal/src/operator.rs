//! What the operator asks, and what is answered.

use std::borrow::Cow;
use std::net::IpAddr;

use oneport_wire::{AccessToken, AccessTokenError};

use crate::forwarded::Origin;
use crate::head::{Head, Method};
use crate::response::Response;

/// A request to one of the operator's paths, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorRequest {
    /// Its method; of a `HEAD` only the response's head is sent.
    pub method: Method,
    /// Its path, as it was sent: nothing is decoded.
    pub path: String,
    /// What stands behind the question mark, as it was sent.
    pub query: String,
    /// What the client would like to get (`Accept`), as it was sent.
    pub accept: Option<String>,
    /// The body's media type, without parameters and in lower case.
    pub content_type: Option<String>,
    /// The access token that the client shows, if it shows one; an error where it cannot be one.
    pub access_token: Option<Result<AccessToken, AccessTokenError>>,
    /// The address at the other end of the TCP connection, with IPv4 always spelt as IPv4.
    pub client: IpAddr,
    /// It comes from this machine, as far as can be told: the connection does, and not as that of a
    /// [trusted proxy](crate::Config::trusted_proxies); the name in its Host header is one of loopback;
    /// no proxy has left a trace; and no page of another origin has made it.
    pub is_local: bool,
}

impl OperatorRequest {
    pub(crate) fn new(head: &Head, origin: &Origin) -> Self {
        Self {
            method: head.method,
            path: head.path.clone(),
            query: head.query.clone(),
            accept: head.accept.clone(),
            content_type: head.content_type.clone(),
            access_token: head.access_token.clone(),
            client: origin.client,
            is_local: origin.is_direct && origin.client.is_loopback() && head.looks_local,
        }
    }
}

/// What an operator's request gets, if nothing is wrong with it. It is never stored, and pages of other
/// origins cannot read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorResponse {
    status: u16,
    content: Option<(&'static str, Cow<'static, [u8]>)>,
    headers: Vec<(&'static str, Cow<'static, str>)>,
}

impl OperatorResponse {
    /// A response of this status, without a body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            content: None,
            headers: Vec::new(),
        }
    }

    /// The response with this body.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        self.content = Some((content_type, body.into()));
        self
    }

    /// The response with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<OperatorResponse> for Response {
    fn from(response: OperatorResponse) -> Self {
        let bare = Self::new(response.status)
            .header("Cache-Control", "no-store")
            .header("X-Content-Type-Options", "nosniff");
        let with_headers = response
            .headers
            .into_iter()
            .fold(bare, |bare, (name, value)| bare.header(name, value));
        match response.content {
            Some((content_type, body)) => with_headers.body(content_type, body),
            None => with_headers,
        }
    }
}
