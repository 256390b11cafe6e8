//! Lies, to see whether the oracle notices.

use oneport_client::Event;
use oneport_wire::frame::{NotRecovered, Recovery};

/// Something that a broken relay could do. It is done to what one member is told, once, on the way to
/// the oracle: a test of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// An entry is not delivered.
    Drop,
    /// An entry is delivered twice.
    Double,
    /// Two entries change places.
    Swap,
    /// A message comes from another room.
    OtherRoom,
    /// A message comes in another's name.
    OtherName,
    /// A byte of a message changes.
    Corrupt,
    /// An acknowledgement does not come.
    NoAnswer,
    /// A member that has recovered is told that it has not.
    NotRecovered,
    /// The authors of messages in the history have other names.
    OtherAuthors,
    /// The relay is never woken by its timers.
    NoWakeUp,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Drop,
        Self::Double,
        Self::Swap,
        Self::OtherRoom,
        Self::OtherName,
        Self::Corrupt,
        Self::NoAnswer,
        Self::NotRecovered,
        Self::OtherAuthors,
        Self::NoWakeUp,
    ];

    /// What becomes of what a member was told. Answers whether it was done.
    pub(crate) fn falsify(self, events: &mut Vec<Event>) -> bool {
        let is_live = |event: &Event| matches!(event, Event::Message { message, is_history: false } if message.offset.is_some());
        let place = match self {
            Self::NoAnswer => events
                .iter()
                .position(|event| matches!(event, Event::Ack(_))),
            Self::NotRecovered => events.iter().position(|event| {
                matches!(event, Event::Joined(joined) if joined.recovery == Recovery::Recovered)
            }),
            Self::OtherAuthors => events.iter().position(
                |event| matches!(event, Event::HistoryBegin(begin) if !begin.authors.is_empty()),
            ),
            Self::NoWakeUp => None,
            // Something must come after a swap's first, and after what is dropped.
            _ => events.iter().position(is_live),
        };
        let Some(place) = place else {
            return false;
        };
        match self {
            Self::Drop | Self::NoAnswer => drop(events.remove(place)),
            Self::Double => events.insert(place, events[place].clone()),
            Self::Swap => {
                let room = |event: &Event| match event {
                    Event::Message { message, .. } => Some(message.room.clone()),
                    _ => None,
                };
                let of_room = room(&events[place]);
                let is_next = |event: &Event| is_live(event) && room(event) == of_room;
                let Some(next) = events.iter().skip(place + 1).position(is_next) else {
                    return false;
                };
                events.swap(place, place + 1 + next);
            }
            Self::OtherRoom | Self::OtherName | Self::Corrupt => {
                let Event::Message { message, .. } = &mut events[place] else {
                    return false;
                };
                self.falsify_message(message);
            }
            Self::NotRecovered => {
                if let Event::Joined(joined) = &mut events[place] {
                    joined.recovery = Recovery::NotRecovered(NotRecovered::EpochChanged);
                }
            }
            Self::OtherAuthors => {
                if let Event::HistoryBegin(begin) = &mut events[place] {
                    let authors = begin.authors.iter_mut();
                    authors.for_each(|author| author.name = "mallory".parse().expect("a name"));
                }
            }
            Self::NoWakeUp => {}
        }
        true
    }

    fn falsify_message(self, message: &mut oneport_wire::frame::Message<'static>) {
        match self {
            Self::OtherRoom => {
                let other = ["lobby", "attic"].map(|name| name.parse().expect("a name"));
                let [lobby, attic] = other;
                message.room = if message.room == lobby { attic } else { lobby };
            }
            Self::OtherName => message.from = oneport_wire::MemberId::new(message.from.get() ^ 1),
            _ => {
                let mut bytes = message.payload.as_bytes().to_vec();
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
                let text = String::from_utf8(bytes).unwrap_or_default();
                message.payload = oneport_wire::Payload::Text(text.into());
            }
        }
    }
}
