//! The loop itself: waits, takes one look at the clock, and lets everyone have a turn.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Waker};
use oneport_link::{Input, Machine, Reason, Transmit, Transport};

use crate::alarm::Alarm;
use crate::command_queue::CommandQueue;
use crate::config::Config;
use crate::framed_streams::FramedStreams;
use crate::handle::Handle;
use crate::receive_batch::ReceiveBatch;
use crate::sockets::Sockets;
use crate::spin_guard::{SPIN_REST, SpinGuard};
use crate::stats::{PublishedStats, Stats};
use crate::tcp::Tcp;
use crate::token::Source;
use crate::udp::UdpSocket;

/// How many events one wait reports: more than there are sockets, and the TCP connections beyond
/// are reported by the next one.
const EVENTS_MAX: usize = 256;

/// How many batches each UDP socket receives in one turn: up to 128 buffers, each of which may hold
/// many datagrams that the kernel has merged.
const BATCHES_PER_TURN: usize = 4;

/// After how long a turn receives no more: what a datagram costs the machine is the sender's choice,
/// and commands and timers shall not wait for it.
const RECEIVE_TIME_MAX: Duration = Duration::from_millis(10);

/// What takes a TCP connection that speaks HTTP: the stream, blocking and with nothing read from it,
/// and the peer's address. It runs on the loop's thread, so it must pass the stream on, not serve it.
pub type OnStream = Box<dyn FnMut(TcpStream, SocketAddr) + Send>;

/// Runs a [`Machine`] over real sockets and the real clock, on one thread.
///
/// Each wake-up is a *turn*, and has one `now`: datagrams first, in batches and fairly between the
/// sockets, then TCP, commands, the timeout if it is due, and at last everything that the machine
/// wants sent. All of it is bounded, so nothing waits for more than one turn of the others.
pub struct EventLoop<M: Machine> {
    poll: Poll,
    alarm: Alarm,
    events: Events,
    udp: Vec<UdpSocket>,
    batch: ReceiveBatch,
    tcp: Option<Tcp>,
    framed: FramedStreams,
    commands: CommandQueue<M>,
    machine: M,
    /// The machine's timeout, as it was when it had been drained.
    timeout: Option<(Instant, Reason)>,
    turn_ended: Instant,
    guard: SpinGuard,
    stats: Stats,
    published: Arc<PublishedStats>,
}

impl<M: Machine> EventLoop<M> {
    /// A loop that is ready to [`run`](Self::run), and its handle for other threads.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the poll or a socket's registration; if there are TCP
    /// listeners but no `on_stream` (`InvalidInput`).
    pub fn new(
        sockets: Sockets,
        machine: M,
        on_stream: Option<OnStream>,
        config: Config,
    ) -> io::Result<(Self, Handle<M>)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), Source::Wake.into())?);
        let alarm = Alarm::new(poll.registry())?;
        let mut udp = Vec::with_capacity(sockets.bound.len());
        let mut listeners = Vec::new();
        for (index, bound) in sockets.bound.into_iter().enumerate() {
            let token = Source::Udp(index).into();
            udp.push(UdpSocket::new(
                bound.udp,
                bound.local,
                token,
                poll.registry(),
            )?);
            listeners.extend(bound.tcp);
        }
        let tcp = match (listeners.is_empty(), on_stream) {
            (true, _) => None,
            (false, Some(on_stream)) => {
                Some(Tcp::new(listeners, on_stream, &config, poll.registry())?)
            }
            (false, None) => {
                let message = "TCP sockets, but nothing that takes their streams";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        };
        let (commands, calls) = CommandQueue::new(config.commands_max);
        let mut stats = Stats::default();
        let mut framed = FramedStreams::new(&config);
        for stream in sockets.streams {
            let stream = mio::net::TcpStream::from_std(stream);
            framed.admit(Instant::now(), stream, false, poll.registry(), &mut stats)?;
        }
        let published = Arc::new(PublishedStats::default());
        let handle = Handle::new(calls, waker, Arc::clone(&published), config.call_timeout);
        let event_loop = Self {
            poll,
            alarm,
            events: Events::with_capacity(EVENTS_MAX),
            udp,
            batch: ReceiveBatch::new(),
            tcp,
            framed,
            commands,
            machine,
            timeout: None,
            turn_ended: Instant::now(),
            guard: SpinGuard::default(),
            stats,
            published,
        };
        Ok((event_loop, handle))
    }

    /// Runs until the machine is finished, and returns it.
    ///
    /// What still waits for a full send buffer is lost then, and commands in the queue are answered
    /// [`Stopped`](crate::CallError::Stopped).
    ///
    /// # Errors
    ///
    /// If waiting for events fails, which only a broken system does. Nothing that happens on a
    /// socket ends the loop.
    ///
    /// # Panics
    ///
    /// If the machine or the callback for streams panics; handles get `Stopped` then as well.
    pub fn run(mut self) -> io::Result<M> {
        // The machine may have something to say before anything happens to it.
        self.drain(self.turn_ended);
        self.end_turn(self.turn_ended, true)?;
        while !self.machine.is_finished() {
            let wait = self.wait();
            self.alarm.set(wait);
            match self.poll.poll(&mut self.events, wait) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                // A signal woke us: a turn without events.
                Ok(()) | Err(_) => self.turn()?,
            }
        }
        Ok(self.machine)
    }

    /// How long to wait for events; `None` is for ever.
    fn wait(&self) -> Option<Duration> {
        if self.guard.is_spinning() {
            return Some(SPIN_REST);
        }
        let is_ready = self.udp.iter().any(UdpSocket::is_readable)
            || self.tcp.as_ref().is_some_and(Tcp::is_ready)
            || self.framed.is_ready()
            || self.commands.is_ready();
        if is_ready {
            return Some(Duration::ZERO);
        }
        let tcp_deadline = self.tcp.as_ref().and_then(Tcp::deadline);
        let machine_deadline = self.timeout.map(|(deadline, _)| deadline);
        let deadlines = [machine_deadline, tcp_deadline, self.framed.deadline()];
        let deadline = deadlines.into_iter().flatten().min()?;
        Some(deadline.saturating_duration_since(self.turn_ended))
    }

    fn turn(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let inputs_before = self.stats.inputs();
        self.take_events(now);
        self.receive(now);
        self.framed.turn(now, &mut self.stats, |input| {
            self.machine.handle_input(now, input);
        });
        if let Some(tcp) = &mut self.tcp {
            tcp.turn(now, &mut self.framed, self.poll.registry(), &mut self.stats);
        }
        self.commands.turn(now, &mut self.machine, &mut self.stats);
        if self.timeout.is_some_and(|(deadline, _)| deadline <= now) {
            self.stats.timeouts += 1;
            self.machine.handle_input(now, Input::Timeout);
        }
        let sent = self.drain(now);
        let progress = sent || self.stats.inputs() > inputs_before;
        self.end_turn(now, progress)
    }

    /// Remembers what the poll reports. It is edge-triggered: it reports once, so whoever does not
    /// finish in this turn must be remembered as ready.
    fn take_events(&mut self, now: Instant) {
        for event in &self.events {
            match Source::from(event.token()) {
                // The queue and the time are looked at in every turn.
                Source::Wake => {}
                Source::Udp(index) => {
                    let Some(socket) = self.udp.get_mut(index) else {
                        continue;
                    };
                    if event.is_readable() || event.is_error() {
                        socket.set_readable();
                    }
                    if event.is_writable() {
                        socket.set_writable();
                    }
                }
                Source::Listener(index) => {
                    if let Some(tcp) = &mut self.tcp {
                        tcp.set_readable(index);
                    }
                }
                Source::Waiting(number) => {
                    if let Some(tcp) = &mut self.tcp
                        && let Some(stream) =
                            tcp.sniff(number, self.poll.registry(), &mut self.stats)
                    {
                        let registry = self.poll.registry();
                        let admitted =
                            (self.framed).admit(now, stream, true, registry, &mut self.stats);
                        if let Err(error) = admitted {
                            log::debug!("a TCP connection ended before it was read: {error}");
                            self.stats.framed_ended += 1;
                        }
                    }
                }
                Source::Framed(number) => {
                    let is_ending = event.is_read_closed() || event.is_error();
                    self.framed
                        .set_ready(number, event.is_readable(), is_ending);
                    if event.is_writable() {
                        self.framed.set_writable(number);
                    }
                }
            }
        }
    }

    /// Receives from every socket in turn, one batch at a time, so that none starves the others, and
    /// not for so long that commands and timers wait. What is left stays readable for the next turn.
    fn receive(&mut self, now: Instant) {
        for _ in 0..BATCHES_PER_TURN {
            if now.elapsed() > RECEIVE_TIME_MAX {
                break;
            }
            for socket in &mut self.udp {
                socket.receive(&mut self.batch, &mut self.stats, |route, bytes| {
                    let input = Input::Datagram { route, bytes };
                    self.machine.handle_input(now, input);
                });
            }
        }
    }

    /// Sends all that the machine wants sent. True if there was anything.
    fn drain(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(transmit) = self.machine.poll_transmit() {
            any = true;
            match transmit.route.transport {
                Transport::Udp => self.send(transmit),
                Transport::Tcp => self.framed.send(now, &transmit, &mut self.stats),
            }
        }
        self.framed.flush(now, &mut self.stats);
        for socket in &mut self.udp {
            socket.flush(&mut self.stats);
        }
        any
    }

    fn send(&mut self, transmit: Transmit) {
        let local = transmit.route.local;
        let serves = |wildcard| move |socket: &UdpSocket| socket.serves(local, wildcard);
        let index = (self.udp.iter().position(serves(false)))
            .or_else(|| self.udp.iter().position(serves(true)));
        let Some(index) = index else {
            log::trace!("no socket to send from {local}");
            self.stats.send_errors += 1;
            return;
        };
        self.udp[index].send(transmit, &mut self.stats);
    }

    /// Reads the machine's timeout, now that it is drained, and settles the accounts of the turn.
    fn end_turn(&mut self, now: Instant, progress: bool) -> io::Result<()> {
        for socket in &mut self.udp {
            socket.update_interest(self.poll.registry())?;
        }
        self.timeout = self.machine.poll_timeout();
        let overdue = self.timeout.filter(|&(deadline, _)| deadline <= now);
        self.guard
            .observe(progress, overdue.map(|(_, reason)| reason));

        self.turn_ended = Instant::now();
        let turn_took = self.turn_ended.saturating_duration_since(now);
        self.stats.turns += 1;
        self.stats.turns_spun += u64::from(self.guard.is_spinning());
        self.stats.turn_max = self.stats.turn_max.max(turn_took);
        self.stats.turn_time.count(turn_took);
        self.published.publish(&self.stats);
        Ok(())
    }
}

impl<M: Machine> fmt::Debug for EventLoop<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop")
            .field("timeout", &self.timeout)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
