//! The configuration, for people and as a file.

use std::ffi::OsString;
use std::fmt;

use toml::Value;

use super::flag::Kind;
use super::origin::Origin;
use super::{Configuration, Setting};

/// As TOML that says the same when it is read, with a comment behind each value that says where it comes
/// from. A secret is not in it: no flag has one.
impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# oneport {}", env!("CARGO_PKG_VERSION"))?;
        match &self.file {
            Some(path) => writeln!(f, "# with {}", comment(&path.display()))?,
            None => writeln!(f, "# without a file")?,
        }
        self.settings.iter().try_for_each(|setting| setting.fmt(f))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.flag.name();
        let origin = comment(&self.origin);
        if self.has_password() {
            return writeln!(
                f,
                "# {name}: not shown, as it may contain a password; {origin}"
            );
        }
        match (self.value(), &self.origin) {
            (Ok(Some(value)), _) => writeln!(f, "{name} = {value} # {origin}"),
            (Ok(None), Origin::Variable(variable)) => {
                writeln!(f, "# {name}: what it would name is in {variable}")
            }
            (Ok(None), _) => writeln!(f, "# {name}: not set"),
            (Err(NotUnicode), _) => writeln!(f, "# {name}: not UTF-8, {origin}"),
        }
    }
}

/// TOML has no form for this.
struct NotUnicode;

impl Setting {
    fn value(&self) -> Result<Option<Value>, NotUnicode> {
        let mut values = Vec::new();
        for value in &self.values {
            values.push(one(value)?);
        }
        Ok(match self.flag.kind() {
            Kind::Switch => Some(Value::Boolean(
                self.values.iter().any(|value| value == "true"),
            )),
            Kind::One => values.pop(),
            Kind::List => Some(Value::Array(values)),
        })
    }
}

fn one(value: &OsString) -> Result<Value, NotUnicode> {
    let text = value.to_str().ok_or(NotUnicode)?;
    let number = text.parse::<i64>().ok();
    Ok(match number.filter(|number| number.to_string() == text) {
        Some(number) => Value::Integer(number),
        None => Value::String(text.to_owned()),
    })
}

/// On one line, whatever a path has in it.
fn comment(text: &impl fmt::Display) -> String {
    let text = text.to_string();
    text.chars().filter(|c| !c.is_control()).collect()
}
