//! The machine that is measured on.

use std::fs;
use std::thread;

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
}

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
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "processor": self.processor,
            "kernel": self.kernel,
            "cores": self.cores,
            "relay_on_core": self.pinned.map(|(server, _)| server),
            "clients_on_core": self.pinned.map(|(_, clients)| clients),
        })
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            processor,
            kernel,
            cores,
            pinned,
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
}
