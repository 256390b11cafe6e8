//! What the system knows of the process, as far as it tells: Linux does, in `/proc`.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::time::Duration;

use super::exposition::Exposition;

/// The most of a file that is read: sockets of other processes on the host may be listed in it.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The kernel's unit of CPU time as it tells it (`USER_HZ`), on every architecture that Linux has.
const TICKS_PER_SEC: u64 = 100;

/// What the system knows of the process; `None` where it does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::operator) struct Process {
    pub(in crate::operator) resident_bytes: Option<u64>,
    pub(in crate::operator) threads: Option<u64>,
    pub(in crate::operator) cpu: Option<Duration>,
    pub(in crate::operator) open_fds: Option<u64>,
    pub(in crate::operator) fds_max: Option<u64>,
    /// Of its UDP sockets.
    pub(in crate::operator) udp: Option<UdpQueues>,
}

/// What the kernel says of UDP sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::operator) struct UdpQueues {
    /// Datagrams that it dropped, mostly because they came faster than they were read.
    pub(in crate::operator) drops: u64,
    /// What waits to be read, in the kernel's way of counting memory.
    pub(in crate::operator) waiting_bytes: u64,
}

impl Process {
    /// How it is now.
    pub(in crate::operator) fn now() -> Self {
        let status = read("/proc/self/status").unwrap_or_default();
        let stat = read("/proc/self/stat").unwrap_or_default();
        let limits = read("/proc/self/limits").unwrap_or_default();
        let fds = Fds::now().ok();
        Self {
            resident_bytes: number_after(&status, "VmRSS:").map(|kib| kib * 1024),
            threads: number_after(&status, "Threads:"),
            cpu: cpu(&stat),
            open_fds: fds.as_ref().map(|fds| fds.count),
            fds_max: number_after(&limits, "Max open files"),
            udp: fds.as_ref().and_then(udp_queues),
        }
    }

    pub(super) fn encode(&self, out: &mut Exposition<'_>) -> fmt::Result {
        if let Some(bytes) = self.resident_bytes {
            out.bytes("process_resident_memory", "Resident memory.", bytes)?;
        }
        if let Some(threads) = self.threads {
            out.gauge("process_threads", "Threads.", threads)?;
        }
        if let Some(cpu) = self.cpu {
            let help = "CPU time, of users and system.";
            out.seconds_counter("process_cpu", help, cpu)?;
        }
        if let Some(open) = self.open_fds {
            out.gauge("process_open_fds", "Open file descriptors.", open)?;
        }
        if let Some(max) = self.fds_max {
            out.gauge(
                "process_max_fds",
                "The most file descriptors that may be open.",
                max,
            )?;
        }
        if let Some(udp) = self.udp {
            let help = "Datagrams that the kernel dropped before the relay could read them.";
            out.counter("oneport_udp_kernel_drops", help, udp.drops)?;
            let help = "Memory of the datagrams that wait in the kernel to be read.";
            out.bytes("oneport_udp_kernel_queue", help, udp.waiting_bytes)?;
        }
        Ok(())
    }
}

/// The process's file descriptors.
struct Fds {
    count: u64,
    /// The numbers of those that are sockets.
    sockets: HashSet<u64>,
}

impl Fds {
    fn now() -> io::Result<Self> {
        let mut fds = Self {
            count: 0,
            sockets: HashSet::new(),
        };
        for fd in fs::read_dir("/proc/self/fd")? {
            fds.count += 1;
            // Another thread may have closed it meanwhile.
            let Ok(target) = fd.and_then(|fd| fs::read_link(fd.path())) else {
                continue;
            };
            let inode = target.to_str().and_then(|target| {
                let inode = target.strip_prefix("socket:[")?.strip_suffix(']')?;
                inode.parse::<u64>().ok()
            });
            fds.sockets.extend(inode);
        }
        // The folder itself was open as well.
        fds.count = fds.count.saturating_sub(1);
        Ok(fds)
    }
}

fn udp_queues(fds: &Fds) -> Option<UdpQueues> {
    let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"].map(read);
    let lines = tables.iter().flatten().flat_map(|table| table.lines());
    let ours = lines.filter_map(udp_line);
    let ours = ours.filter(|(inode, _)| fds.sockets.contains(inode));
    ours.map(|(_, queues)| queues).reduce(|a, b| UdpQueues {
        drops: a.drops + b.drops,
        waiting_bytes: a.waiting_bytes + b.waiting_bytes,
    })
}

/// The socket's number and queues in a line of `/proc/net/udp`. Its columns: number, local and remote
/// address, state, `tx_queue:rx_queue`, timer, retransmissions, user, timeout, inode, references,
/// pointer, drops.
fn udp_line(line: &str) -> Option<(u64, UdpQueues)> {
    let columns: Vec<_> = line.split_ascii_whitespace().collect();
    let (_, waiting) = columns.get(4)?.split_once(':')?;
    let queues = UdpQueues {
        waiting_bytes: u64::from_str_radix(waiting, 16).ok()?,
        drops: columns.get(12)?.parse().ok()?,
    };
    Some((columns.get(9)?.parse().ok()?, queues))
}

/// The 14th and 15th fields of `/proc/self/stat`; the second, the name, may hold anything, but ends with
/// the last parenthesis.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(
        (user + system) * (1000 / TICKS_PER_SEC),
    ))
}

/// The first number behind a name at the beginning of a line.
fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

fn read(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(FILE_BYTES_MAX)
        .read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn this_process() {
        let process = Process::now();
        assert!(process.resident_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(process.threads.is_some_and(|threads| threads >= 1));
        assert!(process.cpu.is_some());
        let open = process.open_fds.expect("a number");
        assert!(open >= 3 && process.fds_max.is_some_and(|max| max >= open));
    }

    #[test]
    fn datagrams_that_nobody_reads() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        let address = socket.local_addr().expect("bound");
        let before = udp_queues(&Fds::now().expect("a list")).expect("a socket");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        // More than any buffer holds.
        for _ in 0..20_000 {
            sender.send_to(&[0; 1000], address).expect("loopback");
        }
        let after = udp_queues(&Fds::now().expect("a list")).expect("a socket");
        assert!(after.drops > before.drops, "{before:?} {after:?}");
        assert!(after.waiting_bytes > before.waiting_bytes);
    }

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "7 (a) b (c) S 1 1 1 0 -1 4 5 6 7 8 150 50 0 0 20 0";
        assert_eq!(cpu(stat), Some(Duration::from_secs(2)));
        assert_eq!(cpu("7 (a"), None);
    }
}
