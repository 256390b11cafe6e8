//! Settings from a file, in TOML.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::{DeInteger, DeTable, DeValue};

use super::error::{self, ConfigError};
use super::flag::{Flag, Kind};
use super::origin::Origin;

/// What is read of a file: one with every flag in it and much explanation has a few KiB, and a larger
/// one is the wrong file.
const BYTES_MAX: u64 = 1024 * 1024;

/// A file's settings: by flag, the line and the values.
#[derive(Debug, Default)]
pub(super) struct ConfigFile(BTreeMap<String, (usize, Vec<OsString>)>);

impl ConfigFile {
    pub(super) fn read(path: &Path, flags: &[Flag]) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(unreadable)?;
        let mut file = file.take(BYTES_MAX + 1);
        file.read_to_string(&mut text).map_err(unreadable)?;
        let refused = |line, why| ConfigError::Value {
            origin: Origin::File {
                path: path.to_owned(),
                line,
            },
            why,
        };
        if text.len() as u64 > BYTES_MAX {
            return Err(refused(
                1,
                "this is no configuration: it is too long".into(),
            ));
        }
        Self::parse(&text, flags).map_err(|(line, why)| refused(line, why))
    }

    /// Its line and values.
    pub(super) fn find(&self, name: &str) -> Option<(usize, Vec<OsString>)> {
        self.0.get(name).cloned()
    }

    /// The error names the line and says nothing of what is there: it might be a secret.
    fn parse(text: &str, flags: &[Flag]) -> Result<Self, (usize, String)> {
        let line = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            (line(at), error.message().to_owned())
        })?;
        let mut settings = BTreeMap::new();
        for (key, value) in table.get_ref() {
            let at = line(key.span().start);
            let name = key.get_ref().as_ref();
            let Some(flag) = flags.iter().find(|flag| flag.name() == name) else {
                return Err((at, unknown(name, flags)));
            };
            let values = values(flag, value.get_ref());
            let values = values.map_err(|why| (at, format!("{name}: {why}")))?;
            settings.insert(name.to_owned(), (at, values));
        }
        Ok(Self(settings))
    }
}

fn unknown(name: &str, flags: &[Flag]) -> String {
    if name == Flag::CONFIG {
        return "config: a file does not name another one".into();
    }
    match error::nearest(name, flags.iter().map(Flag::name)) {
        Some(meant) => format!("there is no key {name:?}; did you mean {meant}?"),
        None => format!("there is no key {name:?}"),
    }
}

fn values(flag: &Flag, value: &DeValue<'_>) -> Result<Vec<OsString>, &'static str> {
    match (flag.kind(), value) {
        (Kind::Switch, DeValue::Boolean(is_on)) => Ok(vec![is_on.to_string().into()]),
        (Kind::Switch, _) => Err("this is true or false"),
        (Kind::One, value) => Ok(vec![one(value)?]),
        (Kind::List, DeValue::Array(values)) if values.is_empty() && flag.has_default() => {
            Err("an empty list leaves nothing")
        }
        (Kind::List, DeValue::Array(values)) => {
            values.iter().map(|value| one(value.get_ref())).collect()
        }
        // What is alone needs no brackets.
        (Kind::List, value) => Ok(vec![one(value)?]),
    }
}

/// As it would be typed.
fn one(value: &DeValue<'_>) -> Result<OsString, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.as_ref().into()),
        DeValue::Integer(number) => match decimal(number) {
            Some(number) => Ok(number.to_string().into()),
            None => Err("this number is too large"),
        },
        _ => Err("this is a string or a whole number"),
    }
}

fn decimal(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
