//! Two of ours, and operations decoded from bytes: channels are opened, used, closed and opened again by
//! both ends, while the network loses packets. A body for fuzzing; here with seeded bytes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oneport_sctp::{Association, ChannelOptions, Config, Event, Kind, Role, StreamId};

/// An end, and the channels that it has, by number: which one it is, and what was sent and received.
struct End {
    association: Association,
    channels: BTreeMap<StreamId, Channel>,
}

#[derive(Clone, Copy, Default)]
struct Channel {
    instance: u32,
    is_closing: bool,
    sent: u32,
    received: u32,
}

struct World {
    now: Instant,
    ends: [End; 2],
    under_way: Vec<(Instant, usize, Vec<u8>)>,
    loss: u8,
    dice: fastrand::Rng,
    instances: u32,
}

const DELAY: Duration = Duration::from_millis(10);

impl World {
    fn new(seed: u64) -> Self {
        let now = Instant::now();
        let config = Arc::new(Config::default());
        let end = |role, seed| End {
            association: Association::new(now, Arc::clone(&config), role, [seed; 32]),
            channels: BTreeMap::new(),
        };
        Self {
            now,
            ends: [end(Role::Client, 1), end(Role::Server, 2)],
            under_way: Vec::new(),
            loss: 0,
            dice: fastrand::Rng::with_seed(seed),
            instances: 0,
        }
    }

    fn operate(&mut self, operation: u8, operand: u8) {
        let now = self.now;
        let from = usize::from(operand & 1);
        let end = &mut self.ends[from];
        let chosen = end.channels.keys().copied();
        let chosen = chosen.cycle().take(64).nth(usize::from(operand >> 1) % 64);
        match (operation % 8, chosen) {
            (0, _) if end.channels.len() < 8 => {
                self.instances += 1;
                let options = ChannelOptions {
                    label: self.instances.to_string(),
                    unordered: false,
                    ..ChannelOptions::default()
                };
                let id = end
                    .association
                    .open(now, options)
                    .expect("there is a number");
                let channel = Channel {
                    instance: self.instances,
                    ..Channel::default()
                };
                let before = end.channels.insert(id, channel);
                assert!(before.is_none(), "{id} was there");
            }
            (1, Some(id)) => {
                end.association.close(now, id);
                end.channels.entry(id).or_default().is_closing = true;
            }
            (2..=5, Some(id)) => {
                let channel = end.channels.entry(id).or_default();
                let mut bytes = channel.instance.to_be_bytes().to_vec();
                bytes.extend(channel.sent.to_be_bytes());
                bytes.resize(8 + usize::from(operand) * 20, operand);
                // It may be closing by the peer's wish, which is no event yet.
                let sent = end.association.send(now, id, Kind::Binary, bytes.into());
                assert!(!channel.is_closing || sent.is_err());
                channel.sent += u32::from(sent.is_ok());
            }
            (6, _) => self.loss = [0, 25, 80, 0][usize::from(operand % 4)],
            (7, _) if operand < 40 => end.association.path_changed(now),
            _ => {}
        }
        self.pass(Duration::from_millis(u64::from(operand) / 4));
    }

    fn take_events(&mut self) {
        for end in &mut self.ends {
            while let Some(event) = end.association.poll_event() {
                match event {
                    Event::ChannelOpen(id, options) => {
                        let instance = options.label.parse().expect("a number");
                        let channel = end.channels.entry(id).or_insert(Channel {
                            instance,
                            ..Channel::default()
                        });
                        assert_eq!(channel.instance, instance, "channel {id}");
                    }
                    Event::ChannelClosed(id) => {
                        assert!(end.channels.remove(&id).is_some(), "{id} was not there");
                    }
                    Event::Message { id, bytes, .. } => {
                        let channel = end.channels.get_mut(&id).expect("it is open");
                        let word = |at: usize| {
                            u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four"))
                        };
                        assert_eq!(word(0), channel.instance, "of another channel {id}");
                        assert_eq!(word(4), channel.received, "out of order on {id}");
                        channel.received += 1;
                        end.association.release(id, bytes.len());
                    }
                    Event::Established => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        loop {
            let mut packet = Vec::new();
            for from in 0..2 {
                let mut packets = 0;
                while self.ends[from]
                    .association
                    .poll_transmit(self.now, &mut packet)
                {
                    packets += 1;
                    assert!(packets < 10_000, "it does not end");
                    if self.dice.u8(..) >= self.loss {
                        let jitter = Duration::from_millis(self.dice.u64(..4));
                        let at = self.now + DELAY + jitter;
                        self.under_way.push((at, 1 - from, packet.clone()));
                    }
                }
            }
            self.take_events();
            let arrivals = self.under_way.iter().map(|(at, ..)| *at);
            let timers = self
                .ends
                .iter()
                .filter_map(|end| end.association.poll_timeout());
            let next = arrivals.chain(timers.map(|(at, _)| at)).min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.now = self.now.max(next);
            let now = self.now;
            let (due, later) = std::mem::take(&mut self.under_way)
                .into_iter()
                .partition(|(at, ..)| *at <= now);
            self.under_way = later;
            let due: Vec<(Instant, usize, Vec<u8>)> = due;
            for (_, to, packet) in due {
                self.ends[to].association.handle_packet(now, &packet);
            }
            for end in &mut self.ends {
                if end
                    .association
                    .poll_timeout()
                    .is_some_and(|(at, _)| at <= now)
                {
                    end.association.handle_timeout(now);
                }
            }
        }
        self.now = until;
    }
}

/// Whatever is done: messages stay in their channels and in order, and in the end both agree.
fn body(bytes: &[u8]) {
    let mut world = World::new(bytes.len() as u64);
    let now = world.now;
    world.ends[0].association.connect(now);
    world.pass(Duration::from_millis(100));
    for operation in bytes.chunks_exact(2) {
        world.operate(operation[0], operation[1]);
    }
    world.loss = 0;
    world.pass(Duration::from_secs(60));
    let open = |end: &End| -> Vec<_> {
        end.channels
            .iter()
            .map(|(id, channel)| (*id, channel.instance))
            .collect()
    };
    assert_eq!(open(&world.ends[0]), open(&world.ends[1]));
    for (end, other) in [(0, 1), (1, 0)] {
        for (id, channel) in &world.ends[end].channels {
            assert!(!channel.is_closing, "{id} does not close");
            assert_eq!(
                channel.sent, world.ends[other].channels[id].received,
                "{id}"
            );
        }
        let stats = world.ends[end].association.stats();
        assert_eq!((stats.bytes_in_flight, stats.bytes_queued), (0, 0));
        assert_eq!(stats.channels, world.ends[end].channels.len());
        assert_eq!(stats.receive_window, 1024 * 1024);
    }
}

#[test]
fn channels_come_and_go() {
    for seed in 0..150 {
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let bytes: Vec<u8> = (0..600 + 2 * seed).map(|_| random.u8(..)).collect();
        body(&bytes);
    }
}
