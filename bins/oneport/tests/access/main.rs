//! The relay's binary and what it is told: its configuration, its log, what is generated of its command
//! line; and access tokens: who gets in, who does not, and what nobody gets to see.

mod command;
mod common;
mod configuration;
mod generated;
mod leaks;
mod logs;
mod signaling;
