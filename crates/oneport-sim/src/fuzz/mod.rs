//! The bodies of the fuzz targets: each takes any bytes, and panics where a promise is broken.
//!
//! `fuzz/` has a shim over each for `cargo fuzz`, and the corpora; the ordinary tests replay those, with
//! some mutations of them. What a body makes of its bytes must stay as it is, or the corpora lose
//! their meaning: what is new goes to the end of its list.
//!
//! To make a world costs more than an input does. So the fuzzer plays inputs in turn in the same world
//! (`datagrams_in_turn`, `sctp_in_turn`), and the tests replay each in its own. Where an input fails only after
//! others, the same corpora and libFuzzer's `-seed`, which it prints, repeat them all.

mod channel;
mod datagrams;
mod frames;
mod hub;
mod offers;
mod scenario;
mod scene;
mod sctp;
mod signaling;
mod state;
mod stream;

pub use channel::channel;
pub use datagrams::{datagrams, datagrams_in_turn};
pub use frames::frames;
pub use hub::hub;
pub use offers::offers;
pub use scenario::scenario;
pub use sctp::{sctp, sctp_in_turn};
pub use signaling::signaling;
pub use state::state;
pub use stream::stream;
