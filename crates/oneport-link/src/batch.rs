//! Several messages in as few packets as possible.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::{ChannelId, Kind, Link, Write};

/// Messages being written to one [`Link`]; see [`Link::batch`].
pub struct Batch<'a> {
    link: &'a mut Link,
    /// The bytes that wait for the peer's acknowledgement, over all channels.
    buffered: usize,
    /// The bytes that wait for their pace, roughly.
    paced: usize,
    is_urgent: bool,
    wrote: bool,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(link: &'a mut Link) -> Self {
        let buffered = catch_unwind(AssertUnwindSafe(|| link.survey()));
        let buffered = buffered.unwrap_or_else(|_| {
            link.panicked();
            usize::MAX
        });
        Self {
            paced: link.paced_bytes(),
            link,
            buffered,
            is_urgent: false,
            wrote: false,
        }
    }

    /// From now on messages join the queue of a peer that is behind: its last ones.
    pub fn urgent(mut self) -> Self {
        self.is_urgent = true;
        self
    }

    /// How many bytes of messages were written to a channel, over its whole life: the place at which
    /// the last one ends. [`Link::acknowledged`] reaches it when the peer has it.
    pub fn written(&self, channel: ChannelId) -> u64 {
        self.link.channels.written(channel).unwrap_or(0)
    }

    /// Writes one message. A [`Write::Refused`] one is lost: where the channel was to be reliable, it
    /// must be closed.
    pub fn write(&mut self, channel: ChannelId, kind: Kind, payload: &[u8]) -> Write {
        let link = &mut *self.link;
        let Some(id) = link.channels.get(channel) else {
            return Write::Refused;
        };
        if payload.is_empty() || link.is_closed() {
            return Write::Refused;
        }
        if payload.len() > link.peer_message_bytes_max {
            return Write::TooLarge;
        }
        let is_behind = !self.is_urgent && link.flight.is_behind(link.now);
        let is_full = link.flight.is_full() || self.buffered >= link.buffered_bytes_target();
        if is_full || is_behind {
            return Write::Full;
        }
        self.wrote = true;
        let written = catch_unwind(AssertUnwindSafe(|| {
            let mut open = link.rtc.channel(id)?;
            open.write(kind == Kind::Binary, payload).ok()
        }));
        match written {
            Ok(Some(true)) => {
                self.buffered += payload.len();
                let end = link.channels.count_written(channel, payload.len());
                self.paced += payload.len();
                link.flight.add(link.now, channel, end, self.paced);
                Write::Accepted
            }
            Ok(Some(false)) => Write::Full,
            Ok(None) => Write::Refused,
            Err(_) => {
                link.panicked();
                Write::Refused
            }
        }
    }
}

impl Link {
    /// Whether messages wait for the peer's acknowledgement. As after a batch, it may have something to send.
    pub fn has_unacknowledged(&mut self, now: Instant) -> bool {
        self.batch(now).buffered > 0
    }

    /// Takes note of what was acknowledged. Answers how many bytes wait for that, over all channels.
    fn survey(&mut self) -> usize {
        let mut buffered = 0;
        for (id, channel) in self.channels.iter_mut() {
            let waiting = self
                .rtc
                .channel(id)
                .map_or(0, |mut open| open.buffered_amount());
            buffered += waiting;
            channel.acknowledge_all_but(waiting);
        }
        let channels = &self.channels;
        self.flight
            .acknowledge(self.now, |id| channels.acknowledged(id));
        buffered
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.wrote {
            self.link.change(|_| Ok(()));
        }
    }
}
