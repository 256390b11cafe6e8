//! What a check says.

use std::io::Write as _;

use super::{Finding, Good};
use crate::printable::printable;

/// Prints each step as soon as it is done.
pub(super) struct Report {
    is_json: bool,
    is_good: bool,
}

impl Report {
    pub(super) fn new(is_json: bool) -> Self {
        Self {
            is_json,
            is_good: true,
        }
    }

    /// Whether no step has failed.
    pub(super) fn is_good(&self) -> bool {
        self.is_good
    }

    /// Takes what a step has found; whether it is good enough to go on.
    pub(super) fn take(&mut self, step: &str, finding: Finding) -> bool {
        match &finding {
            Ok(Good::Ok(text)) => self.print(step, "ok", text),
            Ok(Good::Warning(text)) => self.print(step, "warning", text),
            Err(text) => {
                self.is_good = false;
                self.print(step, "failed", text);
            }
        }
        finding.is_ok()
    }

    /// Says that a step cannot be made.
    pub(super) fn skip(&self, step: &str) {
        self.print(step, "skipped", "needs what has failed");
    }

    fn print(&self, step: &str, result: &str, text: &str) {
        let line = match self.is_json {
            true => serde_json::json!({ "step": step, "result": result, "text": text }).to_string(),
            // A relay may have chosen parts of it.
            false => format!("{result:8} {step:8} {}", printable(text)),
        };
        // Where nobody reads, the exit code says it.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}
