//! What stands behind the question mark of an API's path.

use std::fmt::Display;
use std::str::FromStr;

use oneport_core::Excerpt;
use oneport_signal::{PercentError, Problem, percent_decode};
use oneport_wire::Offset;

/// The parameters of a request, each to be taken once. One that nobody takes is a mistake, and told.
pub(super) struct Query {
    left: Vec<(String, String)>,
}

impl Query {
    /// Reads the parameters, encoded as a form has them.
    pub(super) fn of(query: &str) -> Result<Self, Problem> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        let left = pairs.collect::<Result<_, _>>();
        left.map(|left| Self { left })
            .map_err(|error: PercentError| bad(format!("the query: {error}")))
    }

    /// The parameter of this name, if it is there.
    pub(super) fn take<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(at) = self.left.iter().position(|(key, _)| key == name) else {
            return Ok(None);
        };
        let (_, value) = self.left.remove(at);
        let parsed = value
            .parse()
            .map_err(|error| bad(format!("{name}: {error}")))?;
        Ok(Some(parsed))
    }

    /// Which part of a history: `since` or `before` an offset.
    pub(super) fn excerpt(&mut self) -> Result<Excerpt, Problem> {
        let (since, before) = (self.offset("since")?, self.offset("before")?);
        match (since, before) {
            (Some(since), None) => Ok(Excerpt::Since(since)),
            (None, Some(before)) => Ok(Excerpt::Before(before)),
            (None, None) => Ok(Excerpt::Latest),
            (Some(_), Some(_)) => Err(bad("since and before exclude each other")),
        }
    }

    fn offset(&mut self, name: &str) -> Result<Option<Offset>, Problem> {
        let number = self.take::<u64>(name)?.map(Offset::try_from);
        number
            .transpose()
            .map_err(|error| bad(format!("{name}: {error}")))
    }

    /// Whether there is nothing more.
    pub(super) fn end(self) -> Result<(), Problem> {
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => Err(bad(format!(
                "there is no parameter {name:?} here, or it stands here twice"
            ))),
        }
    }
}

fn decode(text: &str) -> Result<String, PercentError> {
    percent_decode(&text.replace('+', " "))
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(400, "bad_query", detail.into())
}
