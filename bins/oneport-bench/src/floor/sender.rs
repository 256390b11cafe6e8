//! The sender: records to all who are to have them, in as few calls as the kernel allows.

use std::io::{self, BufRead, BufReader, ErrorKind, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use serde_json::json;

use super::record::Sealer;
use super::{Request, TIMEOUT};

/// How often it looks what is due. What is due together is sent together, as by a relay under load.
const TICK: Duration = Duration::from_millis(1);

/// The kernel takes no more in one call (UIO_MAXIOV).
const BATCH: usize = 1024;

/// A request with 900 addresses has 25 KB.
const REQUEST_BYTES_MAX: u64 = 100_000;

/// Serves one request after the other.
pub(super) fn serve(listen: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(listen)?;
    let socket = UdpSocket::bind(SocketAddr::new(listen.ip(), 0))?;
    loop {
        let (stream, _) = listener.accept()?;
        if let Err(error) = answer(stream, &socket) {
            eprintln!("oneport-bench: {error}");
        }
    }
}

/// Sends what is asked for until the other side has no more to say, and answers how many messages.
fn answer(mut stream: TcpStream, socket: &UdpSocket) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut line = String::new();
    BufReader::new((&stream).take(REQUEST_BYTES_MAX)).read_line(&mut line)?;
    let Some(request) = Request::from_json(&line) else {
        return Err(ErrorKind::InvalidData.into());
    };
    let mut sending = Sending::new(&request, socket)?;
    stream.set_nonblocking(true)?;
    loop {
        match stream.read(&mut [0]) {
            Ok(0) => break,
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        let turn = Instant::now();
        sending.send_due(turn)?;
        thread::sleep(TICK.saturating_sub(turn.elapsed()));
    }
    stream.set_nonblocking(false)?;
    writeln!(stream, "{}", json!({ "sent": sending.sent }))
}

struct Sending<'a> {
    socket: &'a UdpSocket,
    sealer: Sealer,
    to: Vec<SockaddrStorage>,
    per_second: f64,
    begins: Instant,
    begins_ns: u64,
    /// How many messages.
    sent: u64,
    headers: MultiHeaders<SockaddrStorage>,
    records: Vec<Vec<u8>>,
    receivers: Vec<Option<SockaddrStorage>>,
}

impl<'a> Sending<'a> {
    fn new(request: &Request, socket: &'a UdpSocket) -> io::Result<Self> {
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Self {
            socket,
            sealer: Sealer::new(request.bytes, key).map_err(io::Error::other)?,
            to: request.to.iter().copied().map(Into::into).collect(),
            per_second: request.per_second,
            begins: Instant::now(),
            begins_ns: since_epoch.unwrap_or_default().as_nanos() as u64,
            sent: 0,
            headers: MultiHeaders::preallocate(BATCH, None),
            records: vec![Vec::new(); BATCH],
            receivers: Vec::with_capacity(BATCH),
        })
    }

    /// Sends all that is due by now; where that is too much, for one tick's time.
    fn send_due(&mut self, now: Instant) -> io::Result<()> {
        let since = now.saturating_duration_since(self.begins).as_secs_f64();
        // The first one is due at once.
        let due = 1 + (since * self.per_second) as u64;
        while self.sent < due && now.elapsed() < TICK {
            let room = BATCH / self.to.len().max(1);
            for _ in 0..(due - self.sent).min(room.max(1) as u64) {
                self.prepare_message()?;
            }
            self.flush()?;
        }
        Ok(())
    }

    fn prepare_message(&mut self) -> io::Result<()> {
        let due_ns = self.begins_ns + (self.sent as f64 * 1e9 / self.per_second) as u64;
        let speaker = (self.sent % self.to.len().max(1) as u64) as usize;
        for (number, to) in self.to.iter().enumerate().take(BATCH) {
            if number != speaker {
                let record = &mut self.records[self.receivers.len()];
                let sealed = self.sealer.seal(number as u32, due_ns, record);
                sealed.map_err(io::Error::other)?;
                self.receivers.push(Some(*to));
            }
        }
        self.sent += 1;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut from = 0;
        while from < self.receivers.len() {
            let records = &self.records[from..self.receivers.len()];
            let slices: Vec<_> = records
                .iter()
                .map(|record| [IoSlice::new(record)])
                .collect();
            let taken = sendmmsg(
                self.socket.as_raw_fd(),
                &mut self.headers,
                &slices,
                &self.receivers[from..],
                [],
                MsgFlags::empty(),
            )?;
            from += taken.count();
        }
        self.receivers.clear();
        Ok(())
    }
}
