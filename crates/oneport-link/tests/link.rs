//! Two links joined by a wire without loss, in virtual time: what `Link` promises its owner.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oneport_link::{
    Certificate, ChannelConfig, ChannelId, CloseReason, Credentials, Kind, Link, LinkConfig,
    LinkEvent, Offer, Rejection, Route, Transmit, Write,
};

const LATENCY: Duration = Duration::from_millis(5);

fn server_address() -> SocketAddr {
    ([192, 0, 2, 1], 3478).into()
}

fn config(address: SocketAddr) -> LinkConfig {
    LinkConfig::new(Certificate::generate(), vec![address])
}

fn credentials(name: &str) -> Credentials {
    Credentials {
        ufrag: name.into(),
        password: "0123456789abcdefghijklmn".into(),
    }
}

/// A client that offered and the server's link that answered.
struct Pair {
    now: Instant,
    client: Link,
    server: Link,
    client_address: SocketAddr,
    wire: Vec<(Instant, bool, Transmit)>,
    client_events: Vec<LinkEvent>,
    server_events: Vec<LinkEvent>,
    datagrams_to_client: usize,
    /// How many DTLS datagrams were sent.
    dtls_datagrams: usize,
    /// Which of them is damaged, and at which byte; 0 loses it, for there is its type.
    damaged: Option<(usize, usize)>,
}

impl Pair {
    fn new(server: LinkConfig, labels: &[&str], edit: impl Fn(&str) -> String) -> Self {
        let now = Instant::now();
        let client_address = ([198, 51, 100, 7], 50_000).into();
        let channels = labels.iter().map(|l| ChannelConfig::new(*l)).collect();
        // It has a TCP connection as well, which is of use where the server has a candidate for it.
        let client_config = Arc::new(LinkConfig {
            tcp_candidates: vec![client_address],
            ..config(client_address)
        });
        let (mut client, offer) = Link::offer(now, client_config, credentials("client"), channels);
        let offer = Offer::parse(&offer).expect("an offer");
        let (server, answer) =
            Link::answer(now, Arc::new(server), credentials("server"), &offer).expect("an answer");
        client.accept_answer(now, &edit(&answer)).expect("accepted");
        Self {
            now,
            client,
            server,
            client_address,
            wire: Vec::new(),
            client_events: Vec::new(),
            server_events: Vec::new(),
            datagrams_to_client: 0,
            dtls_datagrams: 0,
            damaged: None,
        }
    }

    fn connected(labels: &[&str]) -> Self {
        let mut pair = Self::new(config(server_address()), labels, str::to_string);
        pair.run_until_open(labels.len());
        pair
    }

    /// Until both sides know that the channels are open.
    fn run_until_open(&mut self, channels: usize) {
        let open = |event: &&LinkEvent| matches!(event, LinkEvent::ChannelOpen(..));
        self.run_until("all channels open", |pair| {
            pair.client_events.iter().filter(open).count() == channels
        });
    }

    /// The channels that opened at the server.
    fn opened(&self) -> Vec<ChannelId> {
        let open = |event: &LinkEvent| match event {
            LinkEvent::ChannelOpen(channel, _) => Some(*channel),
            _ => None,
        };
        self.server_events.iter().filter_map(open).collect()
    }

    fn client_channel(&self, label: &str) -> ChannelId {
        let find = |event: &LinkEvent| match event {
            LinkEvent::ChannelOpen(channel, config) if config.label == label => Some(*channel),
            _ => None,
        };
        self.client_events
            .iter()
            .find_map(find)
            .expect("an open channel")
    }

    fn messages(&self) -> Vec<(Kind, Vec<u8>)> {
        let message = |event: &LinkEvent| match event {
            LinkEvent::Message { kind, payload, .. } => Some((*kind, payload.clone())),
            _ => None,
        };
        self.server_events.iter().filter_map(message).collect()
    }

    fn collect(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            self.carry(true, transmit);
        }
        while let Some(transmit) = self.server.poll_transmit() {
            self.datagrams_to_client += 1;
            self.carry(false, transmit);
        }
        self.client_events
            .extend(std::iter::from_fn(|| self.client.poll_event()));
        self.server_events
            .extend(std::iter::from_fn(|| self.server.poll_event()));
    }

    fn carry(&mut self, to_server: bool, mut transmit: Transmit) {
        // RFC 7983 section 7.
        if (20..64).contains(&transmit.contents[0]) {
            self.dtls_datagrams += 1;
            if let Some((number, byte)) = self.damaged
                && number == self.dtls_datagrams
                && let Some(damaged) = transmit.contents.get_mut(byte)
            {
                *damaged ^= 0x80;
            }
        }
        self.wire.push((self.now + LATENCY, to_server, transmit));
    }

    /// Jumps to whatever happens next.
    fn step(&mut self) {
        self.collect();
        let deadlines = [self.client.poll_timeout(), self.server.poll_timeout()];
        for (at, reason) in deadlines.iter().flatten() {
            assert!(
                *at > self.now,
                "{reason:?} is not in the future once drained"
            );
        }
        let timers = deadlines.iter().flatten().map(|(at, _)| *at);
        let Some(next) = timers.chain(self.wire.iter().map(|(at, ..)| *at)).min() else {
            panic!("nothing more will happen");
        };
        self.now = next;
        let (due, later) = std::mem::take(&mut self.wire)
            .into_iter()
            .partition(|(at, ..)| *at <= next);
        self.wire = later;
        for (_, to_server, transmit) in due {
            if to_server {
                let route = Route {
                    local: server_address(),
                    peer: self.client_address,
                    ..transmit.route
                };
                self.server.handle_datagram(next, route, &transmit.contents);
            } else if transmit.route.peer == self.client_address {
                let route = Route {
                    local: ([198, 51, 100, 7], 50_000).into(),
                    peer: server_address(),
                    ..transmit.route
                };
                self.client.handle_datagram(next, route, &transmit.contents);
            }
        }
        self.client.handle_timeout(next);
        self.server.handle_timeout(next);
        self.collect();
    }

    fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..200_000 {
            if done(self) {
                return;
            }
            self.step();
        }
        panic!(
            "never: {what}; client {:?}, server {:?}",
            self.client_events.last(),
            self.server_events.last()
        );
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until("the time is over", |pair| pair.now >= end);
    }

    fn send(&mut self, label: &str, kind: Kind, payload: &[u8]) -> Write {
        let channel = self.client_channel(label);
        self.client.batch(self.now).write(channel, kind, payload)
    }
}

#[test]
fn messages_of_every_size_arrive_as_what_they_were() {
    let mut pair = Pair::connected(&["chat"]);
    for size in [1, 1200, 16 * 1024, 64 * 1024, 256 * 1024 - 1, 256 * 1024] {
        for (kind, byte) in [(Kind::Text, b'x'), (Kind::Binary, 0xff)] {
            let payload = vec![byte; size];
            assert_eq!(pair.send("chat", kind, &payload), Write::Accepted);
            pair.run_until("it arrives", |pair| !pair.messages().is_empty());
            assert!(pair.messages() == [(kind, payload)], "{size} {kind:?}");
            pair.server_events.clear();
        }
    }
}

#[test]
fn a_message_over_the_limit_harms_nobody() {
    // A client that does not care what the server's description says.
    let unlimited =
        |answer: &str| answer.replace("a=max-message-size:262144", "a=max-message-size:0");
    let mut pair = Pair::new(config(server_address()), &["chat"], unlimited);
    pair.run_until_open(1);
    let chat = pair.client_channel("chat");
    let payload = vec![7; 256 * 1024 + 1];
    let mut batch = pair.client.batch(pair.now);
    assert_eq!(batch.write(chat, Kind::Binary, &payload), Write::Accepted);
    drop(batch);
    pair.run_for(Duration::from_secs(5));
    assert_eq!(
        pair.send("chat", Kind::Text, b"still here"),
        Write::Accepted
    );
    pair.run_until("the next one arrives", |pair| !pair.messages().is_empty());
    assert_eq!(pair.messages(), [(Kind::Text, b"still here".to_vec())]);
}

#[test]
fn messages_of_one_batch_share_packets() {
    let mut pair = Pair::connected(&["chat"]);
    let channel = pair.opened()[0];
    pair.run_for(Duration::from_secs(1));
    let before = pair.datagrams_to_client;
    let mut batch = pair.server.batch(pair.now);
    for _ in 0..8 {
        assert_eq!(
            batch.write(channel, Kind::Text, &[b'x'; 100]),
            Write::Accepted
        );
    }
    drop(batch);
    pair.collect();
    assert_eq!(
        pair.datagrams_to_client - before,
        1,
        "8 x 100 bytes fit in one"
    );
}

#[test]
fn a_full_link_says_so_and_goes_on_later() {
    let mut pair = Pair::connected(&["chat"]);
    let mut sent = 0;
    while pair.send("chat", Kind::Binary, &[0; 8192]) == Write::Accepted {
        sent += 1;
        assert!(sent < 100, "the buffer has no end");
    }
    assert_eq!(sent, 128 / 8, "128 KiB wait for acknowledgement");
    pair.run_until("all arrive", |pair| pair.messages().len() == sent);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.send("chat", Kind::Binary, &[0; 8192]), Write::Accepted);
}

#[test]
fn what_the_peer_does_not_take_is_told() {
    let small =
        |answer: &str| answer.replace("a=max-message-size:262144", "a=max-message-size:1000");
    let mut pair = Pair::new(config(server_address()), &["chat"], small);
    pair.run_until_open(1);
    assert_eq!(pair.send("chat", Kind::Binary, &[1; 1001]), Write::TooLarge);
    assert_eq!(pair.send("chat", Kind::Binary, &[1; 1000]), Write::Accepted);
    assert_eq!(pair.send("chat", Kind::Binary, &[]), Write::Refused);
    pair.run_until("it arrives", |pair| pair.messages().len() == 1);
}

#[test]
fn channels_are_capped_in_number_and_length() {
    let server = LinkConfig {
        channels_max: 2,
        label_bytes_max: 4,
        ..config(server_address())
    };
    let mut pair = Pair::new(server, &["toolong", "a", "b", "c"], str::to_string);
    let rejected = |pair: &Pair| {
        let rejection = |event: &LinkEvent| match event {
            LinkEvent::ChannelRejected(rejection) => Some(*rejection),
            _ => None,
        };
        pair.server_events
            .iter()
            .filter_map(rejection)
            .collect::<Vec<_>>()
    };
    pair.run_until("four were seen", |pair| {
        pair.opened().len() + rejected(pair).len() == 4
    });
    assert_eq!(
        rejected(&pair),
        [Rejection::LabelTooLong, Rejection::TooManyChannels]
    );
    let closed = |event: &&LinkEvent| matches!(event, LinkEvent::ChannelClosed(_));
    pair.run_until("the client learns it", |pair| {
        pair.client_events.iter().filter(closed).count() == 2
    });
}

#[test]
fn who_answers_opens_channels_too() {
    let mut pair = Pair::new(config(server_address()), &["chat"], str::to_string);
    let now = pair.now;
    pair.server.open_channel(now, ChannelConfig::new("news"));
    pair.server
        .open_channel(now, ChannelConfig::new("n".repeat(2000)));
    pair.run_until_open(2);
    let channel = pair.client_channel("news");
    let now = pair.now;
    let written = pair.client.batch(now).write(channel, Kind::Text, b"heard");
    assert_eq!(written, Write::Accepted);
    pair.run_until("the message", |pair| !pair.messages().is_empty());
    assert_eq!(pair.messages(), [(Kind::Text, b"heard".to_vec())]);
    assert_eq!(pair.opened().len(), 2);
}

#[test]
fn text_that_is_not_utf8_is_rejected() {
    let mut pair = Pair::connected(&["chat"]);
    assert_eq!(
        pair.send("chat", Kind::Text, &[0xc3, 0x28]),
        Write::Accepted
    );
    pair.run_until("it is rejected", |pair| {
        matches!(
            pair.server_events.last(),
            Some(LinkEvent::MessageRejected(_, Rejection::NotUtf8))
        )
    });
}

#[test]
fn garbage_costs_nothing() {
    let mut pair = Pair::connected(&["chat"]);
    let route = Route::udp(server_address(), pair.client_address);
    let before = pair.server.datagrams_dropped();
    for first in 0..=255_u8 {
        for length in [1, 13, 20, 60, 1200] {
            let mut bytes = vec![0xa5; length];
            bytes[0] = first;
            pair.server.handle_datagram(pair.now, route, &bytes);
            // A record header of DTLS 1.2 with the epoch that is in use.
            if length > 13 {
                bytes[1..13].copy_from_slice(&[254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 47]);
                pair.server.handle_datagram(pair.now, route, &bytes);
            }
        }
    }
    assert!(pair.server.datagrams_dropped() > before);
    assert_eq!(
        pair.send("chat", Kind::Text, b"still here"),
        Write::Accepted
    );
    pair.run_until("it arrives", |pair| pair.messages().len() == 1);
}

#[test]
fn a_peer_that_moves_is_followed() {
    let mut pair = Pair::connected(&["chat"]);
    let channel = pair.opened()[0];
    pair.run_for(Duration::from_secs(3));
    let moved_at = pair.now;
    // A NAT gave the client another port; it does not know.
    pair.client_address = ([198, 51, 100, 7], 61_000).into();
    let proven = LinkEvent::PathProven(Route::udp(server_address(), pair.client_address));
    pair.run_until("the new path is proven", |pair| {
        pair.server_events.contains(&proven)
    });
    let wrote = pair
        .server
        .batch(pair.now)
        .write(channel, Kind::Text, b"there you are");
    assert_eq!(wrote, Write::Accepted);
    pair.run_until("it arrives", |pair| {
        matches!(pair.client_events.last(), Some(LinkEvent::Message { .. }))
    });
    assert!(
        pair.now - moved_at < Duration::from_secs(4),
        "{:?}",
        pair.now - moved_at
    );
}

#[test]
fn over_tcp_alone_and_when_its_connection_ends() {
    let server = LinkConfig {
        candidates: Vec::new(),
        tcp_candidates: vec![server_address()],
        ..config(server_address())
    };
    let mut pair = Pair::new(server, &["chat"], str::to_string);
    pair.run_until_open(1);
    let first = Route::tcp(server_address(), pair.client_address);
    assert!(pair.server.paths().eq([first]));
    let payload = vec![b'x'; 256 * 1024];
    assert_eq!(pair.send("chat", Kind::Text, &payload), Write::Accepted);
    pair.run_until("it arrives", |pair| !pair.messages().is_empty());

    pair.server.handle_closed(pair.now, first);
    pair.collect();
    let last = pair.server_events.last();
    assert_eq!(last, Some(&LinkEvent::PathForgotten(first)));
    assert_eq!(pair.server.paths().count(), 0);
    // Another connection in its place, as browsers make it by themselves.
    pair.client_address = ([198, 51, 100, 7], 61_000).into();
    let second = Route::tcp(server_address(), pair.client_address);
    pair.run_until("the new path is proven", |pair| {
        pair.server_events.contains(&LinkEvent::PathProven(second))
    });
    let channel = pair.opened()[0];
    let now = pair.now;
    let wrote = pair.server.batch(now).write(channel, Kind::Text, b"back");
    assert_eq!(wrote, Write::Accepted);
    pair.run_until("it arrives", |pair| {
        matches!(pair.client_events.last(), Some(LinkEvent::Message { .. }))
    });
}

#[test]
fn closing_tells_the_peer_at_once_and_only_once() {
    let mut pair = Pair::connected(&["chat"]);
    pair.server.close(pair.now, "shutdown");
    pair.server.close(pair.now, "shutdown");
    let start = pair.now;
    pair.run_until("the client knows", |pair| {
        pair.client_events.last() == Some(&LinkEvent::Closed(CloseReason::ByPeer))
    });
    assert!(pair.now - start < Duration::from_millis(100));
    let closed = |event: &&LinkEvent| matches!(event, LinkEvent::Closed(_));
    assert_eq!(pair.server_events.iter().filter(closed).count(), 1);
    assert_eq!(pair.client_events.iter().filter(closed).count(), 1);
    assert!(pair.server.is_done());
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn a_silent_peer_is_lost_after_fifteen_seconds() {
    let mut pair = Pair::connected(&["chat"]);
    let start = pair.now;
    while !pair.server.is_done() {
        let (at, _) = pair.server.poll_timeout().expect("it waits for something");
        pair.now = at;
        pair.server.handle_timeout(at);
        pair.collect();
        assert!(pair.now - start < Duration::from_secs(20), "never lost");
    }
    assert_eq!(
        pair.server_events.last(),
        Some(&LinkEvent::Closed(CloseReason::Lost))
    );
}

#[test]
fn a_peer_that_never_comes_is_given_up() {
    let mut pair = Pair::new(config(server_address()), &["chat"], str::to_string);
    let start = pair.now;
    while !pair.server.is_done() {
        pair.now = pair.server.poll_timeout().expect("it waits").0;
        pair.server.handle_timeout(pair.now);
        pair.collect();
        assert!(pair.now - start <= Duration::from_secs(10));
    }
    assert_eq!(
        pair.server_events,
        [LinkEvent::Closed(CloseReason::HandshakeTimeout)]
    );
}

/// Of a handshake's flight, parts may come without the others: whole datagrams, or records of one. The
/// link opens all the same, or ends: a handshake has no integrity before its end.
#[test]
fn no_damage_to_the_handshake_keeps_a_link_busy() {
    let is_over = |pair: &Pair| {
        let ends = pair.client_events.iter().chain(&pair.server_events);
        let mut ends =
            ends.filter(|e| matches!(e, LinkEvent::ChannelOpen(..) | LinkEvent::Closed(_)));
        ends.next().is_some()
    };
    for number in 1..=10 {
        for byte in (0..1200).step_by(60) {
            let mut pair = Pair::new(config(server_address()), &["chat"], str::to_string);
            pair.damaged = Some((number, byte));
            pair.run_until("it opens or ends", is_over);
            // Nobody asks for the missing part again and again, without a pause.
            let mut ends = pair.client_events.iter().chain(&pair.server_events);
            let spins = ends.find(|e| format!("{e:?}").contains("does not come to rest"));
            assert_eq!(spins, None, "{number}, {byte}");
        }
    }
}

#[test]
fn any_datagram_of_the_handshake_may_be_lost() {
    for number in 1..=10 {
        let mut pair = Pair::new(config(server_address()), &["chat"], str::to_string);
        let start = pair.now;
        pair.damaged = Some((number, 0));
        pair.run_until_open(1);
        let took = pair.now - start;
        assert!(took < Duration::from_secs(5), "{number}: {took:?}");
    }
}

#[test]
fn an_idle_link_wakes_seldom() {
    let mut pair = Pair::connected(&["chat"]);
    pair.run_for(Duration::from_secs(5));
    let start = pair.now;
    let mut wakes = 0;
    while pair.now - start < Duration::from_secs(60) {
        pair.step();
        wakes += 1;
    }
    assert!(wakes < 200, "{wakes} events in an idle minute");
}
