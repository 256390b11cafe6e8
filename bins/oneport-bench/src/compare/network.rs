//! Two network namespaces and a wire between them: the relay in one, its clients in the other. Some
//! relays ignore loopback, and there nothing of a network card's work would be seen.

use std::net::{IpAddr, Ipv4Addr};
use std::process::{self, Command, Stdio};
use std::{fmt, io};

use crate::peers::Place;

/// Of the range that is for such measurements (RFC 2544, appendix C.2.2).
const SERVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const CLIENTS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);

/// The namespaces; they end with it.
#[derive(Debug)]
pub(crate) struct Network {
    server: Namespace,
    clients: Namespace,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) struct NetworkError(String);

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "network namespaces cannot be made, which takes root and iproute2: {}",
            self.0
        )
    }
}

impl Network {
    pub(crate) fn new() -> Result<Self, NetworkError> {
        let name = |end| format!("oneport-bench-{}-{end}", process::id());
        let server = Namespace::new(name("server"))?;
        let clients = Namespace::new(name("clients"))?;
        let (here, there) = (&server.0, &clients.0);
        ip(&format!(
            "link add name wire netns {here} type veth peer name wire netns {there}"
        ))?;
        for (Namespace(name), address) in [(&server, SERVER), (&clients, CLIENTS)] {
            ip(&format!("-n {name} link set lo up"))?;
            ip(&format!("-n {name} address add {address}/24 dev wire"))?;
            ip(&format!("-n {name} link set wire up"))?;
        }
        Ok(Self { server, clients })
    }

    /// Where the relay runs.
    pub(crate) fn server(&self, cpu: Option<usize>) -> Place {
        self.server.place(SERVER, cpu)
    }

    /// Where its clients run.
    pub(crate) fn clients(&self, cpu: Option<usize>) -> Place {
        self.clients.place(CLIENTS, cpu)
    }
}

#[derive(Debug)]
struct Namespace(String);

impl Namespace {
    fn new(name: String) -> Result<Self, NetworkError> {
        ip(&format!("netns add {name}"))?;
        Ok(Self(name))
    }

    fn place(&self, address: Ipv4Addr, cpu: Option<usize>) -> Place {
        Place {
            namespace: Some(self.0.clone()),
            cpu,
            address: IpAddr::V4(address),
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = ip(&format!("netns delete {}", self.0)) {
            eprintln!("oneport-bench: {} is left behind: {}", self.0, error.0);
        }
    }
}

fn ip(words: &str) -> Result<(), NetworkError> {
    let run = || -> io::Result<process::Output> {
        Command::new("ip")
            .args(words.split(' '))
            .stdin(Stdio::null())
            .output()
    };
    let output = run().map_err(|error| NetworkError(format!("ip: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(NetworkError(format!("ip {words}: {}", said.trim())))
}
