//! What signals do to it, as a service and in a terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// Starts a program without a terminal, and with SIGHUP as it is by default even if these tests run under `nohup`.
const AS_SERVICE: [&str; 3] = ["env", "--default-signal=HUP", "setsid"];

/// A relay that was started by another program, with its files in a folder; killed when dropped.
struct Relay {
    process: Child,
    folder: tempfile::TempDir,
}

impl Relay {
    /// The wrapper's words come first. What they start is the same process in the end.
    fn start(wrapper: &[&str], arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        let mut command = Command::new(wrapper[0]);
        command
            .args(&wrapper[1..])
            .args([
                env!("CARGO_BIN_EXE_oneport"),
                "serve",
                "--listen",
                "127.0.0.1:0",
            ])
            .args(arguments)
            .current_dir(folder.path())
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log);
        let process = command.spawn().expect("util-linux is there");
        let relay = Self { process, folder };
        relay.wait_for("page ");
        relay
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("a file")
    }

    /// Waits for this text in the log, which has what it printed too.
    fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        while !self.log().contains(text) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{text:?} is not in:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: &str) {
        assert!(kill(self.process.id(), signal), "it runs");
    }

    fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("a child") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it goes on:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn kill(pid: u32, signal: &str) -> bool {
    let told = Command::new("/bin/sh")
        .args([
            "-c",
            "kill -s \"$2\" \"$1\"",
            "kill",
            &pid.to_string(),
            signal,
        ])
        .status();
    told.is_ok_and(|status| status.success())
}

/// A certificate that has signed itself, and its key.
fn write_pair(chain: &Path, key: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(chain, made.cert.pem()).expect("written");
    fs::write(key, made.signing_key.serialize_pem()).expect("written");
}

#[test]
fn a_service_reads_its_certificate_again_and_is_not_killed_by_a_signal_that_means_nothing() {
    let files = tempfile::tempdir().expect("a folder");
    let [chain, key]: [PathBuf; 2] = ["chain.pem", "key.pem"].map(|name| files.path().join(name));
    write_pair(&chain, &key);
    let (chain_path, key_path) = (chain.to_string_lossy(), key.to_string_lossy());
    let tls = [
        "--tls-cert",
        &chain_path,
        "--tls-key",
        &key_path,
        "--state",
        "state",
    ];
    let mut relay = Relay::start(&AS_SERVICE, &tls);
    relay.signal("PIPE");
    relay.signal("USR2");
    relay.signal("USR1");
    relay.wait_for("SIGUSR2 are ignored");

    write_pair(&chain, &key);
    relay.signal("HUP");
    relay.wait_for("SIGHUP: the certificate is read again");
    relay.wait_for("a new certificate is in use");
    fs::write(&chain, "nonsense").expect("written");
    relay.signal("HUP");
    relay.wait_for("the old one stays");

    relay.signal("QUIT");
    assert!(relay.wait().success(), "{}", relay.log());
    assert!(relay.folder.path().join("state").exists());
}

#[test]
fn a_service_without_files_says_that_there_is_nothing_to_read() {
    let mut relay = Relay::start(&AS_SERVICE, &[]);
    relay.signal("HUP");
    relay.wait_for("SIGHUP: there is no certificate");
    relay.signal("TERM");
    assert!(relay.wait().success());
}

#[test]
fn what_nohup_ignores_stays_ignored() {
    let mut relay = Relay::start(&["setsid", "nohup"], &[]);
    relay.signal("HUP");
    relay.signal("USR1");
    relay.wait_for("SIGUSR2 are ignored");
    assert!(!relay.log().contains("SIGHUP"), "{}", relay.log());
    relay.signal("TERM");
    assert!(relay.wait().success());
}

#[test]
fn a_terminal_that_hangs_up_stops_the_relay_which_leaves_its_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let relay = format!(
        "exec '{}' serve --listen 127.0.0.1:0 --state '{}' >'{}' 2>&1",
        env!("CARGO_BIN_EXE_oneport"),
        file("state").display(),
        file("log").display(),
    );
    // It has the other end of the terminal. Its own input stays open.
    let mut terminal = Command::new("env")
        .args([
            "--default-signal=HUP",
            "script",
            "--quiet",
            "--command",
            &relay,
            "/dev/null",
        ])
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("bsdutils is there");
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !is_so() {
            let log = fs::read_to_string(file("log")).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "{what}:\n{log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let log = || fs::read_to_string(file("log")).unwrap_or_default();
    until("it serves", &|| log().contains("page "));
    terminal.kill().expect("it runs");
    terminal.wait().expect("it ends");
    until("it stops", &|| log().contains("stopping"));
    until("it leaves its state", &|| file("state").exists());
}
