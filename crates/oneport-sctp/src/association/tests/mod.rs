//! The conformance list: an association against a peer whose packets are made by hand.

mod bounds;
mod closing;
mod data;
mod forward;
mod fuzz;
mod handshake;
mod recovery;
mod reset;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::types::{MessageSeq, StreamId, Tsn, VerificationTag};
use crate::wire::{
    Chunk, DataHeader, GapBlock, Init, PacketView, PacketWriter, Sack, Supported, flag, kind,
};
use crate::{Association, ChannelOptions, Config, Event, Kind, Role};

/// A chunk that the association sent, as far as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sent {
    Data {
        tsn: u32,
        stream: u16,
        flags: u8,
        bytes: Vec<u8>,
    },
    Sack {
        cumulative: u32,
        window: u32,
        gaps: Vec<(u16, u16)>,
        duplicates: Vec<u32>,
    },
    /// Kind and value.
    Other(u8, Vec<u8>),
}

impl Sent {
    fn kind(&self) -> u8 {
        match self {
            Self::Data { .. } => kind::DATA,
            Self::Sack { .. } => kind::SACK,
            Self::Other(kind, _) => *kind,
        }
    }
}

/// An association, and the peer that the test plays.
struct Bench {
    association: Association,
    now: Instant,
    /// The association's tag and the TSN of its first chunk.
    tag: VerificationTag,
    first: u32,
    /// The TSN of our next chunk, and the SSN of our next message on each stream.
    next_tsn: u32,
    next_ssn: [u32; 4],
    events: Vec<Event>,
}

const PEER_TAG: u32 = 0x7777;
const PEER_FIRST: u32 = u32::MAX - 1;
const PEER_WINDOW: u32 = 100_000;

fn config() -> Config {
    Config {
        interleaving: false,
        zero_checksum: false,
        ..Config::default()
    }
}

/// Returns a packet of these chunks: kind, flags, value.
fn packet(tag: VerificationTag, chunks: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut packet = PacketWriter::new(&mut out, 5000, tag, usize::MAX);
    for (kind, flags, value) in chunks {
        packet.chunk(*kind, *flags, value);
    }
    packet.finish(false);
    out
}

fn init(cookie: &[u8], tag: u32) -> Vec<u8> {
    let init = Init {
        tag: VerificationTag(tag),
        window: PEER_WINDOW,
        outbound_streams: 100,
        inbound_streams: 100,
        first_tsn: Tsn(PEER_FIRST),
        supported: Supported {
            forward_tsn: true,
            reconfig: true,
            interleaving: true,
            zero_checksum: false,
        },
        cookie,
    };
    let mut value = Vec::new();
    init.write(&mut value);
    value
}

impl Bench {
    fn closed() -> Self {
        Self::with(config())
    }

    fn with(config: Config) -> Self {
        let now = Instant::now();
        let association = Association::new(now, Arc::new(config), Role::Client, [9; 32]);
        let mut bench = Self {
            tag: association.handshake.local_tag(),
            first: association.handshake.local_tsn().0,
            association,
            now,
            next_tsn: PEER_FIRST,
            next_ssn: [0; 4],
            events: Vec::new(),
        };
        bench.pass(0);
        bench
    }

    /// Returns a bench whose association is established; the peer began.
    fn established() -> Self {
        Self::established_with(config())
    }

    fn established_with(config: Config) -> Self {
        let mut bench = Self::with(config);
        let cookie = bench.ask_for_cookie(PEER_TAG);
        bench.receive(&[(kind::COOKIE_ECHO, 0, &cookie)]);
        assert_eq!(bench.sent(), [Sent::Other(kind::COOKIE_ACK, vec![])]);
        assert_eq!(bench.events(), [Event::Established]);
        bench
    }

    /// Returns a bench with one channel that the association opened and the peer accepted, nothing in
    /// flight, and a round trip of 40 ms that was measured.
    fn open(options: ChannelOptions) -> (Self, StreamId) {
        Self::open_with(config(), options)
    }

    fn open_with(config: Config, options: ChannelOptions) -> (Self, StreamId) {
        let mut bench = Self::established_with(config);
        let id = bench.association.open(bench.now, options).expect("open");
        assert_eq!(bench.sent().len(), 1);
        bench.pass(40);
        bench.acknowledge(1);
        bench.data(id.get(), 50, &[2]);
        bench.pass(20);
        bench.sent();
        assert!(matches!(bench.events()[..], [Event::ChannelOpen(..)]));
        (bench, id)
    }

    /// Sends an INIT and returns the cookie of the answer.
    fn ask_for_cookie(&mut self, tag: u32) -> Vec<u8> {
        let value = init(&[], tag);
        let packet = packet(VerificationTag::NONE, &[(kind::INIT, 0, &value)]);
        self.association.handle_packet(self.now, &packet);
        let mut out = Vec::new();
        assert!(self.association.poll_transmit(self.now, &mut out));
        let view = PacketView::new(&out).expect("a packet");
        assert_eq!(view.tag(), VerificationTag(tag));
        let chunk = view.chunks().next().and_then(|chunk| chunk.parse());
        let Some(Chunk::InitAck(init)) = chunk else {
            panic!("{chunk:?}");
        };
        init.cookie.to_vec()
    }

    fn receive(&mut self, chunks: &[(u8, u8, &[u8])]) {
        let packet = packet(self.tag, chunks);
        self.association.handle_packet(self.now, &packet);
    }

    /// Returns everything that the association sends now.
    fn sent(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        let mut out = Vec::new();
        while self.association.poll_transmit(self.now, &mut out) {
            let view = PacketView::new(&out).expect("a packet");
            for chunk in view.chunks() {
                sent.push(match chunk.parse().expect("ours are well-formed") {
                    Chunk::Data(data) => Sent::Data {
                        tsn: data.header.tsn.0.wrapping_sub(self.first),
                        stream: data.header.stream.get(),
                        flags: data.header.flags,
                        bytes: data.payload.to_vec(),
                    },
                    Chunk::Sack(sack) => Sent::Sack {
                        cumulative: sack.cumulative.0.wrapping_sub(PEER_FIRST),
                        window: sack.window,
                        gaps: sack.gaps().map(|gap| (gap.start, gap.end)).collect(),
                        duplicates: sack
                            .duplicates()
                            .map(|tsn| tsn.0.wrapping_sub(PEER_FIRST))
                            .collect(),
                    },
                    _ => Sent::Other(chunk.kind(), chunk.value().to_vec()),
                });
            }
        }
        sent
    }

    /// Returns the TSNs, counted from the first, of the data that the association sends now.
    fn sent_tsns(&mut self) -> Vec<u32> {
        let sent = self.sent().into_iter();
        sent.filter_map(|sent| match sent {
            Sent::Data { tsn, .. } => Some(tsn),
            _ => None,
        })
        .collect()
    }

    fn events(&mut self) -> Vec<Event> {
        while let Some(event) = self.association.poll_event() {
            self.events.push(event);
        }
        std::mem::take(&mut self.events)
    }

    /// Returns the bytes of the messages that arrived, which are released.
    fn messages(&mut self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        for event in self.events() {
            match event {
                Event::Message { id, bytes, .. } => {
                    self.association.release(id, bytes.len());
                    messages.push(bytes);
                }
                Event::ChannelOpen(..) => {}
                other => panic!("{other:?}"),
            }
        }
        messages
    }

    /// Lets time pass. Timers run out one after the other.
    fn pass(&mut self, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        while let Some((at, _)) = self
            .association
            .poll_timeout()
            .filter(|(at, _)| *at <= until)
        {
            self.now = self.now.max(at);
            self.association.handle_timeout(self.now);
            if self
                .association
                .poll_timeout()
                .is_some_and(|(next, _)| next <= at)
            {
                break;
            }
        }
        self.now = until;
    }

    fn send(&mut self, id: StreamId, bytes: &[u8]) {
        self.association
            .send(self.now, id, Kind::Binary, bytes.into())
            .expect("sent");
    }

    /// The peer acknowledges so many chunks, counted from the first.
    fn acknowledge(&mut self, count: u32) {
        self.acknowledge_with(count, PEER_WINDOW, &[], &[]);
    }

    fn acknowledge_with(&mut self, count: u32, window: u32, gaps: &[(u16, u16)], twice: &[u32]) {
        let gaps: Vec<_> = gaps
            .iter()
            .map(|(start, end)| GapBlock {
                start: *start,
                end: *end,
            })
            .collect();
        let twice: Vec<_> = twice
            .iter()
            .map(|tsn| Tsn(self.first.wrapping_add(*tsn)))
            .collect();
        let cumulative = Tsn(self.first.wrapping_add(count).wrapping_sub(1));
        let mut chunk = Vec::new();
        Sack::write(cumulative, window, &gaps, &twice, &mut chunk);
        self.receive(&[(kind::SACK, 0, &chunk[4..])]);
    }

    /// The peer sends a whole message with its next TSN and SSN.
    fn data(&mut self, stream: u16, protocol: u32, bytes: &[u8]) {
        let ssn = self.next_ssn[usize::from(stream)];
        self.next_ssn[usize::from(stream)] += 1;
        let tsn = self.next_tsn.wrapping_sub(PEER_FIRST);
        self.data_at(tsn, stream, ssn, protocol, bytes, 3);
        self.next_tsn = self.next_tsn.wrapping_add(1);
    }

    /// The peer sends a chunk whose TSN is counted from its first.
    fn data_at(&mut self, tsn: u32, stream: u16, ssn: u32, protocol: u32, bytes: &[u8], flags: u8) {
        let chunk = data_chunk(tsn, stream, ssn, protocol, bytes, flags);
        self.receive(&[(kind::DATA, chunk[1], &chunk[4..])]);
    }
}

fn data_chunk(tsn: u32, stream: u16, ssn: u32, protocol: u32, bytes: &[u8], flags: u8) -> Vec<u8> {
    let header = DataHeader {
        tsn: Tsn(PEER_FIRST.wrapping_add(tsn)),
        stream: StreamId::new(stream),
        sequence: MessageSeq(ssn),
        fragment: 0,
        protocol,
        flags,
    };
    let mut chunk = Vec::new();
    header.write(false, bytes.len() as u16, &mut chunk);
    chunk.extend(bytes);
    chunk
}

const WHOLE: u8 = flag::BEGINS | flag::ENDS;
