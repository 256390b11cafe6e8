//! A network of its own for a relay: two namespaces of the kernel and a wire between them, on which
//! datagrams and TCP segments get lost. Nothing of it outlives the test.

use std::{
    env, fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    Error, Result,
    relay::Relay,
    wait::{self, Look},
};

/// Set in the process that runs in the namespace.
const INSIDE: &str = "ONEPORT_TESTS_NETWORK";

/// What gives a program a namespace of its own: for root, and for whom the kernel lets play root.
const UNSHARE: [&[&str]; 2] = [
    &["unshare", "--net", "--"],
    &["unshare", "--map-root-user", "--net", "--"],
];

/// A setting of each end of a wire. Without it the kernel passes a GSO batch across the wire as one packet,
/// and the firewall loses all of its datagrams at once.
pub(crate) const ONE_BY_ONE: &str = "gso_max_segs 1";

/// The relay's end of the wire, and ours.
pub(crate) const RELAY: &str = "10.77.0.1";
const CLIENTS: &str = "10.77.0.2";

/// A namespace is there as soon as a process has begun in it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The wire between this process and a relay.
#[derive(Debug)]
pub struct Network {
    /// Holds the relay's namespace; ends with its input, so with this process.
    holder: Child,
}

impl Network {
    /// Runs the calling test, by its name, again in a namespace of its own, where this returns the
    /// network. Here it returns `None` when that has passed, or after saying why it cannot be.
    ///
    /// # Errors
    /// [`Error::Start`] with its output, where the test fails in there.
    pub fn enter(test: &str) -> Result<Option<Self>> {
        if env::var_os(INSIDE).is_some() {
            return Self::new().map(Some);
        }
        let tools = "ip link add name probe type veth peer name eborp && nft list ruleset";
        let works = |unshare: &&[&str]| run(&[*unshare, &["sh", "-c", tools]].concat(), tools);
        let Some(unshare) = UNSHARE
            .iter()
            .copied()
            .find(|unshare| works(unshare).is_ok())
        else {
            let why = works(&UNSHARE[1]).err();
            println!("skipped: no network namespaces here: {why:?}");
            return Ok(None);
        };
        let output = Command::new(unshare[0])
            .args(&unshare[1..])
            .arg(env::current_exe()?)
            .args([test, "--exact", "--nocapture"])
            .env(INSIDE, "1")
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        for row in said.lines().filter(|line| line.starts_with('|')) {
            println!("\n{row}");
        }
        // A name that is none would run no test, and pass.
        if output.status.success() && said.contains("1 passed") {
            return Ok(None);
        }
        Err(Error::Start {
            program: format!("{test} in a network namespace"),
            why: format!("{said}{}", String::from_utf8_lossy(&output.stderr)),
        })
    }

    fn new() -> Result<Self> {
        let holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let network = Self { holder };
        let ours = fs::read_link("/proc/self/ns/net")?;
        wait::until("the relay's namespace", TIMEOUT, || {
            let theirs = fs::read_link(network.namespace())?;
            Ok(if theirs == ours {
                Look::NotYet("ours".into())
            } else {
                Look::Done(())
            })
        })?;
        let holder = network.holder.id();
        // Otherwise the wire's own address of IPv6 comes a second later, and Chromium begins what it loads
        // anew whenever its network changes.
        let at_once = "(echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad) 2>/dev/null";
        ours_do(&format!(
            "{at_once}; ip link set lo up && ip link add name wire type veth peer name wire netns {holder} && \
             ip address add {CLIENTS}/24 dev wire && ip link set wire up {ONE_BY_ONE}"
        ))?;
        network.theirs_do(&format!(
            "ip link set lo up && ip address add {RELAY}/24 dev wire && ip link set wire up {ONE_BY_ONE}"
        ))?;
        Ok(network)
    }

    /// Starts a relay at the other end of the wire.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub fn relay(&self) -> Result<Relay> {
        self.relay_with(&["--listen", &format!("{RELAY}:0"), "--open"])
    }

    /// Starts a relay on the other side, with these arguments.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub fn relay_with(&self, arguments: &[&str]) -> Result<Relay> {
        let enter = format!("--net={}", self.namespace());
        Relay::start_by(&["nsenter", &enter, "--"], arguments)
    }

    /// The same program on the other side.
    #[must_use]
    pub fn over_there(&self, command: &Command) -> Command {
        let mut there = Command::new("nsenter");
        there
            .arg(format!("--net={}", self.namespace()))
            .arg("--")
            .arg(command.get_program())
            .args(command.get_args());
        there
    }

    /// Loses so many of a hundred packets at random, in each direction; 100 cuts the wire without
    /// telling anybody, 0 heals it.
    ///
    /// # Errors
    /// When the firewall does not take the rule.
    pub fn lose(&self, percent: u32) -> Result {
        // Where packets come in: a sender must not be told.
        let chain = "add table inet faults; flush table inet faults; add chain inet faults in \
                     { type filter hook prerouting priority -300; }; add rule inet faults in \
                     iifname wire";
        let filter = match percent {
            0 => "nft flush ruleset".into(),
            100 => format!("nft '{chain} drop'"),
            _ => format!("nft '{chain} numgen random mod 100 < {percent} drop'"),
        };
        ours_do(&filter)?;
        self.theirs_do(&filter)
    }

    /// Sends a GSO batch of so many datagrams across the wire in each direction, and waits until the firewall on the
    /// other side has counted as many packets.
    ///
    /// # Errors
    /// [`Error::Expired`] where it counts fewer.
    pub fn send_batches(&self, datagrams: u32) -> Result {
        const COUNT: &str = "nft 'add table inet count; add chain inet count in { type filter hook prerouting \
                             priority -310; }; add rule inet count in iifname wire udp dport 9 counter'";
        let send = |to: &str| {
            // SOL_UDP, UDP_SEGMENT.
            format!(
                "python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.setsockopt(17, 103, 100); \
                 s.sendto(bytes({}), (\"{to}\", 9))'",
                100 * datagrams
            )
        };
        ours_do(COUNT)?;
        self.theirs_do(COUNT)?;
        ours_do(&send(RELAY))?;
        self.theirs_do(&send(CLIENTS))?;
        let mut list = Command::new("nft");
        list.args(["list", "table", "inet", "count"]);
        let there = self.over_there(&list);
        let counted = format!("counter packets {datagrams} ");
        for mut list in [list, there] {
            wait::until(format!("{datagrams} packets"), TIMEOUT, || {
                let listed = String::from_utf8_lossy(&list.output()?.stdout).into_owned();
                Ok(match listed.contains(&counted) {
                    true => Look::Done(()),
                    false => Look::NotYet(listed),
                })
            })?;
        }
        Ok(())
    }

    /// Lets no UDP through in either direction, as some firewalls do, without telling anybody; but for what comes
    /// from that port of ours.
    ///
    /// # Errors
    /// When the firewall does not take the rule.
    pub fn block_udp(&self, but_from: u16) -> Result {
        let drop = |rule: &str| {
            format!(
                "nft 'add table inet block; flush table inet block; add chain inet block in {{ type filter hook \
                 prerouting priority -300; }}; add rule inet block in iifname wire udp {rule} drop'"
            )
        };
        ours_do(&drop(&format!("dport != {but_from}")))?;
        self.theirs_do(&drop(&format!("sport != {but_from}")))
    }

    /// Runs a script of the shell on the relay's side.
    ///
    /// # Errors
    /// [`Error::Start`] with what it said.
    pub fn relay_does(&self, script: &str) -> Result {
        self.theirs_do(script)
    }

    /// Runs a script of the shell on our side.
    ///
    /// # Errors
    /// [`Error::Start`] with what it said.
    pub fn we_do(&self, script: &str) -> Result {
        ours_do(script)
    }

    pub(crate) fn namespace(&self) -> String {
        format!("/proc/{}/ns/net", self.holder.id())
    }

    pub(crate) fn theirs_do(&self, script: &str) -> Result {
        let enter = format!("--net={}", self.namespace());
        run(&["nsenter", &enter, "--", "sh", "-c", script], script)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

pub(crate) fn ours_do(script: &str) -> Result {
    run(&["sh", "-c", script], script)
}

/// Runs a command; `what` it is in the error.
fn run(words: &[&str], what: &str) -> Result {
    let (program, words) = words.split_first().expect("a program");
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Start {
        program: what.into(),
        why: String::from_utf8_lossy(&output.stderr).trim().into(),
    })
}
