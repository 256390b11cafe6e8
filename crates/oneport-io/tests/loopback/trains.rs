//! Many datagrams of one length, which the kernel cuts (GSO) and merges (GRO).

use std::net::UdpSocket;

use oneport_io::{BindOptions, Config};
use quinn_udp::UdpSocketState;

use crate::machines::{CAR_BYTES, Command, Echo, Trains};
use crate::running::{Running, client, receive};

const CARS: u8 = 64;
const ROUNDS: u64 = 20;

/// How many datagrams the kernel takes in one train.
fn train_max() -> usize {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let state = UdpSocketState::new((&socket).into()).expect("a usable socket");
    state.max_gso_segments()
}

/// A client with room for a whole train: the default is just too small for one.
fn roomy_client(running: &Running<Trains>) -> UdpSocket {
    let client = client(running.addrs[0]);
    socket2::SockRef::from(&client)
        .set_recv_buffer_size(1 << 20)
        .expect("a size");
    client
}

fn receive_train(client: &UdpSocket) {
    for index in 0..CARS {
        let short = usize::from(index + 1 == CARS);
        assert_eq!(receive(client), vec![index; CAR_BYTES - short]);
    }
}

#[test]
fn a_train_arrives_complete_and_in_order() {
    let running = Running::start(Trains::default());
    let client = roomy_client(&running);
    for _ in 0..ROUNDS {
        client.send(&[CARS]).expect("sent");
        receive_train(&client);
    }
    running.handle.call(Command::Stop).expect("stopped");
    let stats = running.handle.stats();
    assert_eq!(stats.datagrams_out, ROUNDS * u64::from(CARS));
    assert_eq!((stats.send_drops, stats.trains_refused), (0, 0));
    if train_max() >= usize::from(CARS) {
        // 54 datagrams of 1,200 bytes fit into one, so each train is two.
        assert_eq!(stats.batches_out, 2 * ROUNDS);
    } else {
        eprintln!("the kernel takes no trains: only their order was checked");
    }
    running.join();
}

/// On plain loopback the buffer never fills, whatever its size, because sending is receiving there.
/// With a slow queue on the interface, as by `tc qdisc add dev lo root tbf`, it does.
#[test]
fn a_full_send_buffer_delays_a_train_and_loses_nothing() {
    let options = BindOptions {
        send_buffer_bytes: 4096,
        ..BindOptions::default()
    };
    let machine = Trains::default();
    let running = Running::start_with(&["127.0.0.1:0"], &options, machine, None, Config::default());
    let client = roomy_client(&running);
    for _ in 0..ROUNDS {
        client.send(&[CARS]).expect("sent");
        client.send(&[CARS]).expect("sent");
        receive_train(&client);
        receive_train(&client);
    }
    running.handle.call(Command::Stop).expect("stopped");
    let stats = running.handle.stats();
    eprintln!("sends blocked: {}", stats.sends_blocked);
    assert_eq!(stats.datagrams_out, 2 * ROUNDS * u64::from(CARS));
    assert_eq!((stats.send_drops, stats.send_errors), (0, 0));
    running.join();
}

#[test]
fn a_train_that_is_received_is_split_again() {
    let cars = train_max().min(40);
    let running = Running::start(Echo::default());
    let client = client(running.addrs[0]);
    let state = UdpSocketState::new((&client).into()).expect("a usable socket");
    // That made it non-blocking.
    client.set_nonblocking(false).expect("blocking");
    let contents: Vec<u8> = (0..cars).flat_map(|index| [index as u8; 100]).collect();
    let train = quinn_udp::Transmit {
        destination: running.addrs[0],
        ecn: None,
        contents: &contents,
        segment_size: Some(100),
        src_ip: None,
    };
    state.try_send((&client).into(), &train).expect("sent");
    // The client takes merged datagrams as well now, so it reads what it gets until it has all.
    let mut echoed = Vec::new();
    while echoed.len() < contents.len() {
        echoed.extend(receive(&client));
    }
    assert_eq!(echoed, contents);
    running.handle.call(Command::Stop).expect("stopped");
    assert_eq!(running.handle.stats().datagrams_in, cars as u64);
    running.join();
}
