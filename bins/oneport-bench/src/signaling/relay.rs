//! Offers and answers over HTTP.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use ureq::http::Uri;

/// A relay answers in milliseconds; one under load may take longer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A relay that is full for the moment is asked again.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// Where the relay is, and how to get there.
pub(crate) struct Relay {
    agent: ureq::Agent,
    base: String,
    token: Option<String>,
    /// Its address, for the clients' own.
    address: SocketAddr,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct SignalingError(String);

impl fmt::Display for SignalingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Relay {
    pub(crate) fn new(url: &str, token: Option<String>) -> Result<Self, SignalingError> {
        let bad = |why: &str| SignalingError(format!("{url}: {why}"));
        let uri: Uri = url.parse().map_err(|_| bad("this is no URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("only http:// is supported"));
        }
        let host = uri.host().ok_or_else(|| bad("the URL names no host"))?;
        let port = uri.port_u16().unwrap_or(80);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let mut addresses = (host, port)
            .to_socket_addrs()
            .map_err(|error| bad(&error.to_string()))?;
        let address = addresses.next().ok_or_else(|| bad("no such host"))?;
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build()
            .into();
        let base = url.split(['#', '?']).next().unwrap_or(url);
        Ok(Self {
            agent,
            base: base.trim_end_matches('/').to_owned(),
            token,
            address,
        })
    }

    /// The address of this host from which the relay is reached.
    pub(crate) fn local_ip(&self) -> std::io::Result<IpAddr> {
        let any = match self.address {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(self.address)?;
        Ok(socket.local_addr()?.ip())
    }

    /// Gives an offer and takes the answer.
    pub(crate) fn exchange(&self, room: &str, offer: &str) -> Result<String, SignalingError> {
        let url = format!("{}/r/{room}", self.base);
        let failed = |error: ureq::Error| SignalingError(format!("{url}: {error}"));
        for attempt in 1.. {
            let mut request = self
                .agent
                .post(&url)
                .header("Content-Type", "application/sdp");
            if let Some(token) = &self.token {
                request = request.header("Authorization", format!("Bearer {token}"));
            }
            let mut response = request.send(offer).map_err(failed)?;
            let status = response.status();
            let body = response.body_mut().read_to_string().map_err(failed)?;
            if status == 201 {
                return Ok(body);
            }
            if attempt == ATTEMPTS || status != 503 && status != 429 {
                return Err(SignalingError(format!("{url}: {status}: {body}")));
            }
            std::thread::sleep(PAUSE);
        }
        unreachable!("the last attempt returns")
    }
}
