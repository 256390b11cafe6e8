//! `/metrics`: everything that is counted, in Prometheus' text format or as OpenMetrics.
//!
//! What a family is, its help text says. Each field of each `Stats` has a family: they are taken apart
//! completely, so that one more does not compile before it is shown. The number of series is fixed, but
//! for labels whose values are codes of ours: nothing that a client chooses is in one.

mod event_loop;
mod exposition;
mod format;
mod process;
mod relay;
mod signaling;
mod webhook;

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use oneport_core::{RelayConfig, Stats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use crate::webhook::WebhookCounts;
use exposition::Exposition;
pub(super) use format::Format;
pub(super) use process::Process;

/// Everything that is counted, at one moment.
#[derive(Clone, Debug)]
pub(super) struct Scrape {
    /// None where the event loop does not answer; the rest can be had all the same.
    pub(super) relay: Option<Stats>,
    pub(super) event_loop: oneport_io::Stats,
    pub(super) signaling: oneport_signal::Counters,
    /// Connections to signaling that are open.
    pub(super) connections: usize,
    /// None without TLS.
    pub(super) certificate_end: Option<SystemTime>,
    pub(super) process: Process,
    /// None where there is no webhook.
    pub(super) webhook: Option<WebhookCounts>,
    pub(super) limits: Limits,
    pub(super) started: SystemTime,
}

/// What the operator has set, to compare with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) links: usize,
    pub(crate) sessions: usize,
    pub(crate) rooms: usize,
    /// None where the other limits are the only ones.
    pub(crate) memory_bytes: Option<usize>,
}

impl Scrape {
    /// Everything, in this format.
    pub(super) fn to_text(&self, format: Format) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut text, &registry);
        match format {
            Format::Text => format::text_of(&text),
            Format::OpenMetrics => text,
        }
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Exposition(encoder);
        let version = env!("CARGO_PKG_VERSION");
        out.info("oneport_build", "The relay's version.", "version", version)?;
        let since_1970 = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        let help = "When the relay was started, since 1970.";
        out.seconds("oneport_start_time", help, since_1970)?;
        let answers = u64::from(self.relay.is_some());
        let help =
            "Whether the event loop has answered; where it has not, what only it knows is missing.";
        out.gauge("oneport_loop_answering", help, answers)?;
        self.limits.encode(&mut out)?;
        if let Some(stats) = &self.relay {
            relay::encode(stats, &mut out)?;
        }
        event_loop::encode(&self.event_loop, &mut out)?;
        signaling::encode(&self.signaling, self.connections, &mut out)?;
        if let Some(end) = self.certificate_end {
            let since_1970 = end.duration_since(UNIX_EPOCH).unwrap_or_default();
            let help = "When the certificate for https expires, since 1970.";
            out.seconds("oneport_tls_certificate_expiry_timestamp", help, since_1970)?;
        }
        if let Some(counts) = &self.webhook {
            webhook::encode(counts, &mut out)?;
        }
        self.process.encode(&mut out)
    }
}

impl Limits {
    pub(crate) fn of(config: &RelayConfig) -> Self {
        Self {
            links: config.links_max,
            sessions: config.sessions_max,
            rooms: config.hub.rooms_max,
            memory_bytes: config.memory_bytes_max,
        }
    }

    fn encode(self, out: &mut Exposition<'_>) -> fmt::Result {
        let help = "The most links that there may be.";
        out.gauge("oneport_links_max", help, self.links)?;
        let help = "The most sessions that there may be.";
        out.gauge("oneport_sessions_max", help, self.sessions)?;
        let help = "The most rooms that there may be.";
        out.gauge("oneport_rooms_max", help, self.rooms)?;
        if let Some(bytes) = self.memory_bytes {
            let help = "The most memory that may be reserved.";
            out.bytes("oneport_reserved_max", help, bytes as u64)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn scrape(relay: Option<Stats>) -> Scrape {
        Scrape {
            relay,
            event_loop: oneport_io::Stats::default(),
            signaling: oneport_signal::Counters::default(),
            connections: 3,
            certificate_end: Some(UNIX_EPOCH + Duration::from_secs(86_400)),
            process: Process::default(),
            webhook: Some(WebhookCounts {
                waiting: 4,
                dropped: 2,
                ..WebhookCounts::default()
            }),
            limits: Limits {
                links: 10,
                sessions: 20,
                rooms: 5,
                memory_bytes: None,
            },
            started: UNIX_EPOCH,
        }
    }

    #[test]
    fn labels_are_codes() {
        let stats = Stats {
            closed: [("left", 2), ("lost", 1)].into(),
            ..Stats::default()
        };
        let text = scrape(Some(stats)).to_text(Format::OpenMetrics);
        for line in [
            "oneport_webhook_waiting 4",
            "oneport_webhook_events_total{result=\"dropped\"} 2",
            "oneport_closes_total{code=\"left\"} 2",
            "oneport_closes_total{code=\"lost\"} 1",
            "oneport_links_max 10",
            "oneport_tls_certificate_expiry_timestamp_seconds 86400.0",
            "oneport_loop_answering 1",
            "oneport_http_connections 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_loop_that_does_not_answer_hides_only_its_own() {
        let text = scrape(None).to_text(Format::Text);
        assert!(text.contains("\noneport_loop_answering 0\n"));
        assert!(text.contains("\noneport_loop_turn_seconds_count 0\n"));
        assert!(!text.contains("oneport_links "));
    }
}
