//! One event loop on one thread that runs any [`Machine`](oneport_link::Machine).
//!
//! The loop owns the sockets, the clock and the waiting; the machine owns every decision. Datagrams
//! are received in batches and fed with one `now` for each wake-up, what the machine wants sent
//! leaves in trains where the kernel can cut them (GSO), timers come from `poll_timeout`, and other
//! threads ask by [`Handle::call`]. A TCP listener on the number of the UDP port may stand beside
//! it: the first bytes of each connection decide. What looks like HTTP is handed to a callback as an
//! ordinary blocking stream. What begins with a connectivity check in a frame carries datagrams (ICE-TCP, RFC
//! 6544), and stays: to the machine it is a route like any other.
//!
//! For programs with one machine that just want to wait for what happens, [`Running`] puts the loop
//! on a thread of its own, which is the only one that this crate starts.
//!
//! It is not a runtime and not a server: it knows nothing of rooms, of WebRTC (but how ICE-TCP begins) or of
//! HTTP, and keeps no connection once it has handed it over.
//!
//! Layer 1: it uses the `Machine` trait of `oneport-link`, the framing in `oneport-wire`, and mio, quinn-udp, socket2 and rustix below.
//!
//! # Example
//!
//! A machine that sends every datagram back to where it came from:
//!
//! ```
//! use std::collections::VecDeque;
//! use std::net::UdpSocket;
//! use std::time::Instant;
//!
//! use oneport_io::{BindOptions, Config, EventLoop, Sockets};
//! use oneport_link::{Input, Machine, Reason, Transmit};
//!
//! #[derive(Default)]
//! struct Echo {
//!     replies: VecDeque<Transmit>,
//!     stopped: bool,
//! }
//!
//! impl Machine for Echo {
//!     type Command = ();
//!     type Reply = ();
//!
//!     fn handle_input(&mut self, _now: Instant, input: Input<'_>) {
//!         if let Input::Datagram { route, bytes } = input {
//!             self.replies.push_back(Transmit { route, contents: bytes.to_vec() });
//!         }
//!     }
//!
//!     fn handle_command(&mut self, _now: Instant, (): ()) {
//!         self.stopped = true;
//!     }
//!
//!     fn poll_transmit(&mut self) -> Option<Transmit> {
//!         self.replies.pop_front()
//!     }
//!
//!     fn poll_timeout(&self) -> Option<(Instant, Reason)> {
//!         None
//!     }
//!
//!     fn is_finished(&self) -> bool {
//!         self.stopped
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sockets = Sockets::bind(&["127.0.0.1:0".parse()?], &BindOptions::default())?;
//! let relay = sockets.local_addrs()[0];
//! let (event_loop, handle) = EventLoop::new(sockets, Echo::default(), None, Config::default())?;
//! let thread = std::thread::spawn(move || event_loop.run());
//!
//! let client = UdpSocket::bind("127.0.0.1:0")?;
//! client.send_to(b"hello", relay)?;
//! let mut answer = [0; 16];
//! let (length, _) = client.recv_from(&mut answer)?;
//! assert_eq!(&answer[..length], b"hello");
//!
//! handle.call(())?;
//! thread.join().expect("the loop does not panic")?;
//! # Ok(())
//! # }
//! ```

mod accept_pause;
mod address;
mod alarm;
mod bind_error;
mod command_queue;
mod config;
mod egress;
mod event_loop;
mod framed_stream;
mod framed_streams;
mod handle;
mod receive_batch;
mod running;
mod sniff;
mod sockets;
mod spin_guard;
mod stats;
mod tcp;
mod token;
mod udp;
mod waiting;

pub use bind_error::BindError;
pub use config::Config;
pub use event_loop::{EventLoop, OnStream};
pub use handle::{CallError, Handle};
pub use running::{Caller, Running};
pub use sockets::{BindOptions, Sockets};
pub use stats::Stats;
