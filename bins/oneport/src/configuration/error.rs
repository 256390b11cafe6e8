//! Why a configuration is refused.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::Setting;
use super::origin::Origin;

/// Why a configuration is refused. Says nothing of what a secret may be in.
#[derive(Debug)]
pub enum ConfigError {
    /// The command line is wrong, or asks for help.
    Usage(clap::Error),
    /// The file cannot be read.
    Unreadable {
        /// Its name.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Somebody else than the command line says something that makes no sense.
    Value {
        /// Who.
        origin: Origin,
        /// Why it does not.
        why: String,
    },
    /// What all of them say makes sense alone, but not together.
    Together {
        /// Why it does not.
        why: String,
        /// Who says what of it.
        origins: Vec<String>,
    },
}

impl ConfigError {
    pub(super) fn together(error: &clap::Error, settings: &[Setting]) -> Self {
        let why = reason(error);
        let names = |setting: &&Setting| {
            let flag = format!("--{}", setting.flag.name());
            let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-');
            let mut found = why.match_indices(&flag);
            found.any(|(at, _)| is_end(&why[at + flag.len()..]))
        };
        let set = || settings.iter().filter(|it| it.origin != Origin::Default);
        // Where the one that is missing is named, what is there is the rest.
        let is_named = set().any(|setting| names(&setting));
        let said = set().filter(|setting| names(setting) || !is_named && setting.origin.is_added());
        let origins = said.map(|setting| format!("{}: {}", setting.flag.name(), setting.origin));
        let origins = origins.collect();
        Self::Together { why, origins }
    }

    /// The exit code: 2 where another configuration would help, 1 where its file is out of reach.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(error) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Unreadable { .. } => 1,
            Self::Value { .. } | Self::Together { .. } => 2,
        }
    }
}

impl From<clap::Error> for ConfigError {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::Unreadable { path, error } => {
                write!(f, "{} cannot be read: {error}", path.display())
            }
            Self::Value { origin, why } => write!(f, "{origin}: {why}"),
            Self::Together { why, origins } => write!(f, "{why} ({})", origins.join("; ")),
        }
    }
}

impl std::error::Error for ConfigError {}

/// What clap says, without what it says to those who have typed it.
pub(super) fn reason(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.split("\n\nUsage:").next().unwrap_or_default();
    let text = text
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.join(" ").trim().to_owned()
}

/// How alike two names must be for one to be meant by the other: clap asks for 0.7, which finds something
/// for nearly every word.
const LIKENESS_MIN: f64 = 0.85;

/// The name that is most like this one, if one is.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = known.map(|known| (strsim::jaro(name, known), known));
    let alike = alike.filter(|(likeness, _)| *likeness >= LIKENESS_MIN);
    let (_, known) = alike.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(known)
}
