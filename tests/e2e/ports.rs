//! What oneport is about: one peer connection and one port for each user, and one port of the server.

use std::{collections::BTreeSet, fmt::Write, fs, time::Duration};

use oneport_tests::{
    Error, Result, artifacts,
    relay::Relay,
    sockets::{self, Ports},
    wait::{self, Look},
};
use serde_json::Value;

use crate::{
    stage::Stage,
    user::{User, crowd, each},
};

/// Everybody has heard everybody by then: their statistics need no longer to say so.
const STATS_TIMEOUT: Duration = Duration::from_secs(10);

/// How many peer connections the page has made, and the local ports of the pairs that carried data.
const COUNT: &str = "(async () => {
    const ports = new Set();
    for (const peer of peers) {
        const stats = await peer.getStats();
        for (const pair of stats.values()) {
            if (pair.type !== 'candidate-pair' || !pair.bytesReceived) continue;
            const { protocol, port } = stats.get(pair.localCandidateId);
            ports.add(`${protocol} ${port}`);
        }
    }
    return [peers.length, [...ports]];
})()";

#[test]
fn ten_users_need_one_connection_and_one_port_each() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let users = crowd(stage.both(), 5, &relay.room_url("ports"))?;
    for speaker in &users {
        let text = format!("{} was here", speaker.name);
        speaker.say(std::slice::from_ref(&text))?;
        each(&users, |user| user.hears(&text))?;
    }

    let server = sockets::of_process(relay.pid())?;
    let numbers: BTreeSet<_> = server.udp.union(&server.tcp).copied().collect();
    let mut table = format!("{:<12}  peer connections  ports in use\n", "user");
    let mut needs = Vec::new();
    for user in &users {
        // What a pair carried counts, whatever state it is in: a check that is on its way changes
        // that. The browser's statistics may also be a moment behind.
        let what = format!("the port that {} uses", user.name);
        let (connections, ports) = wait::until(what, STATS_TIMEOUT, || {
            let (connections, ports) = count(user)?;
            Ok(match ports.is_empty() {
                true => Look::NotYet(format!("{connections} connections, no port")),
                false => Look::Done((connections, ports)),
            })
        })?;
        let row = writeln!(
            table,
            "{:<12}  {connections:<16}  {}",
            user.name,
            ports.join(", ")
        );
        row.expect("a string takes everything");
        needs.push((connections, ports.len()));
    }
    let Ports { udp, tcp } = server;
    table += &format!("server        UDP {udp:?}, TCP {tcp:?}: {numbers:?}\n");
    fs::write(artifacts::path("ports.txt")?, &table)?;
    eprintln!("{table}");

    assert_eq!(
        needs,
        vec![(1, 1); users.len()],
        "peer connections and ports:\n{table}"
    );
    assert_eq!(
        numbers,
        BTreeSet::from([relay.port()]),
        "of the server:\n{table}"
    );
    assert_eq!((udp.len(), tcp.len()), (1, 1), "of the server:\n{table}");
    Ok(())
}

/// How many peer connections the user's page has made, and which ports they use.
fn count(user: &User) -> Result<(u64, Vec<String>)> {
    let value = user.page.eval(COUNT)?;
    let counted = value[0]
        .as_u64()
        .zip(value[1].as_array())
        .map(|(connections, ports)| {
            let ports = ports.iter().filter_map(Value::as_str).map(str::to_owned);
            (connections, ports.collect())
        });
    counted.ok_or_else(|| Error::Garbled {
        what: value.to_string(),
    })
}
