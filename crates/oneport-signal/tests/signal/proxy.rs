//! Behind a proxy: whose request it is, and who may say so.

use oneport_signal::Config;

use crate::common::{Server, eventually, patient, post};

fn behind(proxy: &str) -> Server {
    Server::new(Config {
        trusted_proxies: vec![proxy.parse().expect("a network")],
        ..patient()
    })
}

fn offer_for(addresses: &str) -> String {
    let header = format!("\r\nX-Forwarded-For: {addresses}\r\n\r\n");
    post("/r/lobby", "v=0").replacen("\r\n\r\n", &header, 1)
}

fn clients(server: &Server) -> Vec<String> {
    let offers = server
        .backend
        .offers
        .lock()
        .expect("no panic under the lock");
    offers
        .iter()
        .map(|(_, _, client)| client.to_string())
        .collect()
}

#[test]
fn the_client_behind_a_trusted_proxy_counts() {
    let server = behind("127.0.0.0/8");
    for addresses in [
        "203.0.113.7",
        "6.6.6.6, 203.0.113.7",
        "203.0.113.7, 127.0.0.5",
    ] {
        assert_eq!(
            server
                .exchange_from("127.0.0.1", offer_for(addresses))
                .status,
            201
        );
    }
    assert_eq!(clients(&server), ["203.0.113.7"; 3]);
    assert_eq!(server.endpoint.counters().forwarded_garbled, 0);
}

#[test]
fn anybody_else_who_says_it_is_not_believed() {
    let server = behind("10.0.0.0/8");
    server.exchange_from("198.51.100.1", offer_for("203.0.113.7"));
    let unset = Server::new(patient());
    unset.exchange_from("127.0.0.1", offer_for("203.0.113.7"));
    assert_eq!(clients(&server), ["198.51.100.1"]);
    assert_eq!(clients(&unset), ["127.0.0.1"]);
}

#[test]
fn a_trusted_proxy_may_have_more_than_one_address_s_share() {
    let config = |trusted_proxies| Config {
        connections_per_address_max: 1,
        trusted_proxies,
        ..patient()
    };
    let proxy = "127.0.0.1".parse().expect("a network");
    for (trusted, open) in [(vec![proxy], 3), (vec![], 1)] {
        let server = Server::new(config(trusted));
        let _clients = [(); 3].map(|()| server.connect());
        eventually("the others are gone", || {
            server.endpoint.connections() == open
        });
        assert_eq!(server.endpoint.counters().evicted, 3 - open as u64);
    }
}

#[test]
fn nonsense_is_counted() {
    let server = behind("127.0.0.1");
    assert_eq!(
        server
            .exchange_from("127.0.0.1", offer_for("unknown"))
            .status,
        201
    );
    assert_eq!(clients(&server), ["127.0.0.1"]);
    assert_eq!(server.endpoint.counters().forwarded_garbled, 1);
}
