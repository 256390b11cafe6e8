//! Under which addresses clients reach the relay.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The addresses for the answers: for each socket the announced address of its family, or its own,
/// or, for a wildcard, those of the host's interfaces.
///
/// # Errors
///
/// [`NoCandidate`] where a socket would have none, or an announced address is of no use.
pub(crate) fn candidates(
    sockets: &[SocketAddr],
    announced: &[IpAddr],
    interfaces: &[IpAddr],
) -> Result<Vec<SocketAddr>, NoCandidate> {
    for ip in announced {
        if ip.is_unspecified() || ip.is_multicast() {
            return Err(NoCandidate::NotAnAddress { announced: *ip });
        }
        if !sockets
            .iter()
            .any(|socket| socket.is_ipv4() == ip.is_ipv4())
        {
            return Err(NoCandidate::NoSuchFamily { announced: *ip });
        }
    }
    let mut candidates = Vec::new();
    for socket in sockets {
        let ips = candidate_ips(socket.ip(), announced, interfaces);
        if ips.is_empty() {
            return Err(NoCandidate::NoInterface { socket: *socket });
        }
        for ip in ips {
            let candidate = SocketAddr::new(ip, socket.port());
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }
    Ok(candidates)
}

fn candidate_ips(socket: IpAddr, announced: &[IpAddr], interfaces: &[IpAddr]) -> Vec<IpAddr> {
    let of_family = |ips: &[IpAddr]| -> Vec<IpAddr> {
        let same = |ip: &&IpAddr| ip.is_ipv4() == socket.is_ipv4();
        ips.iter().filter(same).copied().collect()
    };
    let announced = of_family(announced);
    if !announced.is_empty() {
        return announced;
    }
    if !socket.is_unspecified() {
        return vec![socket];
    }
    let (reachable, loopback): (Vec<_>, Vec<_>) = of_family(interfaces)
        .into_iter()
        .filter(|ip| !is_link_local(*ip))
        .partition(|ip| !ip.is_loopback());
    // A host without a network is still reached from itself.
    if reachable.is_empty() {
        loopback
    } else {
        reachable
    }
}

/// Such an address means nothing without the interface, which a candidate does not name.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// The addresses of the host's interfaces; none if the system does not tell.
pub(crate) fn interfaces() -> Vec<IpAddr> {
    match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces.iter().map(if_addrs::Interface::ip).collect(),
        Err(error) => {
            log::warn!("the host's addresses are unknown: {error}");
            Vec::new()
        }
    }
}

/// Why clients could not reach us as it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCandidate {
    /// No interface has an address for a wildcard.
    NoInterface {
        /// The wildcard.
        socket: SocketAddr,
    },
    /// Nobody can be reached at that address.
    NotAnAddress {
        /// The address.
        announced: IpAddr,
    },
    /// We do not listen on an address of that family.
    NoSuchFamily {
        /// The address.
        announced: IpAddr,
    },
}

impl fmt::Display for NoCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInterface { socket } => write!(
                f,
                "no interface has an address for {socket}: say with --announce IP where clients \
                 reach this host"
            ),
            Self::NotAnAddress { announced } => {
                write!(
                    f,
                    "--announce {announced}: clients cannot reach anybody there"
                )
            }
            Self::NoSuchFamily { announced } => write!(
                f,
                "--announce {announced}: there is no --listen address of the same family"
            ),
        }
    }
}

impl std::error::Error for NoCandidate {}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        let parse = |text: &&str| text.parse().expect("an address");
        texts.iter().map(parse).collect()
    }

    fn of(sockets: &[&str], announced: &[&str], interfaces: &[&str]) -> Vec<String> {
        let sockets: Vec<_> = sockets
            .iter()
            .map(|s| s.parse().expect("a socket"))
            .collect();
        match candidates(&sockets, &ips(announced), &ips(interfaces)) {
            Ok(found) => found.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    #[test]
    fn where_clients_reach_us() {
        let host = [
            "127.0.0.1",
            "10.0.0.5",
            "169.254.1.1",
            "::1",
            "2001:db8::5",
            "fe80::5",
        ];
        for (sockets, announced, wanted) in [
            (vec!["127.0.0.1:1"], vec![], vec!["127.0.0.1:1"]),
            (vec!["0.0.0.0:1"], vec![], vec!["10.0.0.5:1"]),
            (vec!["[::]:1"], vec![], vec!["[2001:db8::5]:1"]),
            (
                vec!["0.0.0.0:1"],
                vec!["203.0.113.7"],
                vec!["203.0.113.7:1"],
            ),
            (
                vec!["10.0.0.5:1", "[::]:1"],
                vec!["203.0.113.7"],
                vec!["203.0.113.7:1", "[2001:db8::5]:1"],
            ),
            (vec!["0.0.0.0:1", "10.0.0.5:1"], vec![], vec!["10.0.0.5:1"]),
        ] {
            assert_eq!(
                of(&sockets, &announced, &host),
                wanted,
                "{sockets:?} {announced:?}"
            );
        }
        assert_eq!(of(&["0.0.0.0:1"], &[], &["127.0.0.1"]), ["127.0.0.1:1"]);
        assert!(of(&["[::]:1"], &[], &["127.0.0.1"])[0].contains("--announce"));
        assert!(of(&["0.0.0.0:1"], &["0.0.0.0"], &host)[0].contains("cannot reach"));
        assert!(of(&["[::]:1"], &["203.0.113.7"], &host)[0].contains("same family"));
    }
}
