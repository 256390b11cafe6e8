//! How clients and a relay exchange their descriptions, over HTTP.

mod janus;
mod relay;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use ureq::http::Uri;

pub(crate) use janus::Janus;
pub(crate) use relay::Relay;

/// A relay answers in milliseconds; one under load may take longer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Where the server is, and how to get there.
pub(crate) struct Host {
    agent: ureq::Agent,
    /// The URL, without a slash at its end.
    base: String,
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

impl Host {
    pub(crate) fn new(url: &str) -> Result<Self, SignalingError> {
        let bad = |why: &str| SignalingError(format!("{url}: {why}"));
        let uri: Uri = url.parse().map_err(|_| bad("this is no URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("only http:// is supported"));
        }
        let host = uri.host().ok_or_else(|| bad("the URL names no host"))?;
        // The library ignores a port that is out of range.
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let port = match (uri.port_u16(), authority.strip_prefix(host)) {
            (Some(port @ 1..), _) => port,
            (None, Some("")) => 80,
            _ => return Err(bad("neither a port from 1 to 65535 nor none")),
        };
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
            address,
        })
    }

    /// The address of this machine from which the server is reached.
    pub(crate) fn local_ip(&self) -> std::io::Result<IpAddr> {
        let any = match self.address {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(self.address)?;
        Ok(socket.local_addr()?.ip())
    }
}
