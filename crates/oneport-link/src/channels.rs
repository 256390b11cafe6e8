//! The open data channels of a link, and what may pass through them.

use std::fmt;

use str0m::channel::{ChannelData, ChannelId as RtcChannelId};

use crate::{ChannelConfig, ChannelId, Kind, LinkConfig, LinkEvent};

/// Why a data channel or a message of the peer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// The peer has [`LinkConfig::channels_max`] channels open.
    TooManyChannels,
    /// The label or the subprotocol is longer than [`LinkConfig::label_bytes_max`].
    LabelTooLong,
    /// The message is empty. sctp-proto 0.10 could not forward it without blocking the channel.
    EmptyMessage,
    /// The message says that it is text and is not UTF-8.
    NotUtf8,
    /// The message is larger than [`LinkConfig::message_bytes_max`].
    MessageTooLarge,
}

impl Rejection {
    /// A word for counters and programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooManyChannels => "too_many_channels",
            Self::LabelTooLong => "label_too_long",
            Self::EmptyMessage => "empty_message",
            Self::NotUtf8 => "not_utf8",
            Self::MessageTooLarge => "message_too_large",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyChannels => "too many data channels",
            Self::LabelTooLong => "label or protocol too long",
            Self::EmptyMessage => "empty message",
            Self::NotUtf8 => "text that is not UTF-8",
            Self::MessageTooLarge => "message too large",
        })
    }
}

/// The open channels. There are few, so they are searched one by one.
#[derive(Debug)]
pub(crate) struct Channels {
    open: Vec<Open>,
    next_id: u32,
    /// Those that were opened against the limits and must be closed.
    to_close: Vec<RtcChannelId>,
    channels_max: usize,
    label_bytes_max: usize,
    message_bytes_max: usize,
}

/// An open channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    id: ChannelId,
    rtc: RtcChannelId,
    /// How many bytes of messages were written to it.
    written: u64,
    /// How many of them the peer had, when that was looked at last.
    acknowledged: u64,
}

impl Channels {
    pub(crate) fn new(config: &LinkConfig) -> Self {
        Self {
            open: Vec::new(),
            next_id: 0,
            to_close: Vec::new(),
            channels_max: config.channels_max,
            label_bytes_max: config.label_bytes_max,
            message_bytes_max: config.message_bytes_max,
        }
    }

    pub(crate) fn open(
        &mut self,
        id: RtcChannelId,
        config: &str0m::channel::ChannelConfig,
    ) -> LinkEvent {
        let too_long = |text: &str| text.len() > self.label_bytes_max;
        let rejection = if self.open.len() >= self.channels_max {
            Some(Rejection::TooManyChannels)
        } else if too_long(&config.label) || too_long(&config.protocol) {
            Some(Rejection::LabelTooLong)
        } else {
            None
        };
        if let Some(rejection) = rejection {
            self.to_close.push(id);
            return LinkEvent::ChannelRejected(rejection);
        }
        let channel = ChannelId(self.next_id);
        self.next_id += 1;
        self.open.push(Open {
            id: channel,
            rtc: id,
            written: 0,
            acknowledged: 0,
        });
        LinkEvent::ChannelOpen(channel, ChannelConfig::from_str0m(config))
    }

    /// `None` for a channel that we closed or rejected.
    pub(crate) fn closed(&mut self, id: RtcChannelId) -> Option<LinkEvent> {
        let at = self.open.iter().position(|open| open.rtc == id)?;
        Some(LinkEvent::ChannelClosed(self.open.swap_remove(at).id))
    }

    /// `None` for a channel that we closed or rejected.
    pub(crate) fn message(&self, data: ChannelData) -> Option<LinkEvent> {
        let channel = self.open.iter().find(|open| open.rtc == data.id)?.id;
        let rejection = if data.data.is_empty() {
            Some(Rejection::EmptyMessage)
        } else if data.data.len() > self.message_bytes_max {
            Some(Rejection::MessageTooLarge)
        } else if !data.binary && std::str::from_utf8(&data.data).is_err() {
            Some(Rejection::NotUtf8)
        } else {
            None
        };
        Some(match rejection {
            Some(rejection) => LinkEvent::MessageRejected(channel, rejection),
            None => LinkEvent::Message {
                channel,
                kind: if data.binary {
                    Kind::Binary
                } else {
                    Kind::Text
                },
                payload: data.data,
            },
        })
    }

    pub(crate) fn next_to_close(&mut self) -> Option<RtcChannelId> {
        self.to_close.pop()
    }

    pub(crate) fn remove(&mut self, channel: ChannelId) -> Option<RtcChannelId> {
        let at = self.open.iter().position(|open| open.id == channel)?;
        Some(self.open.swap_remove(at).rtc)
    }

    pub(crate) fn get(&self, channel: ChannelId) -> Option<RtcChannelId> {
        let found = self.open.iter().find(|open| open.id == channel);
        found.map(|open| open.rtc)
    }

    /// Answers how many bytes were written to it altogether.
    pub(crate) fn count_written(&mut self, channel: ChannelId, bytes: usize) -> u64 {
        let found = self.open.iter_mut().find(|open| open.id == channel);
        found.map_or(0, |open| {
            open.written += bytes as u64;
            open.written
        })
    }

    pub(crate) fn written(&self, channel: ChannelId) -> Option<u64> {
        let found = self.open.iter().find(|open| open.id == channel);
        found.map(|open| open.written)
    }

    /// How many bytes of those written the peer had acknowledged when that was looked at last.
    pub(crate) fn acknowledged(&self, channel: ChannelId) -> Option<u64> {
        let found = self.open.iter().find(|open| open.id == channel);
        found.map(|open| open.acknowledged)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (RtcChannelId, &mut Open)> {
        self.open.iter_mut().map(|open| (open.rtc, open))
    }
}

impl Open {
    /// The peer has all that was written but for so many bytes.
    pub(crate) fn acknowledge_all_but(&mut self, bytes: usize) {
        self.acknowledged = self.written.saturating_sub(bytes as u64);
    }
}
