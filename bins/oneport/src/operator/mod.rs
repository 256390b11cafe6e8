//! What only the operator may ask: how the relay does, and to have something done.
//!
//! Each path has a file of its own beside this one. All run on signaling's threads and ask the relay by
//! its event loop's queue, a bounded amount at a time.

mod access;
mod api;
mod metrics;
mod status;

use std::sync::{Arc, OnceLock, Weak};
use std::time::SystemTime;

use oneport_core::{Command, Relay, Reply, Stats};
use oneport_io::{CallError, Handle};
use oneport_signal::{Endpoint, Method, OperatorRequest, OperatorResponse, Problem};
use oneport_wire::Refusal;

use crate::certificate::CertificateFiles;
use crate::token::Authority;
use crate::webhook::Webhook;
use access::Access;
pub(crate) use metrics::Limits;
use metrics::{Format, Process, Scrape};

/// Answers the operator's requests.
pub(crate) struct Operator {
    relay: Handle<Relay>,
    /// Without one there are no tokens: only who is on this machine may ask.
    authority: Option<Arc<Authority>>,
    /// For its counters. The endpoint owns whoever owns this.
    endpoint: Weak<OnceLock<Endpoint>>,
    /// For its counts.
    webhook: Option<Arc<Webhook>>,
    /// For its end.
    certificate: Option<Arc<CertificateFiles>>,
    limits: Limits,
    started: SystemTime,
}

impl Operator {
    pub(crate) fn new(
        relay: Handle<Relay>,
        authority: Option<Arc<Authority>>,
        endpoint: Weak<OnceLock<Endpoint>>,
        webhook: Option<Arc<Webhook>>,
        certificate: Option<Arc<CertificateFiles>>,
        limits: Limits,
    ) -> Self {
        Self {
            relay,
            authority,
            endpoint,
            webhook,
            certificate,
            limits,
            started: SystemTime::now(),
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
        body: Vec<u8>,
    ) -> Result<OperatorResponse, Problem> {
        if request.path == "/readyz" {
            only_get(request)?;
            return self.ready();
        }
        // Asked again: the token may have expired while the body was on its way.
        let access = Access::of(request, self.authority.as_deref())?;
        if let Some(path) = request.path.strip_prefix("/api/v1/") {
            // Whoever acts in rooms shows a token: behind a proxy that leaves no trace, somebody else's
            // request looks local.
            match (&access, &self.authority) {
                (Access::Admin(_), _) => {}
                (Access::Local, Some(_)) => return Err(Problem::from(&Refusal::TokenMissing)),
                (Access::Local, None) => {
                    let detail = "this is for access tokens with the right admin, and the relay has no \
                                  secret that could sign one";
                    return Err(Problem::new(403, "forbidden", detail));
                }
            }
            return self.api(&access, path, request, &body);
        }
        match request.path.as_str() {
            "/metrics" => {
                access.whole_relay()?;
                only_get(request)?;
                Ok(self.metrics(Format::of(request.accept.as_deref())))
            }
            "/status/data" => {
                access.whole_relay()?;
                only_get(request)?;
                self.status()
            }
            _ => Err(Problem::not_found()),
        }
    }

    fn status(&self) -> Result<OperatorResponse, Problem> {
        let Reply::Overview(overview) = self.ask(Command::Overview)? else {
            return Err(Problem::not_found());
        };
        let data = status::data(&overview, &self.scrape(None)).to_string();
        Ok(OperatorResponse::new(200).body("application/json", data.into_bytes()))
    }

    fn metrics(&self, format: Format) -> OperatorResponse {
        let stats = match self.relay.call(Command::Stats) {
            Ok(Reply::Stats(stats)) => Some(*stats),
            _ => None,
        };
        let text = self.scrape(stats).to_text(format);
        OperatorResponse::new(200)
            .header("Vary", "Accept")
            .body(format.content_type(), text.into_bytes())
    }

    /// All that is counted, with what the relay has said.
    fn scrape(&self, mut relay: Option<Stats>) -> Scrape {
        let endpoint = self.endpoint.upgrade();
        let endpoint = endpoint.as_ref().and_then(|endpoint| endpoint.get());
        // The relay does not see whom signaling refuses, for their token above all.
        if let (Some(relay), Some(endpoint)) = (&mut relay, endpoint) {
            relay.refused = endpoint.refusals();
        }
        Scrape {
            relay,
            event_loop: self.relay.stats(),
            signaling: endpoint.map(Endpoint::counters).unwrap_or_default(),
            connections: endpoint.map_or(0, Endpoint::connections),
            certificate_end: self.certificate.as_ref().map(|files| files.not_after()),
            process: Process::now(),
            webhook: self.webhook.as_ref().map(|webhook| webhook.counts()),
            limits: self.limits,
            started: self.started,
        }
    }

    /// Whether the relay can serve: its event loop answers, in time.
    fn ready(&self) -> Result<OperatorResponse, Problem> {
        if let Reply::Stats(stats) = self.ask(Command::Stats)?
            && stats.is_shutting_down
        {
            let detail = "the relay is shutting down";
            return Err(Problem::new(503, "shutting_down", detail).header("Retry-After", "5"));
        }
        Ok(OperatorResponse::new(200).body("text/plain; charset=utf-8", b"ready\n"))
    }

    /// Has the relay carry out a command.
    ///
    /// # Errors
    ///
    /// `shutting_down` or `busy`, with a time to come back.
    fn ask(&self, command: Command) -> Result<Reply, Problem> {
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
