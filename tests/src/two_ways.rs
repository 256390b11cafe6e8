//! Two ways to a relay, of which a client has one at a time: as a phone that leaves the house.

use crate::{
    Result,
    network::{Network, ONE_BY_ONE, ours_do},
    relay::Relay,
};

/// Where the relay is, whichever way one comes.
const RELAY: &str = "10.76.0.1";

/// A wire of the network, with its name and the first three numbers of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    wire: &'static str,
    subnet: &'static str,
}

/// The one that there is at first.
pub const FIRST: Way = Way {
    wire: "wire",
    subnet: "10.77.0",
};

/// The other one.
pub const SECOND: Way = Way {
    wire: "other",
    subnet: "10.78.0",
};

/// A network with two ways to the relay.
#[derive(Debug)]
pub struct TwoWays(pub Network);

impl TwoWays {
    /// [`Network::enter`], with the first way open and the other one closed.
    ///
    /// # Errors
    /// As [`Network::enter`].
    pub fn enter(test: &str) -> Result<Option<Self>> {
        let Some(network) = Network::enter(test)? else {
            return Ok(None);
        };
        let Way { wire, subnet } = SECOND;
        network.theirs_do(&format!(
            "ip link add name {wire} type veth peer name {wire} netns {} && \
             ip address add {subnet}.1/24 dev {wire} && ip link set {wire} up {ONE_BY_ONE} && \
             ip address add {RELAY}/32 dev lo",
            std::process::id()
        ))?;
        ours_do(&format!(
            "ip address add {subnet}.2/24 dev {wire} && ip link set {wire} {ONE_BY_ONE}"
        ))?;
        let ways = Self(network);
        ways.go(FIRST)?;
        Ok(Some(ways))
    }

    /// Starts a relay that can be reached both ways.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub fn relay(&self) -> Result<Relay> {
        let listen = format!("{RELAY}:0");
        self.0.relay_with(&["--listen", &listen, "--open"])
    }

    /// The way that there was is gone, and then there is this one, with another address of ours.
    ///
    /// # Errors
    /// When the kernel does not do it.
    pub fn go(&self, way: Way) -> Result {
        let Way { wire, subnet } = way;
        let gone = if way == FIRST { SECOND } else { FIRST }.wire;
        ours_do(&format!(
            "ip link set {gone} down && ip link set {wire} up && \
             ip route replace default via {subnet}.1 dev {wire}"
        ))
    }
}
