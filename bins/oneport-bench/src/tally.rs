//! What has arrived, and how late.

use std::collections::HashMap;

use hdrhistogram::Histogram;

use crate::payload::Payload;

/// Latencies beyond this are counted as this.
const LATENCY_US_MAX: u64 = 60_000_000;

/// What all clients together have received.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// Of each receiver and sender, the number of the message that comes next.
    next: HashMap<(u32, u32), u32>,
    pub(crate) counts: Counts,
    /// From when a message was due until it was received, in microseconds.
    pub(crate) latency_us: Histogram<u64>,
}

/// What became of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Messages that were handed to a channel.
    pub(crate) sent: u64,
    /// Messages that were due and were not sent: the channel did not take them, or its link was lost, or
    /// the time was over.
    pub(crate) blocked: u64,
    /// Messages that arrived, once for each receiver.
    pub(crate) received: u64,
    /// Messages that came back to who had sent them, which is no delivery, but work for the relay.
    pub(crate) echoed: u64,
    /// Those that arrived after a later one of the same sender, or twice.
    pub(crate) disordered: u64,
    /// Messages that are none of the load's.
    pub(crate) strange: u64,
    /// Links that ended without being asked to.
    pub(crate) links_lost: u64,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let latency_us = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3);
        Self {
            next: HashMap::new(),
            counts: Counts::default(),
            latency_us: latency_us.expect("the bounds are in order"),
        }
    }

    /// A message came, so long after the fleet's beginning.
    pub(crate) fn receive(
        &mut self,
        receiver: u32,
        bytes: &[u8],
        now_ns: u64,
        counts_latency: bool,
    ) {
        let Some(payload) = Payload::read(bytes) else {
            self.counts.strange += 1;
            return;
        };
        self.counts.received += 1;
        let next = self.next.entry((receiver, payload.sender)).or_insert(0);
        if payload.number < *next {
            self.counts.disordered += 1;
        } else {
            *next = payload.number + 1;
        }
        if counts_latency {
            let latency_us = now_ns.saturating_sub(payload.due_ns) / 1000;
            self.latency_us.saturating_record(latency_us);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Form;

    #[test]
    fn order_and_lateness() {
        let mut tally = Tally::new();
        let mut bytes = Vec::new();
        let mut take = |sender, number, due_ns| {
            let payload = Payload {
                sender,
                number,
                due_ns,
            };
            payload.write(50, Form::Binary, &mut bytes);
            tally.receive(9, &bytes, 5_000_000, true);
        };
        take(1, 0, 4_000_000);
        take(1, 2, 4_000_000);
        take(1, 1, 1_000_000);
        take(2, 0, 4_000_000);
        tally.receive(9, b"hello", 0, true);
        let counts = tally.counts;
        assert_eq!(
            (counts.received, counts.disordered, counts.strange),
            (4, 1, 1)
        );
        assert_eq!(tally.latency_us.value_at_quantile(0.5), 1000);
        assert!((4000..4010).contains(&tally.latency_us.max()));
    }
}
