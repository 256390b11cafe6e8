//! `oneport chat`: a participant at the terminal, or between two pipes.

mod editor;
mod input;
mod output;
mod screen;
mod slash;

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use oneport_client::{Command, Ended, Event, Join};
use oneport_wire::{AccessToken, MemberName, RoomName, Topic};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::invitation::Invitation;
use crate::printable::printable;
use crate::room_key::Sealer;
use crate::{Commander, Participant, ParticipantError, Trust};
use editor::Editing;
use input::{Input, Lines};
use output::{Mode, Output};
use screen::Screen;

/// Where to talk, unless the URL or `--room` says otherwise.
const ROOM: &str = "lobby";

/// Waiting without end, in turns.
const TURN: Duration = Duration::from_secs(3600);

/// How to talk.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = JSON_HELP)]
pub struct ChatArgs {
    /// The relay: the address of its page, such as http://127.0.0.1:3478, or an invitation.
    ///
    /// Room, token and key are read from its fragment, as the page does: '#room', '#room?token=TOKEN',
    /// '#room?key=KEY'. With a key, messages are encrypted and decrypted here, and the relay cannot read
    /// them. Other users of this machine can see the command line, and with it the URL: use
    /// --token-file where that matters.
    pub url: String,

    /// The room to talk in. [default: that of the URL, or lobby]
    #[arg(long)]
    pub room: Option<RoomName>,

    /// What the others see you as.
    #[arg(long)]
    pub name: Option<MemberName>,

    /// What to talk about: messages of other topics are not shown, except with --json. The relay's
    /// page talks about "chat", and so do plain channels with that label. '' is the empty topic.
    #[arg(long, default_value = "chat")]
    pub topic: Topic,

    /// How many earlier messages to show first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub history: u32,

    /// A file with the access token, where the relay asks for one and the URL has none.
    #[arg(long, value_name = "PATH")]
    pub token_file: Option<PathBuf>,

    /// For a relay with a certificate of a private authority: a file with that authority's own, as PEM.
    #[arg(long, value_name = "PATH")]
    pub ca: Option<PathBuf>,

    /// For pipes: nothing but messages on stdout, each as NAME: TEXT. All else goes to stderr.
    #[arg(long, conflicts_with = "json")]
    pub lines: bool,

    /// For programs: JSON lines on stdin and stdout; --help has the details.
    #[arg(long)]
    pub json: bool,

    /// How long to try to come back after the connection is lost.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub give_up_after: u32,
}

const JSON_HELP: &str = r#"Each line typed is a message. On a terminal the line can be edited, incoming messages appear above it, and a line that begins with / is a command: /help lists them, and //text sends the message /text. Ctrl-D ends the input, Ctrl-C leaves at once. In a pipe every line is a message.

At the end of the input, chat waits until the relay has acknowledged every message, leaves and exits with 0. It exits with 1 if it cannot connect, is refused, loses the relay for good, or if a message was refused or may be lost; with 2 if an argument cannot be used.

With --json, each line of input is a frame of oneport.v1 as PROTOCOL.md has them for clients, of type pub, history, members, update or kick. "room" may be left out, and "id" where no answer is waited for; a pub without "topic" has that of --topic. A pub with bytes has "binary" with hexadecimal digits instead of "text". A blank line is ignored.

  {"t":"pub","text":"hello"}
  {"t":"pub","id":"m-1","to":[3],"class":"transient","binary":"00ff"}
  {"t":"history","id":"h-1","count":20}

Each line of output is an event: a frame as PROTOCOL.md has them for the relay, of type joined, left, msg (with "history":true if it is an earlier one; with "binary" if it has bytes), presence, gap, history_end, members, ack, receipt, err or bye; or one of those below. With a key, a message that cannot be decrypted is an event of type unreadable: a msg without its payload, and with "why", which is wrong_key, not_sealed or unknown_version.

  {"t":"connected","session":"5e55105e55105e55","resumed":false}
  {"t":"disconnected","why":"the relay is silent","retry_in_ms":180}
  {"t":"unanswered","id":"m-1","why":"session_lost"}
  {"t":"closed","why":"closed"}"#;

/// What the arguments and the URL together ask for.
struct Plan {
    room: RoomName,
    token: Option<AccessToken>,
    trust: Trust,
    sealer: Option<Arc<Sealer>>,
}

impl Plan {
    fn new(args: &ChatArgs) -> Result<Self, String> {
        let invitation = Invitation::of(&args.url)?;
        let room = invitation.room_with(args.room.as_ref())?;
        let room = room.unwrap_or_else(|| ROOM.parse().expect("it is a name"));
        let trust = args.ca.as_deref().map(Trust::only).transpose()?;
        let sealer = invitation.key.as_ref().map(|key| {
            let sealer = Sealer::new(key, room.clone()).map(Arc::new);
            sealer.map_err(|_| "the key in the URL cannot be used".to_owned())
        });
        Ok(Self {
            room,
            token: invitation.token_with(token(args)?)?,
            trust: trust.unwrap_or_default(),
            sealer: sealer.transpose()?,
        })
    }
}

/// Talks until the input ends, a signal comes or the relay is lost.
pub fn chat(args: &ChatArgs) -> ExitCode {
    let plan = match Plan::new(args) {
        Ok(plan) => plan,
        Err(error) => return fail(2, error),
    };
    let participant = Participant::connect_trusting(
        &args.url,
        plan.room.clone(),
        plan.token.clone(),
        &plan.trust,
    );
    let mut participant = match participant {
        Ok(participant) => participant,
        Err(error @ ParticipantError::Url(_)) => return fail(2, error),
        Err(error) => return fail(1, error),
    };
    let talked = talk(&mut participant, args, plan);
    // What it still has to say, such as that it leaves, it says before it ends.
    let closed = participant.close().map_err(|error| error.to_string());
    match talked.and_then(|is_whole| closed.map(|()| is_whole)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(1, error),
    }
}

/// Whether everything that was to be said is known to be said.
fn talk(participant: &mut Participant, args: &ChatArgs, plan: Plan) -> Result<bool, String> {
    let join = Join {
        room: plan.room.clone(),
        name: args.name.clone(),
        meta: None,
        token: plan.token,
        since: None,
        history: args.history,
    };
    participant.join(join).map_err(|error| error.to_string())?;
    let mode = match (args.json, args.lines) {
        (true, _) => Mode::Json,
        (_, true) => Mode::Lines,
        _ => Mode::Terminal,
    };
    let (screen, lines) = edit(mode, participant.commander()).map_err(|error| error.to_string())?;
    let has_failed = Arc::new(AtomicBool::new(false));
    let input = Input {
        commander: participant.commander(),
        mode,
        is_typed: mode == Mode::Terminal && io::stdin().is_terminal(),
        room: plan.room,
        topic: args.topic.clone(),
        sealer: plan.sealer.clone(),
        screen: screen.clone(),
        has_failed: Arc::clone(&has_failed),
    };
    let signals = close_on_signals(participant.commander(), screen.clone());
    let threads = signals.and_then(|()| input.start(lines));
    let output = Output::new(mode, args.topic.clone(), plan.sealer, screen.clone());
    let patience = Duration::from_secs(args.give_up_after.into());
    let talked = threads
        .map_err(|error| error.to_string())
        .and_then(|()| tell(participant, output, patience, &has_failed));
    screen.release();
    talked
}

/// Where to print and where to read: with an editor, if people type here.
fn edit(mode: Mode, commander: Commander) -> io::Result<(Screen, Lines)> {
    // It fails where it has ended already.
    let leave = move || drop(commander.command(Command::Close));
    let editing = match mode {
        Mode::Terminal => Editing::start(leave)?,
        Mode::Lines | Mode::Json => None,
    };
    Ok(match editing {
        Some((editing, lines)) => (Screen::Edited(editing), Lines::Editor(lines)),
        None => (Screen::Plain, Lines::stdin()),
    })
}

/// Tells all events until there are no more.
fn tell(
    participant: &mut Participant,
    mut output: Output,
    patience: Duration,
    has_failed: &AtomicBool,
) -> Result<bool, String> {
    let mut away_since = Some(Instant::now());
    loop {
        let left = away_since.map(|since| patience.saturating_sub(since.elapsed()));
        if left == Some(Duration::ZERO) {
            return Err("the relay is lost: it could not be reached again".into());
        }
        let event = participant.next_event(left.unwrap_or(TURN));
        let Some(event) = event.map_err(|error| error.to_string())? else {
            continue;
        };
        output
            .tell(&event)
            .map_err(|error| format!("stdout: {error}"))?;
        match event {
            Event::Joined(_) => away_since = None,
            Event::Disconnected { .. } => {
                away_since.get_or_insert_with(Instant::now);
            }
            Event::NotJoined {
                rejection,
                is_retried: false,
                ..
            } => return Err(format!("the room cannot be joined: {}", rejection.message)),
            Event::Rejected(_) | Event::Unanswered { .. } => {
                has_failed.store(true, Ordering::Release);
            }
            Event::Left(left) if left.id.is_none() => {
                let message = left
                    .message
                    .map(|message| format!(": {}", message.as_str()));
                let (reason, message) = (left.reason.as_str(), message.unwrap_or_default());
                return Err(format!("removed from the room: {reason}{message}"));
            }
            Event::Closed(Ended::ByOwner) => return Ok(!has_failed.load(Ordering::Acquire)),
            Event::Closed(why) => return Err(why.to_string()),
            _ => {}
        }
    }
}

fn token(args: &ChatArgs) -> Result<Option<AccessToken>, String> {
    let Some(path) = &args.token_file else {
        return Ok(None);
    };
    let failed = |error: &dyn Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    let token = text.trim().parse().map_err(|error| failed(&error))?;
    Ok(Some(token))
}

/// The first signal leaves the room properly, a second one ends the process at once.
fn close_on_signals(commander: Commander, screen: Screen) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(move || {
        let mut is_closing = false;
        for signal in signals.forever() {
            if is_closing {
                screen.release();
                std::process::exit(128 + signal);
            }
            is_closing = true;
            // It fails where it has ended already.
            let _ = commander.command(Command::Close);
        }
    })?;
    Ok(())
}

fn fail(code: u8, error: impl Display) -> ExitCode {
    // Where stderr is closed, the exit code must do. The relay may have chosen parts of it.
    let _ = writeln!(io::stderr(), "oneport: {}", printable(&error.to_string()));
    ExitCode::from(code)
}
