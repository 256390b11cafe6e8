//! The endpoint's limits.

use std::time::{Duration, Instant};

use crate::cidr::Cidr;

/// The limits of an [`Endpoint`](crate::Endpoint). The defaults suit a public relay.
///
/// All times are totals, from a beginning to an end: a peer that sends or takes one byte at a time
/// gains nothing by it. A time of more than an hour counts as an hour.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many connections (so threads, but for those that are just ending) there may be at once; one
    /// more takes the place of the one that has been the longest without a whole request. Default 256:
    /// joining takes a client well under a second, so that is hundreds of joins per second. If all of them send
    /// the largest message at once, their buffers take about 100 MiB.
    pub connections_max: usize,
    /// How many of them one address (IPv6: one /64) may have; one more takes the place of another of the
    /// same address. Default 64: a browser opens six to load a page, and then lets them go.
    pub connections_per_address_max: usize,
    /// How many requests one connection may make, and messages one WebSocket; at least one. Default 100: a page
    /// with its assets and some joins, while nobody keeps a thread forever by being busy.
    pub requests_per_connection_max: u32,
    /// The longest request head (request line and headers) in bytes. Default 8 KiB, what common
    /// servers take.
    pub head_bytes_max: usize,
    /// The longest body of an operator's request, in bytes. Default 512 KiB: the largest message as base64
    /// in JSON. It is only read from who may be one.
    pub operator_body_bytes_max: usize,
    /// How long a whole request, head and body, may take to arrive: from the moment that the
    /// connection is handed over, or from the first byte of a later request. Default 10 s.
    pub request_timeout: Duration,
    /// How long a connection may be without a request after a response. Default 5 s: enough for
    /// what a page loads next.
    pub keep_alive_timeout: Duration,
    /// How long a whole response may take to be written. Default 10 s.
    pub write_timeout: Duration,
    /// After the last response: how long to wait until the peer closes as well, so that it can
    /// read the response before the connection is gone (RFC 9112 section 9.6). Default 1 s.
    pub linger_timeout: Duration,
    /// How long a WebSocket may be without a whole message from the client. Pings do not count.
    /// Default 60 s: a page that may want to rejoin keeps it for a while, a forgotten one does not.
    pub websocket_idle_timeout: Duration,
    /// The proxies in front of this endpoint. Of a request that one of them brings, its `X-Forwarded-For`
    /// says whose it is, and its `X-Forwarded-Proto` whether that was reached by https. Default none:
    /// then these headers are ignored, for anybody can write them.
    pub trusted_proxies: Vec<Cidr>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connections_max: 256,
            connections_per_address_max: 64,
            requests_per_connection_max: 100,
            head_bytes_max: 8 * 1024,
            operator_body_bytes_max: 512 * 1024,
            request_timeout: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(10),
            linger_timeout: Duration::from_secs(1),
            websocket_idle_timeout: Duration::from_secs(60),
            trusted_proxies: Vec::new(),
        }
    }
}

/// The moment that lies one of the timeouts above in the future.
pub(crate) fn deadline(timeout: Duration) -> Instant {
    Instant::now() + timeout.min(TIMEOUT_MAX)
}

/// Keeps the addition in [`deadline`] from overflowing, and "bounded" from meaning days.
const TIMEOUT_MAX: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_timeout_has_a_deadline() {
        assert!(deadline(Duration::MAX) <= Instant::now() + TIMEOUT_MAX);
    }
}
