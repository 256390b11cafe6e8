//! What a process has used, read from `/proc`.

use std::{fs, time::Duration};

use crate::{Error, Result};

/// `USER_HZ`, in which the kernel counts there on every architecture that we know (Linux,
/// `include/uapi/asm-generic/param.h`).
const TICKS_PER_S: u64 = 100;

/// The processor time that a process has used, in user and kernel mode together.
///
/// # Errors
/// When there is no such process.
pub fn processor_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second column, the name in parentheses, may hold anything; utime and stime are the 14th and
    // 15th (proc_pid_stat(5)).
    let columns = stat.rsplit_once(')').map_or("", |(_, columns)| columns);
    let ticks: Option<Vec<u64>> = (columns.split_whitespace().skip(11).take(2))
        .map(|column| column.parse().ok())
        .collect();
    match ticks.as_deref() {
        Some([user, system]) => Ok(Duration::from_millis((user + system) * 1000 / TICKS_PER_S)),
        _ => Err(Error::Garbled { what: stat }),
    }
}

/// The memory that a process has resident, in bytes.
///
/// # Errors
/// When there is no such process.
pub fn resident_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mut lines = status.lines();
    let kib = lines.find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    let kib = kib.and_then(|kib| kib.parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or(Error::Garbled { what: status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_this_process() -> Result {
        let pid = std::process::id();
        assert!(resident_bytes(pid)? > 100_000);
        let before = processor_time(pid)?;
        let work = || (0..1_000_000_u64).fold(1, |a, b| std::hint::black_box(a ^ b));
        for _ in 0..10_000 {
            work();
            if processor_time(pid)? > before {
                return Ok(());
            }
        }
        panic!("work takes no time");
    }
}
