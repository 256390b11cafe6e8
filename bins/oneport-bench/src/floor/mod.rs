//! What a delivery costs as one datagram of its own: its cryptography, and its way through the kernel.
//!
//! A sender seals each payload for each receiver, as the one DTLS record that it would be, and sends it.
//! There is no SCTP, nothing comes back, and nobody had to ask. The receivers are plain sockets, measured
//! in the same way as the clients of a relay.

mod record;
mod sender;
mod sink;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use oneport_io::{Config, EventLoop};
use serde_json::{Value, json};

use crate::args::RunArgs;
use crate::fleet::Order;
use crate::outcome::{Connecting, Outcome};
use crate::process::usage;
use crate::run::{RunError, bind, failed, measure};
use crate::speaker::Channel;
use sink::Sink;

/// The sender answers within a tick; this is for a machine that is full.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(crate) struct FloorArgs {
    #[command(subcommand)]
    pub(crate) side: Side,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Side {
    /// Send to whoever asks, as a relay would; until it is killed.
    Send {
        /// Where receivers ask.
        #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3478")]
        listen: SocketAddr,
    },
    /// Ask for a load and measure it, as `run` does.
    Receive(RunArgs),
}

/// What receivers ask a sender for: a line of JSON.
#[derive(Clone, Debug, PartialEq)]
struct Request {
    to: Vec<SocketAddr>,
    /// Messages a second, each for all receivers but one.
    per_second: f64,
    bytes: usize,
}

impl Request {
    fn to_json(&self) -> Value {
        json!({ "to": self.to, "per_second": self.per_second, "bytes": self.bytes })
    }

    fn from_json(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let to = value["to"].as_array()?.iter();
        Some(Self {
            to: to
                .map(|address| address.as_str()?.parse().ok())
                .collect::<Option<_>>()?,
            per_second: value["per_second"].as_f64().filter(|rate| *rate > 0.0)?,
            bytes: usize::try_from(value["bytes"].as_u64()?).ok()?,
        })
    }
}

/// Sends until it is killed.
pub(crate) fn send(listen: SocketAddr) -> io::Result<()> {
    sender::serve(listen)
}

/// Asks the sender at the given URL for a load, and measures it.
pub(crate) fn receive(args: &RunArgs) -> Result<Outcome, RunError> {
    if args.size as usize > record::PAYLOAD_MAX {
        let most = record::PAYLOAD_MAX;
        return Err(failed(format!(
            "a message of the floor is one datagram: at most {most} bytes"
        )));
    }
    if args.rooms != 1 || args.rate <= 0.0 {
        return Err(failed("the floor has one room and some messages"));
    }
    let address = args.url.trim_start_matches("http://").trim_end_matches('/');
    let start = Instant::now();
    let sender = TcpStream::connect(address).map_err(|error| failed(at(&args.url, &error)))?;
    sender.set_read_timeout(Some(TIMEOUT))?;
    let (sockets, addresses) = bind(args.clients, sender.local_addr()?.ip())?;
    let sink = Sink::new(start, sender, addresses);
    let (event_loop, handle) = EventLoop::new(sockets, sink, None, Config::default())?;
    let driver = thread::Builder::new().name("sink".into());
    let driver = driver.spawn(move || event_loop.run().map(drop))?;
    let used = usage(args.pid);
    let connecting = Connecting {
        took: start.elapsed(),
        before: used,
        after: used,
    };
    let measured = measure(args, Channel::Plain, &handle, connecting);
    let _ = handle.call(Order::End);
    driver
        .join()
        .map_err(|_| failed("the sink has panicked"))??;
    measured
}

fn at(url: &str, error: &impl fmt::Display) -> String {
    format!("{url}: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let request = Request {
            to: vec![
                SocketAddr::from(([127, 0, 0, 1], 5)),
                SocketAddr::from(([0; 16], 6)),
            ],
            per_second: 2222.5,
            bytes: 100,
        };
        let line = request.to_json().to_string();
        assert_eq!(Request::from_json(&line), Some(request));
        assert_eq!(
            Request::from_json(r#"{"to":["x"],"per_second":1,"bytes":1}"#),
            None
        );
        assert_eq!(Request::from_json("GET / HTTP/1.1"), None);
    }
}
