//! From stdin to the room.

use std::io::{self, BufRead as _, BufReader, Read as _, Stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use oneport_client::{Command, CommandError};
use oneport_wire::frame::{ClientBody, ClientFrame, Members, Publish, Rejection};
use oneport_wire::{CLIENT_FRAME_BYTES_MAX, ErrorCode, Kind, Payload, RequestId, RoomName, Topic};
use serde_json::{Map, Value};

use super::output::{self, Mode};
use super::screen::Screen;
use super::slash::{self, Slash, Typed};
use crate::printable::printable;
use crate::room_key::Sealer;
use crate::{Commander, ParticipantError};

/// The longest line: what as a message is too long for any relay, however it is escaped.
const LINE_BYTES_MAX: usize = 6 * CLIENT_FRAME_BYTES_MAX;

/// How long to wait when the client cannot take more. It is a wait for the network.
const PAUSE: Duration = Duration::from_millis(20);

/// Where lines come from.
pub(super) enum Lines {
    Stdin(BufReader<Stdin>),
    Editor(Receiver<String>),
}

impl Lines {
    pub(super) fn stdin() -> Self {
        Self::Stdin(BufReader::new(io::stdin()))
    }

    /// The next line, with its end if it has one; nothing at the end of all.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Rejection> {
        let stdin = match self {
            Self::Editor(lines) => return Ok(lines.recv().ok().map(String::into_bytes)),
            Self::Stdin(stdin) => stdin,
        };
        let mut line = Vec::new();
        let read = stdin
            .take(LINE_BYTES_MAX as u64 + 1)
            .read_until(b'\n', &mut line);
        match read {
            Ok(0) => Ok(None),
            Ok(length) if length <= LINE_BYTES_MAX => Ok(Some(line)),
            Ok(_) => Err(Rejection::of(ErrorCode::TooLarge)),
            Err(error) => Err(Rejection::new(ErrorCode::Internal, error.to_string())),
        }
    }
}

/// What reads lines, on a thread of its own.
pub(super) struct Input {
    pub(super) commander: Commander,
    pub(super) mode: Mode,
    /// Whether somebody types the lines, so that some are commands.
    pub(super) is_typed: bool,
    pub(super) room: RoomName,
    pub(super) topic: Topic,
    /// Encrypts what is said in a private room.
    pub(super) sealer: Option<Arc<Sealer>>,
    pub(super) screen: Screen,
    /// Set where something is not said.
    pub(super) has_failed: Arc<AtomicBool>,
}

/// What a line asks for.
enum Request {
    Nothing,
    Command(Command),
    /// A sentence for whoever typed the line.
    Complaint(String),
    Help,
    Quit,
}

impl Input {
    pub(super) fn start(self, lines: Lines) -> io::Result<()> {
        let thread = std::thread::Builder::new().name("stdin".into());
        thread.spawn(move || self.run(lines))?;
        Ok(())
    }

    /// Reads to the end; everything after that is waited for. The thread is not: it may wait for a
    /// line when the process ends.
    fn run(&self, mut lines: Lines) {
        let mut number = 0_u64;
        loop {
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(rejection) => {
                    self.refuse(&rejection);
                    break;
                }
            };
            number += 1;
            let id = format!("line-{number}")
                .parse()
                .expect("a word and a number");
            match self.request(&line, id) {
                Ok(Request::Command(command)) if !self.carry_out(&command) => return,
                Ok(Request::Command(_) | Request::Nothing) => {}
                Ok(Request::Complaint(why)) => self.tell(&why),
                Ok(Request::Help) => Slash::help().for_each(|line| self.tell(&line)),
                Ok(Request::Quit) => break,
                Err(rejection) => self.refuse(&rejection),
            }
        }
        self.carry_out(&Command::Finish);
    }

    /// A note for whoever types here.
    fn tell(&self, note: &str) {
        self.screen.print_aside(&format!("* {}", printable(note)));
    }

    /// False when there is nobody any more who could.
    fn carry_out(&self, command: &Command) -> bool {
        loop {
            match self.commander.command(command.clone()) {
                Ok(_) => return true,
                Err(ParticipantError::Command(CommandError::Full | CommandError::NotNow)) => {
                    std::thread::sleep(PAUSE);
                }
                Err(ParticipantError::Command(CommandError::Ended) | ParticipantError::Stopped) => {
                    return false;
                }
                Err(error) => {
                    let id = match command {
                        Command::Publish { id, .. } => id.clone(),
                        _ => None,
                    };
                    self.refuse(&Rejection {
                        id,
                        ..Rejection::new(ErrorCode::BadFrame, error.to_string())
                    });
                    return true;
                }
            }
        }
    }

    fn refuse(&self, rejection: &Rejection) {
        self.has_failed.store(true, Ordering::Release);
        match self.mode {
            // A broken stdout is found out by whoever tells events.
            Mode::Json => drop(output::frame(rejection.clone())),
            Mode::Terminal | Mode::Lines => {
                let message = printable(&rejection.message);
                self.screen.print_aside(&format!("oneport: {message}"));
            }
        }
    }

    /// What a line asks for. `id` is for a message that has none.
    fn request(&self, line: &[u8], id: RequestId) -> Result<Request, Rejection> {
        let text = std::str::from_utf8(line);
        let text = text.map_err(|_| Rejection::new(ErrorCode::BadFrame, "a line is not UTF-8"))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.trim().is_empty() {
            return Ok(Request::Nothing);
        }
        if self.mode == Mode::Json {
            let command = json(text, &self.room, &self.topic, id)?;
            return self.sealed(command).map(Request::Command);
        }
        let typed = match self.is_typed {
            true => slash::parse(text),
            false => Ok(Typed::Message(text)),
        };
        let text = match typed {
            Ok(Typed::Message(text)) => text,
            Ok(Typed::Command(Slash::Help)) => return Ok(Request::Help),
            Ok(Typed::Command(Slash::Quit)) => return Ok(Request::Quit),
            Ok(Typed::Command(Slash::Members)) => {
                let ask = Members {
                    room: self.room.clone(),
                    after: None,
                };
                return Ok(Request::Command(Command::Members(None, ask)));
            }
            Err(why) => return Ok(Request::Complaint(why)),
        };
        let publish = Publish {
            topic: self.topic.clone(),
            ..Publish::new(self.room.clone(), Payload::Text(text.to_owned().into()))
        };
        let command = Command::Publish {
            id: Some(id),
            publish,
        };
        self.sealed(command).map(Request::Command)
    }

    /// Encrypts a message, if its room is the private one.
    fn sealed(&self, mut command: Command) -> Result<Command, Rejection> {
        if let (Command::Publish { id, publish }, Some(sealer)) = (&mut command, &self.sealer) {
            // Anywhere else it would be said in clear what was meant to be private.
            let refused = |why: &'static str| Rejection {
                id: id.clone(),
                ..Rejection::new(ErrorCode::BadRoom, why)
            };
            if publish.room != self.room {
                return Err(refused("the key in the URL is for another room"));
            }
            let sealed = sealer.seal(&publish.topic, &publish.payload);
            let sealed = sealed.map_err(|_| refused("the message cannot be encrypted"))?;
            publish.payload = Payload::Binary(sealed.into());
        }
        Ok(command)
    }
}

/// A line of `--json`: a client's frame with some things left out, and bytes in hexadecimal digits.
fn json(text: &str, room: &RoomName, topic: &Topic, id: RequestId) -> Result<Command, Rejection> {
    let bad = |why: &'static str| Rejection::new(ErrorCode::BadFrame, why);
    let mut object: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| bad("a line is not a JSON object"))?;
    let mut default = |name: &str, value: &str| {
        object.entry(name).or_insert_with(|| value.into());
    };
    default("room", room.as_str());
    let is_message = object.get("t").is_some_and(|t| t == "pub");
    if is_message {
        object
            .entry("topic")
            .or_insert_with(|| topic.as_str().into());
    }
    let binary = match object.remove("binary").filter(|_| is_message) {
        None => None,
        Some(digits) => {
            object.insert("text".into(), "".into());
            let bytes = digits.as_str().and_then(from_hex);
            Some(bytes.ok_or(bad("\"binary\" is not pairs of hexadecimal digits"))?)
        }
    };
    let text = Value::Object(object).to_string();
    let frame = ClientFrame::decode(Kind::Text, text.as_bytes())?;
    match frame.body {
        ClientBody::Publish(publish) => {
            let payload = match binary {
                Some(bytes) => Payload::Binary(bytes.into()),
                None => publish.payload.into_owned(),
            };
            let Publish {
                room,
                topic,
                to,
                echo,
                delivery,
                payload: _,
            } = publish;
            let publish = Publish {
                room,
                topic,
                to,
                echo,
                delivery,
                payload,
            };
            let id = Some(frame.id.unwrap_or(id));
            Ok(Command::Publish { id, publish })
        }
        ClientBody::History(ask) => Ok(Command::History(frame.id, ask)),
        ClientBody::Members(ask) => Ok(Command::Members(frame.id, ask)),
        ClientBody::Update(update) => Ok(Command::Update(frame.id, update)),
        ClientBody::Kick(kick) => Ok(Command::Kick(frame.id, kick)),
        _ => Err(Rejection {
            id: frame.id,
            ..Rejection::new(
                ErrorCode::UnknownType,
                "a line is of type pub, history, members, update or kick",
            )
        }),
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let pairs = digits.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(value(*high)? * 16 + value(*low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, Rejection> {
        let room = "lobby".parse().expect("a name");
        let topic = "chat".parse().expect("a topic");
        json(line, &room, &topic, "line-1".parse().expect("an id"))
    }

    #[test]
    fn lines_as_frames() {
        let Ok(Command::Publish { id, publish }) = parsed(r#"{"t":"pub","text":"hi"}"#) else {
            panic!("a message");
        };
        assert_eq!(id, "line-1".parse().ok());
        assert_eq!(
            (publish.room.as_str(), publish.topic.as_str()),
            ("lobby", "chat")
        );
        assert_eq!(publish.payload, "hi".into());
        let line = r#"{"t":"pub","id":"a","room":"attic","topic":"","binary":"00fF","echo":true}"#;
        let Ok(Command::Publish { id, publish }) = parsed(line) else {
            panic!("a message");
        };
        assert_eq!(
            (id, publish.topic.as_str(), publish.echo),
            ("a".parse().ok(), "", true)
        );
        assert_eq!(publish.payload, Payload::Binary(vec![0, 255].into()));
        let asked = parsed(r#"{"t":"history","count":3}"#);
        assert!(matches!(asked, Ok(Command::History(None, _))));
    }

    #[test]
    fn lines_that_are_none() {
        for (line, code) in [
            ("hello", ErrorCode::BadFrame),
            ("[]", ErrorCode::BadFrame),
            (r#"{"text":"hi"}"#, ErrorCode::BadFrame),
            (r#"{"t":"pub"}"#, ErrorCode::BadFrame),
            (r#"{"t":"pub","binary":"0"}"#, ErrorCode::BadFrame),
            (r#"{"t":"pub","binary":"zz"}"#, ErrorCode::BadFrame),
            (r#"{"t":"hello","version":1}"#, ErrorCode::UnknownType),
            (r#"{"t":"sing"}"#, ErrorCode::UnknownType),
        ] {
            let rejection = parsed(line).expect_err(line);
            assert_eq!(rejection.code, code, "{line}");
        }
    }
}
