//! What has become of a webhook's events.

use std::fmt;

use crate::webhook::WebhookCounts;

use super::exposition::Exposition;

pub(super) fn encode(counts: &WebhookCounts, out: &mut Exposition<'_>) -> fmt::Result {
    let WebhookCounts {
        waiting,
        told,
        dropped,
        failed_requests,
    } = *counts;
    let help = "Events that wait to be told to the webhook.";
    out.gauge("oneport_webhook_waiting", help, waiting)?;
    let help = "Events for the webhook: told, or dropped because they found no room or it did not take \
                them.";
    let results = [("told", told), ("dropped", dropped)];
    out.counters("oneport_webhook_events", help, "result", results)?;
    let help =
        "Requests that the webhook's receiver did not take, those that were tried again included.";
    out.counter("oneport_webhook_failed_requests", help, failed_requests)
}
