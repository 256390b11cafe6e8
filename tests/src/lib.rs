//! What oneport's end-to-end tests stand on: real browsers, the real binary, real sockets.
//!
//! This is the test support, not the tests: those are the `[[test]]` targets beside `src/`. It starts
//! the relay as a user would and looks at it from outside; of the workspace's crates it uses the native
//! clients, on the level of links and of programs, and for [`fuzz`] the program's tokens.
//!
//! - [`browser`] drives headless Chromium and Firefox,
//! - [`relay`] starts and stops the relay's binary,
//! - [`native`] is a client without a browser,
//! - [`fuzz`] has the body of a fuzz target,
//! - [`talkers`] talk all the time and notice what is done to the relay,
//! - [`http`] sends bytes, good or bad, and reads the response,
//! - [`stub`] serves small pages from memory,
//! - [`network`] is one of its own for a relay, with loss and cuts,
//! - [`udp_path`] lies between clients and a relay, and can be cut,
//! - [`sockets`] counts the sockets that a process holds, [`usage`] its memory and processor time,
//! - [`wait`] and [`lines`] wait, always bounded; [`artifacts`] is where pictures are kept.
//!
//! ```no_run
//! use oneport_tests::{Result, browser::Browser, relay::Relay};
//! use std::time::Duration;
//!
//! fn main() -> Result {
//!     let relay = Relay::start(&["--listen", "127.0.0.1:0"])?;
//!     let chromium = Browser::chromium()?;
//!     let page = chromium.open(&format!("{}#room", relay.url()))?;
//!     page.wait_for("document.documentElement.dataset.state === 'connected'", Duration::from_secs(10))
//! }
//! ```

pub mod artifacts;
pub mod browser;
mod carrier;
pub mod certificate;
mod contained;
mod error;
pub mod fuzz;
pub mod http;
pub mod lines;
pub mod native;
pub mod network;
pub mod relay;
pub mod sockets;
pub mod stub;
pub mod talkers;
pub mod two_ways;
pub mod udp_path;
pub mod usage;
pub mod wait;

pub use error::{Error, Result};
