//! One HTTP connection, from the first byte until it closes or becomes a WebSocket.

use std::io::{self, ErrorKind, Read, Write};
use std::net::IpAddr;
use std::time::SystemTime;

use log::debug;

use crate::config::Config;
use crate::date::http_date;
use crate::deadline_stream::DeadlineStream;
use crate::forwarded::Origin;
use crate::handler::{Handler, Plan};
use crate::head::{Head, Method};
use crate::places::{self, Evicted, Place};
use crate::problem::Problem;
use crate::redirect;
use crate::response::{Form, Persistence, Response};
use crate::route::Route;
use crate::transport::Transport;
use crate::websocket;

/// A connection and the bytes that were read from it but not used yet: pipelined requests stay
/// here while the ones before them are answered.
pub(crate) struct Connection<'a, T> {
    config: &'a Config,
    handler: &'a Handler,
    peer: Peer,
    stream: DeadlineStream<T>,
    place: Option<Place>,
    buffer: Vec<u8>,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// In TLS, or where there is none to be had.
    pub(crate) is_private: bool,
}

/// What comes after a request.
enum Next {
    Request,
    Close,
    /// Of this client.
    WebSocket(IpAddr),
}

/// What a read is for, which decides whether its failure deserves a response.
#[derive(Clone, Copy)]
enum Waiting {
    /// Nothing of a request is there yet.
    ForRequest,
    /// Its beginning is.
    ForRest,
}

/// Why no whole request arrived.
enum Stop {
    /// Nobody is there, or nobody asked anything.
    Silently,
    /// The client hears why. What it has sent is of no use any more.
    With(Problem),
}

impl From<Evicted> for Stop {
    fn from(_: Evicted) -> Self {
        Self::Silently
    }
}

impl<'a, T: Transport> Connection<'a, T> {
    pub(crate) fn new(
        config: &'a Config,
        handler: &'a Handler,
        peer: Peer,
        stream: DeadlineStream<T>,
        place: Option<Place>,
    ) -> Self {
        Self {
            config,
            handler,
            peer,
            stream,
            place,
            buffer: Vec::new(),
        }
    }

    /// Serves the connection to its end. The stream has its deadline for the first request.
    pub(crate) fn run(mut self) {
        let mut left = self.config.requests_per_connection_max;
        let next = loop {
            left = left.saturating_sub(1);
            match self.serve_request(left == 0) {
                Ok(Next::Request) => {}
                next => break next,
            }
            if let Err(stop) = self.await_next_request() {
                break Err(stop);
            }
        };
        match next {
            Ok(Next::WebSocket(client)) => {
                websocket::run(
                    self.config,
                    self.handler,
                    client,
                    self.stream,
                    self.place,
                    self.buffer,
                );
            }
            Ok(_) => self.stream.linger(self.config.linger_timeout),
            Err(Stop::Silently) => {}
            Err(Stop::With(problem)) => self.fail(problem),
        }
    }

    /// Reads a request and answers it; `last` if the connection shall close after it.
    fn serve_request(&mut self, last: bool) -> Result<Next, Stop> {
        let head = self.read_head()?;
        let origin = self.origin(&head);
        let by_proxy = !origin.is_direct && !origin.by_http;
        let is_private = self.peer.is_private || by_proxy;
        let plan = match is_private || is_open_to_all(&head, origin.client) {
            true => self.handler.plan(&head, &origin),
            false => redirect::to_https(&head)
                .inspect(|_| self.handler.meters.redirects.count())
                .map(Plan::Respond),
        };
        // The next request begins after the body. Where nobody wants the body, closing is simpler
        // than reading it; and a client that waits for 100 Continue may never send it.
        let body_unread = head.content_length.unwrap_or(0) > 0;
        let (response, close) = match plan {
            Ok(Plan::Upgrade(response)) => {
                self.respond(&head, response, Persistence::KeepAlive)?;
                return Ok(Next::WebSocket(origin.client));
            }
            Ok(Plan::ReadOffer { room, bytes }) => {
                let body = self.read_body(&head, bytes)?;
                let token = head.access_token.clone();
                let offer = || self.handler.offer(room, body, token, origin.client);
                (places::answer(&mut self.place, offer)?, false)
            }
            Ok(Plan::ReadOperation { request, bytes }) => {
                let body = self.read_body(&head, bytes)?;
                let operate = || self.handler.operate(&request, body);
                (places::answer(&mut self.place, operate)?, false)
            }
            Ok(Plan::ReadFragment { about, bytes }) => {
                let body = self.read_body(&head, bytes)?;
                let restart = || self.handler.restart(about, body);
                (places::answer(&mut self.place, restart)?, false)
            }
            Ok(Plan::Respond(response)) => {
                (places::answer(&mut self.place, || response)?, body_unread)
            }
            Err(problem) => (problem.into(), body_unread),
        };
        let persistence = match (last || close || !head.keep_alive, head.http11) {
            (true, _) => Persistence::Close,
            (false, true) => Persistence::KeepAlive,
            (false, false) => Persistence::KeepAliveSaid,
        };
        self.respond(&head, response, persistence)?;
        match persistence {
            Persistence::Close => Ok(Next::Close),
            Persistence::KeepAlive | Persistence::KeepAliveSaid => Ok(Next::Request),
        }
    }

    fn origin(&self, head: &Head) -> Origin {
        let trusted = &self.config.trusted_proxies;
        let origin = head.forwarded.origin(self.peer.address, trusted);
        if origin.is_garbled {
            self.handler.meters.forwarded_garbled.count();
        }
        origin
    }

    fn read_head(&mut self) -> Result<Head, Stop> {
        loop {
            match Head::parse(&self.buffer, self.config.head_bytes_max) {
                Ok(Some((head, length))) => {
                    self.buffer.drain(..length);
                    return Ok(head);
                }
                Ok(None) if self.buffer.is_empty() => self.read_more(Waiting::ForRequest)?,
                Ok(None) => self.read_more(Waiting::ForRest)?,
                Err(fault) => return Err(Stop::With(fault.into())),
            }
        }
    }

    fn read_body(&mut self, head: &Head, bytes: usize) -> Result<Vec<u8>, Stop> {
        // A client that has begun with the body does not wait for this (RFC 9110 section 10.1.1).
        if head.expects_continue && self.buffer.is_empty() && bytes > 0 {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        while self.buffer.len() < bytes {
            self.read_more(Waiting::ForRest)?;
        }
        let rest = self.buffer.split_off(bytes);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    /// Waits for the beginning of another request, and sets the time that the whole of it has.
    fn await_next_request(&mut self) -> Result<(), Stop> {
        if self.buffer.is_empty() {
            self.stream.read_within(self.config.keep_alive_timeout);
            self.read_more(Waiting::ForRequest)?;
        }
        self.stream.read_within(self.config.request_timeout);
        Ok(())
    }

    /// Reads once. With this, the buffer never holds more than one chunk beyond what is needed: it
    /// is only called while a head or body that has a limit is not complete.
    fn read_more(&mut self, waiting: Waiting) -> Result<(), Stop> {
        let mut chunk = [0; CHUNK_BYTES];
        match (self.stream.read(&mut chunk), waiting) {
            (Ok(count @ 1..), _) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                Ok(())
            }
            (Ok(0), Waiting::ForRest) => Err(Stop::With(Problem::incomplete())),
            (Err(error), Waiting::ForRest) if error.kind() == ErrorKind::TimedOut => {
                self.handler.meters.timeouts.count();
                Err(Stop::With(Problem::request_timeout()))
            }
            _ => Err(Stop::Silently),
        }
    }

    fn respond(
        &mut self,
        head: &Head,
        response: Response,
        persistence: Persistence,
    ) -> Result<(), Stop> {
        debug!(
            "{:?} {} -> {}",
            head.method,
            Route::of(&head.path),
            response.status
        );
        let form = Form {
            head_only: head.method == Method::Head,
            persistence,
        };
        self.send(&response, form)
    }

    /// The last response, to what was not a request.
    fn fail(mut self, problem: Problem) {
        let response = Response::from(problem);
        debug!("no request -> {}", response.status);
        let form = Form {
            head_only: false,
            persistence: Persistence::Close,
        };
        if self.send(&response, form).is_ok() {
            self.stream.linger(self.config.linger_timeout);
        }
    }

    fn send(&mut self, response: &Response, form: Form) -> Result<(), Stop> {
        self.handler.meters.response(response.status);
        self.write(&response.to_bytes(form, &http_date(SystemTime::now())))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.stream.write_within(self.config.write_timeout);
        let written = self.stream.write_all(bytes);
        let written = written.and_then(|()| self.stream.flush());
        written.map_err(|error: io::Error| {
            if error.kind() == ErrorKind::TimedOut {
                self.handler.meters.timeouts.count();
            }
            // Whoever does not take a response would not take an error either.
            Stop::Silently
        })
    }
}

/// Whether plain HTTP may do although there is TLS: for who only asks how the relay is, and for
/// clients on this machine.
fn is_open_to_all(head: &Head, client: IpAddr) -> bool {
    client.is_loopback()
        || matches!(
            Route::of(&head.path),
            Route::Health | Route::Operator("/readyz")
        )
}

/// A request with a usual offer comes in one read; this lies on the thread's stack.
const CHUNK_BYTES: usize = 4096;
