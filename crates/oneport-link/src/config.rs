//! What all links of a process have in common.

use std::net::SocketAddr;
use std::time::Duration;

use crate::egress::QUEUED_DATAGRAMS_MAX;
use crate::flight::FLIGHT_BYTES_MAX;
use crate::{Certificate, Route, Transport};

/// How many bytes a driver keeps for a TCP connection whose peer takes none: together with the kernel's buffer
/// as much as a link ever has on its way, so that only who sends the same again comes to the end of it. What
/// is beyond it is lost, as on a full network.
pub const STREAM_BYTES_MAX: usize = 256 * 1024;

/// What all links of a process have in common.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// The certificate whose fingerprint is in every description.
    pub certificate: Certificate,
    /// The addresses under which we can be reached: they go into the description as host
    /// candidates. Behind a 1:1 NAT they are the outer ones, and [`Route::local`](crate::Route)
    /// stays the inner one.
    pub candidates: Vec<SocketAddr>,
    /// The same for TCP (RFC 6544), of lower priority: for who answers, where it accepts connections; for
    /// who offers, the addresses of connections that it has made.
    pub tcp_candidates: Vec<SocketAddr>,
    /// The largest message in either direction, in bytes. It goes into the description.
    pub message_bytes_max: usize,
    /// A link takes messages while fewer bytes than this wait for the peer's acknowledgement, so
    /// that at most this and one message wait. More lets a link carry more per round trip, and costs
    /// CPU: sctp-proto looks through all that is in flight with every acknowledgement.
    pub buffered_bytes_target: usize,
    /// How many data channels a peer may have open.
    pub channels_max: usize,
    /// The longest label and the longest subprotocol of a data channel, in bytes each.
    pub label_bytes_max: usize,
    /// How long a peer has from its description to its first data channel, which takes ICE, DTLS and
    /// SCTP a few round trips.
    pub handshake_timeout: Duration,
}

impl LinkConfig {
    /// The defaults, with these addresses, and no TCP.
    pub fn new(certificate: Certificate, candidates: Vec<SocketAddr>) -> Self {
        Self {
            certificate,
            candidates,
            tcp_candidates: Vec::new(),
            message_bytes_max: 256 * 1024,
            buffered_bytes_target: 128 * 1024,
            channels_max: 32,
            label_bytes_max: 128,
            handshake_timeout: Duration::from_secs(10),
        }
    }

    /// What one link may hold in memory, in bytes: what waits for the peer, what the peer sent and
    /// is not complete, the state of ICE, DTLS and SCTP, and what the driver keeps for a TCP connection. It is what a peer can bring about by
    /// sending messages; sctp-proto 0.10 keeps more for one that makes thousands of streams or cuts
    /// messages into tiny pieces, and does not let us limit that.
    pub fn link_bytes_max(&self) -> usize {
        /// What an idle link takes, rounded up.
        const STATE_BYTES: usize = 64 * 1024;
        /// What fits an Ethernet frame; str0m makes them smaller.
        const DATAGRAM_BYTES_MAX: usize = 1500;
        let queued_bytes_max = QUEUED_DATAGRAMS_MAX * DATAGRAM_BYTES_MAX;
        let waiting_bytes_max = self.send_bytes_max() + queued_bytes_max + FLIGHT_BYTES_MAX;
        let stream_bytes_max = match self.tcp_candidates.is_empty() {
            true => 0,
            false => STREAM_BYTES_MAX,
        };
        waiting_bytes_max + stream_bytes_max + self.receive_bytes_max() + STATE_BYTES
    }

    /// The largest message that SCTP puts together, in bytes. It is more than we describe, because
    /// sctp-proto aborts the association over a message beyond its limit, and one over ours shall
    /// only be rejected. It costs nothing: str0m gives each association that much room anyway.
    pub(crate) fn receive_bytes_max(&self) -> usize {
        const RECEIVE_BYTES_MIN: usize = 1024 * 1024;
        self.message_bytes_max.max(RECEIVE_BYTES_MIN)
    }

    /// The most that can wait for the peer's acknowledgement. It must hold the largest message, or
    /// str0m would refuse that one for ever.
    pub(crate) fn send_bytes_max(&self) -> usize {
        self.buffered_bytes_target + self.message_bytes_max
    }

    /// The candidate that stands for one of our own addresses: itself, or, behind a NAT, the outer
    /// one of the same family. ICE accepts nothing that was sent to an address it does not know.
    pub(crate) fn candidate_for(&self, route: Route) -> SocketAddr {
        let local = route.local;
        let candidates = match route.transport {
            Transport::Udp => &self.candidates,
            Transport::Tcp => &self.tcp_candidates,
        };
        if candidates.contains(&local) {
            return local;
        }
        let same_family = |candidate: &&SocketAddr| candidate.is_ipv4() == local.is_ipv4();
        candidates
            .iter()
            .find(same_family)
            .copied()
            .unwrap_or(local)
    }
}
