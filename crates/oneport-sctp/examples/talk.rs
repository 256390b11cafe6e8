//! What a message costs, both ends together: `talk BYTES MESSAGES` sends messages from one association
//! to another, one each millisecond, without a network. For callgrind, which counts what happens within
//! [`talk`]:
//!
//! ```text
//! cargo build --profile cost -p oneport-sctp --example talk
//! valgrind --tool=callgrind --collect-atstart=no '--toggle-collect=talk::talk' \
//!     target/cost/examples/talk 100 10000
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use oneport_sctp::{Association, ChannelOptions, Config, Event, Kind, Payload, Role, StreamId};

struct Pair {
    now: Instant,
    ends: [Association; 2],
    packet: Vec<u8>,
    delivered: usize,
}

impl Pair {
    /// Carries packets until there are none.
    fn exchange(&mut self) {
        let now = self.now;
        let mut is_moving = true;
        while is_moving {
            is_moving = false;
            for from in 0..2 {
                while self.ends[from].poll_transmit(now, &mut self.packet) {
                    self.ends[1 - from].handle_packet(now, &self.packet);
                    is_moving = true;
                }
            }
        }
        for end in &mut self.ends {
            while let Some(event) = end.poll_event() {
                if let Event::Message { id, bytes, .. } = event {
                    end.release(id, bytes.len());
                    self.delivered += 1;
                }
            }
        }
    }

    fn pass(&mut self, span: Duration) {
        self.now += span;
        for end in &mut self.ends {
            if end.poll_timeout().is_some_and(|(at, _)| at <= self.now) {
                end.handle_timeout(self.now);
            }
        }
        self.exchange();
    }
}

#[inline(never)]
fn talk(pair: &mut Pair, id: StreamId, payload: &Payload, messages: usize) {
    for _ in 0..messages {
        let sent = pair.ends[0].send(pair.now, id, Kind::Binary, payload.clone());
        sent.expect("there is space");
        pair.pass(Duration::from_millis(1));
    }
}

fn main() {
    let number = |at, default| {
        let argument = std::env::args().nth(at);
        argument.map_or(default, |text| text.parse().expect("a number"))
    };
    let (bytes, messages) = (number(1, 100), number(2, 10_000));
    let now = Instant::now();
    let config = Arc::new(Config::default());
    let end = |role, seed| Association::new(now, Arc::clone(&config), role, [seed; 32]);
    let mut pair = Pair {
        now,
        ends: [end(Role::Client, 1), end(Role::Server, 2)],
        packet: Vec::new(),
        delivered: 0,
    };
    pair.ends[0].connect(now);
    let id = pair.ends[0].open(now, ChannelOptions::default());
    let id = id.expect("a number is free");
    pair.exchange();
    let payload = Payload::from(vec![7; bytes]);
    // The window grows, and buffers with it.
    for _ in 0..messages / 10 {
        let sent = pair.ends[0].send(pair.now, id, Kind::Binary, payload.clone());
        sent.expect("there is space");
        pair.pass(Duration::from_millis(1));
    }
    pair.delivered = 0;
    talk(&mut pair, id, &payload, messages);
    pair.pass(Duration::from_secs(1));
    println!("{} of {messages} messages of {bytes} bytes", pair.delivered);
    println!("{:?}", pair.ends[0].stats());
    println!("an association has {} bytes", size_of::<Association>());
}
