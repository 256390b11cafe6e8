//! What a webhook is told.

use data_encoding::BASE64;
use oneport_core::hub::{Body, Event};
use oneport_wire::frame::{LeaveReason, Member, Message, Presence, PresenceChange};
use oneport_wire::{
    Epoch, MemberId, MemberName, Offset, Payload, Recipients, RoomName, Topic, UnixMillis,
};
use serde::Serialize;

/// An event, on its way from the relay's thread to that of the webhook.
#[derive(Debug)]
pub(super) struct Happening {
    room: RoomName,
    epoch: Epoch,
    time: UnixMillis,
    what: What,
}

#[derive(Debug)]
enum What {
    Opened,
    Closed,
    Presence(Presence),
    Message {
        message: Message<'static>,
        /// The author's.
        name: Option<MemberName>,
    },
}

impl Happening {
    pub(super) fn of(event: Event<'_>) -> Self {
        let (room, epoch, time, what) = match event {
            Event::RoomOpened { room, epoch, time } => (room, epoch, time, What::Opened),
            Event::RoomClosed { room, epoch, time } => (room, epoch, time, What::Closed),
            Event::Entry {
                epoch,
                entry,
                author,
            } => {
                let what = match &entry.body {
                    Body::Presence(presence) => What::Presence(presence.clone()),
                    Body::Message { message, .. } => What::Message {
                        message: message.clone(),
                        name: author.cloned(),
                    },
                };
                (entry.room(), epoch, entry.time, what)
            }
        };
        Self {
            room: room.clone(),
            epoch,
            time,
            what,
        }
    }

    /// Roughly the memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        let content = match &self.what {
            What::Opened | What::Closed => 0,
            What::Presence(Presence { member, .. }) => {
                let name = member.name.as_ref().map_or(0, |name| name.as_str().len());
                name + member.meta.as_ref().map_or(0, |meta| meta.as_json().len())
            }
            What::Message { message, name } => {
                let name = name.as_ref().map_or(0, |name| name.as_str().len());
                name + message.payload.as_bytes().len() + message.topic.as_str().len()
            }
        };
        size_of::<Self>() + content
    }

    /// As it is told. Its id is the same whenever it is told, and no other event has it.
    pub(super) fn as_json(&self) -> HappeningJson<'_> {
        let epoch = self.epoch;
        let (id, what) = match &self.what {
            What::Opened => (format!("{epoch}-opened"), WhatJson::RoomOpened),
            What::Closed => (format!("{epoch}-closed"), WhatJson::RoomClosed),
            What::Presence(presence) => (
                format!("{epoch}-{}", presence.offset),
                presence_json(presence),
            ),
            What::Message { message, name } => {
                let offset = message.offset.unwrap_or_default();
                let what = message_json(message, offset, name.as_ref());
                (format!("{epoch}-{offset}"), what)
            }
        };
        HappeningJson {
            id,
            room: &self.room,
            epoch,
            time: self.time,
            what,
        }
    }
}

#[derive(Serialize)]
pub(super) struct HappeningJson<'a> {
    id: String,
    room: &'a RoomName,
    epoch: Epoch,
    time: UnixMillis,
    #[serde(flatten)]
    what: WhatJson<'a>,
}

/// The words are those of frames (`PROTOCOL.md`).
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WhatJson<'a> {
    RoomOpened,
    RoomClosed,
    MemberJoined(MemberJson<'a>),
    MemberUpdated(MemberJson<'a>),
    MemberAway(MemberJson<'a>),
    MemberBack(MemberJson<'a>),
    MemberLeft {
        reason: LeaveReason,
        #[serde(flatten)]
        member: MemberJson<'a>,
    },
    Message {
        offset: Offset,
        from: MemberId,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a MemberName>,
        #[serde(skip_serializing_if = "Topic::is_empty")]
        topic: &'a Topic,
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<&'a Recipients>,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        binary: Option<String>,
    },
}

#[derive(Serialize)]
struct MemberJson<'a> {
    offset: Offset,
    member: &'a Member,
}

fn presence_json(presence: &Presence) -> WhatJson<'_> {
    let member = MemberJson {
        offset: presence.offset,
        member: &presence.member,
    };
    match presence.change {
        PresenceChange::Joined => WhatJson::MemberJoined(member),
        PresenceChange::Updated => WhatJson::MemberUpdated(member),
        PresenceChange::Away => WhatJson::MemberAway(member),
        PresenceChange::Back => WhatJson::MemberBack(member),
        PresenceChange::Left { reason } => WhatJson::MemberLeft { reason, member },
    }
}

fn message_json<'a>(
    message: &'a Message<'static>,
    offset: Offset,
    name: Option<&'a MemberName>,
) -> WhatJson<'a> {
    let (text, binary) = match &message.payload {
        Payload::Text(text) => (Some(&**text), None),
        Payload::Binary(bytes) => (None, Some(BASE64.encode(bytes))),
    };
    WhatJson::Message {
        offset,
        from: message.from,
        name,
        topic: &message.topic,
        to: message.to.as_ref(),
        text,
        binary,
    }
}
