//! What is logged, and how.

use std::fmt;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use log::{Level, LevelFilter};

/// How the relay logs.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogArgs {
    /// What is logged on stderr: from which level on (off, error, warn, info, debug, trace), for all or
    /// for a part.
    ///
    /// At info it says who joins and leaves and why, and once a minute what happened. Addresses of
    /// clients are at debug, and each datagram is at trace. `info,oneport_core=debug` is more of one
    /// part. RUST_LOG says the same as ONEPORT_LOG, which counts before it.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: LogFilter,

    /// A line for people, or a JSON object with time, level, target and message.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// From which level on it is logged: by the part of the program, and for all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(Vec<(Option<String>, LevelFilter)>);

/// The libraries below report what a client does wrong, as often as it does it; the relay counts that and says it
/// once.
pub(crate) const QUIET: [&str; 5] = ["dimpl", "is", "rustls", "sctp_proto", "str0m"];

impl LogFilter {
    /// Each part and its level; no part is all others. A later rule counts before one for the same part.
    /// Who asks for no more than info in general gets of some libraries only their errors.
    pub fn rules(&self) -> impl Iterator<Item = (Option<&str>, LevelFilter)> {
        let mut general = self.0.iter().filter(|(part, _)| part.is_none());
        let is_calm = general.all(|(_, level)| *level <= LevelFilter::Info);
        let quiet = QUIET.iter().filter(move |_| is_calm);
        let quiet = quiet.map(|part| (Some(*part), LevelFilter::Error));
        let own = self.0.iter();
        quiet.chain(own.map(|(part, level)| (part.as_deref(), *level)))
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self(vec![(None, LevelFilter::Info)])
    }
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = |rule: &str| {
            let (part, level) = match rule.split_once('=') {
                Some((part, level)) => (Some(part.trim().to_owned()), level),
                None => (None, rule),
            };
            let is_part = |part: &String| !part.is_empty() && !part.contains(['/', '=']);
            let level = level.trim().parse().ok();
            match (part, level) {
                (part, Some(level)) if part.as_ref().is_none_or(is_part) => Ok((part, level)),
                _ => Err(format!(
                    "a level ({}), or more of a part, like info,oneport_core=debug",
                    levels().join(", ")
                )),
            }
        };
        text.split(',')
            .map(rule)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// From nothing to everything.
fn levels() -> Vec<String> {
    let levels = Level::iter().map(|level| level.to_string().to_lowercase());
    std::iter::once("off".to_owned()).chain(levels).collect()
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (part, level)) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let level = level.to_string().to_lowercase();
            match part {
                Some(part) => write!(f, "{comma}{part}={level}")?,
                None => write!(f, "{comma}{level}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_quiet_unless_they_are_asked() {
        let level = |filter: &str, part: &str| {
            let filter: LogFilter = filter.parse().expect(filter);
            let of_part = |(other, level)| (other == Some(part)).then_some(level);
            filter.rules().filter_map(of_part).last()
        };
        assert_eq!(level("info", "str0m"), Some(LevelFilter::Error));
        assert_eq!(
            level("info,oneport_core=trace", "str0m"),
            Some(LevelFilter::Error)
        );
        assert_eq!(level("info,str0m=debug", "str0m"), Some(LevelFilter::Debug));
        assert_eq!(level("trace", "str0m"), None);
        assert_eq!(LogFilter::default(), "info".parse().expect("valid"));
    }

    #[test]
    fn filters() {
        for text in ["info", "off", "debug,oneport_core::hub=trace"] {
            let filter: LogFilter = text.parse().expect(text);
            assert_eq!(filter.to_string(), text);
        }
        let spaced: LogFilter = "INFO, str0m = Warn".parse().expect("valid");
        assert_eq!(spaced.to_string(), "info,str0m=warn");
        for text in [
            "",
            "inof",
            "oneport_core",
            "info,",
            "=info",
            "a=b",
            "a=b=info",
            "info/re",
        ] {
            let error = text.parse::<LogFilter>().expect_err(text);
            assert!(
                error.contains("(off, error, warn, info, debug, trace)"),
                "{error}"
            );
        }
    }
}
