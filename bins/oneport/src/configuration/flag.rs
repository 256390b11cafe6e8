//! The flags of the relay, as clap has them.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Args};

use super::error;
use crate::cli::ServeArgs;

/// A flag of `oneport serve` that may be set elsewhere too.
#[derive(Clone, Debug)]
pub(super) struct Flag {
    id: String,
    name: String,
    kind: Kind,
    has_default: bool,
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: it is on or off.
    Switch,
    /// A value.
    One,
    /// A value each time that it is repeated.
    List,
}

/// Besides its own variable, where a flag's setting may be: this one is older than ours.
const OTHER_VARIABLES: [(&str, &str); 1] = [("log", "RUST_LOG")];

impl Flag {
    /// What names the file, and cannot be in it.
    pub(super) const CONFIG: &str = "config";

    /// All of them, in the order in which help shows them.
    pub(super) fn all() -> Vec<Self> {
        let command = command();
        let arguments = command.get_arguments();
        let flags = arguments.filter_map(|argument| Self::new(argument, argument.get_long()?));
        flags.filter(|flag| flag.name != Self::CONFIG).collect()
    }

    fn new(argument: &Arg, name: &str) -> Option<Self> {
        let kind = match argument.get_action() {
            ArgAction::SetTrue => Kind::Switch,
            ArgAction::Set => Kind::One,
            ArgAction::Append => Kind::List,
            // Help, version.
            _ => return None,
        };
        Some(Self {
            id: argument.get_id().to_string(),
            name: name.to_owned(),
            kind,
            has_default: kind != Kind::Switch && !argument.get_default_values().is_empty(),
        })
    }

    /// Clap's name of it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The flag without its dashes, which is the key in a file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it is set where nobody sets it.
    pub(super) fn has_default(&self) -> bool {
        self.has_default
    }

    /// The variable that says the same.
    pub(super) fn variable(&self) -> String {
        variable(&self.name)
    }

    /// The variable that says the same in another form: another program's, if that is not empty, or one
    /// with the secret that this flag's file would have in it.
    pub(super) fn other_variable(&self) -> Option<OtherVariable> {
        if let Some((_, name)) = OTHER_VARIABLES.iter().find(|(flag, _)| *flag == self.name) {
            return Some(OtherVariable::Same((*name).to_owned()));
        }
        let secret = self.name.strip_suffix("-file")?;
        let is_secret = secret.ends_with("secret");
        is_secret.then(|| OtherVariable::Secret(variable(secret)))
    }

    /// The variable that names the file.
    pub(super) fn config_variable() -> String {
        variable(Self::CONFIG)
    }

    /// Whether clap takes these words, which set this flag and nothing else.
    pub(super) fn check(&self, words: Vec<OsString>) -> Result<(), String> {
        let program = std::iter::once(OsString::from("oneport"));
        match command().try_get_matches_from(program.chain(words)) {
            Err(error) if is_about_value(error.kind()) => Err(error::reason(&error)),
            // Whether it goes with what others set is seen when all are together.
            _ => Ok(()),
        }
    }
}

/// Another variable than a flag's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OtherVariable {
    /// With the same in it.
    Same(String),
    /// With a secret in it, instead of a file's name.
    Secret(String),
}

impl OtherVariable {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Same(name) | Self::Secret(name) => name,
        }
    }
}

fn command() -> clap::Command {
    ServeArgs::augment_args(clap::Command::new("oneport"))
}

fn variable(name: &str) -> String {
    format!("ONEPORT_{}", name.replace('-', "_").to_uppercase())
}

fn is_about_value(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidValue
            | ErrorKind::ValueValidation
            | ErrorKind::InvalidUtf8
            | ErrorKind::NoEquals
            | ErrorKind::TooManyValues
            | ErrorKind::TooFewValues
            | ErrorKind::WrongNumberOfValues
    )
}
