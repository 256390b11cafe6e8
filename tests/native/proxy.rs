//! Behind nginx, configured as README has it.

use std::{
    fmt::Write as _,
    fs,
    io::ErrorKind,
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use oneport_tests::{
    Result,
    certificate::Pair,
    relay::{self, Relay},
    wait::{self, Look},
};
use tempfile::TempDir;

const TIMEOUT: Duration = Duration::from_secs(30);

/// The proxy's own address towards the relay. Its clients come from others, and are not to be trusted with it.
const PROXY: &str = "127.0.0.2";

/// A running nginx in a folder of its own; it is killed when dropped.
struct Nginx {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Nginx {
    /// None where it is not installed: its package starts a web server, which is not for a test to ask for.
    fn before(relay: &Relay, pair: &Pair) -> Result<Option<Self>> {
        let address = relay::free_address()?;
        let folder = TempDir::new()?;
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, configure(address, relay.address(), pair))?;
        let mut command = Command::new("nginx");
        command
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(configuration);
        command.args(["-e", "stderr"]).stdin(Stdio::null());
        let process = match command.spawn() {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut nginx = Self {
            process,
            address,
            _folder: folder,
        };
        wait::until("nginx", TIMEOUT, || {
            if let Some(status) = nginx.process.try_wait()? {
                panic!("nginx has ended: {status}");
            }
            Ok(match TcpStream::connect(address) {
                Ok(_) => Look::Done(()),
                Err(error) => Look::NotYet(error.to_string()),
            })
        })?;
        Ok(Some(nginx))
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/", self.address.port())
    }
}

fn configure(address: SocketAddr, relay: SocketAddr, pair: &Pair) -> String {
    let mut text = String::from(
        "daemon off; master_process off; pid nginx.pid;\nevents {}\nhttp {\naccess_log off;\n",
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(text, "{kind}_temp_path {kind};");
    }
    let (chain, key) = (pair.chain(), pair.key());
    let _ = write!(
        text,
        "map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
server {{
    listen {address} ssl;
    ssl_certificate     {};
    ssl_certificate_key {};
    location / {{
        proxy_pass http://{relay};
        proxy_bind {PROXY};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
    }}
}}
}}
",
        chain.display(),
        key.display(),
    );
    text
}

/// The status that curl gets, and the body.
fn curl(url: &str, pair: &Pair, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "30", "-w", " %{http_code}", "--cacert"]);
    let Output { stdout, stderr, .. } = command
        .arg(pair.chain())
        .args(arguments)
        .arg(url)
        .output()?;
    let said = [stdout, stderr].concat();
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn nginx_brings_clients_with_their_own_addresses() -> Result {
    let pair = Pair::until(2090)?;
    let arguments = ["--listen", "127.0.0.1:0", "--trust-proxy", PROXY];
    let relay = Relay::start_logging(&arguments, "debug")?;
    let Some(nginx) = Nginx::before(&relay, &pair)? else {
        println!("skipped: no nginx here");
        return Ok(());
    };

    let chain = pair.chain().display().to_string();
    let checked = relay::run(&["check", &nginx.url(), "--ca", &chain])?;
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(checked.status.code(), Some(0), "{said}");
    assert!(said.contains("behind a proxy"), "{said}");

    // Refused, so that the relay says whose they were. Nobody becomes somebody else by a header.
    let offer = ["-H", "Content-Type: application/sdp", "--data", "v=0"];
    let room = nginx.url() + "r/lobby";
    for client in ["127.0.0.3", "127.0.0.4"] {
        let from = ["--interface", client, "-H", "X-Forwarded-For: 192.0.2.1"];
        let said = curl(&room, &pair, &[&offer[..], &from].concat())?;
        assert!(said.ends_with(" 422"), "{said}");
        relay.wait_for_log(&format!("refused an offer from {client}:"), TIMEOUT)?;
    }
    let log = relay.log_lines().join("\n");
    assert!(!log.contains("192.0.2.1"), "{log}");

    // Only for this machine, and what a proxy brings is from elsewhere.
    for header in ["X-Forwarded-For: 127.0.0.1", "Accept: */*"] {
        let said = curl(&(nginx.url() + "metrics"), &pair, &["-H", header])?;
        assert!(
            said.contains("operator_is_local") && said.ends_with(" 403"),
            "{said}"
        );
    }
    Ok(())
}

#[test]
fn nginx_passes_websockets_on() -> Result {
    let pair = Pair::until(2090)?;
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--trust-proxy", PROXY])?;
    let Some(nginx) = Nginx::before(&relay, &pair)? else {
        println!("skipped: no nginx here");
        return Ok(());
    };
    let upgrade = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    // The example of RFC 6455 section 1.3. The connection stays, so curl is told to go.
    let mut arguments = vec!["--http1.1", "--max-time", "5", "-D", "-", "-o", "/dev/null"];
    arguments.extend(upgrade.iter().flat_map(|header| ["-H", header]));
    let said = curl(&(nginx.url() + "ws"), &pair, &arguments)?;
    assert!(
        said.contains(" 101 ") && said.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{said}"
    );
    Ok(())
}
