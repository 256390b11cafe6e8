//! Loss recovery and congestion control: round trips, RACK, the congestion window. Arithmetic alone;
//! what is in flight is the sender's.

mod congestion;
mod rack;
mod round_trip;

pub(crate) use congestion::Congestion;
pub(crate) use rack::{Rack, Verdict};
pub(crate) use round_trip::RoundTrip;
