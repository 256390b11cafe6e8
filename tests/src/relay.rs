//! The relay's binary, started as its user starts it.

use std::{
    env,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

use serde_json::Value;

use crate::{
    Error, Result, http,
    lines::Lines,
    wait::{self, Look},
};

/// A relay is up in milliseconds.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// From SIGTERM to the end of the process: it has connections to close, but none to wait for.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// What the binary writes before the page's address, on a line of its own, once it serves.
const PAGE_LABEL: &str = "page";

/// A running relay; it is killed when dropped.
#[derive(Debug)]
pub struct Relay {
    process: Process,
    url: String,
    address: SocketAddr,
    log: Lines,
}

/// Killed when dropped, in whatever state a test leaves it.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail harmlessly when it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Relay {
    /// Runs `oneport serve` with these arguments and waits until it says that it serves.
    ///
    /// The binary is the one that `ONEPORT_BIN` names, or else cargo builds it. It logs what it logs
    /// for its user, or what `RUST_LOG` says.
    ///
    /// # Errors
    /// [`Error::Start`] with what it printed, when it cannot be built or ends at once.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let mut command = command()?;
        command.arg("serve").args(arguments);
        Self::spawn(command)
    }

    /// [`Relay::start`] with another `RUST_LOG` than its user's default.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub fn start_logging(arguments: &[&str], filter: &str) -> Result<Self> {
        let mut command = command()?;
        command.arg("serve").args(arguments).env("RUST_LOG", filter);
        Self::spawn(command)
    }

    /// [`Relay::start`] by another program, such as a shell that sets a limit: the wrapper's words come
    /// first, then those of the relay.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub fn start_by(wrapper: &[&str], arguments: &[&str]) -> Result<Self> {
        let (program, words) = wrapper.split_first().expect("a program");
        let mut command = configured_by_arguments(Command::new(program));
        command
            .args(words)
            .arg(binary()?)
            .arg("serve")
            .args(arguments);
        Self::spawn(command)
    }

    /// Starts a relay whose output nobody sees, at an address where no other one is, and waits until
    /// it serves.
    ///
    /// # Errors
    /// [`Error::Expired`] when it does not serve.
    pub fn start_unseen(address: SocketAddr, stdout: Stdio, stderr: Stdio) -> Result<Self> {
        let mut command = command()?;
        command.args(["serve", "--listen", &address.to_string()]);
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let relay = Self {
            process: Process(command.spawn()?),
            url: format!("http://{address}/"),
            address,
            log: Lines::default(),
        };
        wait::until("a relay that serves", START_TIMEOUT, || {
            Ok(match http::get(address, "/healthz") {
                Ok(_) => Look::Done(()),
                Err(error) => Look::NotYet(error.to_string()),
            })
        })?;
        Ok(relay)
    }

    fn spawn(mut command: Command) -> Result<Self> {
        let failed = |why| Error::Start {
            program: "oneport".into(),
            why,
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = Process(command.spawn().map_err(|error| failed(error.to_string()))?);
        let log = Lines::of(process.0.stderr.take().expect("it is piped"));
        let said = Lines::of(process.0.stdout.take().expect("it is piped"));
        let line = said
            .wait_for("the page's address", START_TIMEOUT, |line| {
                page(line).is_some()
            })
            .map_err(|error| failed(format!("{error}\n  log:\n{}", log.all().join("\n"))))?;
        let (url, address) = page(&line).expect("the line was chosen for it");
        Ok(Self {
            url: url.to_owned(),
            address,
            log,
            process,
        })
    }

    /// [`Relay::start`] on a port of loopback that the kernel chooses.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub fn on_loopback() -> Result<Self> {
        Self::start(&["--listen", "127.0.0.1:0"])
    }

    /// The page's address with a slash at its end, such as `http://127.0.0.1:3478/`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of the page in that room.
    #[must_use]
    pub fn room_url(&self, room: &str) -> String {
        format!("{}#{room}", self.url)
    }

    /// The address on which it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The one port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// What it logged so far.
    #[must_use]
    pub fn log_lines(&self) -> Vec<String> {
        self.log.all()
    }

    /// Its log, which goes on after this value.
    #[must_use]
    pub fn log(&self) -> Lines {
        self.log.clone()
    }

    /// Waits for a line of the log that contains `part`, those already there included.
    ///
    /// # Errors
    /// [`Error::Expired`] with the whole log.
    pub fn wait_for_log(&self, part: &str, timeout: Duration) -> Result<String> {
        let what = format!("{part:?} in the relay's log");
        self.log
            .wait_for(&what, timeout, |line| line.contains(part))
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    /// [`Error::Expired`] with the whole log, when it takes more than 5 s; it is killed then.
    pub fn terminate(mut self) -> Result<ExitStatus> {
        let pid = self.pid().to_string();
        // The shell's own `kill`: a small system has no program of that name.
        Command::new("/bin/sh")
            .args(["-c", "kill -s TERM \"$1\"", "kill", &pid])
            .status()?;
        wait::until("the relay to end after SIGTERM", STOP_TIMEOUT, || {
            let ended = self.process.0.try_wait()?;
            Ok(ended.map_or_else(|| Look::NotYet(self.log_lines().join("\n    ")), Look::Done))
        })
    }

    /// Sends SIGKILL and waits for the end. That is what dropping it does; the name says what a test
    /// means.
    pub fn kill(self) {}
}

/// An address of loopback whose port is free for UDP and TCP at this moment.
///
/// # Errors
/// When no port can be had.
pub fn free_address() -> Result<SocketAddr> {
    wait::until("a free port", START_TIMEOUT, || {
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let address = udp.local_addr()?;
        Ok(match TcpListener::bind(address) {
            Ok(_) => Look::Done(address),
            Err(error) => Look::NotYet(error.to_string()),
        })
    })
}

/// The URL and the address in a line such as `page    http://127.0.0.1:3478/`.
fn page(line: &str) -> Option<(&str, SocketAddr)> {
    let (label, url) = line.split_once(' ')?;
    let url = url.trim();
    let authority = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))?
        .strip_suffix('/')?;
    let authority = authority.replace("localhost:", "127.0.0.1:");
    (label == PAGE_LABEL).then_some((url, authority.parse().ok()?))
}

/// Runs `oneport` with these arguments until it ends by itself; it must be one that does.
///
/// # Errors
/// [`Error::Start`] when it cannot be built or run.
pub fn run(arguments: &[&str]) -> Result<Output> {
    Ok(command()?.args(arguments).stdin(Stdio::null()).output()?)
}

/// The command `oneport`, built, for a test that talks to it while it runs.
///
/// # Errors
/// [`Error::Start`] when it cannot be built.
pub fn command() -> Result<Command> {
    Ok(configured_by_arguments(Command::new(binary()?)))
}

/// The same without the settings in the environment of whoever runs the tests.
fn configured_by_arguments(mut command: Command) -> Command {
    for (name, _) in env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"ONEPORT_") {
            command.env_remove(name);
        }
    }
    command
}

/// The command of the package of that name, built.
///
/// # Errors
/// [`Error::Start`] when it cannot be built.
pub fn tool(name: &str) -> Result<Command> {
    let built = build(&["--package", name, "--bin", name], profile());
    built.map(Command::new).map_err(|why| Error::Start {
        program: name.into(),
        why,
    })
}

/// The command of a package's example, built.
///
/// # Errors
/// [`Error::Start`] when it cannot be built.
pub fn example(package: &str, name: &str) -> Result<Command> {
    example_with(package, name, profile())
}

/// [`example`], with that profile of cargo instead of the one of this test.
///
/// # Errors
/// As [`example`].
pub fn example_with(package: &str, name: &str, profile: &str) -> Result<Command> {
    let built = build(&["--package", package, "--example", name], profile);
    built.map(Command::new).map_err(|why| Error::Start {
        program: name.into(),
        why,
    })
}

/// The relay's binary, built at most once in this process.
fn binary() -> Result<&'static PathBuf> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = BINARY.get_or_init(|| match env::var_os("ONEPORT_BIN") {
        Some(path) => Ok(path.into()),
        None => build(&["--package", "oneport", "--bin", "oneport"], profile()),
    });
    found.as_ref().map_err(|why| Error::Start {
        program: "oneport".into(),
        why: why.clone(),
    })
}

/// The profile of this test.
fn profile() -> &'static str {
    if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    }
}

/// Builds a target with that profile, and asks cargo where it lies.
fn build(target: &[&str], profile: &str) -> Result<PathBuf, String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--message-format", "json-render-diagnostics"]);
    command.args(target).args(["--profile", profile]);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut executables =
        artifacts.filter_map(|artifact| Some(artifact["executable"].as_str()?.into()));
    executables.next().ok_or_else(|| {
        format!(
            "cargo built no binary:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_with_the_label_is_the_address() {
        let url = "http://127.0.0.1:3478/";
        let address = ([127, 0, 0, 1], 3478).into();
        assert_eq!(page(&format!("page    {url}")), Some((url, address)));
        for line in ["page", "page    3478", "pages   http://127.0.0.1:3478/"] {
            assert_eq!(page(line), None, "{line}");
        }
    }
}
