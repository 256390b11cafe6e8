//! What a process has used, as Linux tells.

use std::fs;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

/// Clock ticks a second in /proc: `sysconf(_SC_CLK_TCK)`, 100 on every Linux that there is.
const TICKS_PER_SECOND: u64 = 100;

/// What a process has used until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU time, in user and kernel mode.
    pub(crate) cpu: Duration,
    /// Memory that is resident, in bytes.
    pub(crate) resident_bytes: u64,
}

/// Of this process, or of another one.
pub(crate) fn usage(pid: Option<u32>) -> Option<Usage> {
    let folder = pid.map_or_else(|| "/proc/self".into(), |pid| format!("/proc/{pid}"));
    let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
    let status = fs::read_to_string(format!("{folder}/status")).ok()?;
    Some(Usage {
        cpu: cpu_clock(pid).or_else(|| cpu_ticks(&stat))?,
        resident_bytes: resident_bytes(&status)?,
    })
}

/// In nanoseconds, all threads together, those that have ended too: proc(5)'s `schedstat` has no more
/// of those, and its `stat` counts in steps of 10 ms, which is much of a short run.
fn cpu_clock(pid: Option<u32>) -> Option<Duration> {
    let clock = match pid {
        Some(pid) => ClockId::pid_cpu_clock_id(Pid::from_raw(pid.try_into().ok()?)).ok()?,
        None => ClockId::CLOCK_PROCESS_CPUTIME_ID,
    };
    clock.now().ok().map(Duration::from)
}

/// Where another process's clock may not be read. Fields 14 and 15. The second one, a name in parentheses, may contain anything.
fn cpu_ticks(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(
        (user + kernel) * 1000 / TICKS_PER_SECOND,
    ))
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_says() {
        let stat = "12 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu_ticks(stat), Some(Duration::from_secs(2)));
        assert_eq!(
            resident_bytes("Name:\tx\nVmRSS:\t    2048 kB\n"),
            Some(2 << 20)
        );
        let own = usage(None).expect("this is Linux");
        assert!(own.resident_bytes > 100_000);
        assert_eq!(usage(Some(u32::MAX)), None);
    }

    #[test]
    fn cpu_of_threads_that_have_ended_counts() {
        let from = usage(None).expect("this is Linux").cpu;
        let work = || {
            let until = std::time::Instant::now() + Duration::from_millis(30);
            while std::time::Instant::now() < until {}
            cpu_clock(None)
        };
        let during = std::thread::spawn(work).join().expect("it ends");
        let to = cpu_clock(Some(std::process::id())).expect("this is Linux");
        assert!(during > Some(from) && to >= from + Duration::from_millis(1));
        assert!(
            !to.subsec_nanos().is_multiple_of(10_000_000),
            "finer than ticks"
        );
    }
}
