//! Datagrams over TCP, in frames, on the number of the UDP port.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use oneport_io::Config;
use oneport_link::{Machine, Route};

use crate::machines::{Command, Echo, Ticker};
use crate::running::{PATIENCE, Running, client, receive};
use crate::tcp::{await_close, connect, stop, with_tcp};

/// A STUN binding request without attributes (RFC 8489 section 5).
const CHECK: [u8; 20] = [
    0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
];

fn start<M>(machine: M, config: Config) -> Running<M>
where
    M: Machine<Command: Send, Reply: Send> + Send + 'static,
{
    let on_stream = Box::new(|_, _| panic!("these are no streams of HTTP"));
    let listen = ["127.0.0.1:0"];
    Running::start_with(&listen, &with_tcp(), machine, Some(on_stream), config)
}

fn frame(datagram: &[u8]) -> Vec<u8> {
    let length = u16::try_from(datagram.len()).expect("short");
    [&length.to_be_bytes(), datagram].concat()
}

fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("a length");
    let mut datagram = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut datagram).expect("a datagram");
    datagram
}

/// A connection that has had its first answer.
fn answered(to: SocketAddr) -> TcpStream {
    let mut stream = connect(to);
    stream.write_all(&frame(&CHECK)).expect("sent");
    assert_eq!(read_frame(&mut stream), CHECK);
    stream
}

#[test]
fn datagrams_go_there_and_back_in_whatever_pieces() {
    let running = start(Echo::default(), Config::default());
    let mut stream = connect(running.addrs[0]);
    stream.set_nodelay(true).expect("TCP");
    for byte in frame(&CHECK) {
        stream.write_all(&[byte]).expect("sent");
    }
    assert_eq!(read_frame(&mut stream), CHECK);
    let datagrams: Vec<_> = (1..=250_u8).map(|n| vec![n; usize::from(n) * 5]).collect();
    let frames: Vec<_> = datagrams.iter().map(|datagram| frame(datagram)).collect();
    stream.write_all(&frames.concat()).expect("sent");
    for datagram in &datagrams {
        assert_eq!(read_frame(&mut stream), *datagram);
    }
    let stats = running.stats_when(|stats| stats.frames_out == 251);
    assert_eq!((stats.tcp_framed, stats.frames_in), (1, 251));
    let route = Route::tcp(
        running.addrs[0],
        stream.local_addr().expect("it is connected"),
    );
    drop(stream);
    running.stats_when(|stats| stats.framed_ended == 1);
    running.handle.call(Command::Next(1)).expect("a turn later");
    running.handle.call(Command::Stop).expect("stopped");
    let machine = running.join();
    assert!(machine.routes.iter().all(|taken| *taken == route));
    assert_eq!(machine.closed, [route]);
}

#[test]
fn what_is_no_frame_ends_the_connection() {
    let running = start(Echo::default(), Config::default());
    let mut stream = answered(running.addrs[0]);
    stream.write_all(&[0xff, 0xff, 1, 2, 3]).expect("sent");
    await_close(&mut stream);
    running.stats_when(|stats| stats.framed_malformed == 1);
    stop(running);
}

#[test]
fn who_takes_nothing_is_cut_and_nobody_else_waits() {
    let config = Config {
        framed_stall: Duration::from_millis(500),
        ..Config::default()
    };
    let running = start(Echo::default(), config);
    let mut slow = answered(running.addrs[0]);
    slow.set_write_timeout(Some(PATIENCE)).expect("not zero");
    let other = client(running.addrs[0]);
    let flood = frame(&[0; 4000]).repeat(16);
    // Echoes that nobody reads: until the kernel's buffers and ours are full, and the connection is cut.
    while slow.write_all(&flood).is_ok() {
        let asked = Instant::now();
        other.send(b"still there?").expect("sent");
        assert_eq!(receive(&other), b"still there?");
        assert!(asked.elapsed() < Duration::from_secs(1));
    }
    let stats = running.stats_when(|stats| stats.framed_stalled == 1);
    assert!(stats.frames_dropped > 0, "{stats:?}");
    stop(running);
}

#[test]
fn who_is_never_answered_is_closed() {
    let config = Config {
        tcp_silence: Duration::from_millis(100),
        ..Config::default()
    };
    let running = start(Ticker::new(Duration::from_millis(50)), config);
    let mut stream = connect(running.addrs[0]);
    stream.write_all(&frame(&CHECK)).expect("sent");
    await_close(&mut stream);
    running.stats_when(|stats| stats.framed_unanswered == 1);
    running.handle.call(Command::Stop).expect("stopped");
    running.join();
}

#[test]
fn one_too_many_takes_the_place_of_who_was_never_answered() {
    let config = Config {
        framed_per_address_max: 2,
        ..Config::default()
    };
    let running = start(Ticker::new(Duration::from_millis(50)), config);
    let mut streams: Vec<_> = (1..=3)
        .map(|count| {
            let mut stream = connect(running.addrs[0]);
            stream.write_all(&frame(&CHECK)).expect("sent");
            running.stats_when(|stats| stats.tcp_framed == count);
            stream
        })
        .collect();
    await_close(&mut streams[0]);
    running.stats_when(|stats| stats.framed_refused == 1);
    running.handle.call(Command::Stop).expect("stopped");
    running.join();
}

#[test]
fn who_was_answered_keeps_its_place() {
    for config in [
        Config {
            framed_per_address_max: 2,
            ..Config::default()
        },
        Config {
            framed_max: 2,
            ..Config::default()
        },
    ] {
        let running = start(Echo::default(), config);
        let mut streams = [answered(running.addrs[0]), answered(running.addrs[0])];
        let mut third = connect(running.addrs[0]);
        third.write_all(&frame(&CHECK)).expect("sent");
        await_close(&mut third);
        running.stats_when(|stats| stats.framed_refused == 1);
        for stream in &mut streams {
            stream.write_all(&frame(b"still here")).expect("sent");
            assert_eq!(read_frame(stream), b"still here");
        }
        stop(running);
    }
}

#[test]
fn many_at_once_are_all_served_and_udp_beside_them() {
    let running = start(Echo::default(), Config::default());
    let to = running.addrs[0];
    let udp = client(to);
    thread::scope(|scope| {
        for number in 0..8_u8 {
            scope.spawn(move || {
                let mut streams: Vec<_> = (0..20).map(|_| answered(to)).collect();
                for round in 0..20 {
                    for stream in &mut streams {
                        stream.write_all(&frame(&[number; 1000])).expect("sent");
                    }
                    for stream in &mut streams {
                        assert_eq!(read_frame(stream), [number; 1000], "round {round}");
                    }
                }
            });
        }
        for round in 0..50 {
            udp.send(&[round]).expect("sent");
            assert_eq!(receive(&udp), [round]);
        }
    });
    running.stats_when(|stats| stats.tcp_framed == 160);
    stop(running);
}
