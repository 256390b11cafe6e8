//! What the endpoint has done so far.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use oneport_wire::Refusal;

/// Totals since the endpoint was made, as [`Endpoint::counters`](crate::Endpoint::counters) found
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections that got a thread.
    pub served: u64,
    /// Connections turned away because there were
    /// [`connections_max`](crate::Config::connections_max), all of which were just being answered.
    pub turned_away: u64,
    /// Connections closed to make room for a newcomer, because they had been the longest without a
    /// whole request.
    pub evicted: u64,
    /// Connections closed because the system gave no thread, or the socket failed at once.
    pub failed: u64,
    /// Connections cut because a request took too long to arrive, or a response to leave. Ends of
    /// idle connections are not among them.
    pub timeouts: u64,
    /// HTTP responses by class: `responses[0]` is 1xx (upgrades to WebSocket; interim `100
    /// Continue`s do not count), `responses[4]` is 5xx (turned away connections included).
    pub responses: [u64; 5],
    /// Text messages from clients on WebSockets.
    pub websocket_messages: u64,
    /// Offers that the backend answered, over HTTP and WebSocket.
    pub connects: u64,
    /// Offers that were refused, by the backend or before they got there: over HTTP once their
    /// body had arrived, and over WebSocket, where what is no request counts as well.
    pub refusals: u64,
    /// Connections that began in TLS.
    pub tls: u64,
    /// Those of them that ended before the handshake was complete.
    pub tls_failed: u64,
    /// Plain requests that were led to https.
    pub redirects: u64,
    /// Requests of which a trusted proxy did not say whose they are.
    pub forwarded_garbled: u64,
}

/// The live counters. They order nothing else, so every access is relaxed.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub(crate) served: Meter,
    pub(crate) turned_away: Meter,
    pub(crate) evicted: Meter,
    pub(crate) failed: Meter,
    pub(crate) timeouts: Meter,
    responses: [Meter; 5],
    pub(crate) websocket_messages: Meter,
    pub(crate) connects: Meter,
    /// By code, of which there are few.
    refusals: Mutex<BTreeMap<&'static str, u64>>,
    pub(crate) tls: Meter,
    pub(crate) tls_failed: Meter,
    pub(crate) redirects: Meter,
    pub(crate) forwarded_garbled: Meter,
}

impl Meters {
    /// Counts a response with this status.
    pub(crate) fn response(&self, status: u16) {
        if let Some(class) = usize::from(status / 100).checked_sub(1)
            && let Some(meter) = self.responses.get(class)
        {
            meter.count();
        }
    }

    /// Counts an offer that is refused.
    pub(crate) fn refusal(&self, refusal: &Refusal) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals.entry(refusal.code()).or_default() += 1;
    }

    /// The refused offers by code.
    pub(crate) fn refusals(&self) -> BTreeMap<&'static str, u64> {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.clone()
    }

    pub(crate) fn read(&self) -> Counters {
        Counters {
            served: self.served.read(),
            turned_away: self.turned_away.read(),
            evicted: self.evicted.read(),
            failed: self.failed.read(),
            timeouts: self.timeouts.read(),
            responses: std::array::from_fn(|class| self.responses[class].read()),
            websocket_messages: self.websocket_messages.read(),
            connects: self.connects.read(),
            refusals: self.refusals().values().sum(),
            tls: self.tls.read(),
            tls_failed: self.tls_failed.read(),
            redirects: self.redirects.read(),
            forwarded_garbled: self.forwarded_garbled.read(),
        }
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Meter(AtomicU64);

impl Meter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_counted_by_class() {
        let meters = Meters::default();
        for status in [101, 200, 204, 404, 503, 0, 999] {
            meters.response(status);
        }
        assert_eq!(meters.read().responses, [1, 2, 0, 1, 1]);
    }
}
