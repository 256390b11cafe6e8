//! Access tokens on the relay's binary: who gets in, who does not, and what nobody gets to see.

mod command;
mod common;
mod leaks;
mod signaling;
