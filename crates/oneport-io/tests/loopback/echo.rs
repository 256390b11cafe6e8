//! Datagrams in and out, and the addresses that they have.

use std::time::Instant;

use oneport_io::{BindOptions, Config};
use oneport_link::{Input, Machine, Reason, Transmit};

use crate::machines::{Command, Echo};
use crate::running::{Running, address, client, has_ipv6, receive};

/// Sends a few datagrams there and back, and returns the routes that the machine saw.
fn echo_once(bind: &str, to_ip: &str) {
    let running = Running::start_on(&[bind], Echo::default());
    let mut to = address(&format!("{to_ip}:0"));
    to.set_port(running.addrs[0].port());
    let client = client(to);
    for text in [&b"one"[..], b"", b"three"] {
        client.send(text).expect("sent");
        assert_eq!(receive(&client), text);
    }
    running.handle.call(Command::Stop).expect("stopped");
    let stats = running.stats_when(|stats| stats.datagrams_in == 3);
    assert_eq!((stats.bytes_in, stats.bytes_out), (8, 8));
    assert_eq!((stats.datagrams_out, stats.send_errors), (3, 0));
    let client_addr = client.local_addr().expect("bound");
    for route in running.join().routes {
        assert_eq!((route.local, route.peer), (to, client_addr));
    }
}

#[test]
fn over_ipv4() {
    echo_once("127.0.0.1:0", "127.0.0.1");
}

#[test]
fn over_ipv6() {
    if has_ipv6() {
        echo_once("[::1]:0", "[::1]");
    }
}

/// The client's socket is connected: it takes an answer only from the address that it sent to.
#[test]
fn a_wildcard_socket_knows_where_a_datagram_went_and_answers_from_there() {
    echo_once("0.0.0.0:0", "127.0.0.1");
    if has_ipv6() {
        echo_once("[::]:0", "[::1]");
    }
    // Only Linux has all of 127.0.0.0/8 on its loopback interface.
    if cfg!(target_os = "linux") {
        echo_once("0.0.0.0:0", "127.0.0.5");
    }
}

#[test]
fn both_wildcards_share_a_number() {
    if !has_ipv6() {
        return;
    }
    let running = Running::start_on(&["0.0.0.0:0", "[::]:0"], Echo::default());
    let port = running.addrs[0].port();
    assert_eq!(running.addrs[1].port(), port);
    for to in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let client = client(address(&to));
        client.send(b"hello").expect("sent");
        assert_eq!(receive(&client), b"hello");
    }
    running.handle.call(Command::Stop).expect("stopped");
    assert_eq!(running.join().routes.len(), 2);
}

#[test]
fn a_peer_that_is_gone_does_not_stop_the_others() {
    let running = Running::start(Echo::default());
    let gone = client(running.addrs[0]);
    gone.send(b"hello").expect("sent");
    drop(gone);
    let alive = client(running.addrs[0]);
    alive.send(b"hello").expect("sent");
    assert_eq!(receive(&alive), b"hello");
    running.handle.call(Command::Stop).expect("stopped");
    running.join();
}

#[test]
fn a_datagram_too_large_to_send_is_counted_and_does_not_stop_the_others() {
    let options = BindOptions::default();
    let machine = TooLarge::default();
    let running = Running::start_with(&["127.0.0.1:0"], &options, machine, None, Config::default());
    let client = client(running.addrs[0]);
    client.send(b"hello").expect("sent");
    assert_eq!(receive(&client), b"hello");
    assert_eq!(
        running
            .stats_when(|stats| stats.datagrams_out == 1)
            .send_errors,
        1
    );
    running.handle.call(Command::Stop).expect("stopped");
    running.join();
}

/// An echo that sends something impossible first.
#[derive(Default)]
struct TooLarge {
    echo: Echo,
    impossible: Option<Transmit>,
}

impl Machine for TooLarge {
    type Command = Command;
    type Reply = u32;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        if let Input::Datagram { route, .. } = input {
            // More than UDP itself can carry.
            let contents = vec![0; 65_536];
            self.impossible = Some(Transmit { route, contents });
        }
        self.echo.handle_input(now, input);
    }

    fn handle_command(&mut self, now: Instant, command: Command) -> u32 {
        self.echo.handle_command(now, command)
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.impossible.take().or_else(|| self.echo.poll_transmit())
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        None
    }

    fn is_finished(&self) -> bool {
        self.echo.is_finished()
    }
}
