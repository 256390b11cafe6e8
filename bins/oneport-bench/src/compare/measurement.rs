//! What one run said.

use serde_json::Value;

/// A rate is not held when messages wait for so long.
const P99_MS_MAX: f64 = 100.0;
/// Nor when less than this part of it arrives.
const ARRIVING_MIN: f64 = 0.98;
/// A process that takes so much of a core has no more to give.
const BUSY: f64 = 0.95;

/// The JSON of a run, or why there is none.
#[derive(Clone, Debug)]
pub(crate) struct Measurement(pub(crate) Result<Value, String>);

impl Measurement {
    fn number(&self, path: &str) -> Option<f64> {
        self.0.as_ref().ok()?.pointer(path)?.as_f64()
    }

    pub(crate) fn cpu_us_per_delivery(&self) -> Option<f64> {
        self.number("/server/cpu_us_per_delivery")
    }

    /// Who does not hold a rate does less than is counted, or more.
    pub(crate) fn cpu_us_where_held(&self) -> Option<f64> {
        self.cpu_us_per_delivery().filter(|_| self.is_held())
    }

    pub(crate) fn p50_ms(&self) -> Option<f64> {
        self.number("/latency_ms/p50")
    }

    pub(crate) fn p99_ms(&self) -> Option<f64> {
        self.number("/latency_ms/p99")
    }

    pub(crate) fn cpu_ms_per_client(&self) -> Option<f64> {
        self.number("/connect/server_cpu_ms_per_client")
    }

    pub(crate) fn kib_per_client(&self) -> Option<f64> {
        Some(self.number("/connect/server_bytes_per_client")? / 1024.0)
    }

    /// Whether everything arrived, once and in order.
    pub(crate) fn is_clean(&self) -> bool {
        ["lost", "blocked", "disordered", "links_lost", "strange"]
            .iter()
            .all(|count| self.number(&format!("/messages/{count}")) == Some(0.0))
    }

    /// Whether it went on as it should, too: as fast as it was asked for, without a queue.
    pub(crate) fn is_held(&self) -> bool {
        let asked = self.number("/load/deliveries_per_s");
        let came = self.number("/deliveries_per_s");
        let is_fast = asked
            .zip(came)
            .is_some_and(|(asked, came)| came >= asked * ARRIVING_MIN);
        self.is_clean() && is_fast && self.p99_ms().is_some_and(|p99| p99 <= P99_MS_MAX)
    }

    /// Whether the clients had no time left, so that another relay could not have done better.
    pub(crate) fn are_clients_busy(&self) -> bool {
        let clients = self.number("/client/cores");
        let server = self.number("/server/cores");
        clients.is_some_and(|cores| cores >= BUSY) && server < clients
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn measurement(lost: u64, came: f64, p99: f64) -> Measurement {
        Measurement(Ok(json!({
            "load": { "deliveries_per_s": 1000.0 },
            "messages": { "lost": lost, "blocked": 0, "disordered": 0, "links_lost": 0, "strange": 0 },
            "deliveries_per_s": came,
            "latency_ms": { "p99": p99 },
            "server": { "cores": 0.5 },
            "client": { "cores": 0.99 },
            "connect": { "server_bytes_per_client": 2048 },
        })))
    }

    #[test]
    fn what_is_held() {
        assert!(measurement(0, 985.0, 99.0).is_held());
        assert!(!measurement(1, 1000.0, 1.0).is_held());
        assert!(!measurement(0, 970.0, 1.0).is_held());
        assert!(!measurement(0, 1000.0, 101.0).is_held());
        assert!(!Measurement(Err("no".into())).is_held());
        assert!(measurement(0, 1.0, 1.0).are_clients_busy());
        assert_eq!(measurement(0, 1.0, 1.0).kib_per_client(), Some(2.0));
        assert_eq!(measurement(0, 1.0, 1.0).cpu_us_per_delivery(), None);
    }
}
