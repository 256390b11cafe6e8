//! The relay and its clients in virtual time, under an oracle.

mod crowd;
mod regressions;
mod scenarios;
