//! The receivers: plain sockets, in place of a fleet.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use oneport_link::{Input, Machine, Reason, Transmit};
use serde_json::Value;

use super::{Request, record};
use crate::fleet::{Order, Report};
use crate::tally::Tally;

/// Counts what arrives.
pub(super) struct Sink {
    began: Instant,
    /// The same moment in nanoseconds since 1970, by which sender and receivers understand each other.
    began_ns: u64,
    sender: TcpStream,
    receivers: Vec<SocketAddr>,
    /// When the latest message of each receiver was due.
    latest: HashMap<SocketAddr, u64>,
    measured_from: Option<Instant>,
    tally: Tally,
    is_over: bool,
}

impl Sink {
    pub(super) fn new(now: Instant, sender: TcpStream, receivers: Vec<SocketAddr>) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let ago = now.elapsed().as_nanos() as u64;
        Self {
            began: now,
            began_ns: since_epoch.unwrap_or_default().as_nanos() as u64 - ago,
            sender,
            receivers,
            latest: HashMap::new(),
            measured_from: None,
            tally: Tally::new(),
            is_over: false,
        }
    }

    fn ask(&mut self, per_second: f64, bytes: usize) -> io::Result<()> {
        let request = Request {
            to: self.receivers.clone(),
            per_second,
            bytes,
        };
        writeln!(self.sender, "{}", request.to_json())
    }

    /// Answers how many messages there were.
    fn stop(&mut self) -> io::Result<u64> {
        self.sender.shutdown(Shutdown::Write)?;
        let mut line = String::new();
        BufReader::new(&self.sender).read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line)?;
        answer["sent"]
            .as_u64()
            .ok_or(io::ErrorKind::InvalidData.into())
    }
}

impl Machine for Sink {
    type Command = Order;
    type Reply = Report;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        let Input::Datagram { route, bytes } = input else {
            return;
        };
        let Some(due_ns) = record::due_ns(bytes) else {
            self.tally.counts.strange += 1;
            return;
        };
        let counts = &mut self.tally.counts;
        counts.received += 1;
        let latest = self.latest.entry(route.local).or_insert(0);
        if due_ns <= *latest {
            counts.disordered += 1;
        }
        *latest = due_ns.max(*latest);
        if self.measured_from.is_some_and(|from| from <= now) {
            let since = now.saturating_duration_since(self.began).as_nanos() as u64;
            let latency_ns = (self.began_ns + since).saturating_sub(due_ns);
            self.tally.latency_us.saturating_record(latency_ns / 1000);
        }
    }

    fn handle_command(&mut self, now: Instant, order: Order) -> Report {
        match order {
            Order::Start {
                per_second,
                bytes,
                warm_up,
                ..
            } => {
                self.measured_from = Some(now + warm_up);
                Report::Done(self.ask(per_second, bytes).is_ok())
            }
            Order::Stop => {
                let sent = self.stop();
                self.tally.counts.sent = *sent.as_ref().unwrap_or(&0);
                self.tally.counts.links_lost += u64::from(sent.is_err());
                Report::Done(sent.is_ok())
            }
            Order::Count => Report::Counts(self.tally.counts),
            Order::Take => {
                let tally = std::mem::replace(&mut self.tally, Tally::new());
                Report::Tally(Box::new(tally))
            }
            Order::Roll => Report::Ready(self.receivers.len()),
            Order::End => {
                self.is_over = true;
                Report::Done(true)
            }
            Order::Enlist(..) | Order::EnlistFor(..) | Order::Answer(..) => Report::Done(false),
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        None
    }

    fn is_finished(&self) -> bool {
        self.is_over
    }
}
