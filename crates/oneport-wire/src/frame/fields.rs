//! A JSON object's members, found in one pass and read when asked for.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::text::Text;

use super::Rejection;

/// The members of an object whose names are known; others are skipped, whatever they are.
///
/// Skipping and finding do not recurse, so an object may be nested as deeply as it likes.
pub(super) struct Fields<'a, const N: usize> {
    names: &'static [&'static str; N],
    values: [Option<&'a RawValue>; N],
}

impl<'a, const N: usize> Fields<'a, N> {
    /// Finds the members of this object.
    ///
    /// # Errors
    ///
    /// `bad_frame` if it is no JSON object, or one in which a known member occurs twice.
    pub(super) fn read(
        text: &'a str,
        names: &'static [&'static str; N],
    ) -> Result<Self, Rejection> {
        let mut parser = serde_json::Deserializer::from_str(text);
        let object = Names(names).deserialize(&mut parser).and_then(|fields| {
            parser.end()?;
            Ok(fields)
        });
        object.map_err(|error| match error.classify() {
            // Its text could quote the frame.
            serde_json::error::Category::Data => {
                Rejection::bad_frame("not an object, or one with the same member twice")
            }
            _ => Rejection::bad_frame(format!("not JSON: {error}")),
        })
    }

    /// A member as it stands there, even if it is `null`.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        let index = self.names.iter().position(|known| *known == name);
        debug_assert!(index.is_some(), "{name} is not among the names");
        self.values[index?].map(RawValue::get)
    }

    /// A member, if it is there and not `null`. `what` is how the message calls what it should be.
    pub(super) fn optional<T: Deserialize<'a>>(
        &self,
        name: &'static str,
        what: &str,
    ) -> Result<Option<T>, Rejection> {
        match self.raw(name) {
            None | Some("null") => Ok(None),
            Some(json) => match serde_json::from_str(json) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(Rejection::bad_frame(format!("\"{name}\" is {what}"))),
            },
        }
    }

    /// A member that must be there.
    pub(super) fn required<T: Deserialize<'a>>(
        &self,
        name: &'static str,
        what: &str,
    ) -> Result<T, Rejection> {
        self.optional(name, what)?.ok_or_else(|| missing(name))
    }

    /// A member that is a string with a rule, if it is there and not `null`.
    pub(super) fn text<T>(&self, name: &'static str) -> Result<Option<T>, Rejection>
    where
        T: FromStr<Err: Into<Rejection>>,
    {
        let text: Option<Text<'a>> = self.optional(name, "a string of valid Unicode")?;
        text.map(|text| text.0.parse().map_err(Into::into))
            .transpose()
    }

    /// A member that is a string with a rule and must be there.
    pub(super) fn required_text<T>(&self, name: &'static str) -> Result<T, Rejection>
    where
        T: FromStr<Err: Into<Rejection>>,
    {
        self.text(name)?.ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> Rejection {
    Rejection::bad_frame(format!("\"{name}\" is missing"))
}

/// Reads [`Fields`] of these names.
struct Names<const N: usize>(&'static [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Names<N> {
    type Value = Fields<'de, N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Names<N> {
    type Value = Fields<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut values = [None; N];
        while let Some(name) = members.next_key::<Text<'de>>()? {
            match self.0.iter().position(|known| *known == name.0) {
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
                Some(index) if values[index].is_some() => {
                    return Err(A::Error::custom("twice"));
                }
                Some(index) => values[index] = Some(members.next_value()?),
            }
        }
        Ok(Fields {
            names: self.0,
            values,
        })
    }
}
