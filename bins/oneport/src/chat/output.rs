//! From the room to stdout.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use oneport_client::{Event, Message};
use oneport_wire::frame::{Member, MembersPage, Presence, PresenceChange, Recovery, ServerFrame};
use oneport_wire::{MemberId, MemberName, Payload, Topic};
use serde_json::{Value, json};

use super::screen::{Screen, write_line};
use crate::printable::{is_variation_selector, printable};
use crate::room_key::{Sealer, Unreadable, is_sealed};

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// For people: everything, on stdout.
    Terminal,
    /// For pipes: messages on stdout, the rest on stderr.
    Lines,
    /// For programs.
    Json,
}

/// Who speaks for the relay's operator (PROTOCOL.md section 6, `msg`).
const THE_RELAY: &str = "the relay";

/// Tells events.
pub(super) struct Output {
    mode: Mode,
    topic: Topic,
    /// Decrypts what is said in a private room.
    sealer: Option<Arc<Sealer>>,
    screen: Screen,
    /// What members are called, those who left included: their messages may still be told.
    names: BTreeMap<MemberId, String>,
    /// Whether it was told that the connection is lost. People need not be told of each attempt.
    is_away: bool,
}

impl Output {
    pub(super) fn new(
        mode: Mode,
        topic: Topic,
        sealer: Option<Arc<Sealer>>,
        screen: Screen,
    ) -> Self {
        Self {
            mode,
            topic,
            sealer,
            screen,
            names: BTreeMap::new(),
            is_away: false,
        }
    }

    /// Tells one.
    ///
    /// # Errors
    ///
    /// If stdout cannot be written.
    pub(super) fn tell(&mut self, event: &Event) -> io::Result<()> {
        if self.mode == Mode::Json {
            let line = json_line(event, self.sealer.as_deref());
            return line.map_or(Ok(()), |line| write_line(&line));
        }
        match event {
            Event::Joined(joined) => {
                self.is_away = false;
                // What was missed can be from members that have left meanwhile.
                if joined.recovery != Recovery::Recovered {
                    self.names.clear();
                }
                joined.members.iter().for_each(|member| self.name(member));
                let missing = match joined.recovery {
                    Recovery::NotRecovered(why) => {
                        format!("; messages may be missing ({})", why.as_str())
                    }
                    Recovery::Fresh | Recovery::Recovered => String::new(),
                };
                let (room, total) = (&joined.room, joined.total);
                let private = match self.sealer {
                    Some(_) => "; messages are end-to-end encrypted",
                    None => "",
                };
                self.note(&format!(
                    "in room {room}, members: {total}{private}{missing}"
                ))
            }
            Event::HistoryBegin(begin) => {
                let authors = begin.authors.iter();
                authors.for_each(|author| self.set_name(author.id, &author.name));
                Ok(())
            }
            Event::Message { message, .. } => self.message(message),
            Event::Presence(presence) => {
                self.name(&presence.member);
                self.note(&self.presence(presence))
            }
            Event::Members(page) => {
                page.members.iter().for_each(|member| self.name(member));
                self.note(&self.members(page))
            }
            Event::Gap(gap) => {
                self.note(&format!("messages are missing ({})", gap.reason.as_str()))
            }
            Event::Disconnected { why, .. } if !self.is_away => {
                self.is_away = true;
                self.note(&format!("disconnected: {why}"))
            }
            Event::Unanswered { .. } => self.note("a message may be lost"),
            Event::Rejected(rejection) => {
                self.note(&format!("a message was refused: {}", rejection.message))
            }
            Event::NotJoined { rejection, .. } => {
                self.note(&format!("not in the room: {}", rejection.message))
            }
            _ => Ok(()),
        }
    }

    fn message(&self, message: &Message<'_>) -> io::Result<()> {
        if message.topic != self.topic {
            return Ok(());
        }
        let name = self.name_of(message.from);
        match opened(message, self.sealer.as_deref()) {
            // A second line must not look as if somebody else had said it.
            Ok(Payload::Text(text)) => {
                let text = text.strip_suffix('\n').unwrap_or(&text);
                let lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
                let lines = lines.map(|line| format!("{name}: {}", printable(line)));
                self.screen.print(&lines.collect::<Vec<_>>().join("\n"))
            }
            Ok(Payload::Binary(bytes)) => self.note(&format!("{name} sent {} bytes", bytes.len())),
            Err(why) => {
                let why = why.meaning();
                self.note(&format!("a message from {name} cannot be read: {why}"))
            }
        }
    }

    fn members(&self, page: &MembersPage) -> String {
        let shown = page.members.iter().map(|member| {
            let name = self.name_of(member.id);
            if member.away { name + " (away)" } else { name }
        });
        let shown: Vec<_> = shown.collect();
        let total = usize::try_from(page.total).unwrap_or(usize::MAX);
        let more = match total.saturating_sub(shown.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("members: {}{more}", shown.join(", "))
    }

    fn presence(&self, presence: &Presence) -> String {
        let name = self.name_of(presence.member.id);
        match presence.change {
            PresenceChange::Joined => format!("{name} joined"),
            PresenceChange::Updated => format!("{name} is here under this name"),
            PresenceChange::Away => format!("{name} is away"),
            PresenceChange::Back => format!("{name} is back"),
            PresenceChange::Left { reason } => format!("{name} left ({})", reason.as_str()),
        }
    }

    /// What is no message.
    fn note(&self, note: &str) -> io::Result<()> {
        match self.mode {
            Mode::Terminal => self.screen.print(&format!("* {}", printable(note))),
            Mode::Lines | Mode::Json => {
                self.screen.print_aside(&format!("* {}", printable(note)));
                Ok(())
            }
        }
    }

    fn name(&mut self, member: &Member) {
        match &member.name {
            Some(name) => self.set_name(member.id, name),
            None => drop(self.names.remove(&member.id)),
        }
    }

    fn set_name(&mut self, member: MemberId, name: &MemberName) {
        let name = printable(name.as_str()).into_owned();
        self.names.insert(member, name);
    }

    fn name_of(&self, member: MemberId) -> String {
        if member == MemberId::RELAY {
            return THE_RELAY.into();
        }
        match self.names.get(&member) {
            Some(name) if is_misleading(name) => format!("{name} (#{member})"),
            Some(name) => name.clone(),
            None => format!("#{member}"),
        }
    }
}

/// Returns whether a name looks like something that it is not: the relay, a member without a name, a note,
/// or nothing at all.
fn is_misleading(name: &str) -> bool {
    let visible: String = name
        .chars()
        .filter(|c| !is_variation_selector(*c))
        .collect();
    let words: Vec<_> = visible.split_whitespace().collect();
    let shown = words.join(" ");
    shown.is_empty() || shown.starts_with(['#', '*']) || shown.eq_ignore_ascii_case(THE_RELAY)
}

/// Writes a frame of the relay, or one that is like it, as a line.
///
/// # Errors
///
/// If stdout cannot be written.
pub(super) fn frame<'a>(frame: impl Into<ServerFrame<'a>>) -> io::Result<()> {
    write_line(&encoded(frame))
}

/// The payload of a message as it was before it was sealed, or why that cannot be told.
fn opened(message: &Message<'_>, sealer: Option<&Sealer>) -> Result<Payload<'static>, Unreadable> {
    match sealer {
        Some(sealer) => sealer.open(&message.topic, &message.payload),
        None if is_sealed(&message.payload) => Err(Unreadable::NoKey),
        None => Ok(message.payload.clone().into_owned()),
    }
}

fn encoded<'a>(frame: impl Into<ServerFrame<'a>>) -> String {
    let mut bytes = Vec::new();
    frame.into().encode_into(&mut bytes);
    String::from_utf8(bytes).expect("all but binary messages are text")
}

/// The line for an event; none for what only the program itself needs to know.
fn json_line(event: &Event, sealer: Option<&Sealer>) -> Option<String> {
    Some(match event {
        Event::OfferWanted => return None,
        Event::Connected {
            session, resumed, ..
        } => object(
            "connected",
            &[("session", json!(session)), ("resumed", json!(resumed))],
        ),
        Event::Disconnected { why, retry_in } => {
            let retry_in_ms = u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX);
            let why = json!(why.to_string());
            object(
                "disconnected",
                &[("why", why), ("retry_in_ms", json!(retry_in_ms))],
            )
        }
        Event::Closed(why) => object("closed", &[("why", json!(why.to_string()))]),
        Event::Unanswered { id, why } => object(
            "unanswered",
            &[("id", json!(id)), ("why", json!(why.as_str()))],
        ),
        Event::Message {
            message,
            is_history,
        } => match sealer.map(|sealer| sealer.open(&message.topic, &message.payload)) {
            None => message_line(message, *is_history),
            Some(Ok(payload)) => {
                let message = Message {
                    payload,
                    ..message.clone()
                };
                message_line(&message, *is_history)
            }
            Some(Err(why)) => unreadable_line(message, *is_history, why),
        },
        Event::Joined(joined) => encoded(joined.clone()),
        Event::NotJoined { rejection, .. } | Event::Rejected(rejection) => {
            encoded(rejection.clone())
        }
        Event::Left(left) => encoded(left.clone()),
        Event::Presence(presence) => encoded(presence.clone()),
        Event::Gap(gap) => encoded(gap.clone()),
        Event::HistoryBegin(begin) => encoded(begin.clone()),
        Event::HistoryEnd(end) => encoded(end.clone()),
        Event::Members(page) => encoded(page.clone()),
        Event::Ack(ack) => encoded(ack.clone()),
        Event::Receipt(receipt) => encoded(receipt.clone()),
        Event::Bye(bye) => encoded(bye.clone()),
    })
}

/// With its type first, as in frames.
fn object(t: &str, members: &[(&str, Value)]) -> String {
    let mut line = format!(r#"{{"t":"{t}""#);
    for (name, value) in members {
        let _ = write!(line, r#","{name}":{value}"#);
    }
    line + "}"
}

/// The frame with its bytes, if it has some, in hexadecimal digits. Its last member is the payload.
fn message_line(message: &Message<'static>, is_history: bool) -> String {
    let mut line = match &message.payload {
        Payload::Text(_) => encoded(message.clone()),
        Payload::Binary(bytes) => {
            let mut line = encoded(Message {
                payload: "".into(),
                ..message.clone()
            });
            line.truncate(line.len() - r#""text":""}"#.len());
            line += r#""binary":""#;
            for byte in bytes.iter() {
                let _ = write!(line, "{byte:02x}");
            }
            line + r#""}"#
        }
    };
    if is_history {
        line.pop();
        line += r#","history":true}"#;
    }
    line
}

/// What is known of a message whose payload cannot be decrypted.
fn unreadable_line(message: &Message<'static>, is_history: bool, why: Unreadable) -> String {
    let mut members = vec![("room", json!(message.room))];
    members.extend(message.offset.map(|offset| ("offset", json!(offset))));
    members.push(("from", json!(message.from)));
    members.push(("time", json!(message.time)));
    members.push(("topic", json!(message.topic)));
    members.push(("why", json!(why.as_str())));
    members.extend(is_history.then_some(("history", json!(true))));
    object("unreadable", &members)
}

#[cfg(test)]
mod tests {
    use oneport_wire::{Offset, UnixMillis};

    use super::*;

    #[test]
    fn names_that_mislead() {
        for name in [
            "the relay",
            " The  RELAY ",
            "the\u{a0}relay",
            "the\u{2003}relay",
            "the\u{fe0f} relay",
            "#2",
            " #2",
            "* ada left",
            "\u{fe0f}",
            "\u{e0100}\u{180b}",
            "\u{3000}",
        ] {
            assert!(is_misleading(name), "{name:?}");
        }
        for name in ["ada", "the relayer", "C#", "a*", "\u{2764}\u{fe0f}"] {
            assert!(!is_misleading(name), "{name:?}");
        }
    }

    #[test]
    fn messages_as_json() {
        let message = |payload| Message {
            room: "lobby".parse().expect("a name"),
            offset: Some(Offset::from(7)),
            from: MemberId::new(3),
            time: UnixMillis::from(1000),
            topic: Topic::default(),
            to: None,
            payload,
        };
        let start = r#"{"t":"msg","room":"lobby","offset":7,"from":3,"time":1000"#;
        let text = message_line(&message("a\nb".into()), true);
        assert_eq!(text, format!(r#"{start},"text":"a\nb","history":true}}"#));
        let bytes = message_line(&message(Payload::Binary(vec![0, 255].into())), false);
        assert_eq!(bytes, format!(r#"{start},"binary":"00ff"}}"#));
    }

    #[test]
    fn messages_that_cannot_be_read_as_json() {
        let message = Message {
            room: "lobby".parse().expect("a name"),
            offset: Some(Offset::from(7)),
            from: MemberId::new(3),
            time: UnixMillis::from(1000),
            topic: Topic::default(),
            to: None,
            payload: "in clear".into(),
        };
        let line = unreadable_line(&message, true, Unreadable::NotSealed);
        assert_eq!(
            line,
            r#"{"t":"unreadable","room":"lobby","offset":7,"from":3,"time":1000,"topic":"","why":"not_sealed","history":true}"#
        );
    }
}
