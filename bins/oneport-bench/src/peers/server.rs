//! A relay's process.

use std::collections::HashSet;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{io, thread};

use tempfile::TempDir;

/// A relay is up in less than a second.
const START_TIMEOUT: Duration = Duration::from_secs(20);
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Where its output goes, in its folder.
const LOG: &str = "log";

/// A relay that runs until this is dropped.
///
/// It is in our process group: what ends us by the terminal ends it, too.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    url: String,
    /// Its configuration and its output.
    folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail harmlessly when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts it, and waits until it listens for signaling at this address. What is left to say is its
    /// URL beyond that.
    pub(crate) fn start(
        mut command: Command,
        folder: TempDir,
        address: SocketAddr,
        path: &str,
    ) -> io::Result<Self> {
        let log = File::create(folder.path().join(LOG))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut server = Self {
            child: command.spawn()?,
            url: format!("http://{address}{path}"),
            folder,
        };
        let deadline = Instant::now() + START_TIMEOUT;
        while !listens(server.pid(), address.port()) {
            let end = server.child.try_wait()?;
            if end.is_some() || Instant::now() > deadline {
                return Err(server.failed(&command));
            }
            thread::sleep(LOOK_INTERVAL);
        }
        Ok(server)
    }

    fn failed(&self, command: &Command) -> io::Error {
        let said = fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
        io::Error::other(format!("{command:?} does not serve: {}", said.trim()))
    }

    /// The relay's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What `run --url` wants.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Whether a process has a TCP socket that listens on this port, in whatever network namespace it is: we
/// may not be able to reach it, but Linux tells (proc(5)).
fn listens(pid: u32, port: u16) -> bool {
    let folder = Path::new("/proc").join(pid.to_string());
    let tables = ["net/tcp", "net/tcp6"].map(|table| fs::read_to_string(folder.join(table)));
    let inodes: HashSet<_> = tables
        .iter()
        .flatten()
        .flat_map(|table| listening(table, port))
        .collect();
    let Ok(files) = fs::read_dir(folder.join("fd")) else {
        return false;
    };
    files.flatten().any(|file| {
        let target = fs::read_link(file.path()).unwrap_or_default();
        let target = target.to_string_lossy();
        let inode = target
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'));
        inode.is_some_and(|inode| inodes.contains(inode))
    })
}

/// The inodes of the sockets that listen on a port: fields 2 (address), 4 (state) and 10.
fn listening(table: &str, port: u16) -> impl Iterator<Item = &str> {
    let port = format!(":{port:04X}");
    table.lines().skip(1).filter_map(move |line| {
        let mut fields = line.split_whitespace().skip(1);
        let is_there = fields.next()?.ends_with(&port);
        let listens = fields.nth(1)? == "0A";
        fields.nth(5).filter(|_| is_there && listens)
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::process;

    use super::*;

    #[test]
    fn what_proc_says() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1F98 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1001 1\n   \
                     1: 0100007F:1F98 0100007F:9000 01 00000000:00000000 00:00000000 00000000  1000        0 1002 1\n   \
                     2: 0100007F:1F99 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1003 1\n";
        assert_eq!(listening(table, 8088).collect::<Vec<_>>(), ["1001"]);
    }

    #[test]
    fn own_sockets() {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        assert!(listens(process::id(), port));
        drop(socket);
        assert!(!listens(process::id(), port));
    }

    #[test]
    fn what_does_not_serve_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no, thanks; exit 3"]);
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let folder = tempfile::tempdir().expect("a folder");
        let error = Server::start(command, folder, address, "/").expect_err("it has ended");
        assert!(
            error.to_string().ends_with("does not serve: no, thanks"),
            "{error}"
        );
    }
}
