//! Two associations over a pipe that loses every tenth packet, in virtual time: a thousand messages
//! arrive whole and in order, and it takes no real time at all.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oneport_sctp::{Association, ChannelOptions, Config, Event, Kind, Role};

const DELAY: Duration = Duration::from_millis(25);

/// Packets under way to one end, each with its arrival.
type Pipe = VecDeque<(Instant, Vec<u8>)>;

fn main() {
    let begin = Instant::now();
    let mut now = begin;
    let config = Arc::new(Config::default());
    // A program takes seeds from the operating system.
    let end = |role, seed| Association::new(now, Arc::clone(&config), role, [seed; 32]);
    let mut ends = [end(Role::Client, 1), end(Role::Server, 2)];
    let mut pipes = [Pipe::new(), Pipe::new()];
    let (mut packets, mut sent, mut received) = (0, 0, 0);

    ends[0].connect(now);
    let id = ends[0].open(now, ChannelOptions::default()).expect("open");
    while received < 1_000 {
        // As many messages as there is space for.
        while sent < 1_000 && ends[0].send_space() > 100_000 {
            let text = format!("message {sent}");
            let payload = text.as_bytes().into();
            ends[0]
                .send(now, id, Kind::Text, payload)
                .expect("there is space");
            sent += 1;
        }
        for from in 0..2 {
            let mut packet = Vec::new();
            while ends[from].poll_transmit(now, &mut packet) {
                packets += 1;
                if packets % 10 != 0 {
                    pipes[1 - from].push_back((now + DELAY, packet.clone()));
                }
            }
        }
        while let Some(event) = ends[1].poll_event() {
            if let Event::Message { id, bytes, .. } = event {
                assert_eq!(bytes, format!("message {received}").as_bytes());
                received += 1;
                // The window of the sender opens again.
                ends[1].release(id, bytes.len());
            }
        }
        // The clock jumps to whatever happens next.
        let arrivals = pipes
            .iter()
            .filter_map(|pipe| pipe.front().map(|(at, _)| *at));
        let timers = ends
            .iter()
            .filter_map(|end| end.poll_timeout().map(|(at, _)| at));
        now = arrivals
            .chain(timers)
            .min()
            .expect("something happens")
            .max(now);
        for (end, pipe) in ends.iter_mut().zip(&mut pipes) {
            while pipe.front().is_some_and(|(at, _)| *at <= now) {
                let (_, packet) = pipe.pop_front().expect("it is there");
                end.handle_packet(now, &packet);
            }
            if end.poll_timeout().is_some_and(|(at, _)| at <= now) {
                end.handle_timeout(now);
            }
        }
    }
    println!(
        "{received} messages in {packets} packets and {:?} of virtual time",
        now - begin
    );
    println!("{:?}", ends[0].stats());
}
