//! Who said it.

use std::fmt;
use std::path::PathBuf;

/// Who has set a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// The command line.
    Flag,
    /// The environment.
    Variable(String),
    /// The file.
    File {
        /// As it was named.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
}

impl Origin {
    /// Whether clap does not know of it yet.
    pub(super) fn is_added(&self) -> bool {
        matches!(self, Self::Variable(_) | Self::File { .. })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Flag => f.write_str("command line"),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
        }
    }
}
