//! TCP on the number of the UDP port.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use oneport_io::{BindOptions, Config, EventLoop, Sockets};

use crate::machines::{Command, Echo};
use crate::running::{PATIENCE, Running, address, client, receive};

pub(crate) fn with_tcp() -> BindOptions {
    BindOptions {
        tcp: true,
        ..BindOptions::default()
    }
}

/// A loop with TCP, and the streams that it hands over.
fn start(config: Config) -> (Running<Echo>, Receiver<(TcpStream, SocketAddr)>) {
    let (sender, streams) = channel();
    let on_stream = Box::new(move |stream, peer| {
        sender.send((stream, peer)).expect("the test waits");
    });
    let running = Running::start_with(
        &["127.0.0.1:0"],
        &with_tcp(),
        Echo::default(),
        Some(on_stream),
        config,
    );
    (running, streams)
}

pub(crate) fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&to, PATIENCE).expect("accepted");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    stream
}

/// Waits until the other side has closed. With something unread it closes by a reset.
pub(crate) fn await_close(stream: &mut TcpStream) {
    match stream.read(&mut [0; 1]) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("not closed: {other:?}"),
    }
}

pub(crate) fn stop(running: Running<Echo>) {
    running.handle.call(Command::Stop).expect("stopped");
    running.join();
}

#[test]
fn http_is_handed_over_with_its_first_bytes_unread() {
    let (running, streams) = start(Config::default());
    let mut client = connect(running.addrs[0]);
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("sent");
    let (mut stream, peer) = streams.recv_timeout(PATIENCE).expect("handed over");
    assert_eq!(peer, client.local_addr().expect("connected"));

    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    let mut request = [0; 18];
    stream.read_exact(&mut request).expect("all of it");
    assert_eq!(&request, b"GET / HTTP/1.1\r\n\r\n");
    // What follows is the business of the stream alone, and reading waits for it.
    client.write_all(b"more").expect("sent");
    let mut more = [0; 4];
    stream.read_exact(&mut more).expect("all of it");
    stream.write_all(b"answer").expect("sent");
    drop(stream);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("the end");
    assert_eq!(answer, b"answer");
    stop(running);
}

#[test]
fn udp_and_tcp_share_the_number() {
    let (running, streams) = start(Config::default());
    let udp = client(running.addrs[0]);
    let mut tcp = connect(running.addrs[0]);
    tcp.write_all(b"P").expect("sent");
    streams.recv_timeout(PATIENCE).expect("handed over");
    udp.send(b"hello").expect("sent");
    assert_eq!(receive(&udp), b"hello");
    stop(running);
}

#[test]
fn garbage_is_closed() {
    let (running, streams) = start(Config::default());
    for first in [0x00, 0x16, 0xff] {
        let mut client = connect(running.addrs[0]);
        client.write_all(&[first, 0, 0]).expect("sent");
        await_close(&mut client);
    }
    running.stats_when(|stats| stats.tcp_unknown == 3);
    assert!(streams.try_recv().is_err());
    stop(running);
}

#[test]
fn silence_is_closed_after_its_time() {
    let silence = Duration::from_millis(80);
    let config = Config {
        tcp_silence: silence,
        ..Config::default()
    };
    let (running, _streams) = start(config);
    let begin = Instant::now();
    let mut silent = connect(running.addrs[0]);
    await_close(&mut silent);
    assert!(begin.elapsed() >= silence);
    running.stats_when(|stats| stats.tcp_silent == 1);
    // Who hangs up without a word is not waited for.
    drop(connect(running.addrs[0]));
    running.stats_when(|stats| stats.tcp_silent == 2);
    stop(running);
}

#[test]
fn a_full_table_closes_who_was_silent_the_longest() {
    let config = Config {
        tcp_waiting_max: 2,
        ..Config::default()
    };
    let (running, streams) = start(config);
    let mut oldest = connect(running.addrs[0]);
    running.stats_when(|stats| stats.tcp_accepted == 1);
    let mut second = connect(running.addrs[0]);
    let mut third = connect(running.addrs[0]);
    await_close(&mut oldest);
    running.stats_when(|stats| (stats.tcp_accepted, stats.tcp_evicted) == (3, 1));
    for stream in [&mut second, &mut third] {
        stream.write_all(b"GET").expect("sent");
        streams.recv_timeout(PATIENCE).expect("handed over");
    }
    stop(running);
}

#[test]
fn many_connections_at_once_all_get_through() {
    let (running, streams) = start(Config::default());
    let clients: Vec<TcpStream> = (0..200).map(|_| connect(running.addrs[0])).collect();
    for mut client in &clients {
        client.write_all(b"GET").expect("sent");
    }
    for _ in &clients {
        streams.recv_timeout(PATIENCE).expect("handed over");
    }
    let stats = running.stats_when(|stats| stats.tcp_handed_over == 200);
    assert_eq!(stats.tcp_accepted, 200);
    stop(running);
}

#[test]
fn a_listener_without_a_taker_is_refused() {
    let sockets = Sockets::bind(&[address("127.0.0.1:0")], &with_tcp()).expect("a free port");
    let error = EventLoop::new(sockets, Echo::default(), None, Config::default())
        .expect_err("nothing takes the streams");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
