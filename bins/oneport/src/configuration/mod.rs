//! What the relay is told, and by whom: flags, environment and a file.
//!
//! There is one definition for all three, the flags of `oneport serve` as clap has them: `--max-clients` is
//! `ONEPORT_MAX_CLIENTS` in the environment and `max-clients` in the file. What environment and file say
//! becomes words of the command line, so clap judges it as it judges those that somebody has typed.

mod environment;
mod error;
mod file;
mod flag;
mod origin;
mod report;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use environment::Environment;
use file::ConfigFile;
use flag::{Flag, Kind};

use crate::cli::{Cli, Command};

pub use error::ConfigError;
pub use origin::Origin;

/// What is to be done, with all that somebody has said about it.
#[derive(Debug)]
pub struct Invocation {
    /// What is to be done.
    pub command: Command,
    /// Where each setting comes from, if it is the relay that is configured.
    pub configuration: Option<Configuration>,
}

/// All settings of the relay, in the order of its flags.
#[derive(Debug)]
pub struct Configuration {
    file: Option<PathBuf>,
    settings: Vec<Setting>,
    warnings: Vec<String>,
}

/// One flag, what it is set to, and by whom.
#[derive(Debug)]
struct Setting {
    flag: Flag,
    /// As they would be typed. None where the flag is not set.
    values: Vec<OsString>,
    origin: Origin,
}

impl Invocation {
    /// Reads the command line, `words`, and what the `variables` of the environment and the file that
    /// is named in one of both add to it. A flag counts before its variable, and that before its key
    /// in the file: for those that may be repeated too, the list of the one replaces that of the other.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn read(
        words: impl IntoIterator<Item = OsString>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut words: Vec<_> = words.into_iter().collect();
        let typed = Cli::command().try_get_matches_from(&words)?;
        // Where flags of the relay may stand: behind the program's name and the command's.
        let at = match typed.subcommand_name() {
            None => 1,
            Some("serve" | "config") => 2,
            Some(_) => {
                return Ok(Self {
                    command: Cli::from_arg_matches(&typed)?.into_command(),
                    configuration: None,
                });
            }
        };
        let flags = Flag::all();
        let environment = Environment::new(variables, &flags);
        let path = match relay_matches(&typed).get_raw(Flag::CONFIG) {
            Some(mut paths) => paths.next().map(OsStr::to_owned),
            None => environment.value(&Flag::config_variable())?,
        };
        let path = path.map(PathBuf::from);
        let file = match &path {
            Some(path) => ConfigFile::read(path, &flags)?,
            None => ConfigFile::default(),
        };
        let mut settings = Vec::new();
        for flag in flags {
            let setting = Setting::find(flag, &typed, &environment, &file, path.as_deref())?;
            if setting.origin.is_added() {
                let added = setting.words().into_iter();
                words.splice(at.min(words.len())..at.min(words.len()), added);
            }
            settings.push(setting);
        }
        let matches = match Cli::command().try_get_matches_from(&words) {
            Ok(matches) => matches,
            Err(error) => return Err(ConfigError::together(&error, &settings)),
        };
        for setting in &mut settings {
            setting.values = match relay_matches(&matches).get_raw(setting.flag.id()) {
                Some(values) => values.map(OsStr::to_owned).collect(),
                None => Vec::new(),
            };
        }
        Ok(Self {
            command: Cli::from_arg_matches(&matches)?.into_command(),
            configuration: Some(Configuration {
                file: path,
                settings,
                warnings: environment.into_unknown(),
            }),
        })
    }
}

impl Configuration {
    /// What is odd about it, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Setting {
    fn find(
        flag: Flag,
        typed: &ArgMatches,
        environment: &Environment,
        file: &ConfigFile,
        path: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let is_typed =
            relay_matches(typed).value_source(flag.id()) == Some(ValueSource::CommandLine);
        let (origin, values) = if is_typed {
            (Origin::Flag, Vec::new())
        } else if let Some((variable, values)) = environment.find(&flag)? {
            (Origin::Variable(variable), values)
        } else if let (Some(path), Some((line, values))) = (path, file.find(flag.name())) {
            let path = path.to_owned();
            (Origin::File { path, line }, values)
        } else {
            (Origin::Default, Vec::new())
        };
        let setting = Self {
            flag,
            values,
            origin,
        };
        if setting.origin.is_added() {
            setting.flag.check(setting.words()).map_err(|why| {
                let origin = setting.origin.clone();
                let why = match setting.has_password() {
                    true => format!("this is no value for --{}", setting.flag.name()),
                    false => why,
                };
                ConfigError::Value { origin, why }
            })?;
        }
        Ok(setting)
    }

    /// Whether it is a URL with somebody's name and password before its host (RFC 3986 section 3.2.1), or with
    /// a query, which may have a key in it.
    fn has_password(&self) -> bool {
        self.values.iter().any(|value| {
            let text = value.to_string_lossy();
            let rest = text.split_once("://").map(|(_, rest)| rest);
            let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
            authority.is_some_and(|authority| authority.contains('@') || text.contains('?'))
        })
    }

    /// The words that say the same on the command line.
    fn words(&self) -> Vec<OsString> {
        let name = format!("--{}", self.flag.name());
        let values = self.values.iter();
        match self.flag.kind() {
            Kind::Switch => {
                let is_on = values.filter(|value| *value == "true");
                is_on.map(|_| name.clone().into()).collect()
            }
            Kind::One | Kind::List => values
                .map(|value| {
                    let mut word = OsString::from(format!("{name}="));
                    word.push(value);
                    word
                })
                .collect(),
        }
    }
}

/// What is said about the relay, with or without a command's name before it.
fn relay_matches(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| inner)
}

#[cfg(test)]
mod tests;
