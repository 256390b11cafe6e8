//! From the rings to the links: what is owed to a client is written, in one batch for each turn.

use std::time::Duration;

use oneport_link::{Batch, ChannelId, Write};
use oneport_wire::frame::{Gap, GapReason, ServerFrame};
use oneport_wire::{ByeCode, Kind, Offset, Span, UnixMillis};

use crate::client::{Role, plain_channel};
use crate::hub::{Next, OwnerId, ReaderId};
use crate::receipts::ReceiptId;
use crate::sessions::SessionKey;
use crate::{LinkId, Relay};

impl Relay {
    /// Writes as much of what a link's plain channels are owed as the link takes.
    pub(crate) fn pump_plain(&mut self, id: LinkId) {
        let owner = self.links[id].owner;
        let lossy = self.take_lossy(owner);
        let client = &mut self.links[id];
        let mut outcome = Outcome::default();
        let mut lost_on = None;
        let mut batch = client.link.batch(self.now);
        loop {
            let (reader, entry) = match self.hub.next(owner) {
                Next::Entry(reader, entry) => (reader, entry),
                Next::Idle | Next::Gap { .. } => break,
                Next::Slow => {
                    outcome.bye = Some(ByeCode::Slow);
                    break;
                }
            };
            let channel = plain_channel(&client.channels, reader);
            let written = match (channel, entry.payload()) {
                // A framed client may say nothing, and a plain channel cannot carry it.
                (_, Some((_, []))) => {
                    self.stats.empty_skipped += 1;
                    self.hub.skip(reader);
                    continue;
                }
                (Some(channel), Some((kind, bytes))) => {
                    outcome.write(&mut batch, channel, kind, bytes)
                }
                _ => Write::Refused,
            };
            let taken = (reader, entry.offset, entry.time);
            let receipt = self.receipts.about(entry.room(), entry.offset);
            match written {
                Write::Accepted => {
                    outcome.oldest.get_or_insert(taken);
                    self.hub.taken(reader);
                    if let (Some(channel), Some(receipt)) = (channel, receipt) {
                        let end = batch.written(channel);
                        client.unacknowledged.push_back((channel, end, receipt));
                    }
                }
                Write::Full => {
                    outcome.is_full = true;
                    break;
                }
                Write::TooLarge | Write::Refused => {
                    self.hub.skip(reader);
                    lost_on = channel;
                    break;
                }
            }
        }
        for (reader, lossy) in lossy {
            let (kind, bytes) = (lossy.kind, lossy.message.payload.as_bytes());
            let channel = plain_channel(&client.channels, reader);
            let written = channel.map(|channel| outcome.write(&mut batch, channel, kind, bytes));
            outcome.count_lossy(written);
        }
        drop(batch);
        self.conclude(id, owner, outcome);
        if let Some(channel) = lost_on {
            self.close_lossy(id, channel);
            self.hub.wake(owner);
        }
    }

    /// A client that takes smaller messages than one that it was owed, or whose channel took one no
    /// longer, has lost it. The channel is closed, so that the client knows.
    fn close_lossy(&mut self, id: LinkId, channel: ChannelId) {
        let client = &mut self.links[id];
        self.stats.undeliverable += 1;
        log::info!(
            "link {} in room {}: a channel is closed, for it does not take a message",
            client.number,
            client.room
        );
        client.link.close_channel(self.now, channel);
        self.close_channel(id, channel);
    }

    /// Writes as much of what a session is owed as its link takes: first answers, then entries.
    pub(crate) fn pump_session(&mut self, key: SessionKey) {
        let Some(owner) = self.sessions.get(key).map(|session| session.owner) else {
            return;
        };
        let lossy = self.take_lossy(owner);
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let Some(id) = session.link else {
            return;
        };
        let client = &mut self.links[id];
        let Some(channel) = client.channel_with(&Role::Framed) else {
            return;
        };
        let lossy_channel = client.channel_with(&Role::Lossy).unwrap_or(channel);
        let mut outcome = Outcome {
            bye: session.outbox.is_overfull().then_some(ByeCode::Slow),
            ..Outcome::default()
        };
        let mut batch = client.link.batch(self.now);
        while let Some((kind, bytes)) = session.outbox.front() {
            match outcome.write(&mut batch, channel, kind, bytes) {
                Write::Accepted => session.outbox.pop(),
                Write::Full => {
                    outcome.is_full = true;
                    break;
                }
                // It must take messages of 256 KiB, and its description says that it does not.
                Write::TooLarge => {
                    outcome.bye = Some(ByeCode::Protocol);
                    break;
                }
                // The channel is closing.
                Write::Refused => break,
            }
        }
        while !outcome.is_full && outcome.bye.is_none() {
            let (owed, written) = match self.hub.next(owner) {
                Next::Idle => break,
                Next::Slow => {
                    outcome.bye = Some(ByeCode::Slow);
                    break;
                }
                Next::Entry(reader, entry) => {
                    let (kind, bytes) = entry.frame();
                    match outcome.write(&mut batch, channel, kind, bytes) {
                        // It came over a plain channel and is too long as a frame.
                        Write::TooLarge => {
                            let reason = GapReason::TooLarge;
                            let gap = gap(entry.room(), entry.span(), reason);
                            let written = outcome.write_frame(&mut batch, channel, &gap);
                            (Owed::Gap(reader, reason), written)
                        }
                        written => {
                            let receipt = self.receipts.about(entry.room(), entry.offset);
                            let taken = (reader, entry.offset, entry.time);
                            (Owed::Entry(taken, receipt), written)
                        }
                    }
                }
                Next::Gap { reader, room, span } => {
                    let reason = GapReason::Slow;
                    let gap = gap(room, span, reason);
                    let written = outcome.write_frame(&mut batch, channel, &gap);
                    (Owed::Gap(reader, reason), written)
                }
            };
            match written {
                Write::Accepted => match owed {
                    Owed::Entry(taken, receipt) => {
                        outcome.oldest.get_or_insert(taken);
                        self.hub.taken(taken.0);
                        if let Some(receipt) = receipt {
                            let end = batch.written(channel);
                            client.unacknowledged.push_back((channel, end, receipt));
                        }
                    }
                    Owed::Gap(reader, reason) => {
                        self.hub.skip(reader);
                        *self.stats.gaps.entry(reason.as_str()).or_default() += 1;
                    }
                },
                Write::Full => outcome.is_full = true,
                // The channel is closing: what is owed waits for the session's next link.
                Write::TooLarge | Write::Refused => break,
            }
        }
        for (_, lossy) in lossy {
            let written = outcome.write(&mut batch, lossy_channel, lossy.kind, &lossy.frame);
            outcome.count_lossy(Some(written));
        }
        drop(batch);
        self.conclude(id, owner, outcome);
    }

    /// After a link was written to.
    fn conclude(&mut self, id: LinkId, owner: OwnerId, outcome: Outcome) {
        self.unsettled.push_back(id);
        self.stats.lossy_dropped += outcome.lossy_dropped;
        self.stats.lossy_delivered += outcome.lossy_delivered;
        self.stats.message_bytes_out += outcome.bytes;
        if let Some((reader, offset, time)) = outcome.oldest
            && self.hub.is_live(reader, offset)
        {
            let millis = self.unix_now().get().saturating_sub(time.get());
            self.stats.queue_time.count(Duration::from_millis(millis));
        }
        if let Some(code) = outcome.bye {
            self.end_link(id, code);
            return;
        }
        let client = &mut self.links[id];
        let is_through = client.full_since.is_some_and(|(by, _)| by == owner) && !outcome.is_full;
        if outcome.has_written || is_through {
            client.full_since = None;
        }
        if outcome.is_full {
            client.is_full = true;
            client.full_since.get_or_insert((owner, self.now));
        }
    }
}

/// What came of writing to a link.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    has_written: bool,
    is_full: bool,
    /// Why the link must end, if it must.
    bye: Option<ByeCode>,
    lossy_delivered: u64,
    lossy_dropped: u64,
    /// What was written, in bytes.
    bytes: u64,
    /// The first entry that was written.
    oldest: Option<Taken>,
}

/// An entry that is taken: by whom, which, and when it was published.
type Taken = (ReaderId, Offset, UnixMillis);

/// What a session is given because it is owed something.
enum Owed {
    /// The entry, and the receipt that it may be worth.
    Entry(Taken, Option<ReceiptId>),
    /// The word that it is lost.
    Gap(ReaderId, GapReason),
}

impl Outcome {
    fn write(
        &mut self,
        batch: &mut Batch<'_>,
        channel: ChannelId,
        kind: Kind,
        bytes: &[u8],
    ) -> Write {
        let kind = match kind {
            Kind::Text => oneport_link::Kind::Text,
            Kind::Binary => oneport_link::Kind::Binary,
        };
        let written = batch.write(channel, kind, bytes);
        if written == Write::Accepted {
            self.has_written = true;
            self.bytes += bytes.len() as u64;
        }
        written
    }

    fn write_frame(
        &mut self,
        batch: &mut Batch<'_>,
        channel: ChannelId,
        frame: &ServerFrame<'_>,
    ) -> Write {
        let mut bytes = Vec::new();
        let kind = frame.encode_into(&mut bytes);
        self.write(batch, channel, kind, &bytes)
    }

    fn count_lossy(&mut self, written: Option<Write>) {
        if written == Some(Write::Accepted) {
            self.lossy_delivered += 1;
        } else {
            self.lossy_dropped += 1;
        }
    }
}

impl Relay {
    /// Writes a frame to a link at once, if it has a framed channel with room for it: what must be
    /// said before the link ends, or before it has a session.
    pub(crate) fn write_now(&mut self, id: LinkId, frame: &ServerFrame<'_>) {
        let Some(client) = self.links.get_mut(id) else {
            return;
        };
        if let Some(channel) = client.channel_with(&Role::Framed) {
            let mut batch = client.link.batch(self.now).urgent();
            let mut outcome = Outcome::default();
            // A link that has no room for it ends without a word.
            let _ = outcome.write_frame(&mut batch, channel, frame);
            drop(batch);
            self.stats.message_bytes_out += outcome.bytes;
        }
    }
}

fn gap<'a>(room: &oneport_wire::RoomName, span: Span, reason: GapReason) -> ServerFrame<'a> {
    let room = room.clone();
    Gap { room, span, reason }.into()
}
