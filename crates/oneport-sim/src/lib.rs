//! The proof of oneport: the real [relay](oneport_core::Relay) and real
//! [clients](oneport_client::Client) in a world of virtual time, an unreliable network between them, and
//! an oracle that knows who must get what.
//!
//! - A [`World`] is a relay, its clients and the network. Time jumps to whatever happens next, so no
//!   timer is ever late and an hour of little takes moments. Tests of other crates use it too.
//! - A [`Scenario`] is a list of [`Operation`]s, from a seed or from a fuzzer's bytes. It runs under
//!   faults, then the network heals, and everything that was promised must have come true; then
//!   everybody goes, and nothing may be left. What goes wrong can be made shorter by itself.
//! - An [`Oracle`] is a model of rooms that sees only what members publish and are told.
//! - A [`Sabotage`] falsifies that, so that a test can see that the oracle notices.
//!
//! A scenario repeats by its operations, not by its bytes: keys and initial sequence numbers come from
//! the operating system.
//!
//! ```
//! use oneport_sim::Scenario;
//!
//! let report = Scenario::from_seed(0).run().expect("nothing goes wrong");
//! assert!(report.delivered > 0);
//! ```
//!
//! ```sh
//! cargo run --release -p oneport-sim -- --seeds 100000
//! ```
//!
//! Layer 2, never published.

mod dice;
pub mod fuzz;
mod guest;
mod member;
mod network;
mod operation;
mod oracle;
mod report;
mod sabotage;
mod scenario;
mod signaling;
mod stage;
mod timers;
mod traffic;
mod world;

pub use dice::Dice;
pub use guest::Guest;
pub use member::Member;
pub use network::{Access, Direction, Path};
pub use operation::{Operation, Size, Weather};
pub use oracle::Oracle;
pub use report::Report;
pub use sabotage::Sabotage;
pub use scenario::Scenario;
pub use world::{World, home, relay_address, relay_config};
