//! Which sockets a process holds, read from `/proc`.

use std::{collections::BTreeSet, fs};

use crate::Result;

/// The local ports on which a process receives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Ports of its UDP sockets.
    pub udp: BTreeSet<u16>,
    /// Ports of its listening TCP sockets.
    pub tcp: BTreeSet<u16>,
}

/// State LISTEN in the column `st` of `/proc/net/tcp` (Linux, `include/net/tcp_states.h`).
const LISTEN: &str = "0A";

/// The ports of the process with that id, IPv4 and IPv6.
///
/// # Errors
/// When there is no such process, or it belongs to somebody else.
pub fn of_process(pid: u32) -> Result<Ports> {
    let mut inodes = BTreeSet::new();
    for descriptor in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // A descriptor may be closed between the listing and the look.
        let Ok(target) = fs::read_link(descriptor?.path()) else {
            continue;
        };
        let target = target.to_string_lossy();
        let inode = target
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'));
        inodes.extend(inode.map(str::to_owned));
    }
    let mut ports = Ports::default();
    for table in ["udp", "udp6", "tcp", "tcp6"] {
        // Without IPv6 in the kernel two of them are missing.
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        let held = text
            .lines()
            .skip(1)
            .filter_map(Row::parse)
            .filter(|row| inodes.contains(row.inode));
        match table {
            "udp" | "udp6" => ports.udp.extend(held.map(|row| row.port)),
            _ => ports
                .tcp
                .extend(held.filter(|row| row.state == LISTEN).map(|row| row.port)),
        }
    }
    Ok(ports)
}

/// A row of `/proc/net/udp` or `tcp` (Linux, `Documentation/networking/proc_net_tcp.rst`).
struct Row<'a> {
    port: u16,
    state: &'a str,
    inode: &'a str,
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let columns: Vec<_> = line.split_whitespace().collect();
        let (_, port) = columns.get(1)?.rsplit_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        Some(Self {
            port,
            state: columns.get(3)?,
            inode: columns.get(9)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn a_process_sees_its_own_sockets() -> Result {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let ports = of_process(std::process::id())?;
        assert!(ports.udp.contains(&socket.local_addr()?.port()));
        assert!(ports.tcp.contains(&listener.local_addr()?.port()));

        let port = socket.local_addr()?.port();
        drop(socket);
        assert!(
            !of_process(std::process::id())?.udp.contains(&port),
            "it is closed"
        );
        Ok(())
    }
}
