//! Where a relay is reached: several addresses of both families, and one that only a NAT knows.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use oneport_link::{ChannelConfig, Kind, Write};
use oneport_tests::{Result, browser::Browser, http, native::NativeClient, network::Network};
use serde_json::json;

use crate::member::{blank, no_faults};

const PORT: u16 = 3478;

/// Joins at this address, knowing of no other one of the relay's: whatever the relay answered from another
/// would not be taken (RFC 8445 section 7.2.5.2.1).
fn join_at(address: IpAddr) -> Result<(NativeClient, String)> {
    let relay = SocketAddr::new(address, PORT);
    let (mut client, offer) = NativeClient::offer(relay, ChannelConfig::new("chat"))?;
    let headers = [("Content-Type", "application/sdp")];
    let response = http::request(relay, "POST", "/r/lobby", &headers, offer.as_bytes())?;
    let answer = response.text();
    let own = format!(" {address} {PORT} ");
    let is_other = |line: &&str| line.starts_with("a=candidate:") && !line.contains(&own);
    let lines = answer.lines().filter(|line| !is_other(line));
    let only: String = lines.flat_map(|line| [line, "\r\n"]).collect();
    assert!(only.contains(&own), "{address} is in {answer}");
    client.accept(&only)?;
    client.run_until("the channel to open", |client| !client.channels.is_empty())?;
    Ok((client, answer))
}

/// Each says something once, and each hears something once.
fn all_hear_all(mut clients: Vec<NativeClient>) -> Result {
    for round in 0..clients.len() {
        let text = format!("text {round}");
        let mut hearer = clients.pop().expect("at least two");
        assert_eq!(
            clients[0].send(Kind::Text, text.as_bytes()),
            Write::Accepted
        );
        hearer.run_until(&text, |hearer| {
            let mut others = clients.iter_mut();
            let carried = others.try_for_each(|other| other.turn(Duration::from_millis(1)));
            carried.is_ok() && hearer.heard().contains(&text)
        })?;
        clients.insert(0, hearer);
    }
    Ok(())
}

#[test]
fn on_every_address_of_a_wildcard() -> Result {
    let Some(network) = Network::enter("addresses::on_every_address_of_a_wildcard")? else {
        return Ok(());
    };
    let theirs = ["10.77.0.1", "10.77.0.3", "fd77::1", "fd77::3"];
    network.relay_does(
        "ip address add 10.77.0.3/24 dev wire && ip address add fd77::1/64 dev wire nodad && \
         ip address add fd77::3/64 dev wire nodad",
    )?;
    network.we_do("ip address add fd77::2/64 dev wire nodad")?;
    let listen = [format!("0.0.0.0:{PORT}"), format!("[::]:{PORT}")];
    let _relay = network.relay_with(&["--listen", &listen[0], "--listen", &listen[1], "--open"])?;
    let mut clients = Vec::new();
    for address in theirs {
        let (client, answer) = join_at(address.parse().expect("an address"))?;
        for address in theirs {
            assert!(
                answer.contains(&format!(" {address} {PORT} ")),
                "{address} is in {answer}"
            );
        }
        assert!(!answer.contains(" fe80:"), "{answer}");
        clients.push(client);
    }
    all_hear_all(clients)
}

/// The relay has an address that nobody outside can reach, and another one stands for it.
#[test]
fn behind_a_one_to_one_nat() -> Result {
    let Some(network) = Network::enter("addresses::behind_a_one_to_one_nat")? else {
        return Ok(());
    };
    network.relay_does(
        "ip address add 10.99.0.5/32 dev lo && nft 'add table ip nat; \
         add chain ip nat inward { type nat hook prerouting priority dstnat; }; \
         add rule ip nat inward ip daddr 10.77.0.1 dnat to 10.99.0.5; \
         add chain ip nat outward { type nat hook postrouting priority srcnat; }; \
         add rule ip nat outward ip saddr 10.99.0.5 snat to 10.77.0.1'",
    )?;
    let listen = format!("10.99.0.5:{PORT}");
    let _relay = network.relay_with(&["--listen", &listen, "--announce", "10.77.0.1", "--open"])?;
    let outer = IpAddr::from([10, 77, 0, 1]);
    let (ada, answer) = join_at(outer)?;
    assert!(!answer.contains("10.99.0.5"), "{answer}");
    let (bob, _) = join_at(outer)?;
    all_hear_all(vec![ada, bob])?;

    let browser = Browser::chromium()?;
    let pages = [blank(&browser)?, blank(&browser)?];
    for (page, name) in pages.iter().zip(["ada", "bob"]) {
        let options = json!({ "options": { "name": name } });
        page.eval(&format!(
            "enter('http://{outer}:{PORT}/', 'library', {options})"
        ))?;
    }
    pages[0].eval("room.send('through a NAT')")?;
    let heard = "texts().includes('through a NAT') || texts()";
    pages[1].wait_for(heard, crate::user::SOON)?;
    no_faults(&pages)
}
