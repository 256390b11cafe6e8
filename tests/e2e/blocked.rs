//! A firewall between browser and relay that lets no UDP through.

use std::time::Duration;

use oneport_tests::{Error, Result, network::Network, relay::Relay};
use serde_json::json;

use crate::{
    stage::Stage,
    user::{User, each},
};

/// By how much later a channel may be open without UDP than with it.
const FALL_BACK: Duration = Duration::from_secs(1);

/// For some megabytes in a debug build.
const TRANSFER: Duration = Duration::from_secs(60);

/// What no error leaves as it was. (Only a secure origin has better ones.)
const SUM: &str =
    "((data) => new Uint8Array(data).reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 7))";

/// The latest file of a page.
const FILE: &str = "all('li[data-file]').at(-1)";

/// Over what a page's latest peer connection goes, and from which port.
const PATH: &str = "(async (peer) => {
    const stats = await peer.getStats();
    const all = [...stats.values()];
    const chosen = all.find(({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId);
    const pair = chosen
        ? stats.get(chosen.selectedCandidatePairId)
        : all.find(({ type, selected }) => type === 'candidate-pair' && selected);
    return [stats.get(pair.remoteCandidateId).protocol, stats.get(pair.localCandidateId).port];
})";

/// Opens a channel as a plain page does; how long it took from the POST, and over what.
const OPEN: &str = "(async () => {
    const peer = new RTCPeerConnection();
    const channel = peer.createDataChannel('x');
    const opened = new Promise((resolve) => { channel.onopen = resolve; });
    await peer.setLocalDescription();
    const start = performance.now();
    const response = await fetch('/r/timing', {
        method: 'POST',
        headers: { 'Content-Type': 'application/sdp' },
        body: peer.localDescription.sdp,
    });
    await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    await opened;
    const time = performance.now() - start;
    const [protocol] = await PATH(peer);
    peer.close();
    peers.pop();
    return [time, protocol];
})()";

/// How long a plain page needs until its channel is open, which must be over that transport.
fn opens_over(user: &User, transport: &str) -> Result<Duration> {
    let opened = user.page.eval(&OPEN.replace("PATH", PATH))?;
    let garbled = || Error::Garbled {
        what: opened.to_string(),
    };
    let time = opened[0].as_f64().ok_or_else(garbled)?;
    assert_eq!(opened[1], transport, "{}", user.name);
    Ok(Duration::from_secs_f64(time / 1000.0))
}

/// Over what the chat of a page goes, and from which port.
fn path(user: &User) -> Result<(String, u16)> {
    let path = user.page.eval(&format!("{PATH}(peers.at(-1))"))?;
    let garbled = || Error::Garbled {
        what: path.to_string(),
    };
    let transport = path[0].as_str().ok_or_else(garbled)?;
    let port = path[1].as_u64().and_then(|port| port.try_into().ok());
    Ok((transport.into(), port.ok_or_else(garbled)?))
}

/// One user has UDP, the others are let through by TCP alone.
/// The file is the n-th that all of them see.
fn sends_a_file(n: usize, sender: &User, receivers: &[&User]) -> Result {
    let send = "(async () => {
            const bytes = noise(3_000_000);
            drop(new File([bytes], 'noise.bin'));
            return (SUM)(bytes);
        })()";
    let sum = sender.page.eval(&send.replace("SUM", SUM))?;
    for user in receivers {
        user.page.wait_for(
            &format!(
                "(all('li[data-file]').length === {n} && {FILE}.dataset.file === 'done' \
                  && !!{FILE}.querySelector('.save')) || {FILE}?.outerHTML"
            ),
            TRANSFER,
        )?;
        let saved = format!(
            "(({{ href }}) => blobs[href].arrayBuffer().then({SUM}))({FILE}.querySelector('.save'))"
        );
        assert_eq!(user.page.eval(&saved)?, sum, "at {}", user.name);
    }
    Ok(())
}

#[test]
fn who_has_no_udp_chats_over_tcp() -> Result {
    let Some(network) = Network::enter("blocked::who_has_no_udp_chats_over_tcp")? else {
        return Ok(());
    };
    let stage = Stage::set()?;
    let relay: Relay = network.relay()?;
    let url = relay.room_url("blocked");
    let friend = User::enter(stage.chromium, &url)?;
    let (transport, port) = path(&friend)?;
    assert_eq!(transport, "udp", "where there is UDP, it is chosen");
    let mut users = Vec::new();
    for browser in stage.both() {
        let user = User::at_the_door(browser)?;
        user.page.go_to(relay.url())?;
        let over_udp = opens_over(&user, "udp")?;
        users.push((user, over_udp));
    }

    network.block_udp(port)?;
    for (user, over_udp) in &users {
        let over_tcp = opens_over(user, "tcp")?;
        println!(
            "| {} | {:.0} ms | {:.0} ms |",
            user.name,
            over_udp.as_secs_f64() * 1000.0,
            over_tcp.as_secs_f64() * 1000.0
        );
        assert!(
            over_tcp < *over_udp + FALL_BACK,
            "{over_udp:?} {over_tcp:?}"
        );
        user.go_in(&url)?;
        assert_eq!(path(user)?.0, "tcp");
    }

    let all: Vec<_> = [&friend]
        .into_iter()
        .chain(users.iter().map(|(user, _)| user))
        .collect();
    each(all.iter().copied(), |user| user.sees_people(all.len()))?;
    each(all.iter().copied(), |user| {
        let texts: Vec<_> = (1..=20)
            .map(|n| format!("{n} from {}", user.name))
            .collect();
        user.say(&texts)
    })?;
    for user in &all {
        let last = format!("20 from {}", user.name);
        each(all.iter().copied(), |other| other.hears(&last))?;
    }
    let order = friend.texts()?;
    assert_eq!(order.len(), 60);
    for user in &all {
        assert_eq!(user.texts()?, order, "at {}", user.name);
    }

    sends_a_file(1, &friend, &all[1..])?;
    sends_a_file(2, all[1], &[all[0], all[2]])?;
    sends_a_file(3, all[2], &all[..2])?;
    assert_eq!(path(&friend)?, ("udp".into(), port));
    for user in &all[1..] {
        assert_eq!(path(user)?.0, "tcp", "{}", user.name);
        let notes = user.page.eval("notes()")?;
        assert!(!notes.to_string().contains("Connected again"), "{notes}");
    }
    assert_eq!(
        friend.page.eval("peers.length")?,
        json!(1),
        "nobody came back"
    );
    Ok(())
}
