//! What came of a run, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::args::RunArgs;
use crate::process::Usage;
use crate::speaker::Channel;
use crate::tally::Tally;

/// What came of a run.
pub(crate) struct Outcome {
    pub(crate) args: RunArgs,
    /// What the messages went over.
    pub(crate) channel: Channel,
    pub(crate) connecting: Connecting,
    /// How long was measured.
    pub(crate) took: Duration,
    /// What arrived in that time, once for each receiver.
    pub(crate) delivered: u64,
    /// What came back to its sender in that time.
    pub(crate) echoed: u64,
    /// What the relay had used before and after.
    pub(crate) server: Option<(Usage, Usage)>,
    /// What the load generator had.
    pub(crate) own: Option<(Usage, Usage)>,
    /// Everything that arrived, the warm-up included.
    pub(crate) tally: Tally,
}

/// How the clients came in.
pub(crate) struct Connecting {
    pub(crate) took: Duration,
    pub(crate) before: Option<Usage>,
    pub(crate) after: Option<Usage>,
}

impl Outcome {
    /// How many deliveries there should have been of all that was sent.
    fn expected(&self) -> u64 {
        let others = self.args.members() - 1.0;
        (self.tally.counts.sent as f64 * others).round() as u64
    }

    /// Deliveries that never came.
    pub(crate) fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.tally.counts.received)
    }

    /// Whether everything came, once and in order, and the load could be brought.
    pub(crate) fn is_clean(&self) -> bool {
        let counts = self.tally.counts;
        let wrong = counts.disordered + counts.links_lost + counts.blocked + counts.strange;
        self.lost() + wrong == 0
    }

    /// CPU time of a process in microseconds for each delivery. An echo costs as much as one.
    fn cpu_us_per_delivery(&self, usage: Option<(Usage, Usage)>) -> Option<f64> {
        let (from, to) = usage?;
        let cpu = (to.cpu - from.cpu).as_secs_f64() * 1e6;
        let messages = self.delivered + self.echoed;
        (messages > 0).then(|| cpu / messages as f64)
    }

    /// How much of a core a process has used.
    fn core_share(&self, usage: Option<(Usage, Usage)>) -> Option<f64> {
        let (from, to) = usage?;
        Some((to.cpu - from.cpu).as_secs_f64() / self.took.as_secs_f64())
    }

    fn per_second(&self) -> f64 {
        self.delivered as f64 / self.took.as_secs_f64()
    }

    /// CPU time of the relay in milliseconds for each client that came in.
    fn connect_cpu_ms(&self) -> Option<f64> {
        let (before, after) = self.connecting.before.zip(self.connecting.after)?;
        let cpu = (after.cpu - before.cpu).as_secs_f64() * 1e3;
        Some(cpu / f64::from(self.args.clients))
    }

    /// Resident bytes of the relay for each client beyond what it had before.
    fn bytes_per_client(&self) -> Option<f64> {
        let (before, after) = self.connecting.before.zip(self.connecting.after)?;
        let bytes = after.resident_bytes.saturating_sub(before.resident_bytes);
        Some(bytes as f64 / f64::from(self.args.clients))
    }

    fn latency_ms(&self, quantile: f64) -> f64 {
        self.tally.latency_us.value_at_quantile(quantile) as f64 / 1e3
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        let counts = self.tally.counts;
        json!({
            "load": {
                "clients": self.args.clients,
                "rooms": self.args.rooms,
                "idle": self.args.idle,
                "deliveries_per_s": self.args.rate,
                "bytes": self.args.size,
                "secs": self.args.secs,
                "peer": self.args.peer.to_string(),
                "channel": format!("{:?}", self.channel).to_lowercase(),
            },
            "connect": {
                "secs": self.connecting.took.as_secs_f64(),
                "per_s": f64::from(self.args.clients) / self.connecting.took.as_secs_f64(),
                "server_cpu_ms_per_client": self.connect_cpu_ms(),
                "server_bytes_per_client": self.bytes_per_client(),
            },
            "messages": {
                "sent": counts.sent,
                "blocked": counts.blocked,
                "received": counts.received,
                "echoed": counts.echoed,
                "lost": self.lost(),
                "disordered": counts.disordered,
                "links_lost": counts.links_lost,
                "strange": counts.strange,
            },
            "deliveries_per_s": self.per_second(),
            "latency_ms": {
                "p50": self.latency_ms(0.5),
                "p90": self.latency_ms(0.9),
                "p99": self.latency_ms(0.99),
                "p999": self.latency_ms(0.999),
                "max": self.tally.latency_us.max() as f64 / 1e3,
            },
            "server": {
                "cpu_us_per_delivery": self.cpu_us_per_delivery(self.server),
                "cores": self.core_share(self.server),
                "resident_bytes": self.server.map(|(_, to)| to.resident_bytes),
            },
            "client": {
                "cpu_us_per_delivery": self.cpu_us_per_delivery(self.own),
                "cores": self.core_share(self.own),
            },
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { args, tally, .. } = self;
        let counts = tally.counts;
        let connect_per_s = f64::from(args.clients) / self.connecting.took.as_secs_f64();
        write!(
            f,
            "connected   {} clients in {:.2?}, {connect_per_s:.0} a second",
            args.clients, self.connecting.took
        )?;
        if let Some((cpu, bytes)) = self.connect_cpu_ms().zip(self.bytes_per_client()) {
            write!(
                f,
                "; the relay took {cpu:.2} ms of CPU and {:.0} KiB for each",
                bytes / 1024.0
            )?;
        }
        writeln!(f)?;
        if args.rate > 0.0 {
            writeln!(
                f,
                "delivered   {:.0} messages of {} bytes a second",
                self.per_second(),
                args.size
            )?;
            writeln!(
                f,
                "            {} sent, {} received, {} lost, {} out of order, {} not taken by the sender's channel, {} links lost",
                counts.sent,
                counts.received,
                self.lost(),
                counts.disordered,
                counts.blocked,
                counts.links_lost,
            )?;
            writeln!(
                f,
                "latency     p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, most {:.2} ms",
                self.latency_ms(0.5),
                self.latency_ms(0.9),
                self.latency_ms(0.99),
                self.latency_ms(0.999),
                tally.latency_us.max() as f64 / 1e3,
            )?;
        }
        for (what, usage) in [("relay", self.server), ("this", self.own)] {
            let Some((cores, (_, to))) = self.core_share(usage).zip(usage) else {
                continue;
            };
            write!(f, "{what:<11} {:.1} % of a core", cores * 100.0)?;
            if let Some(us) = self.cpu_us_per_delivery(usage) {
                write!(f, ", {us:.2} µs for each delivery")?;
            }
            writeln!(
                f,
                "; {:.1} MiB resident",
                to.resident_bytes as f64 / (1 << 20) as f64
            )?;
        }
        Ok(())
    }
}
