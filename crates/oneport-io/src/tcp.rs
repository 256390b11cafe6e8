//! The TCP side of the port: accepts, sniffs, hands over.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry};

use crate::accept_pause::AcceptPause;
use crate::address::canonical;
use crate::config::Config;
use crate::event_loop::OnStream;
use crate::framed_streams::FramedStreams;
use crate::stats::Stats;
use crate::token::Source;
use crate::waiting::{Sniffed, Waiting};

/// How many connections one listener accepts in one turn. Each costs some 10 µs, and datagrams wait
/// meanwhile; the rest stays in the backlog until the next turn.
const ACCEPTS_PER_TURN: usize = 32;

/// The TCP listeners of a loop, and the connections that have not said what they are.
pub(crate) struct Tcp {
    listeners: Vec<Listener>,
    waiting: Waiting,
    pause: AcceptPause,
    on_stream: OnStream,
}

struct Listener {
    socket: mio::net::TcpListener,
    readable: bool,
}

impl Tcp {
    pub(crate) fn new(
        listeners: Vec<TcpListener>,
        on_stream: OnStream,
        config: &Config,
        registry: &Registry,
    ) -> io::Result<Self> {
        let listeners = listeners.into_iter().enumerate().map(|(index, listener)| {
            let mut socket = mio::net::TcpListener::from_std(listener);
            registry.register(
                &mut socket,
                Source::Listener(index).into(),
                Interest::READABLE,
            )?;
            let readable = true;
            Ok(Listener { socket, readable })
        });
        Ok(Self {
            listeners: listeners.collect::<io::Result<_>>()?,
            waiting: Waiting::new(config.tcp_waiting_max, config.tcp_silence),
            pause: AcceptPause::default(),
            on_stream,
        })
    }

    /// Takes note that the kernel reported a listener.
    pub(crate) fn set_readable(&mut self, listener: usize) {
        if let Some(listener) = self.listeners.get_mut(listener) {
            listener.readable = true;
        }
    }

    /// Whether there may be connections to accept at once.
    pub(crate) fn is_ready(&self) -> bool {
        !self.pause.is_paused() && self.listeners.iter().any(|listener| listener.readable)
    }

    /// When time alone makes something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting
            .deadline()
            .into_iter()
            .chain(self.pause.until())
            .min()
    }

    /// Looks at what a waiting connection has said, and hands it over if it is HTTP. Answers it if it carries
    /// datagrams.
    pub(crate) fn sniff(
        &mut self,
        number: usize,
        registry: &Registry,
        stats: &mut Stats,
    ) -> Option<TcpStream> {
        match self.waiting.sniff(number, registry, stats)? {
            Sniffed::Http(stream, peer) => {
                stats.tcp_handed_over += 1;
                (self.on_stream)(stream, peer);
                None
            }
            Sniffed::Framed(stream) => Some(stream),
        }
    }

    /// One turn: closes who was silent for too long, and accepts who is new.
    pub(crate) fn turn(
        &mut self,
        now: Instant,
        framed: &mut FramedStreams,
        registry: &Registry,
        stats: &mut Stats,
    ) {
        self.waiting.expire(now, stats);
        self.pause.end_if_due(now);
        for index in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_PER_TURN {
                if !self.listeners[index].readable || self.pause.is_paused() {
                    break;
                }
                self.accept(index, now, framed, registry, stats);
            }
        }
    }

    fn accept(
        &mut self,
        index: usize,
        now: Instant,
        framed: &mut FramedStreams,
        registry: &Registry,
        stats: &mut Stats,
    ) {
        let accepted = match self.listeners[index].socket.accept() {
            Ok((stream, peer)) => {
                stats.tcp_accepted += 1;
                let peer: SocketAddr = canonical(peer);
                self.waiting.admit(now, stream, peer, registry, stats)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.listeners[index].readable = false;
                return;
            }
            Err(error) => Err(error),
        };
        if let Err(error) = accepted {
            stats.tcp_accept_errors += 1;
            self.pause.failed(now, &error);
            // Somebody silent does not keep out somebody who may have something to say.
            if self.pause.is_paused() && (self.waiting.evict(stats) || framed.evict(None, stats)) {
                self.pause.end();
            }
        }
    }
}
