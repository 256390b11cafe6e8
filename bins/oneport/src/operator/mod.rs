//! What only the operator may ask: how the relay does, and to have something done.
//!
//! Each path has a file of its own beside this one. All run on signaling's threads and ask the relay by
//! its event loop's queue, a bounded amount at a time.

mod access;

use std::sync::{Arc, OnceLock, Weak};

use oneport_core::{Command, Relay};
use oneport_io::{CallError, Handle};
use oneport_signal::{Endpoint, Method, OperatorRequest, OperatorResponse, Problem};

use crate::token::Authority;
use access::Access;

/// Answers the operator's requests.
pub(crate) struct Operator {
    relay: Handle<Relay>,
    /// Without one there are no tokens: only who is on this machine may ask.
    authority: Option<Arc<Authority>>,
    /// For its counters. The endpoint owns whoever owns this.
    #[expect(dead_code, reason = "its counters are shown next")]
    endpoint: Weak<OnceLock<Endpoint>>,
}

impl Operator {
    pub(crate) fn new(
        relay: Handle<Relay>,
        authority: Option<Arc<Authority>>,
        endpoint: Weak<OnceLock<Endpoint>>,
    ) -> Self {
        Self {
            relay,
            authority,
            endpoint,
        }
    }

    /// Whether a request may be made at all, before its body is read.
    pub(crate) fn admit(&self, request: &OperatorRequest) -> Result<(), Problem> {
        // Load balancers ask this one, and it says nothing that they do not see anyway.
        if request.path == "/readyz" {
            return Ok(());
        }
        Access::of(request, self.authority.as_deref()).map(drop)
    }

    /// Answers a request that may be made.
    pub(crate) fn operate(
        &self,
        request: &OperatorRequest,
        _body: Vec<u8>,
    ) -> Result<OperatorResponse, Problem> {
        if request.path == "/readyz" {
            only_get(request)?;
            return self.ready();
        }
        // Asked again: the token may have expired while the body was on its way.
        let access = Access::of(request, self.authority.as_deref())?;
        access.whole_relay()?;
        Err(Problem::not_found())
    }

    /// Whether the relay can serve: its event loop answers, in time.
    fn ready(&self) -> Result<OperatorResponse, Problem> {
        self.ask(Command::Stats)?;
        Ok(OperatorResponse::new(200).body("text/plain; charset=utf-8", b"ready\n"))
    }

    /// Has the relay carry out a command.
    ///
    /// # Errors
    ///
    /// `shutting_down` or `busy`, with a time to come back.
    fn ask(&self, command: Command) -> Result<oneport_core::Reply, Problem> {
        self.relay.call(command).map_err(|error| {
            let (code, retry_after) = match error {
                CallError::Stopped => ("shutting_down", "5"),
                CallError::Busy | CallError::Timeout => ("busy", "1"),
            };
            Problem::new(503, code, error.to_string()).header("Retry-After", retry_after)
        })
    }
}

/// For paths that can only be read.
fn only_get(request: &OperatorRequest) -> Result<(), Problem> {
    match request.method {
        Method::Get | Method::Head => Ok(()),
        _ => Err(Problem::method_not_allowed("GET, HEAD")),
    }
}
