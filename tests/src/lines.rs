//! Lines that another thread or process writes, and bounded waiting for one of them.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use crate::{Error, Result};

/// The oldest lines go when there are more: a log at level trace must not fill the memory.
const LINES_MAX: usize = 100_000;

/// A growing list of lines; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    ended: bool,
}

impl Lines {
    /// The lines of `reader`, read on a thread until its end.
    pub fn of(reader: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let writer = lines.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|length| length > 0)
            {
                writer.push(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
            writer.end();
        });
        lines
    }

    /// Appends a line.
    pub fn push(&self, line: impl Into<String>) {
        let mut kept = self.kept();
        if kept.lines.len() == LINES_MAX {
            kept.lines.pop_front();
        }
        kept.lines.push_back(line.into());
        self.0.changed.notify_all();
    }

    /// Says that no line will follow: whoever waits for one gives up.
    pub fn end(&self) {
        self.kept().ended = true;
        self.0.changed.notify_all();
    }

    /// All lines so far.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.kept().lines.iter().cloned().collect()
    }

    /// Waits for the first line that matches, those already there included. `what` describes it.
    ///
    /// # Errors
    /// [`Error::Expired`] with all lines, when time is up or no line will follow.
    pub fn wait_for(
        &self,
        what: &str,
        timeout: Duration,
        matches: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let start = Instant::now();
        let mut kept = self.kept();
        loop {
            if let Some(line) = kept.lines.iter().find(|line| matches(line)) {
                return Ok(line.clone());
            }
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() || kept.ended {
                let lines: Vec<_> = kept
                    .lines
                    .iter()
                    .map(|line| format!("\n    {line}"))
                    .collect();
                let end = if kept.ended { " and then the end" } else { "" };
                let seen = format!("{} lines{end}{}", lines.len(), lines.concat());
                return Err(Error::Expired {
                    what: what.into(),
                    after: start.elapsed(),
                    seen,
                });
            }
            (kept, _) = self
                .0
                .changed
                .wait_timeout(kept, left)
                .expect("no holder panics");
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().expect("no holder panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_line_that_comes_later_and_stops_at_the_end() -> Result {
        let (reader, mut writer) = std::io::pipe()?;
        let lines = Lines::of(reader);
        let late = thread::spawn(move || std::io::Write::write_all(&mut writer, b"one\ntwo\r\n"));
        assert_eq!(
            lines.wait_for("two", Duration::from_secs(5), |line| line == "two")?,
            "two"
        );
        late.join().expect("the writer does not panic")?;

        let start = Instant::now();
        let error = lines.wait_for("three", Duration::from_secs(5), |line| line == "three");
        assert!(
            start.elapsed() < Duration::from_secs(4),
            "it does not wait after the end"
        );
        let error = error.expect_err("there is no such line").to_string();
        assert!(
            error.ends_with("2 lines and then the end\n    one\n    two"),
            "{error}"
        );
        Ok(())
    }
}
