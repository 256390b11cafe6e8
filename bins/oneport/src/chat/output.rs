//! From the room to stdout.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use oneport_client::{Event, Message};
use oneport_wire::frame::{Member, Presence, PresenceChange, Recovery, ServerFrame};
use oneport_wire::{MemberId, Payload, Topic};
use serde_json::{Value, json};

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

/// Tells events.
pub(super) struct Output {
    mode: Mode,
    topic: Topic,
    /// What members are called, those who left included: their messages may still be told.
    names: BTreeMap<MemberId, String>,
    /// Whether it was told that the connection is lost. People need not be told of each attempt.
    is_away: bool,
}

impl Output {
    pub(super) fn new(mode: Mode, topic: Topic) -> Self {
        Self {
            mode,
            topic,
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
            return json_line(event).map_or(Ok(()), |line| write_line(&line));
        }
        match event {
            Event::Joined(joined) => {
                self.is_away = false;
                self.names.clear();
                joined.members.iter().for_each(|member| self.name(member));
                let missing = match joined.recovery {
                    Recovery::NotRecovered(why) => {
                        format!("; messages may be missing ({})", why.as_str())
                    }
                    Recovery::Fresh | Recovery::Recovered => String::new(),
                };
                let (room, total) = (&joined.room, joined.total);
                self.note(&format!("in room {room}, members: {total}{missing}"))
            }
            Event::Message { message, .. } => self.message(message),
            Event::Presence(presence) => {
                self.name(&presence.member);
                self.note(&self.presence(presence))
            }
            Event::Members(page) => {
                page.members.iter().for_each(|member| self.name(member));
                Ok(())
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
        match &message.payload {
            // A second line must not look as if somebody else had said it.
            Payload::Text(text) => {
                let lines = text
                    .lines()
                    .map(|line| format!("{name}: {}", harmless(line)));
                write_line(&lines.collect::<Vec<_>>().join("\n"))
            }
            Payload::Binary(bytes) => self.note(&format!("{name} sent {} bytes", bytes.len())),
        }
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
            Mode::Terminal => write_line(&format!("* {}", harmless(note))),
            Mode::Lines | Mode::Json => {
                eprintln!("* {}", harmless(note));
                Ok(())
            }
        }
    }

    fn name(&mut self, member: &Member) {
        match &member.name {
            Some(name) => self.names.insert(member.id, harmless(name.as_str())),
            None => self.names.remove(&member.id),
        };
    }

    fn name_of(&self, member: MemberId) -> String {
        if member == MemberId::RELAY {
            return "the relay".into();
        }
        let name = self.names.get(&member).cloned();
        name.unwrap_or_else(|| format!("#{member}"))
    }
}

/// Writes a frame of the relay, or one that is like it, as a line.
///
/// # Errors
///
/// If stdout cannot be written.
pub(super) fn frame<'a>(frame: impl Into<ServerFrame<'a>>) -> io::Result<()> {
    write_line(&encoded(frame))
}

fn write_line(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// What comes from others must not move the cursor or worse.
fn harmless(text: &str) -> String {
    let mend = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(mend).collect()
}

fn encoded<'a>(frame: impl Into<ServerFrame<'a>>) -> String {
    let mut bytes = Vec::new();
    frame.into().encode_into(&mut bytes);
    String::from_utf8(bytes).expect("all but binary messages are text")
}

/// The line for an event; none for what only the program itself needs to know.
fn json_line(event: &Event) -> Option<String> {
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
        } => message_line(message, *is_history),
        Event::Joined(joined) => encoded(joined.clone()),
        Event::NotJoined { rejection, .. } | Event::Rejected(rejection) => {
            encoded(rejection.clone())
        }
        Event::Left(left) => encoded(left.clone()),
        Event::Presence(presence) => encoded(presence.clone()),
        Event::Gap(gap) => encoded(gap.clone()),
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

#[cfg(test)]
mod tests {
    use oneport_wire::{Offset, UnixMillis};

    use super::*;

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
    fn nothing_that_moves_the_cursor() {
        assert_eq!(harmless("a\tb\x1b[2J\u{9b}"), "a b\u{fffd}[2J\u{fffd}");
    }
}
