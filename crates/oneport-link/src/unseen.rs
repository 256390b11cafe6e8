//! What str0m was given and not yet asked about.

/// The most datagrams that wait to be looked at together. dimpl 0.9 keeps 30 (`max_queue_rx`).
const DATAGRAMS_MAX: usize = 24;

/// The most bytes. SCTP must acknowledge every second packet of full size (RFC 9260 section 6.2): a
/// sender that gets fewer acknowledgements opens its window more slowly.
const BYTES_MAX: usize = 2_000;

/// What str0m was given and not yet asked about.
///
/// str0m wants to be drained after each change. That DTLS records of an open association may be given
/// in a row was found in its source (0.25.0): they wait in a queue of dimpl's until it is polled, and
/// the timers that run in between only set flags. It spares what each drain costs: sctp-proto looks
/// through all that is in flight, and every second one sends an acknowledgement.
#[derive(Debug, Default)]
pub(crate) struct Unseen {
    datagrams: usize,
    bytes: usize,
}

impl Unseen {
    /// One more, of that length.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.datagrams += 1;
        self.bytes += bytes;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.datagrams == 0
    }

    /// Whether no more may be added.
    pub(crate) fn is_full(&self) -> bool {
        self.datagrams >= DATAGRAMS_MAX || self.bytes >= BYTES_MAX
    }
}
