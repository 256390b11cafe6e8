//! The bodies of the fuzz targets: each takes any bytes, and panics where a promise is broken.
//!
//! `fuzz/` has a shim over each for `cargo fuzz`, and the corpora; the ordinary tests replay those, with
//! some mutations of them. What a body makes of its bytes must stay as it is, or the corpora lose
//! their meaning: what is new goes to the end of its list.

mod channel;
mod datagrams;
mod frames;
mod hub;
mod scenario;
mod scene;
mod sctp;
mod signaling;
mod state;
mod stream;

pub use channel::channel;
pub use datagrams::datagrams;
pub use frames::frames;
pub use hub::hub;
pub use scenario::scenario;
pub use sctp::sctp;
pub use signaling::signaling;
pub use state::state;
pub use stream::stream;
