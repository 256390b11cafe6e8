//! Three implementations of SCTP behind one trait: ours, the WebRTC project's (`dcsctp`), and the one
//! that str0m uses (`sctp-proto`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dcsctp::api::{DcSctpSocket as _, Message, PpId, SendOptions, SocketEvent, SocketTime};
use oneport_sctp::{Association, ChannelOptions, Config, Event, Kind, Reliability, Role, StreamId};
use sctp_proto as proto;

/// An end of an association.
pub(crate) trait Engine {
    fn connect(&mut self, now: Instant);
    fn handle_packet(&mut self, now: Instant, packet: &[u8]);
    fn handle_timeout(&mut self, now: Instant);
    fn next_timeout(&mut self) -> Option<Instant>;
    fn packets(&mut self, now: Instant) -> Vec<Vec<u8>>;
    fn is_established(&self) -> bool;
    /// Opens the stream of this number by DCEP.
    fn open(&mut self, now: Instant, id: u16, class: Class);
    fn send(&mut self, now: Instant, id: u16, bytes: &[u8]);
    /// Returns the next message and its stream.
    fn receive(&mut self) -> Option<(u16, Vec<u8>)>;
    /// Returns the largest message of a class that can be relied upon.
    fn bytes_max(&self, _class: Class) -> usize {
        usize::MAX
    }
    /// Says what only some engines can say.
    fn describe(&self) -> String {
        String::new()
    }
}

/// How a channel treats its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Ordered,
    Unordered,
    /// Ordered, at most so many retransmissions.
    Retransmits(u16),
    /// Unordered, at most so many milliseconds.
    Lifetime(u16),
}

impl Class {
    pub(crate) fn is_reliable(self) -> bool {
        matches!(self, Self::Ordered | Self::Unordered)
    }

    pub(crate) fn is_ordered(self) -> bool {
        matches!(self, Self::Ordered | Self::Retransmits(_))
    }

    fn options(self) -> ChannelOptions {
        ChannelOptions {
            label: "x".into(),
            unordered: !self.is_ordered(),
            reliability: match self {
                Self::Retransmits(count) => Reliability::Retransmits(count),
                Self::Lifetime(millis) => {
                    Reliability::Lifetime(Duration::from_millis(millis.into()))
                }
                _ => Reliability::Reliable,
            },
            ..ChannelOptions::default()
        }
    }

    /// Returns the class of a DATA_CHANNEL_OPEN.
    fn parse(open: &[u8]) -> Self {
        let parameter = u16::from_be_bytes([open[6], open[7]]);
        match open[1] {
            0 => Self::Ordered,
            0x80 => Self::Unordered,
            1 => Self::Retransmits(parameter),
            _ => Self::Lifetime(parameter),
        }
    }

    fn open_message(self) -> Vec<u8> {
        let (kind, parameter) = match self {
            Self::Ordered => (0, 0),
            Self::Unordered => (0x80, 0),
            Self::Retransmits(count) => (1, count),
            Self::Lifetime(millis) => (0x82, millis),
        };
        let mut message = vec![3, kind, 1, 0, 0, 0];
        message.extend(parameter.to_be_bytes());
        message.extend([0, 1, 0, 0, b'x']);
        message
    }
}

pub(crate) const NAMES: [&str; 3] = ["oneport", "dcsctp", "sctp-proto"];

/// Returns an engine. `seed` is for those that take one.
pub(crate) fn engine(name: &str, now: Instant, is_client: bool, seed: u64) -> Box<dyn Engine> {
    match name {
        "oneport" => Box::new(Own::new(now, is_client, seed, Config::default())),
        "oneport-checked" => {
            let mut config = Config::default();
            config.zero_checksum = false;
            Box::new(Own::new(now, is_client, seed, config))
        }
        "dcsctp" => Box::new(Dcsctp::new(now, false)),
        "dcsctp-idata" => Box::new(Dcsctp::new(now, true)),
        "sctp-proto" => Box::new(Proto::new(now)),
        _ => panic!("{name}"),
    }
}

pub(crate) struct Own {
    pub(crate) association: Association,
    inbox: VecDeque<(u16, Vec<u8>)>,
    packet: Vec<u8>,
}

impl Own {
    pub(crate) fn new(now: Instant, is_client: bool, seed: u64, config: Config) -> Self {
        let role = if is_client {
            Role::Client
        } else {
            Role::Server
        };
        let mut bytes = [is_client as u8; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self {
            association: Association::new(now, Arc::new(config), role, bytes),
            inbox: VecDeque::new(),
            packet: Vec::new(),
        }
    }
}

impl Engine for Own {
    fn connect(&mut self, now: Instant) {
        self.association.connect(now);
    }

    fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        self.association.handle_packet(now, packet);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.association.handle_timeout(now);
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        self.association.poll_timeout().map(|(at, _)| at)
    }

    fn packets(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        while self.association.poll_transmit(now, &mut self.packet) {
            packets.push(self.packet.clone());
        }
        packets
    }

    fn is_established(&self) -> bool {
        self.association.is_established()
    }

    fn open(&mut self, now: Instant, id: u16, class: Class) {
        // Its own choice of numbers is tested elsewhere; here they are given.
        let opened = self.association.open(now, class.options()).expect("open");
        assert_eq!(opened.get(), id);
    }

    fn send(&mut self, now: Instant, id: u16, bytes: &[u8]) {
        self.association
            .send(now, StreamId::new(id), Kind::Binary, bytes.into())
            .expect("sent");
    }

    fn receive(&mut self) -> Option<(u16, Vec<u8>)> {
        while let Some(event) = self.association.poll_event() {
            match event {
                Event::Message { id, bytes, .. } => {
                    self.association.release(id, bytes.len());
                    self.inbox.push_back((id.get(), bytes));
                }
                Event::Closed(reason) => panic!("closed: {reason}"),
                _ => {}
            }
        }
        self.inbox.pop_front()
    }

    fn describe(&self) -> String {
        format!("{:?}", self.association.stats())
    }
}

pub(crate) struct Dcsctp {
    socket: dcsctp::api::Socket,
    epoch: Instant,
    is_established: bool,
    packets: Vec<Vec<u8>>,
    classes: BTreeMap<u16, Class>,
}

/// The payload protocol identifiers of DCEP and of bytes.
const DCEP: u32 = 50;
const BINARY: u32 = 53;

impl Dcsctp {
    pub(crate) fn new(now: Instant, has_interleaving: bool) -> Self {
        // As Chromium sets it.
        let options = dcsctp::api::Options {
            mtu: 1163,
            max_receiver_window_buffer_size: 5 * 1024 * 1024,
            max_retransmissions: None,
            max_init_retransmits: None,
            max_timer_backoff_duration: Some(Duration::from_secs(3)),
            enable_message_interleaving: has_interleaving,
            ..dcsctp::api::Options::default()
        };
        Self {
            socket: dcsctp::api::Socket::new("x", &options),
            epoch: now,
            is_established: false,
            packets: Vec::new(),
            classes: BTreeMap::new(),
        }
    }

    fn advance(&mut self, now: Instant) {
        let time = SocketTime::zero() + now.duration_since(self.epoch);
        self.socket.advance_time(time);
    }

    fn take_events(&mut self) {
        while let Some(event) = self.socket.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => self.packets.push(packet),
                SocketEvent::OnConnected() => self.is_established = true,
                SocketEvent::OnAborted(kind, why) => panic!("dcsctp aborted: {kind:?} {why}"),
                _ => {}
            }
        }
    }

    fn send_options(&self, id: u16) -> SendOptions {
        let class = self.classes.get(&id).copied().unwrap_or(Class::Ordered);
        SendOptions {
            unordered: !class.is_ordered(),
            lifetime: match class {
                Class::Lifetime(millis) => Some(Duration::from_millis(millis.into())),
                _ => None,
            },
            max_retransmissions: match class {
                Class::Retransmits(count) => Some(count),
                _ => None,
            },
            lifecycle_id: None,
        }
    }

    fn send_as(&mut self, id: u16, protocol: u32, bytes: Vec<u8>, options: &SendOptions) {
        let id = dcsctp::api::StreamId(id);
        self.socket
            .send(Message::new(id, PpId(protocol), bytes), options)
            .expect("dcsctp takes it");
        self.take_events();
    }
}

impl Engine for Dcsctp {
    fn connect(&mut self, now: Instant) {
        self.advance(now);
        self.socket.connect();
        self.take_events();
    }

    fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        self.advance(now);
        self.socket.handle_input(packet);
        self.take_events();
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        self.take_events();
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        let at = self.socket.poll_timeout();
        let is_set = at != SocketTime::infinite_future();
        is_set.then(|| self.epoch + (at - SocketTime::zero()))
    }

    fn packets(&mut self, _now: Instant) -> Vec<Vec<u8>> {
        self.take_events();
        std::mem::take(&mut self.packets)
    }

    fn is_established(&self) -> bool {
        self.is_established
    }

    fn open(&mut self, now: Instant, id: u16, class: Class) {
        self.advance(now);
        self.classes.insert(id, class);
        self.send_as(id, DCEP, class.open_message(), &SendOptions::default());
    }

    fn send(&mut self, now: Instant, id: u16, bytes: &[u8]) {
        self.advance(now);
        let options = self.send_options(id);
        self.send_as(id, BINARY, bytes.to_vec(), &options);
    }

    /// When a message of several fragments expires while it is being sent, dcsctp 0.1 begins the next one
    /// and then puts a placeholder among its fragments (`abandon_all_for`), whose TSNs must follow each
    /// other. No receiver can put that message together.
    fn bytes_max(&self, class: Class) -> usize {
        match class {
            Class::Lifetime(_) => 1_000,
            _ => usize::MAX,
        }
    }

    fn receive(&mut self) -> Option<(u16, Vec<u8>)> {
        loop {
            let message = self.socket.get_next_message()?;
            let id = message.stream_id.0;
            if message.ppid != PpId(DCEP) {
                return Some((id, message.payload));
            }
            if message.payload.first() == Some(&3) {
                self.classes.insert(id, Class::parse(&message.payload));
                self.send_as(id, DCEP, vec![2], &SendOptions::default());
            }
        }
    }
}

pub(crate) struct Proto {
    endpoint: proto::Endpoint,
    association: Option<proto::Association>,
    handle: proto::AssociationHandle,
    is_established: bool,
    transport: Arc<proto::TransportConfig>,
    inbox: VecDeque<(u16, Vec<u8>)>,
    streams: Vec<u16>,
    /// The clock that it asks for when it is not told.
    _epoch: Instant,
}

impl Proto {
    pub(crate) fn new(now: Instant) -> Self {
        // As str0m sets it, but for ever.
        let transport = proto::TransportConfig::default()
            .with_max_init_retransmits(None)
            .with_max_data_retransmits(None)
            .with_max_receive_buffer_size(1024 * 1024)
            .with_max_receive_message_size(256 * 1024);
        let transport = Arc::new(transport);
        let mut endpoint = proto::EndpointConfig::default();
        endpoint.max_payload_size(1163 - 40);
        let mut server = proto::ServerConfig::default();
        server.transport = Arc::clone(&transport);
        Self {
            endpoint: proto::Endpoint::new(Arc::new(endpoint), Some(Arc::new(server))),
            association: None,
            handle: proto::AssociationHandle(0),
            is_established: false,
            transport,
            inbox: VecDeque::new(),
            streams: Vec::new(),
            _epoch: now,
        }
    }

    fn address() -> std::net::SocketAddr {
        ([192, 0, 2, 1], 5000).into()
    }

    fn take_events(&mut self) {
        let Some(association) = &mut self.association else {
            return;
        };
        while let Some(event) = association.poll_endpoint_event() {
            if let Some(event) = self.endpoint.handle_event(self.handle, event) {
                association.handle_event(event);
            }
        }
        while let Some(event) = association.poll() {
            match event {
                proto::Event::Connected => self.is_established = true,
                proto::Event::Stream(
                    proto::StreamEvent::Readable { id } | proto::StreamEvent::Writable { id },
                ) if !self.streams.contains(&id) => self.streams.push(id),
                proto::Event::AssociationLost { .. } => panic!("sctp-proto lost it: {event:?}"),
                _ => {}
            }
        }
        for id in self.streams.clone() {
            self.read(id);
        }
    }

    fn read(&mut self, id: u16) {
        let Some(association) = &mut self.association else {
            return;
        };
        while let Ok(mut stream) = association.stream(id)
            && let Ok(Some(chunks)) = stream.read()
        {
            let mut bytes = vec![0; chunks.len()];
            let is_control = chunks.ppi == proto::PayloadProtocolIdentifier::Dcep;
            chunks.read(&mut bytes).expect("it fits");
            if !is_control {
                self.inbox.push_back((id, bytes));
            } else if bytes.first() == Some(&3) {
                set_class(&mut stream, Class::parse(&bytes));
                stream
                    .write_with_ppi(&[2], proto::PayloadProtocolIdentifier::Dcep)
                    .expect("sctp-proto takes it");
            }
        }
    }
}

fn set_class(stream: &mut proto::Stream<'_>, class: Class) {
    let (kind, value) = match class {
        Class::Ordered | Class::Unordered => (proto::ReliabilityType::Reliable, 0),
        Class::Retransmits(count) => (proto::ReliabilityType::Rexmit, count.into()),
        Class::Lifetime(millis) => (proto::ReliabilityType::Timed, millis.into()),
    };
    stream
        .set_reliability_params(!class.is_ordered(), kind, value)
        .expect("sctp-proto takes it");
}

impl Engine for Proto {
    fn connect(&mut self, _now: Instant) {
        let mut config = proto::ClientConfig::new();
        config.transport = Arc::clone(&self.transport);
        let connected = self.endpoint.connect(config, Self::address());
        let (handle, association) = connected.expect("sctp-proto connects");
        self.handle = handle;
        self.association = Some(association);
    }

    fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        let bytes = Bytes::copy_from_slice(packet);
        let handled = self
            .endpoint
            .handle(now, Self::address(), None, None, bytes);
        if let Some((handle, event)) = handled {
            match event {
                proto::DatagramEvent::NewAssociation(association) => {
                    if self.association.is_none() {
                        self.association = Some(association);
                        self.handle = handle;
                    }
                }
                proto::DatagramEvent::AssociationEvent(event) => {
                    if let Some(association) = &mut self.association {
                        association.handle_event(event);
                    }
                }
            }
        }
        self.take_events();
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some(association) = &mut self.association {
            association.handle_timeout(now);
        }
        self.take_events();
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        self.association.as_mut()?.poll_timeout()
    }

    fn packets(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut put = |transmit: proto::Transmit| {
            if let proto::Payload::RawEncode(parts) = transmit.payload {
                packets.extend(parts.into_iter().map(|part| part.to_vec()));
            }
        };
        while let Some(transmit) = self.endpoint.poll_transmit() {
            put(transmit);
        }
        if let Some(association) = &mut self.association {
            while let Some(transmit) = association.poll_transmit(now) {
                put(transmit);
            }
        }
        packets
    }

    fn is_established(&self) -> bool {
        self.is_established
    }

    fn open(&mut self, _now: Instant, id: u16, class: Class) {
        let association = self.association.as_mut().expect("connected");
        let mut stream = association
            .open_stream(id, proto::PayloadProtocolIdentifier::Unknown)
            .expect("sctp-proto opens it");
        set_class(&mut stream, class);
        stream
            .write_with_ppi(
                &class.open_message(),
                proto::PayloadProtocolIdentifier::Dcep,
            )
            .expect("sctp-proto takes it");
        self.streams.push(id);
    }

    fn send(&mut self, _now: Instant, id: u16, bytes: &[u8]) {
        let association = self.association.as_mut().expect("connected");
        let mut stream = association.stream(id).expect("it is open");
        stream
            .write_with_ppi(bytes, proto::PayloadProtocolIdentifier::Binary)
            .expect("sctp-proto takes it");
    }

    fn receive(&mut self) -> Option<(u16, Vec<u8>)> {
        self.inbox.pop_front()
    }
}
