//! A process that has run out of file descriptors: the loop must not spin on the connection that it
//! cannot accept, and must accept it as soon as it can. In a process of its own, which starts itself
//! again with a low limit.

#![cfg(unix)]

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use oneport_io::{BindOptions, Config, EventLoop, Sockets};
use oneport_link::{Input, Machine, Reason, Transmit};

const PATIENCE: Duration = Duration::from_secs(10);

/// Set in the process that has the low limit.
const LIMITED: &str = "ONEPORT_IO_TEST_LIMITED";

#[derive(Default)]
struct Echo {
    replies: VecDeque<Transmit>,
    stopped: bool,
}

impl Machine for Echo {
    type Command = ();
    type Reply = ();

    fn handle_input(&mut self, _: Instant, input: Input<'_>) {
        if let Input::Datagram { route, bytes } = input {
            let contents = bytes.to_vec();
            self.replies.push_back(Transmit { route, contents });
        }
    }

    fn handle_command(&mut self, _: Instant, (): ()) {
        self.stopped = true;
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.replies.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        None
    }

    fn is_finished(&self) -> bool {
        self.stopped
    }
}

#[test]
fn the_loop_waits_for_descriptors_and_goes_on() {
    if std::env::var_os(LIMITED).is_some() {
        return run_out_and_recover();
    }
    let this = std::env::current_exe().expect("a path");
    let status = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --nocapture"])
        .arg(this)
        .env(LIMITED, "1")
        .status()
        .expect("a shell");
    assert!(status.success());
}

fn run_out_and_recover() {
    let addr = "127.0.0.1:0".parse().expect("a literal address");
    let options = BindOptions {
        tcp: true,
        ..BindOptions::default()
    };
    let sockets = Sockets::bind(&[addr], &options).expect("a free port");
    let addr = sockets.local_addrs()[0];
    let (sender, streams) = channel();
    let on_stream = Box::new(move |stream, _| sender.send(stream).expect("the test waits"));
    let (event_loop, handle) =
        EventLoop::new(sockets, Echo::default(), Some(on_stream), Config::default())
            .expect("a loop");
    let thread = thread::spawn(move || event_loop.run());
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    udp.connect(addr).expect("loopback");
    udp.set_read_timeout(Some(PATIENCE)).expect("not zero");

    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    // One place for the client's end; none is left for the loop's.
    files.pop();
    let mut tcp = TcpStream::connect_timeout(&addr, PATIENCE).expect("in the backlog");
    tcp.write_all(b"GET").expect("sent");

    let give_up = Instant::now() + PATIENCE;
    while handle.stats().tcp_accept_errors < 3 {
        assert!(Instant::now() < give_up, "{:?}", handle.stats());
        thread::yield_now();
    }
    // Three failures, 100 ms from one to the next, and hardly a turn besides.
    let stats = handle.stats();
    assert!(stats.turns <= 10, "{stats:?}");
    udp.send(b"hello").expect("sent");
    let mut answer = [0; 8];
    assert_eq!(udp.recv(&mut answer).expect("still served"), 5);

    drop(files);
    streams.recv_timeout(PATIENCE).expect("accepted at last");
    assert_eq!(handle.stats().tcp_accepted, 1);
    handle.call(()).expect("stopped");
    thread.join().expect("no panic").expect("no error");
}
