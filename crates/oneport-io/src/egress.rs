//! What waits to leave a UDP socket.

use std::collections::VecDeque;
use std::io;

use oneport_link::{Route, Transmit};

use crate::stats::Stats;

/// How many datagrams may wait while the kernel takes none.
///
/// About as many full ones as its send buffer of 2 MiB holds, each charged with some 2,300 bytes:
/// the way out gets at most twice as long by this queue.
const DATAGRAMS_MAX: usize = 1024;

/// How many bytes may wait while the kernel takes none: [`DATAGRAMS_MAX`] of them are 1.2 MiB in
/// practice, and this bounds them where a machine sends larger ones.
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// With how much waiting a flush is due in the middle of a burst: enough that the next train is
/// seldom cut short, and little enough to stay in the processor's cache.
const FLUSH_DATAGRAMS: usize = 256;
const FLUSH_BYTES: usize = BYTES_MAX / 4;

/// The largest train: what one UDP datagram can be over IPv4, 65,535 bytes less 28 of headers. Over
/// IPv6 it can be 20 bytes more.
const TRAIN_BYTES_MAX: usize = 65_507;

/// The largest datagram that joins a train: what fits into an Ethernet frame over IPv6. If one is
/// larger than the interface's MTU, the kernel refuses the train, on older ones with an error after
/// which quinn-udp sends no trains at all.
const TRAIN_SEGMENT_BYTES_MAX: usize = 1_452;

/// Where datagrams leave.
pub(crate) trait Outlet {
    /// How many datagrams it takes in one train; 1 if it takes no trains.
    fn train_max(&self) -> usize;

    /// Sends `bytes`: one datagram, or a train of them to be cut every `segment_bytes`.
    fn send(&mut self, route: Route, bytes: &[u8], segment_bytes: Option<usize>) -> io::Result<()>;
}

/// The queue between the machine and one UDP socket.
///
/// Consecutive datagrams of one route and one length leave as a train. While the kernel's buffer is
/// full they wait here, up to a bound; beyond it **the oldest** is dropped. The machine is always
/// drained, as its contract wants, so that its own queues stay as short as it keeps them. What is
/// lost must be lost somewhere: at the front it is a gap that the datagrams behind it make visible
/// within a round trip (SCTP's fast retransmit), whereas a lost tail waits for a timeout of a second
/// or more. And of acknowledgements and connectivity checks the latest is worth the most.
#[derive(Debug, Default)]
pub(crate) struct Egress {
    queue: VecDeque<Transmit>,
    queued_bytes: usize,
    /// How many datagrams at the front must not form a train: they were one, and it was refused.
    singles: usize,
    blocked: bool,
    train: Vec<u8>,
}

impl Egress {
    /// Queues a datagram. Where that is one too many, drops the oldest and counts it.
    pub(crate) fn push(&mut self, transmit: Transmit, stats: &mut Stats) {
        self.queued_bytes += transmit.contents.len();
        self.queue.push_back(transmit);
        while self.queue.len() > DATAGRAMS_MAX || self.queued_bytes > BYTES_MAX {
            self.remove(1);
            stats.send_drops += 1;
        }
    }

    /// Whether so much waits that it should be flushed before more is pushed.
    pub(crate) fn wants_flush(&self) -> bool {
        !self.blocked && (self.queue.len() >= FLUSH_DATAGRAMS || self.queued_bytes >= FLUSH_BYTES)
    }

    /// Whether the kernel's buffer was full at the last flush.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Takes note that the kernel's buffer has room again.
    pub(crate) fn unblock(&mut self) {
        self.blocked = false;
    }

    /// Sends what waits, until nothing does or the kernel's buffer is full.
    ///
    /// A datagram that the kernel refuses for any other reason is lost, counted and no reason to
    /// stop: the next one may have another destination.
    pub(crate) fn flush(&mut self, outlet: &mut impl Outlet, stats: &mut Stats) {
        while let (false, Some(front)) = (self.blocked, self.queue.front()) {
            let route = front.route;
            let segment_bytes = front.contents.len();
            let (count, bytes) = self.next_train(outlet.train_max());
            let result = if count == 1 {
                outlet.send(route, &front.contents, None)
            } else {
                self.train.clear();
                for transmit in self.queue.range(..count) {
                    self.train.extend_from_slice(&transmit.contents);
                }
                outlet.send(route, &self.train, Some(segment_bytes))
            };
            match result {
                Ok(()) => {
                    stats.batches_out += 1;
                    stats.datagrams_out += count as u64;
                    stats.bytes_out += bytes as u64;
                    self.remove(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    stats.sends_blocked += 1;
                    self.blocked = true;
                }
                Err(error) if count > 1 && may_concern_the_train_only(&error) => {
                    log::trace!("a train of {count} datagrams was refused: {error}");
                    stats.trains_refused += 1;
                    self.singles = count;
                }
                Err(error) => {
                    log::trace!("{count} datagrams to {} not sent: {error}", route.peer);
                    stats.send_errors += count as u64;
                    self.remove(count);
                }
            }
        }
    }

    /// How many datagrams at the front leave together, and their bytes: of the same route and
    /// length, the last may be shorter.
    fn next_train(&self, train_max: usize) -> (usize, usize) {
        let Some(front) = self.queue.front() else {
            return (0, 0);
        };
        let segment_bytes = front.contents.len();
        let (mut count, mut bytes) = (1, segment_bytes);
        if self.singles > 0 || segment_bytes == 0 || segment_bytes > TRAIN_SEGMENT_BYTES_MAX {
            return (count, bytes);
        }
        for next in self.queue.range(1..) {
            let next_bytes = next.contents.len();
            let joins = next.route == front.route
                && (1..=segment_bytes).contains(&next_bytes)
                && count < train_max
                && bytes + next_bytes <= TRAIN_BYTES_MAX;
            if !joins {
                break;
            }
            count += 1;
            bytes += next_bytes;
            if next_bytes < segment_bytes {
                break;
            }
        }
        (count, bytes)
    }

    fn remove(&mut self, count: usize) {
        for transmit in self.queue.drain(..count) {
            self.queued_bytes -= transmit.contents.len();
        }
        self.singles = self.singles.saturating_sub(count);
    }
}

/// Whether the datagrams of a refused train may be taken one by one. What concerns the destination
/// concerns each of them.
fn may_concern_the_train_only(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    /// Takes what it is sent, up to `room` calls, and cuts trains as the kernel does.
    struct Kernel {
        train_max: usize,
        room: usize,
        refuse_trains: Option<io::ErrorKind>,
        calls: Vec<usize>,
        taken: Vec<Vec<u8>>,
    }

    impl Kernel {
        fn new() -> Self {
            Self {
                train_max: 64,
                room: usize::MAX,
                refuse_trains: None,
                calls: Vec::new(),
                taken: Vec::new(),
            }
        }
    }

    impl Outlet for Kernel {
        fn train_max(&self) -> usize {
            self.train_max
        }

        fn send(&mut self, _: Route, bytes: &[u8], segment: Option<usize>) -> io::Result<()> {
            if self.room == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            if let (Some(kind), Some(_)) = (self.refuse_trains, segment) {
                return Err(kind.into());
            }
            self.room -= 1;
            let before = self.taken.len();
            match segment {
                Some(segment) => self.taken.extend(bytes.chunks(segment).map(<[u8]>::to_vec)),
                None => self.taken.push(bytes.to_vec()),
            }
            self.calls.push(self.taken.len() - before);
            Ok(())
        }
    }

    fn route(peer_port: u16) -> Route {
        Route::udp(
            SocketAddr::from(([127, 0, 0, 1], 3478)),
            SocketAddr::from(([127, 0, 0, 1], peer_port)),
        )
    }

    /// Datagrams of the given lengths, each filled with its index.
    fn push_all(egress: &mut Egress, stats: &mut Stats, peer_port: u16, lengths: &[usize]) {
        for (index, &length) in lengths.iter().enumerate() {
            let transmit = Transmit {
                route: route(peer_port),
                contents: vec![index as u8; length],
            };
            egress.push(transmit, stats);
        }
    }

    fn flushed(lengths: &[usize]) -> (Kernel, Stats) {
        let (mut egress, mut kernel) = (Egress::default(), Kernel::new());
        let mut stats = Stats::default();
        push_all(&mut egress, &mut stats, 1, lengths);
        egress.flush(&mut kernel, &mut stats);
        let taken: Vec<usize> = kernel.taken.iter().map(Vec::len).collect();
        assert_eq!(taken, lengths);
        (kernel, stats)
    }

    #[test]
    fn equal_lengths_form_a_train_and_a_shorter_one_ends_it() {
        let (kernel, stats) = flushed(&[100, 100, 100, 40, 40, 100]);
        assert_eq!(kernel.calls, [4, 1, 1]);
        assert_eq!(stats.batches_out, 3);
        assert_eq!(stats.datagrams_out, 6);
        assert_eq!(stats.bytes_out, 480);
        let order: Vec<u8> = kernel.taken.iter().map(|bytes| bytes[0]).collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn empty_and_large_datagrams_travel_alone() {
        assert_eq!(flushed(&[0, 0, 10, 0, 10]).0.calls, [1; 5]);
        assert_eq!(flushed(&[1_453, 1_453, 1_452, 1_452]).0.calls, [1, 1, 2]);
    }

    #[test]
    fn a_train_is_bounded_by_count_and_by_bytes() {
        assert_eq!(flushed(&[10; 130]).0.calls, [64, 64, 2]);
        assert_eq!(flushed(&[1_200; 60]).0.calls, [54, 6]);
    }

    #[test]
    fn another_route_begins_another_train() {
        let (mut egress, mut kernel) = (Egress::default(), Kernel::new());
        let mut stats = Stats::default();
        for peer_port in [1, 2, 1] {
            push_all(&mut egress, &mut stats, peer_port, &[10, 10]);
        }
        egress.flush(&mut kernel, &mut stats);
        assert_eq!(kernel.calls, [2, 2, 2]);
    }

    #[test]
    fn a_kernel_without_trains_gets_single_datagrams() {
        let (mut egress, mut kernel) = (Egress::default(), Kernel::new());
        let mut stats = Stats::default();
        kernel.train_max = 1;
        push_all(&mut egress, &mut stats, 1, &[10; 5]);
        egress.flush(&mut kernel, &mut stats);
        assert_eq!(kernel.calls, [1; 5]);
    }

    #[test]
    fn a_refused_train_is_sent_one_by_one() {
        let (mut egress, mut kernel) = (Egress::default(), Kernel::new());
        let mut stats = Stats::default();
        kernel.refuse_trains = Some(io::ErrorKind::InvalidInput);
        push_all(&mut egress, &mut stats, 1, &[10, 10, 10]);
        push_all(&mut egress, &mut stats, 2, &[10, 10]);
        egress.flush(&mut kernel, &mut stats);
        assert_eq!(kernel.calls, [1; 5]);
        assert_eq!(stats.trains_refused, 2);
        assert_eq!((stats.datagrams_out, stats.send_errors), (5, 0));
    }

    #[test]
    fn an_unreachable_peer_costs_its_train_only() {
        let (mut egress, mut kernel) = (Egress::default(), Kernel::new());
        let mut stats = Stats::default();
        kernel.refuse_trains = Some(io::ErrorKind::NetworkUnreachable);
        push_all(&mut egress, &mut stats, 1, &[10, 10, 10]);
        push_all(&mut egress, &mut stats, 2, &[10]);
        egress.flush(&mut kernel, &mut stats);
        assert_eq!(kernel.calls, [1]);
        assert_eq!((stats.datagrams_out, stats.send_errors), (1, 3));
        assert_eq!(egress.queued_bytes, 0);
    }

    #[test]
    fn what_the_kernel_does_not_take_waits_in_order() {
        let (mut egress, mut kernel) = (Egress::default(), Kernel::new());
        let mut stats = Stats::default();
        kernel.room = 1;
        push_all(&mut egress, &mut stats, 1, &[10; 70]);
        egress.flush(&mut kernel, &mut stats);
        assert!(egress.is_blocked());
        assert_eq!(kernel.taken.len(), 64);
        assert_eq!(stats.sends_blocked, 1);

        egress.flush(&mut kernel, &mut stats);
        assert_eq!(stats.sends_blocked, 1, "not asked again while blocked");
        kernel.room = 10;
        egress.unblock();
        egress.flush(&mut kernel, &mut stats);
        let order: Vec<u8> = kernel.taken.iter().map(|bytes| bytes[0]).collect();
        assert_eq!(order, (0..70).collect::<Vec<u8>>());
        assert_eq!(stats.send_drops, 0);
    }

    #[test]
    fn one_too_many_drops_the_oldest() {
        let (mut egress, mut kernel) = (Egress::default(), Kernel::new());
        let mut stats = Stats::default();
        kernel.room = 0;
        push_all(&mut egress, &mut stats, 1, &[10]);
        egress.flush(&mut kernel, &mut stats);
        let lengths: Vec<usize> = (0..DATAGRAMS_MAX + 5).map(|index| 100 + index).collect();
        push_all(&mut egress, &mut stats, 1, &lengths);
        assert!(!egress.wants_flush());
        assert_eq!(stats.send_drops, 6);
        assert_eq!(egress.queue.len(), DATAGRAMS_MAX);
        assert_eq!(egress.queue[0].contents.len(), 105);

        push_all(&mut egress, &mut stats, 1, &[BYTES_MAX]);
        assert_eq!(egress.queue.len(), 1);
        assert_eq!(egress.queued_bytes, BYTES_MAX);
    }
}
