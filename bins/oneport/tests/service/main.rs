//! The binary as a service: what it tells its manager, a socket of ours, and what signals do to it.

mod signals;

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes; only reached by a bug.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Where a service manager listens; gone when dropped.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(test: &str) -> Self {
        // Not below the target folder: the path of a socket has 107 bytes at most.
        let name = format!("oneport-{}-{test}.sock", std::process::id());
        let path = std::env::temp_dir().join(name);
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("not zero");
        Self { socket, path }
    }

    /// The next notification.
    fn hears(&self) -> String {
        let mut buffer = [0; 1024];
        let length = self.socket.recv(&mut buffer).expect("a notification");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Killed when dropped.
struct Service(Child);

impl Service {
    fn start(socket: Option<&Path>, watchdog: Option<Duration>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oneport"));
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let notify = socket.map(|path| ("NOTIFY_SOCKET", path.as_os_str().to_owned()));
        let watchdog = watchdog.map(|time| ("WATCHDOG_USEC", time.as_micros().to_string().into()));
        command
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .envs(notify.into_iter().chain(watchdog))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().expect("it is built"))
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        // The shell's own `kill`: a small system has no program of that name.
        let told = Command::new("/bin/sh")
            .args(["-c", "kill -s \"$2\" \"$1\"", "kill", &pid, signal])
            .status();
        assert!(told.is_ok_and(|status| status.success()), "it runs");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_is_ready_when_it_listens_and_says_when_it_stops() {
    let manager = Manager::new("ready");
    let mut service = Service::start(Some(&manager.path), None);
    let ready = manager.hears();
    assert!(ready.lines().any(|line| line == "READY=1"), "{ready}");
    let status = ready
        .lines()
        .find_map(|line| line.strip_prefix("STATUS=serving on "));
    let address = status.expect("where it serves");
    std::net::TcpStream::connect(address).expect("ready means that it listens");
    service.signal("TERM");
    let stopping = manager.hears();
    assert!(
        stopping.lines().any(|line| line == "STOPPING=1"),
        "{stopping}"
    );
    assert!(service.0.wait().expect("it ends").success());
}

#[test]
fn without_a_manager_it_serves_all_the_same() {
    // Nobody listens at the address.
    let nobody = std::env::temp_dir().join("oneport-nobody-listens.sock");
    let mut service = Service::start(Some(&nobody), Some(Duration::from_millis(100)));
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        assert_eq!(service.0.try_wait().expect("a child"), None, "it has ended");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_watchdog_gets_signs_of_life_but_none_from_a_process_that_hangs() {
    let period = Duration::from_millis(300);
    let manager = Manager::new("watchdog");
    let service = Service::start(Some(&manager.path), Some(period));
    assert!(manager.hears().contains("READY=1"));
    for _ in 0..5 {
        assert_eq!(manager.hears(), "WATCHDOG=1\n");
    }
    // All threads hang; what was said before is still to be heard.
    service.signal("STOP");
    let pause = Some(10 * period);
    manager.socket.set_read_timeout(pause).expect("not zero");
    let mut buffer = [0; 1024];
    let heard = (0..100).take_while(|_| manager.socket.recv(&mut buffer).is_ok());
    assert!(heard.count() < 100, "a stopped process says that it lives");
    manager
        .socket
        .set_read_timeout(Some(PATIENCE))
        .expect("not zero");
    service.signal("CONT");
    assert_eq!(manager.hears(), "WATCHDOG=1\n");
}
