//! The relay's binary with real sockets and no browser: what its signaling says to anybody, what its
//! command says to its operator, and messages over loopback.

mod alerts;
mod bench;
mod chat;
mod check;
mod command;
mod embed;
mod messages;
mod metrics;
mod operator;
mod proxy;
mod signaling;
mod state;
mod tcp;
mod terminal;
mod tls;
