//! Where lines are printed: on stdout, or above the line that is being edited.

use std::io::{self, Write as _};
use std::sync::Arc;

use super::editor::Editing;

/// Prints lines. Cheap to clone.
#[derive(Clone)]
pub(super) enum Screen {
    /// Pipes, and terminals that cannot edit.
    Plain,
    /// A terminal with a line editor.
    Edited(Arc<Editing>),
}

impl Screen {
    /// Prints a line, or several.
    ///
    /// # Errors
    ///
    /// If stdout cannot be written.
    pub(super) fn print(&self, line: &str) -> io::Result<()> {
        match self {
            Self::Plain => write_line(line),
            Self::Edited(editing) => editing.print(line),
        }
    }

    /// Prints a line that is not output: on stderr, unless that is the terminal that is being edited on.
    pub(super) fn print_aside(&self, line: &str) {
        match self {
            // Nobody has to read it.
            Self::Plain => drop(writeln!(io::stderr(), "{line}")),
            Self::Edited(editing) => drop(editing.print(line)),
        }
    }

    /// Ends the editing, and gives the terminal back as it was.
    pub(super) fn release(&self) {
        if let Self::Edited(editing) = self {
            editing.end();
        }
    }
}

pub(super) fn write_line(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}
