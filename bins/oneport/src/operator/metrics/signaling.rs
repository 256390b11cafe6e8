//! What signaling counts.

use std::fmt;

use oneport_signal::Counters;

use super::exposition::Exposition;

pub(super) fn encode(
    counters: &Counters,
    connections: usize,
    out: &mut Exposition<'_>,
) -> fmt::Result {
    let help = "Connections to signaling that are open, WebSockets included.";
    out.gauge("oneport_http_connections", help, connections)?;
    let help = "Connections to signaling by what became of them: served; turned away because all were \
                busy; evicted for a newcomer; failed for want of a thread; timed out.";
    let fates = [
        ("served", counters.served),
        ("turned_away", counters.turned_away),
        ("evicted", counters.evicted),
        ("failed", counters.failed),
        ("timed_out", counters.timeouts),
    ];
    out.counters("oneport_http_connections_sorted", help, "as", fates)?;
    let help = "TLS handshakes, by how they ended.";
    let handshakes = [("done", counters.tls), ("failed", counters.tls_failed)];
    out.counters("oneport_tls_handshakes", help, "result", handshakes)?;
    let help = "Requests by plain HTTP that were led to https.";
    out.counter("oneport_http_redirects", help, counters.redirects)?;
    let help =
        "Requests whose trusted proxy did not say who is behind it in a way that can be read.";
    out.counter(
        "oneport_http_forwarded_garbled",
        help,
        counters.forwarded_garbled,
    )?;
    let help = "HTTP responses, by class of status.";
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    let responses = classes.into_iter().zip(counters.responses);
    out.counters("oneport_http_responses", help, "class", responses)?;
    let help = "Requests over WebSocket.";
    out.counter(
        "oneport_websocket_requests",
        help,
        counters.websocket_messages,
    )?;
    let help = "Offers, by whether they were answered or refused.";
    let results = [
        ("answered", counters.connects),
        ("refused", counters.refusals),
    ];
    out.counters("oneport_offers", help, "result", results)
}
