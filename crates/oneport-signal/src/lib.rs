//! oneport's blocking signaling endpoint: HTTP/1.1 and WebSocket on threads.
//!
//! It serves the page and the browser library, takes SDP offers (`POST /r/{room}` in the shape of
//! WHIP, RFC 9725, or JSON over a WebSocket at `/ws`), and asks a [`Backend`] for the answers.
//!
//! `PATCH` on a session's URL restarts ICE, for links that were made over a WebSocket as well, and `DELETE`
//! ends the session.
//!
//! It is not a web server for anything else, and it does not listen:
//! somebody else accepts connections and hands them over with [`Endpoint::serve`], which never
//! blocks. It knows neither the relay core nor the event loop; it only sees the [`Backend`].
//! Layer 1: above `oneport-wire`, beside the core.
//!
//! With a certificate ([`Endpoint::with_tls`]) it speaks TLS and plain HTTP on the same port, told apart by
//! the first byte, and leads from the one to the other. Behind a proxy it believes what that says about its
//! clients ([`Config::trusted_proxies`]).
//!
//! A client may show an access token, as `Authorization: Bearer` (RFC 6750) or as the member `token`
//! of its request over the WebSocket; the endpoint hands it to the backend and knows nothing about it.
//!
//! A few paths are the operator's (`/metrics`, `/readyz`, `/status/data`, `/api/…`): they go to the
//! backend as they are, which says who may ask and what is answered. Pages of other origins cannot read
//! them.
//!
//! Each connection has a thread of its own. Everything about it is bounded, by [`Config`] or by a
//! named constant: how many there are, how long a request may take to arrive however it is
//! dripped, how long a response may take to leave, how many requests and bytes there may be.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use std::sync::Arc;
//!
//! use oneport_signal::{
//!     Backend, Config, ConnectRequest, Connected, Endpoint, RestartRequest, Restarted,
//! };
//! use oneport_wire::{Refusal, RestartRefusal, RoomName, SessionId};
//!
//! struct Full;
//!
//! impl Backend for Full {
//!     fn connect(&self, _: ConnectRequest) -> Result<Connected, Refusal> {
//!         Err(Refusal::RelayFull)
//!     }
//!     fn restart_ice(&self, _: RestartRequest) -> Result<Restarted, RestartRefusal> {
//!         Err(RestartRefusal::NoSuchSession)
//!     }
//!     fn disconnect(&self, _: &RoomName, _: SessionId) -> bool {
//!         false
//!     }
//! }
//!
//! let endpoint = Endpoint::new(Config::default(), &[], Arc::new(Full));
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//!
//! let mut client = TcpStream::connect(listener.local_addr()?)?;
//! let (stream, peer) = listener.accept()?;
//! endpoint.serve(stream, peer);
//!
//! client.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
//! let mut response = String::new();
//! client.read_to_string(&mut response)?;
//! assert!(response.starts_with("HTTP/1.1 200 OK\r\n"));
//! assert!(response.ends_with("\r\n\r\nok\n"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod asset;
mod authorization;
mod backend;
mod cidr;
mod config;
mod connection;
mod counters;
mod date;
mod deadline_stream;
mod endpoint;
mod forwarded;
mod handler;
mod handshake;
mod head;
mod locality;
mod operator;
mod percent;
mod places;
mod problem;
mod redirect;
mod response;
mod restart;
mod route;
mod tls;
mod transport;
mod websocket;

pub use asset::Asset;
pub use backend::{Backend, ConnectRequest, Connected, RestartRequest, Restarted};
pub use cidr::{BadCidr, Cidr};
pub use config::Config;
pub use counters::Counters;
pub use endpoint::{Endpoint, STACK_BYTES};
pub use head::Method;
pub use operator::{OperatorRequest, OperatorResponse};
pub use percent::{PercentError, percent_decode};
pub use problem::Problem;
pub use tls::{Identities, Identity, IdentityError};
pub use transport::Transport;
pub use websocket::WEBSOCKET_MESSAGE_BYTES_MAX;
