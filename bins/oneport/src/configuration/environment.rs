//! Settings from the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::error::{self, ConfigError};
use super::flag::{Flag, Kind, OtherVariable};
use super::origin::Origin;

/// What our variables begin with.
const PREFIX: &str = "ONEPORT_";

/// Variables of this repository's tests, which set nothing here: whoever runs the tests may have exported
/// them.
const FOR_TESTS: [&str; 3] = ["ONEPORT_BIN", "ONEPORT_COST_WRITE", "ONEPORT_SOAK_SECONDS"];

/// The variables of the environment that are meant for the relay.
#[derive(Debug)]
pub(super) struct Environment {
    variables: BTreeMap<String, OsString>,
    unknown: Vec<String>,
}

impl Environment {
    pub(super) fn new(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[Flag],
    ) -> Self {
        let mut known = vec![Flag::config_variable()];
        for flag in flags {
            known.push(flag.variable());
            known.extend(flag.other_variable().map(|other| other.name().to_owned()));
        }
        let named = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let (variables, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            named.partition(|(name, _)| known.contains(name));
        let is_unknown =
            |name: &String| name.starts_with(PREFIX) && !FOR_TESTS.contains(&name.as_str());
        let ours = others.into_keys().filter(is_unknown);
        // Not refused: an orchestrator may set some of its own for a service of this name.
        let unknown = ours.map(|name| {
            // The prefix would make all of them alike.
            let known = known.iter().filter_map(|name| name.strip_prefix(PREFIX));
            match error::nearest(&name[PREFIX.len()..], known) {
                Some(meant) => {
                    format!("the variable {name} means nothing; did you mean {PREFIX}{meant}?")
                }
                None => format!("the variable {name} means nothing"),
            }
        });
        let unknown = unknown.collect();
        Self { variables, unknown }
    }

    /// The variable's name and the values that the flag is set to. None where the variable has the
    /// secret itself instead of its file's name.
    pub(super) fn find(&self, flag: &Flag) -> Result<Option<(String, Vec<OsString>)>, ConfigError> {
        let name = flag.variable();
        if let Some(value) = self.value(&name)? {
            let values = values(flag, &name, value)?;
            return Ok(Some((name, values)));
        }
        Ok(match flag.other_variable() {
            Some(OtherVariable::Same(name)) => {
                let value = self.variables.get(&name).filter(|value| !value.is_empty());
                value.map(|value| (name, vec![value.clone()]))
            }
            Some(OtherVariable::Secret(name)) => {
                let is_set = self.variables.contains_key(&name);
                is_set.then(|| (name, Vec::new()))
            }
            None => None,
        })
    }

    /// What the variable is set to. Nothing is no value: somebody wanted one there.
    pub(super) fn value(&self, name: &str) -> Result<Option<OsString>, ConfigError> {
        match self.variables.get(name) {
            Some(value) if value.is_empty() => {
                Err(refused(name, "it is empty: set it or unset it"))
            }
            value => Ok(value.cloned()),
        }
    }

    /// A sentence about each variable that has our prefix and is none of ours.
    pub(super) fn into_unknown(self) -> Vec<String> {
        self.unknown
    }
}

fn values(flag: &Flag, name: &str, value: OsString) -> Result<Vec<OsString>, ConfigError> {
    let text = value.to_str();
    match (flag.kind(), text) {
        (Kind::One, _) => Ok(vec![value]),
        (Kind::Switch, Some("true" | "1")) => Ok(vec!["true".into()]),
        (Kind::Switch, Some("false" | "0")) => Ok(vec!["false".into()]),
        (Kind::Switch, _) => Err(refused(name, "it is on or off: true or false, 1 or 0")),
        (Kind::List, Some(text)) => Ok(text.split(',').map(|part| part.trim().into()).collect()),
        (Kind::List, None) => Err(refused(name, "it is not UTF-8")),
    }
}

fn refused(name: &str, why: &str) -> ConfigError {
    ConfigError::Value {
        origin: Origin::Variable(name.to_owned()),
        why: why.to_owned(),
    }
}
