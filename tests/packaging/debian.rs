//! The Debian package, through its life on a machine.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oneport_tests::{
    Result, http, relay,
    wait::{self, Look},
};

use crate::manager::Manager;
use crate::run;
use crate::sandbox::Sandbox;
use crate::unit::{Unit, packaging};

/// Where the service listens unless it is told otherwise.
const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 3478);

const CONFIG: &str = "/etc/oneport/oneport.toml";
const UNIT: &str = "/lib/systemd/system/oneport.service";
const ENABLED: &str = "/etc/systemd/system/multi-user.target.wants/oneport.service";
const STATE: &str = "/var/lib/oneport";

/// Held by tests that pack: they write the same files below target/package.
static PACKING: Mutex<()> = Mutex::new(());

/// From SIGTERM to the end.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes the package with this version from the binary that the tests have; `cargo deb` alone would
/// build one for release, which takes minutes.
fn pack(version: &str, to: &Path) -> Result {
    let binary = relay::tool("oneport")?;
    run(Command::new(packaging().join("texts")).arg(binary.get_program()))?;
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    run(Command::new(env!("CARGO"))
        .args([
            "deb",
            "--package",
            "oneport",
            "--no-build",
            "--fast",
            "--quiet",
        ])
        .args(["--profile", profile, "--deb-version", version, "--output"])
        .arg(to)
        .current_dir(env!("CARGO_MANIFEST_DIR")))?;
    Ok(())
}

/// The service, started as its unit says; killed when dropped.
struct Service(Child);

impl Service {
    /// As the service manager does it: the state's folder, the account, no capabilities, and the
    /// unit's own command line.
    fn start(sandbox: &Sandbox, notify: &str) -> Result<Self> {
        let unit = Unit(sandbox.read(UNIT)?);
        let (user, group) = (unit.value("User"), unit.value("Group"));
        let state = format!("/var/lib/{}", unit.value("StateDirectory"));
        let mode = unit.value("StateDirectoryMode");
        sandbox.run(&["install", "-d", "-o", user, "-g", group, "-m", mode, &state])?;
        let mut words = vec!["setpriv", "--reuid", user, "--regid", group];
        words.extend(["--clear-groups", "--no-new-privs", "--inh-caps=-all"]);
        words.extend(["--bounding-set=-all", "--"]);
        words.extend(unit.value("ExecStart").split(' '));
        let mut command = sandbox.command(&words);
        command.env("NOTIFY_SOCKET", notify).stdin(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    /// Sends SIGTERM and waits for an end in peace.
    fn stop(mut self) -> Result {
        let pid = self.0.id().to_string();
        run(Command::new("/bin/sh").args(["-c", "kill -s TERM \"$1\"", "kill", &pid]))?;
        let status = wait::until("the end of the service", STOP_TIMEOUT, || {
            let ended = self.0.try_wait()?;
            Ok(ended.map_or_else(|| Look::NotYet("it runs".into()), Look::Done))
        })?;
        assert!(status.success(), "{status}");
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn installed_served_upgraded_removed() -> Result {
    let _alone = PACKING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(sandbox) = Sandbox::enter("debian::installed_served_upgraded_removed")? else {
        return Ok(());
    };
    for version in ["0.0.1-1", "0.0.2-1"] {
        let name = format!("/tmp/oneport-{version}.deb");
        pack(version, &sandbox.path(&name))?;
    }
    sandbox.run(&["dpkg", "--install", "/tmp/oneport-0.0.1-1.deb"])?;
    is_installed_properly(&sandbox)?;
    serves(&sandbox)?;

    // An upgrade keeps what the operator has written.
    let mut config = fs::OpenOptions::new()
        .append(true)
        .open(sandbox.path(CONFIG))?;
    config.write_all(b"max-rooms = 7\n")?;
    sandbox.run(&["dpkg", "--install", "/tmp/oneport-0.0.2-1.deb"])?;
    let version = sandbox.run(&["dpkg-query", "--show", "--showformat=${Version}", "oneport"])?;
    assert_eq!(version, "0.0.2-1");
    assert!(sandbox.read(CONFIG)?.ends_with("max-rooms = 7\n"));
    serves(&sandbox)?;

    // So does removing it, until it is purged.
    let files = sandbox.run(&["dpkg", "--listfiles", "oneport"])?;
    sandbox.run(&["dpkg", "--remove", "oneport"])?;
    assert!(!sandbox.has("/usr/bin/oneport") && !sandbox.has(UNIT));
    assert!(sandbox.has(CONFIG) && sandbox.has(&format!("{STATE}/state")));
    sandbox.run(&["dpkg", "--purge", "oneport"])?;
    for file in files.lines().filter(|file| file.contains("oneport")) {
        assert!(!sandbox.has(file), "{file} is left");
    }
    for left in [STATE, "/etc/oneport", ENABLED] {
        assert!(!sandbox.has(left), "{left} is left");
    }
    Ok(())
}

fn is_installed_properly(sandbox: &Sandbox) -> Result {
    for (file, mode) in [
        ("/usr/bin/oneport", 0o755),
        (CONFIG, 0o644),
        (UNIT, 0o644),
        ("/usr/share/doc/oneport/copyright", 0o644),
        ("/usr/share/man/man1/oneport-serve.1.gz", 0o644),
        ("/usr/share/bash-completion/completions/oneport", 0o644),
    ] {
        let found = fs::metadata(sandbox.path(file))?;
        let found = (
            found.uid(),
            found.gid(),
            found.permissions().mode() & 0o7777,
        );
        assert_eq!(found, (0, 0, mode), "{file}");
    }
    links_lead_somewhere(sandbox)?;
    assert_eq!(sandbox.run(&["dpkg", "--verify", "oneport"])?, "");
    assert!(sandbox.has(ENABLED), "it starts with the machine");
    let account = sandbox.run(&["getent", "passwd", "oneport"])?;
    assert!(account.trim().ends_with("/nologin"), "{account}");
    let conffiles = sandbox.run(&[
        "dpkg-query",
        "--show",
        "--showformat=${Conffiles}",
        "oneport",
    ])?;
    assert!(conffiles.contains(CONFIG), "{conffiles}");
    Ok(())
}

/// Every relative link of the installed documents leads to a file that is installed, and to a heading of it.
fn links_lead_somewhere(sandbox: &Sandbox) -> Result {
    const DOCUMENTS: &str = "/usr/share/doc/oneport";
    let headings = |text: &str| -> Vec<String> {
        let headings = text.lines().filter(|line| line.starts_with('#'));
        let is_part = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        headings
            .map(|line| line.trim_start_matches('#').trim().to_lowercase())
            .map(|line| line.chars().filter(is_part).collect::<String>())
            .map(|line| line.replace(' ', "-"))
            .collect()
    };
    let mut count = 0;
    for document in ["README.md", "REFERENCE.md", "PROTOCOL.md"] {
        let text = sandbox.read(&format!("{DOCUMENTS}/{document}"))?;
        let links = text.split("](").skip(1);
        let links = links.filter_map(|rest| Some(rest.split_once(')')?.0));
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { document } else { file };
            let path = format!("{DOCUMENTS}/{file}");
            assert!(sandbox.has(&path), "{document}: {link}");
            let is_there = heading.is_empty()
                || headings(&sandbox.read(&path)?)
                    .iter()
                    .any(|it| it == heading);
            assert!(is_there, "{document}: {link}");
            count += 1;
        }
    }
    assert!(count > 20, "{count} links");
    Ok(())
}

/// Starts it as its unit says, asks it for its health, and ends it.
fn serves(sandbox: &Sandbox) -> Result {
    let notify = sandbox.path("/run/notify");
    let manager = Manager::new(&notify)?;
    let service = Service::start(sandbox, "/run/notify")?;
    manager.wait_for("READY=1")?;
    assert_eq!(http::get(ADDRESS.into(), "/healthz")?.status, 200);
    let status = sandbox.read(&format!("/proc/{}/status", service.0.id()))?;
    let field = |name: &str| {
        let mut values = status.lines().filter_map(|line| line.strip_prefix(name));
        values.next().unwrap_or_default().trim().to_owned()
    };
    assert!(!field("Uid:").starts_with("0\t"), "it is root");
    assert_eq!(field("CapBnd:").trim_start_matches('0'), "", "{status}");
    service.stop()?;
    manager.wait_for("STOPPING=1")?;
    let state = fs::metadata(sandbox.path(STATE).join("state"))?;
    assert_eq!(
        state.permissions().mode() & 0o7777,
        0o600,
        "it has secrets in it"
    );
    fs::remove_file(notify)?;
    Ok(())
}

#[test]
fn lintian_finds_no_error() -> Result {
    let _alone = PACKING.lock().unwrap_or_else(PoisonError::into_inner);
    let package = std::env::temp_dir().join(format!("oneport-{}.deb", std::process::id()));
    pack("0.0.1-1", &package)?;
    let found = run(Command::new("lintian")
        .args(["--allow-root", "--fail-on", "error"])
        .arg(&package));
    fs::remove_file(package)?;
    println!("{}", found?);
    Ok(())
}

#[test]
fn the_packages_changelog_knows_the_version() -> Result {
    let changelog = fs::read_to_string(packaging().join("debian/changelog"))?;
    let newest = format!("oneport ({}-1) ", env!("CARGO_PKG_VERSION"));
    assert!(changelog.starts_with(&newest), "{changelog}");
    Ok(())
}
