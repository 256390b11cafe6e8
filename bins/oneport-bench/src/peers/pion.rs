//! A relay with pion, built from the source that comes with this program.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;
use std::{env, fs, io};

use super::{Place, Server, is_installed};

const PORT: u16 = 3478;

const SOURCE: &str = include_str!("../../peers/pion/main.go");

/// Where Debian puts the sources of Go libraries.
const GOPATH: &str = "/usr/share/gocode";

pub(super) fn missing() -> Option<String> {
    let library = Path::new(GOPATH).join("src/github.com/pion/webrtc");
    (!is_installed("go") || !library.is_dir()).then(|| {
        "pion needs Go and its library: apt-get install golang-go golang-github-pion-webrtc.v3-dev"
            .into()
    })
}

/// The relay, beside this program. It is built anew when this program was, and with it perhaps the
/// source.
fn binary() -> io::Result<PathBuf> {
    let own = env::current_exe()?;
    let binary = own.with_file_name("oneport-bench-pion");
    let built = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
    let is_current = |at: SystemTime| built(&own).is_ok_and(|own| own <= at);
    if !built(&binary).is_ok_and(is_current) {
        build(&binary)?;
    }
    Ok(binary)
}

fn build(binary: &Path) -> io::Result<()> {
    let beside = binary.parent().unwrap_or(Path::new("."));
    let folder = tempfile::tempdir_in(beside)?;
    let source = folder.path().join("main.go");
    let fresh = folder.path().join("relay");
    fs::write(&source, SOURCE)?;
    let output = Command::new("go")
        .args(["build", "-trimpath", "-o"])
        .args([&fresh, &source])
        .env("GO111MODULE", "off")
        .env("GOPATH", GOPATH)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("go build: {}", said.trim())));
    }
    fs::rename(fresh, binary)
}

pub(super) fn start(place: &Place) -> io::Result<Server> {
    let address = SocketAddr::new(place.address, PORT);
    // Go takes as many threads as it has cores: one where it is kept on one.
    let mut command = place.command(binary()?);
    command.args(["-listen", &address.to_string()]);
    Server::start(command, tempfile::tempdir()?, address, "")
}
