//! Resetting streams (RFC 6525), which closes channels (RFC 8831 section 6.7).

use crate::channels::Channels;
use crate::config::RESET_STREAMS_MAX;
use crate::types::{Span, StreamId, Time, Tsn};
use crate::wire::{OutgoingReset, PacketWriter, ResetResponse, ResetResult};

#[derive(Debug)]
pub(crate) struct Reset {
    /// The number of our next request.
    next_number: u32,
    /// Ours that is not answered. There is one at a time (RFC 6525 section 4.1).
    request: Option<Request>,
    /// The number of the peer's next request.
    next_peer_number: u32,
    /// The peer's that waits for data sent before it.
    waiting: Option<Waiting>,
    last_answer: Option<ResetResponse>,
}

#[derive(Debug)]
struct Request {
    number: u32,
    last: Tsn,
    streams: Vec<StreamId>,
    is_due: bool,
    timeout: Time,
    attempts: u32,
}

#[derive(Debug)]
struct Waiting {
    number: u32,
    last: Tsn,
    streams: Vec<StreamId>,
}

/// A channel that is gone, and the bytes of it that nobody will release.
pub(crate) type Gone = (StreamId, usize);

impl Reset {
    /// Requests are numbered from the first TSN on (RFC 6525 section 5.1.1).
    pub(crate) fn new(local_tsn: Tsn) -> Self {
        Self {
            next_number: local_tsn.0,
            request: None,
            next_peer_number: 0,
            waiting: None,
            last_answer: None,
        }
    }

    pub(crate) fn establish(&mut self, peer_tsn: Tsn) {
        self.next_peer_number = peer_tsn.0;
    }

    pub(crate) fn timeout(&self) -> Time {
        self.request
            .as_ref()
            .map_or(Time::NEVER, |request| request.timeout)
    }

    pub(crate) fn is_due(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.is_due)
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        if let Some(request) = &mut self.request
            && request.timeout <= now
        {
            request.timeout = Time::NEVER;
            request.is_due = true;
        }
    }

    /// The path is back: asks again at once.
    pub(crate) fn nudge(&mut self) {
        if let Some(request) = &mut self.request {
            request.attempts = 0;
            request.is_due = true;
        }
    }

    /// Asks to reset the channels that have sent everything, if there are any and none is asked for.
    pub(crate) fn request(&mut self, last: Tsn, channels: &mut Channels) {
        if self.request.is_some() || !channels.is_draining() {
            return;
        }
        let streams = channels.take_drained(RESET_STREAMS_MAX);
        if streams.is_empty() {
            return;
        }
        self.request = Some(Request {
            number: self.next_number,
            last,
            streams,
            is_due: true,
            timeout: Time::NEVER,
            attempts: 0,
        });
        self.next_number = self.next_number.wrapping_add(1);
    }

    /// Appends the request if it is due.
    pub(crate) fn write(&mut self, now: Time, timeout: Span, packet: &mut PacketWriter<'_>) {
        let answers = self.next_peer_number.wrapping_sub(1);
        let Some(request) = self.request.as_mut().filter(|request| request.is_due) else {
            return;
        };
        if packet.room() < 20 + 2 * request.streams.len() + 2 {
            return;
        }
        request.is_due = false;
        request.timeout = now.plus(timeout.times(1 << request.attempts.min(3)));
        request.attempts += 1;
        let Request {
            number,
            last,
            streams,
            ..
        } = request;
        packet.with(|out| OutgoingReset::write(*number, answers, *last, streams, out));
    }

    /// Takes in the answer to our request. Returns the channels that are gone by it.
    pub(crate) fn handle_response(
        &mut self,
        now: Time,
        response: ResetResponse,
        timeout: Span,
        channels: &mut Channels,
    ) -> Vec<Gone> {
        let is_ours = |request: &&mut Request| request.number == response.number;
        let Some(request) = self.request.as_mut().filter(is_ours) else {
            return Vec::new();
        };
        if response.result == ResetResult::InProgress {
            request.is_due = false;
            request.timeout = now.plus(timeout);
            return Vec::new();
        }
        // Whatever the peer makes of it, this end does not use these streams any more.
        let streams = self.request.take().map(|request| request.streams);
        let gone = |id: StreamId| Some((id, channels.reset_outgoing(id)?));
        streams
            .unwrap_or_default()
            .into_iter()
            .filter_map(gone)
            .collect()
    }

    /// Takes in a request of the peer, which wants everything up to its last TSN to be taken first.
    /// Returns the answer, if there is one, and the channels that are gone.
    pub(crate) fn handle_request(
        &mut self,
        request: &OutgoingReset<'_>,
        has_all: bool,
        channels: &mut Channels,
    ) -> (Option<ResetResponse>, Vec<Gone>) {
        let number = request.number;
        let answer = |result| Some(ResetResponse { number, result });
        // Some peers number a request anew when they repeat it after "in progress".
        let is_renumbered =
            self.waiting.is_some() && number == self.next_peer_number.wrapping_add(1);
        if number != self.next_peer_number && !is_renumbered {
            return (Some(self.answer_out_of_order(number)), Vec::new());
        }
        self.next_peer_number = number;
        if has_all {
            let (answer, gone) = self.perform(number, request.streams(), channels);
            return (Some(answer), gone);
        }
        self.waiting = Some(Waiting {
            number,
            last: request.last,
            streams: request.streams().take(WAITING_STREAMS_MAX).collect(),
        });
        (answer(ResetResult::InProgress), Vec::new())
    }

    /// Answers a request of the peer that this end does not support. The request takes a number like
    /// any other, so the next one has the number after it.
    pub(crate) fn deny(&mut self, number: u32) -> ResetResponse {
        if number != self.next_peer_number {
            return self.answer_out_of_order(number);
        }
        let answer = ResetResponse {
            number,
            result: ResetResult::Denied,
        };
        self.next_peer_number = number.wrapping_add(1);
        self.waiting = None;
        self.last_answer = Some(answer);
        answer
    }

    /// The answer to this request was lost; or it is a number out of order.
    fn answer_out_of_order(&self, number: u32) -> ResetResponse {
        let repeated = self.last_answer.filter(|last| last.number == number);
        repeated.unwrap_or(ResetResponse {
            number,
            result: ResetResult::BadNumber,
        })
    }

    /// Performs the peer's request that waited, once everything before it has been taken.
    pub(crate) fn perform_waiting(
        &mut self,
        has_all_up_to: impl FnOnce(Tsn) -> bool,
        channels: &mut Channels,
    ) -> Option<(ResetResponse, Vec<Gone>)> {
        let waiting = self
            .waiting
            .take_if(|waiting| has_all_up_to(waiting.last))?;
        Some(self.perform(waiting.number, waiting.streams.into_iter(), channels))
    }

    fn perform(
        &mut self,
        number: u32,
        streams: impl Iterator<Item = StreamId>,
        channels: &mut Channels,
    ) -> (ResetResponse, Vec<Gone>) {
        self.next_peer_number = number.wrapping_add(1);
        self.waiting = None;
        let mut streams = streams.peekable();
        // An empty list is all streams (RFC 6525 section 4.1).
        let all = match streams.peek() {
            None => channels.ids(),
            Some(_) => Vec::new(),
        };
        let mut gone = Vec::new();
        for id in streams.chain(all) {
            if let Some(unreleased) = channels.reset_incoming(id) {
                gone.push((id, unreleased));
            }
        }
        let answer = ResetResponse {
            number,
            result: ResetResult::Performed,
        };
        self.last_answer = Some(answer);
        (answer, gone)
    }
}

/// The most streams of a request that waits. The peer repeats it, so none is forgotten.
const WAITING_STREAMS_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::event::{ChannelOptions, Role};
    use crate::types::VerificationTag;
    use crate::wire::{Chunk, PacketView, Reconfig};

    const SECOND: Span = Span::from_millis(1_000);

    fn channels(count: usize) -> Channels {
        let mut channels = Channels::new(&Config::default(), Role::Client);
        for _ in 0..count {
            channels.open(ChannelOptions::default()).expect("open");
        }
        while channels.has_scheduled() {
            if let Some((message, _)) = channels.take_scheduled(Time::START, false) {
                channels.note_sent(message.payload.len());
            }
            channels.end_turn();
        }
        channels
    }

    /// What is written, parsed by `with`.
    fn written<T>(
        reset: &mut Reset,
        now: Time,
        with: impl Fn(&OutgoingReset<'_>) -> T,
    ) -> Option<T> {
        let mut out = Vec::new();
        let mut packet = PacketWriter::new(&mut out, 5000, VerificationTag(1), 1200);
        reset.write(now, SECOND, &mut packet);
        if !packet.finish(false) {
            return None;
        }
        let chunk = PacketView::new(&out)?.chunks().next()?.parse()?;
        let Chunk::Reconfig(Reconfig::Known { reset, .. }) = chunk else {
            return None;
        };
        reset.as_ref().map(with)
    }

    fn response(number: u32, result: ResetResult) -> ResetResponse {
        ResetResponse { number, result }
    }

    #[test]
    fn one_request_is_outstanding_and_is_repeated() {
        let mut channels = channels(3);
        let ids = channels.ids();
        let mut reset = Reset::new(Tsn(10));
        channels.close(ids[0]);
        reset.request(Tsn(99), &mut channels);
        channels.close(ids[1]);
        reset.request(Tsn(99), &mut channels);
        let fields =
            |reset: &OutgoingReset<'_>| (reset.number, reset.last, reset.streams().count());
        assert_eq!(
            written(&mut reset, Time::START, fields),
            Some((10, Tsn(99), 1))
        );
        assert_eq!(written(&mut reset, Time::START, fields), None);
        let later = Time::START.plus(SECOND);
        assert_eq!(reset.timeout(), later);
        reset.handle_timeout(later);
        assert_eq!(written(&mut reset, later, fields), Some((10, Tsn(99), 1)));
        // In progress: it is asked again later.
        let busy = response(10, ResetResult::InProgress);
        assert!(
            reset
                .handle_response(later, busy, SECOND, &mut channels)
                .is_empty()
        );
        assert!(reset.timeout().is_set());
        // Another's answer changes nothing.
        reset.handle_response(
            later,
            response(9, ResetResult::Performed),
            SECOND,
            &mut channels,
        );
        assert!(reset.timeout().is_set());
        reset.handle_response(
            later,
            response(10, ResetResult::Performed),
            SECOND,
            &mut channels,
        );
        reset.request(Tsn(100), &mut channels);
        assert_eq!(written(&mut reset, later, fields), Some((11, Tsn(100), 1)));
    }

    fn peer_request(number: u32, ids: &[StreamId]) -> Vec<u8> {
        let mut out = Vec::new();
        OutgoingReset::write(number, 0, Tsn(5), ids, &mut out);
        out
    }

    fn handle(
        reset: &mut Reset,
        bytes: &[u8],
        has_all: bool,
        channels: &mut Channels,
    ) -> ResetResult {
        let len = usize::from(crate::wire::u16_at(bytes, 2));
        let Some(Reconfig::Known {
            reset: Some(request),
            ..
        }) = Reconfig::parse(&bytes[4..len])
        else {
            panic!("{bytes:?}");
        };
        reset
            .handle_request(&request, has_all, channels)
            .0
            .expect("an answer")
            .result
    }

    #[test]
    fn the_peers_request_waits_for_its_data_and_is_answered_once_more() {
        let mut channels = channels(2);
        let ids = channels.ids();
        let mut reset = Reset::new(Tsn(10));
        reset.establish(Tsn(70));
        let request = peer_request(70, &ids[..1]);
        assert_eq!(
            handle(&mut reset, &request, false, &mut channels),
            ResetResult::InProgress
        );
        assert!(reset.perform_waiting(|_| false, &mut channels).is_none());
        let (answer, _) = reset
            .perform_waiting(|tsn| tsn == Tsn(5), &mut channels)
            .expect("done");
        assert_eq!(answer, response(70, ResetResult::Performed));
        assert_eq!(
            handle(&mut reset, &request, true, &mut channels),
            ResetResult::Performed
        );
        let far = peer_request(75, &ids);
        assert_eq!(
            handle(&mut reset, &far, true, &mut channels),
            ResetResult::BadNumber
        );
        // An empty list is all of them.
        let all = peer_request(71, &[]);
        assert_eq!(
            handle(&mut reset, &all, true, &mut channels),
            ResetResult::Performed
        );
        assert!(
            channels
                .ids()
                .iter()
                .all(|id| !channels.get(*id).expect("there").accepts_messages())
        );
    }
}
