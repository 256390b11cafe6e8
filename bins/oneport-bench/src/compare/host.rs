//! The machine that is measured on.

use std::time::{Duration, Instant};
use std::{fmt, fs, thread};

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// What one must know of it to make sense of figures.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    processor: String,
    kernel: String,
    cores: usize,
    /// The core for the relay and the one for its clients, if there are two.
    pub(crate) pinned: Option<(usize, usize)>,
    /// How many cores other programs used, before and after: the less, the more figures are worth.
    pub(crate) others: Vec<f64>,
}

/// How long it is looked what other programs do.
const LOOK: Duration = Duration::from_secs(1);

/// What a machine does that has nothing to do, in cores.
const QUIET: f64 = 0.1;

impl Host {
    pub(crate) fn this() -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let mut free = allowed().into_iter();
        Self {
            processor: model(&processors).unwrap_or("unknown").to_owned(),
            kernel: kernel.trim().to_owned(),
            cores: thread::available_parallelism().map_or(1, Into::into),
            pinned: free.next().zip(free.next()),
            others: Vec::new(),
        }
    }

    /// Looks what other programs do, while ours do nothing.
    pub(crate) fn look(&mut self) {
        let stat = || cpu_busy(&fs::read_to_string("/proc/stat").ok()?);
        let (start, from) = (Instant::now(), stat());
        thread::sleep(LOOK);
        let used = from.zip(stat()).map(|(from, to)| to.saturating_sub(from));
        let cores = used.map(|used| used.as_secs_f64() / start.elapsed().as_secs_f64());
        self.others.extend(cores);
    }

    /// That other programs took part, if they did.
    pub(crate) fn warning(&self) -> Option<String> {
        let most = self.others.iter().copied().max_by(f64::total_cmp)?;
        (most > QUIET).then(|| {
            format!("other programs use {most:.1} cores here, so figures are worth little")
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "processor": self.processor,
            "kernel": self.kernel,
            "cores": self.cores,
            "cores_used_by_others": self.others,
            "relay_on_core": self.pinned.map(|(server, _)| server),
            "clients_on_core": self.pinned.map(|(_, clients)| clients),
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            processor,
            kernel,
            cores,
            pinned,
            ..
        } = self;
        write!(f, "{processor}, {cores} cores, Linux {kernel}; ")?;
        f.write_str(match pinned {
            Some(_) => "relay and clients on one core each",
            None => "relay and clients share their cores",
        })
    }
}

/// The cores that we may use.
fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    (0..CpuSet::count())
        .filter(|cpu| set.is_set(*cpu).unwrap_or(false))
        .collect()
}

/// The time that all cores together were busy, in ticks of 10 ms (proc(5)): user, nice and system,
/// interrupts, and what a hypervisor took away.
fn cpu_busy(stat: &str) -> Option<Duration> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = fields.split_whitespace().flat_map(str::parse).collect();
    let busy = [0, 1, 2, 5, 6, 7].map(|field| fields.get(field).copied().unwrap_or(0));
    Some(Duration::from_millis(busy.iter().sum::<u64>() * 10))
}

fn model(processors: &str) -> Option<&str> {
    let line = processors
        .lines()
        .find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_the_processor() {
        let text = "processor\t: 0\nmodel name\t: A Processor @ 2 GHz\nprocessor\t: 1\n";
        assert_eq!(model(text), Some("A Processor @ 2 GHz"));
        assert_eq!(model("Features\t: fp"), None);
        assert!(!allowed().is_empty());
    }

    #[test]
    fn what_others_use() {
        let stat = "cpu  100 20 30 4000 50 6 7 8 0 0\ncpu0 1 1 1 1\n";
        assert_eq!(cpu_busy(stat), Some(Duration::from_millis(1710)));
        assert_eq!(cpu_busy("intr 5"), None);
        let mut host = Host::this();
        assert_eq!(host.warning(), None);
        host.others = vec![0.05, 1.04];
        let warning = host.warning().expect("one core is much");
        assert!(
            warning.starts_with("other programs use 1.0 cores"),
            "{warning}"
        );
    }
}
