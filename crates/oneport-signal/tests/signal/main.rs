//! The endpoint over real sockets on loopback, against a fake backend.

mod bad_requests;
mod common;
mod http;
mod limits;
mod operator;
mod proxy;
mod restart;
mod tls;
mod websocket;
