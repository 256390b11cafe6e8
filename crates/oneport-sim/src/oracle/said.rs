//! What was published, and what its author was told of it.

use oneport_wire::frame::{Class, Delivery, Publish};
use oneport_wire::{Epoch, ErrorCode, MemberId, Offset, Payload, RequestId, RoomName, Topic};

/// Which publication: the number that its payload begins with.
pub(crate) type SaidId = usize;

/// One publication.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// Which member of the world said it.
    pub(crate) author: usize,
    pub(crate) room: RoomName,
    pub(crate) topic: Topic,
    pub(crate) to: Option<Vec<MemberId>>,
    /// The epoch of which the members in `to` are.
    pub(crate) to_epoch: Option<Epoch>,
    pub(crate) class: Class,
    pub(crate) echo: bool,
    pub(crate) wants_receipt: bool,
    pub(crate) id: Option<RequestId>,
    pub(crate) is_binary: bool,
    pub(crate) bytes: usize,
    pub(crate) outcome: Outcome,
    pub(crate) has_receipt: bool,
    /// Over which link of its author it went, if it did at once.
    pub(crate) link: u32,
    /// Which one of its author's has the same id, and was acknowledged.
    pub(crate) repeats: Option<SaidId>,
    /// In which session of its author it was acknowledged, and as which of its messages.
    pub(crate) acknowledged_in: (u32, usize),
}

/// What the author knows of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Waiting,
    /// The relay has it, or had it, at this place if it has one.
    Acknowledged(Option<Offset>),
    /// The relay has another one under the same id.
    Repeated,
    /// The relay did not take it.
    Rejected(ErrorCode),
    /// Nobody knows.
    Unanswered,
}

impl Said {
    pub(crate) fn new(author: usize, id: Option<RequestId>, publish: &Publish<'_>) -> Self {
        Self {
            author,
            room: publish.room.clone(),
            topic: publish.topic.clone(),
            to: publish.to.as_ref().map(|to| to.as_slice().to_vec()),
            to_epoch: None,
            class: publish.delivery.class(),
            echo: publish.echo,
            wants_receipt: publish.delivery.receipt(),
            id,
            is_binary: matches!(publish.payload, Payload::Binary(_)),
            bytes: publish.payload.as_bytes().len(),
            outcome: Outcome::Waiting,
            has_receipt: false,
            link: 0,
            repeats: None,
            acknowledged_in: (0, 0),
        }
    }

    /// Whether a member with this id is to get it. `is_author` if it is the author's own.
    pub(crate) fn is_for(&self, member: MemberId, is_author: bool) -> bool {
        if is_author {
            return self.echo;
        }
        self.to.as_ref().is_none_or(|to| to.contains(&member))
    }
}

/// A payload that says which publication it is, and can be checked to the last byte.
pub(crate) fn payload(id: SaidId, is_binary: bool, bytes: usize) -> Payload<'static> {
    let mut text = format!("{id}:");
    let letters = (0u8..26).map(|letter| char::from(b'a' + letter)).cycle();
    let filler = letters.skip(id % 26).take(bytes.saturating_sub(text.len()));
    text.extend(filler);
    match is_binary {
        true => Payload::Binary(text.into_bytes().into()),
        false => Payload::Text(text.into()),
    }
}

/// Which publication a payload is of, if it is one of ours and nothing of it is changed.
pub(crate) fn read(payload_read: &Payload<'_>, said: &[Said]) -> Result<SaidId, String> {
    let bytes = payload_read.as_bytes();
    let head = bytes.split(|byte| *byte == b':').next().unwrap_or_default();
    let id: Option<SaidId> = std::str::from_utf8(head).ok().and_then(|n| n.parse().ok());
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]);
    let Some((id, known)) = id.and_then(|id| Some((id, said.get(id)?))) else {
        return Err(format!("nobody has said {shown:?}"));
    };
    let expected = payload(id, known.is_binary, known.bytes);
    match expected == *payload_read {
        true => Ok(id),
        false => Err(format!(
            "not as it was said: {shown:?}…, {} bytes",
            bytes.len()
        )),
    }
}

/// How a publication is made, from what can be chosen.
pub(crate) fn delivery(class: Class, receipt: bool) -> Delivery {
    Delivery::new(class, receipt).unwrap_or(Delivery::Lossy)
}
