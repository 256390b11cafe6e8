//! What is in a room's log.

use std::cell::OnceCell;

use oneport_wire::frame::{Message, Presence, ServerFrame};
use oneport_wire::{Kind, MemberId, MemberName, Meta, Offset, RoomName, Span, UnixMillis};

use super::Filter;

/// One entry of a room's log.
#[derive(Debug)]
pub struct Entry {
    /// Its place in the room's order.
    pub offset: Offset,
    /// When the relay took it.
    pub time: UnixMillis,
    /// What it says.
    pub body: Body,
    /// Whether it stays for history and resume, or goes when all who are present have taken it.
    pub is_kept: bool,
    /// Its place in the order of the whole hub: what is taken first by somebody in several rooms.
    pub(super) sequence: u64,
    /// How many readers have not taken it yet.
    pub(super) owed: usize,
    /// The frame, once somebody needed it.
    pub(super) frame: OnceCell<(Kind, Vec<u8>)>,
}

/// What an entry says, as the frame that it becomes.
#[derive(Debug)]
pub enum Body {
    /// A member said something.
    Message {
        /// What.
        message: Message<'static>,
        /// Whether its author is to get it as well.
        echo: bool,
    },
    /// Something changed about a member.
    Presence(Presence),
}

/// What a room knows of a member, and tells the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// What it calls itself.
    pub name: Option<MemberName>,
    /// What else it says about itself.
    pub meta: Option<Meta>,
}

impl Entry {
    /// The entry as a frame of `oneport.v1`: encoded once, for all its receivers.
    pub fn frame(&self) -> (Kind, &[u8]) {
        let (kind, bytes) = self.frame.get_or_init(|| {
            let mut bytes = Vec::new();
            let kind = match &self.body {
                Body::Message { message, .. } => message.encode_into(&mut bytes),
                Body::Presence(presence) => {
                    ServerFrame::from(presence.clone()).encode_into(&mut bytes)
                }
            };
            (kind, bytes)
        });
        (*kind, bytes)
    }

    /// What a plain channel gets of it; nothing of what is about a member.
    pub fn payload(&self) -> Option<(Kind, &[u8])> {
        match &self.body {
            Body::Message { message, .. } => {
                Some((message.payload.kind(), message.payload.as_bytes()))
            }
            Body::Presence(_) => None,
        }
    }

    /// Its room.
    pub fn room(&self) -> &RoomName {
        match &self.body {
            Body::Message { message, .. } => &message.room,
            Body::Presence(presence) => &presence.room,
        }
    }

    /// Who published it, if it is a message.
    pub fn author(&self) -> Option<MemberId> {
        match &self.body {
            Body::Message { message, .. } => Some(message.from),
            Body::Presence(_) => None,
        }
    }

    /// Its place alone.
    pub fn span(&self) -> Span {
        let after = self.offset.next().unwrap_or(self.offset);
        Span::new(self.offset, after).expect("the one after is not before")
    }

    /// Whether this member gets it through a reader with this filter.
    pub(super) fn is_for(&self, reader: MemberId, filter: &Filter) -> bool {
        match &self.body {
            Body::Presence(presence) => {
                *filter == Filter::Everything && presence.member.id != reader
            }
            Body::Message { message, echo } => is_message_for(message, *echo, reader, filter),
        }
    }

    /// Whether it is not kept, and nobody is to take it any more.
    pub(super) fn is_forgotten(&self) -> bool {
        self.owed == 0 && !self.is_kept
    }

    /// Roughly the memory that it takes: what it says twice, as it is and as a frame.
    pub(super) fn bytes(&self) -> usize {
        let content = match &self.body {
            Body::Message { message, .. } => {
                let recipients = message.to.as_ref().map_or(0, |to| to.as_slice().len());
                message.payload.as_bytes().len() + message.topic.as_str().len() + 4 * recipients
            }
            Body::Presence(presence) => {
                let name = presence
                    .member
                    .name
                    .as_ref()
                    .map_or(0, |n| n.as_str().len());
                name + presence
                    .member
                    .meta
                    .as_ref()
                    .map_or(0, |m| m.as_json().len())
            }
        };
        size_of::<Self>() + 2 * content
    }
}

/// Whether this member gets a message through a reader with this filter.
pub(super) fn is_message_for(
    message: &Message<'_>,
    echo: bool,
    reader: MemberId,
    filter: &Filter,
) -> bool {
    let is_own = message.from == reader;
    let is_addressed = message.to.as_ref().is_none_or(|to| to.contains(reader));
    match filter {
        Filter::Everything if is_own => echo,
        Filter::Everything => is_addressed,
        Filter::Topic(topic) => is_addressed && !is_own && message.topic == *topic,
        Filter::Nothing => false,
    }
}
