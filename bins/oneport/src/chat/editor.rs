//! The line editor of an interactive chat. What arrives is printed above the line that is being typed.
//!
//! rustyline can print while it reads a line. Between two lines it would print at once, and overtake
//! what it has not printed yet. So whoever prints waits between lines, which takes microseconds: the
//! editor's thread does nothing but read lines and queue them.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::termios::{self, OptionalActions, Termios};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Editor, ExternalPrinter, Helper, Prompt};

use super::screen::write_line;

/// What stands before the line.
const PROMPT: &str = "> ";

/// How many typed lines may wait for the client, which takes none while too much is unacknowledged. Beyond
/// that, no more are read from the terminal.
const TYPED_MAX: usize = 64;

/// How long a terminal needs to be prepared for editing.
const PREPARATION: Duration = Duration::from_millis(500);

/// Ends the mode in which a terminal marks what is pasted; rustyline begins it with each line.
const BRACKETED_PASTE_OFF: &str = "\x1b[?2004l";

/// The state of the terminal, shared by the editor's thread and by those who print.
pub(super) struct Editing {
    phase: Mutex<Phase>,
    changed: Condvar,
    printer: Mutex<Box<dyn ExternalPrinter + Send>>,
    /// The terminal's mode before the first line.
    mode: Termios,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A line was ended, the next one has not begun.
    Between,
    /// The terminal is being prepared for the next line.
    Beginning,
    /// A line is being typed. The editor prints.
    Typing,
    /// The client takes no more lines for now. What is printed goes to stdout.
    Waiting,
    /// No line will be typed any more. Lines go to stdout.
    Over,
}

impl Editing {
    /// Starts the editor's thread and returns the lines that it reads, or `None` where lines cannot be
    /// edited: stdin or stdout is no terminal, or one that rustyline does not support. At Ctrl-C it
    /// calls `interrupt`; at Ctrl-D the lines end.
    pub(super) fn start(
        interrupt: impl FnOnce() + Send + 'static,
    ) -> io::Result<Option<(Arc<Self>, Receiver<String>)>> {
        if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            return Ok(None);
        }
        let config = Config::builder().auto_add_history(true).build();
        let history = MemHistory::with_config(&config);
        let Ok(mut editor) = Editor::with_history(config, history) else {
            return Ok(None);
        };
        let Ok(printer) = editor.create_external_printer() else {
            return Ok(None);
        };
        let editing = Arc::new(Self {
            phase: Mutex::new(Phase::Between),
            changed: Condvar::new(),
            printer: Mutex::new(Box::new(printer)),
            mode: termios::tcgetattr(io::stdin())?,
        });
        editor.set_helper(Some(LineEnd(Arc::clone(&editing))));
        let (sender, lines) = mpsc::sync_channel(TYPED_MAX);
        let thread = std::thread::Builder::new().name("editor".into());
        let shared = Arc::clone(&editing);
        thread.spawn(move || shared.read(editor, &sender, interrupt))?;
        Ok(Some((editing, lines)))
    }

    fn read(
        self: Arc<Self>,
        mut editor: Editor<LineEnd, MemHistory>,
        lines: &SyncSender<String>,
        interrupt: impl FnOnce(),
    ) {
        let prompt = LineBegin(Arc::clone(&self));
        let mut is_interrupted = false;
        while self.advance(Phase::Between, Phase::Beginning) {
            match editor.readline(&prompt) {
                Ok(line) => match lines.try_send(line) {
                    Ok(()) => {}
                    // Keys wait in the terminal meanwhile. Whoever takes the lines may print first.
                    Err(TrySendError::Full(line)) => {
                        self.advance(Phase::Between, Phase::Waiting);
                        if lines.send(line).is_err() {
                            break;
                        }
                        self.advance(Phase::Waiting, Phase::Between);
                    }
                    Err(TrySendError::Disconnected(_)) => break,
                },
                Err(ReadlineError::Interrupted) => {
                    is_interrupted = true;
                    break;
                }
                // The end of the input, or of the terminal.
                Err(_) => break,
            }
        }
        // Whoever waits to print is let go.
        drop(editor);
        self.set(Phase::Over);
        if is_interrupted {
            interrupt();
        }
    }

    /// Prints a line above the one that is being typed, or on stdout after the last one.
    pub(super) fn print(&self, line: &str) -> io::Result<()> {
        let is_pause = |phase: &mut Phase| matches!(phase, Phase::Between | Phase::Beginning);
        let phase = self.changed.wait_while(self.lock(), is_pause);
        let phase = phase.unwrap_or_else(PoisonError::into_inner);
        if matches!(*phase, Phase::Waiting | Phase::Over) {
            return write_line(line);
        }
        drop(phase);
        let mut printer = self.printer.lock().unwrap_or_else(PoisonError::into_inner);
        match printer.print(format!("{line}\n")) {
            Ok(()) => Ok(()),
            // The editor has ended meanwhile.
            Err(_) => write_line(line),
        }
    }

    /// Ends the editing wherever it is, and puts the terminal into the mode from before.
    pub(super) fn end(&self) {
        let is_beginning = |phase: &mut Phase| *phase == Phase::Beginning;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), PREPARATION, is_beginning);
        let (mut phase, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *phase != Phase::Over {
            // It fails where the terminal is gone.
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.mode);
            let _ = writeln!(io::stdout(), "{BRACKETED_PASTE_OFF}");
            *phase = Phase::Over;
            self.changed.notify_all();
        }
    }

    /// Goes from one phase to another, and returns whether it was in the one.
    fn advance(&self, from: Phase, to: Phase) -> bool {
        let mut phase = self.lock();
        let is_there = *phase == from;
        if is_there {
            *phase = to;
            self.changed.notify_all();
        }
        is_there
    }

    fn set(&self, phase: Phase) {
        *self.lock() = phase;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notices that a line begins: rustyline asks for the prompt once the terminal is prepared.
struct LineBegin(Arc<Editing>);

impl Prompt for LineBegin {
    fn raw(&self) -> &str {
        self.0.advance(Phase::Beginning, Phase::Typing);
        PROMPT
    }
}

/// Notices that a line ends: rustyline validates it before it gives the terminal back.
struct LineEnd(Arc<Editing>);

impl Validator for LineEnd {
    fn validate(&self, _: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        self.0.advance(Phase::Typing, Phase::Between);
        Ok(ValidationResult::Valid(None))
    }
}

impl Helper for LineEnd {}

impl Completer for LineEnd {
    type Candidate = String;
}

impl Hinter for LineEnd {
    type Hint = String;
}

impl Highlighter for LineEnd {}
