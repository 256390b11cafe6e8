//! The size of packets: probing of the path by padded HEARTBEATs (RFC 8899, RFC 4820).

use crate::config::Config;
use crate::heartbeat::info;
use crate::types::{Span, Time};

#[derive(Debug)]
pub(crate) struct PathMtu {
    base: usize,
    max: usize,
    /// What packets may have.
    current: usize,
    /// The least size that did not pass.
    failed: usize,
    probe: Option<Probe>,
    is_due: bool,
    /// When the next probe is sent, or the present one counts as lost.
    timeout: Time,
}

#[derive(Debug)]
struct Probe {
    bytes: usize,
    nonce: u64,
    attempts: u32,
}

/// MAX_PROBES (RFC 8899 section 5.1.2).
const ATTEMPTS_MAX: u32 = 3;

/// PROBE_TIMER: its least value (RFC 8899 section 5.1.1).
const PROBE_TIMEOUT: Span = Span::from_millis(1_000);

/// PMTU_RAISE_TIMER (RFC 8899 section 5.1.1).
const RAISE_INTERVAL: Span = Span::from_millis(600_000);

/// A smaller gain is not worth a probe.
const STEP_MIN: usize = 32;

/// So many timeouts in a row say that full packets do not pass (RFC 8899 section 4.3).
pub(crate) const BLACK_HOLE_TIMEOUTS: u32 = 2;

impl PathMtu {
    pub(crate) fn new(config: &Config) -> Self {
        let base = config.packet_bytes_base();
        Self {
            base,
            max: config.packet_bytes_max(),
            current: base,
            failed: config.packet_bytes_max() + STEP_MIN,
            probe: None,
            is_due: false,
            timeout: Time::NEVER,
        }
    }

    /// Returns the size of a full packet.
    pub(crate) fn current(&self) -> usize {
        self.current
    }

    pub(crate) fn timeout(&self) -> Time {
        self.timeout
    }

    pub(crate) fn is_due(&self) -> bool {
        self.is_due
    }

    /// Begins to probe, if there is something to gain.
    pub(crate) fn start(&mut self, now: Time) {
        self.probe = None;
        self.failed = self.max + STEP_MIN;
        self.search(now);
    }

    /// Nothing is known of the path any more.
    pub(crate) fn change_path(&mut self, now: Time) {
        self.current = self.base;
        self.start(now);
    }

    /// Full packets do not pass any more. It is tried again much later.
    pub(crate) fn fall_back(&mut self, now: Time) {
        if self.current > self.base {
            self.current = self.base;
            self.probe = None;
            self.is_due = false;
            self.timeout = now.plus(RAISE_INTERVAL);
        }
    }

    /// Chooses the next size: the largest first, then the middle of what is left.
    fn search(&mut self, now: Time) {
        if self.max < self.current + STEP_MIN {
            self.timeout = Time::NEVER;
            return;
        }
        let bytes = if self.failed > self.max {
            self.max
        } else {
            ((self.current + self.failed) / 2) & !3
        };
        if bytes < self.current + STEP_MIN {
            self.probe = None;
            self.timeout = now.plus(RAISE_INTERVAL);
            return;
        }
        self.probe = Some(Probe {
            bytes,
            nonce: 0,
            attempts: 0,
        });
        self.is_due = true;
        self.timeout = Time::NEVER;
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        if self.timeout > now {
            return;
        }
        self.timeout = Time::NEVER;
        match &self.probe {
            None => self.start(now),
            Some(probe) if probe.attempts < ATTEMPTS_MAX => self.is_due = true,
            Some(probe) => {
                self.failed = probe.bytes;
                self.search(now);
            }
        }
    }

    /// Returns the size of the probe that is due, and the value of its HEARTBEAT.
    pub(crate) fn take(
        &mut self,
        now: Time,
        nonce: impl FnOnce() -> u64,
    ) -> Option<(usize, Vec<u8>)> {
        let probe = self.probe.as_mut().filter(|_| self.is_due)?;
        self.is_due = false;
        probe.attempts += 1;
        probe.nonce = nonce();
        self.timeout = now.plus(PROBE_TIMEOUT);
        Some((probe.bytes, info(probe.nonce)))
    }

    /// Takes in a HEARTBEAT that came back. Returns true if packets may be larger by it.
    pub(crate) fn handle_ack(&mut self, now: Time, value: &[u8]) -> bool {
        let Some(probe) = self
            .probe
            .as_ref()
            .filter(|probe| value == info(probe.nonce))
        else {
            return false;
        };
        self.current = probe.bytes;
        self.probe = None;
        self.search(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probes a path that carries `limit` and returns what was found and the probes it took.
    fn probe(limit: usize, max: usize) -> (usize, usize) {
        let config = Config {
            packet_bytes_max: max,
            ..Config::default()
        };
        let mut path = PathMtu::new(&config);
        let mut now = Time::START;
        path.start(now);
        let mut probes = 0;
        for nonce in 1..100 {
            if let Some((bytes, value)) = path.take(now, || nonce) {
                probes += 1;
                if bytes <= limit {
                    assert!(path.handle_ack(now, &value));
                    assert!(!path.handle_ack(now, &value), "once");
                }
            }
            now = now.plus(PROBE_TIMEOUT);
            path.handle_timeout(now);
        }
        (path.current(), probes)
    }

    #[test]
    fn the_search_finds_the_limit() {
        assert_eq!(probe(2_000, 1_400), (1_400, 1));
        let (found, probes) = probe(1_300, 1_400);
        assert!(found <= 1_300 && found > 1_300 - 2 * STEP_MIN, "{found}");
        assert!(probes <= 13, "{probes}");
        assert_eq!(probe(1_160, 1_400).0, 1_160);
    }

    #[test]
    fn without_something_to_gain_there_are_no_probes() {
        assert_eq!(probe(2_000, 0), (1_160, 0));
    }

    #[test]
    fn a_black_hole_and_a_new_path_lead_back_to_the_base() {
        let config = Config {
            packet_bytes_max: 1_400,
            ..Config::default()
        };
        let mut path = PathMtu::new(&config);
        let find = |path: &mut PathMtu| {
            let (_, value) = path.take(Time::START, || 1).expect("due");
            assert!(path.handle_ack(Time::START, &value));
        };
        path.start(Time::START);
        find(&mut path);
        path.change_path(Time::START);
        assert_eq!(path.current(), 1_160);
        find(&mut path);
        assert_eq!(path.current(), 1_400);
        path.fall_back(Time::START);
        assert_eq!(path.current(), 1_160);
        assert!(path.take(Time::START, || 1).is_none());
        path.handle_timeout(Time::START.plus(RAISE_INTERVAL));
        find(&mut path);
    }
}
