//! Signaling over HTTP, from the client's side: one POST on a connection of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, SystemTime};

use oneport_wire::{AccessToken, OFFER_BYTES_MAX, RoomName};
use ureq::http::{Response, header};
use ureq::{Agent, Body};

use super::relay_url::RelayUrl;
use super::{ParticipantError, Trust};
use crate::http_date;

/// How long a host has to take a connection; it may have several addresses.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a relay has for its answer, which takes it about a millisecond, with all that comes before.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest response; an answer has about as many bytes as an offer.
const RESPONSE_BYTES_MAX: u64 = 2 * OFFER_BYTES_MAX as u64;

/// How long a relay may ask us to stay away: whoever answers with more is no relay that is busy.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(10);

/// How many of a host's addresses are looked at.
const HOST_ADDRESSES_MAX: usize = 8;

/// Knows where the relay is and carries offers there.
#[derive(Debug)]
pub(crate) struct Carrier {
    url: RelayUrl,
    home: RoomName,
    token: Option<AccessToken>,
    agent: Agent,
}

impl Carrier {
    pub(crate) fn new(
        url: RelayUrl,
        home: RoomName,
        token: Option<AccessToken>,
        trust: &Trust,
    ) -> Self {
        Self {
            url,
            home,
            token,
            agent: agent(trust),
        }
    }

    /// From which of our addresses the relay is reached: one for each family that it has. Nothing is
    /// sent for that.
    pub(super) fn local_ips(&self) -> Result<Vec<IpAddr>, ParticipantError> {
        let RelayUrl { host, port, .. } = &self.url;
        let hosts = (host.as_str(), *port).to_socket_addrs();
        let hosts = hosts.map_err(|cause| self.unreachable(cause))?;
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        let mut ips = Vec::new();
        for to in hosts.take(HOST_ADDRESSES_MAX) {
            match local_ip(to) {
                Ok(ip) if ips.contains(&ip) => {}
                Ok(ip) => ips.push(ip),
                Err(error) => failure = error,
            }
        }
        match ips.is_empty() {
            true => Err(self.unreachable(failure)),
            false => Ok(ips),
        }
    }

    /// Gives the offer and takes the answer.
    pub(crate) fn exchange(&self, offer: &str) -> Result<String, ParticipantError> {
        let url = self.url.at(&format!("/r/{}", self.home));
        let mut request = self
            .agent
            .post(&url)
            .header(header::CONTENT_TYPE, "application/sdp")
            .header(header::ACCEPT, "application/sdp");
        if let Some(token) = &self.token {
            let value = format!("Bearer {}", token.reveal());
            request = request.header(header::AUTHORIZATION, value);
        }
        let response = request.send(offer);
        answer(response.map_err(|error| self.unreachable(io_error(error)))?)
    }

    fn unreachable(&self, cause: io::Error) -> ParticipantError {
        ParticipantError::Unreachable {
            authority: self.url.authority.clone(),
            cause,
        }
    }
}

/// An HTTP client whose requests all end in time.
pub(crate) fn agent(trust: &Trust) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        // An offer says from where the relay is reached, which a proxy would change.
        .proxy(None)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(ANSWER_TIMEOUT))
        .user_agent(concat!("oneport/", env!("CARGO_PKG_VERSION")))
        .tls_config(trust.for_http())
        .build()
        .into()
}

pub(crate) fn io_error(error: ureq::Error) -> io::Error {
    match error {
        ureq::Error::Io(error) => error,
        error => io::Error::other(error),
    }
}

fn local_ip(to: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(to)?;
    Ok(socket.local_addr()?.ip().to_canonical())
}

/// The answer in a response, or what the response refuses.
fn answer(mut response: Response<Body>) -> Result<String, ParticipantError> {
    let body = response.body_mut().with_config().limit(RESPONSE_BYTES_MAX);
    let body = body.read_to_string();
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name)?.to_str().ok();
    if status == 201 {
        return body.map_err(|_| ParticipantError::Garbled("the answer is not text, or cut off"));
    }
    let problem = body.ok().map(|body| serde_json::from_str(&body));
    let problem: serde_json::Value = problem.and_then(Result::ok).unwrap_or_default();
    let message = match (problem["detail"].as_str(), header(header::LOCATION)) {
        (Some(detail), _) => detail.to_owned(),
        (None, Some(location)) => format!("it has moved to {location}"),
        (None, None) => "no reason is given".to_owned(),
    };
    let retry_after = header(header::RETRY_AFTER);
    Err(ParticipantError::Refused {
        status,
        message,
        retry_after: retry_after
            .and_then(|value| http_date::retry_after(value, SystemTime::now()))
            .map(|retry_after| retry_after.min(RETRY_AFTER_MAX)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
        let builder = headers.iter().fold(
            Response::builder().status(status),
            |builder, (name, value)| builder.header(*name, *value),
        );
        builder
            .body(Body::builder().data(body.as_bytes()))
            .expect("valid")
    }

    #[test]
    fn responses() {
        let answered = answer(response(201, &[], "v=0\r\n")).expect("an answer");
        assert_eq!(answered, "v=0\r\n");
        let full = response(503, &[("retry-after", "30")], "{\"detail\":\"full\"}");
        let full = answer(full).expect_err("refused");
        assert_eq!(full.to_string(), "refused (503): full");
        assert_eq!(full.retry_after(), Some(Duration::from_secs(30)));
        assert!(!full.is_final());
        for (value, expected) in [
            ("Fri, 01 Jan 2100 00:00:00 GMT", Some(RETRY_AFTER_MAX)),
            ("18446744073709551615", Some(RETRY_AFTER_MAX)),
            ("soon", None),
        ] {
            let busy = answer(response(503, &[("retry-after", value)], "")).expect_err("refused");
            assert_eq!(busy.retry_after(), expected, "{value}");
        }
        let unknown = answer(response(404, &[], "<html>")).expect_err("refused");
        assert!(unknown.is_final());
        let moved = response(308, &[("location", "https://relay.example/")], "");
        let moved = answer(moved).expect_err("refused");
        assert_eq!(
            moved.to_string(),
            "refused (308): it has moved to https://relay.example/"
        );
        assert!(moved.is_final());
        let long = "x".repeat(usize::try_from(RESPONSE_BYTES_MAX).expect("small") + 1);
        let long = answer(response(201, &[], &long));
        assert!(matches!(long, Err(ParticipantError::Garbled(_))));
    }
}
