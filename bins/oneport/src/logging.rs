//! Where the program's log goes, and in which form.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use env_logger::{Builder, Logger, Target};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde::Serialize;

use crate::cli::{LogArgs, LogFilter, LogFormat, QUIET};
use crate::log_budget::LogBudget;
use crate::log_thread::{LogThread, LogWriter};
use crate::printable::printable_lines;

/// At trace they log whole messages, and in those are access tokens.
const NEVER_TRACED: [&str; 3] = ["tungstenite", "ureq", "ureq_proto"];

/// Logs to stderr what a command has to say that ends by itself, as `RUST_LOG` says.
pub fn log_command() {
    let wanted = std::env::var(env_logger::DEFAULT_FILTER_ENV).unwrap_or_default();
    let filter = match wanted.as_str() {
        "" => Ok(LogFilter::default()),
        wanted => wanted.parse(),
    };
    let style = std::env::var(env_logger::DEFAULT_WRITE_STYLE_ENV);
    let logger = builder(filter.as_ref().unwrap_or(&LogFilter::default()))
        .parse_write_style(&style.unwrap_or_default())
        .build();
    let level = logger.filter();
    // In this process somebody else logs already: so be it.
    if log::set_boxed_logger(Box::new(PrintableLog(logger))).is_ok() {
        log::set_max_level(level);
    }
    if let Err(why) = filter {
        log::warn!("RUST_LOG is not understood: {why}");
    }
}

fn builder(filter: &LogFilter) -> Builder {
    let mut logger = Builder::new();
    for (part, level) in filter.rules() {
        let is_never_traced = |part: &str| NEVER_TRACED.iter().any(|never| part.starts_with(never));
        if !part.is_some_and(is_never_traced) {
            logger.filter(part, level);
        }
    }
    for part in NEVER_TRACED {
        logger.filter_module(part, LevelFilter::Info);
    }
    logger
}

/// Logs to stderr what the relay has to say, by a thread: it must not wait until its log is read, even
/// where it panics. All is written once that is dropped.
///
/// # Errors
///
/// If the operating system refuses a thread.
pub fn log_relay(args: &LogArgs) -> io::Result<LogThread> {
    let thread = LogThread::start(io::stderr(), args.log_format)?;
    let mut logger = builder(&args.log);
    // The logger does not see that this is a terminal. See no-color.org for the variable.
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let has_colors = io::stderr().is_terminal() && !is_plain;
    let style = std::env::var(env_logger::DEFAULT_WRITE_STYLE_ENV);
    let style = style.ok().filter(|style| !style.is_empty());
    logger.parse_write_style(&style.unwrap_or_else(|| {
        let style = if has_colors { "always" } else { "never" };
        style.to_owned()
    }));
    logger.target(Target::Pipe(Box::new(thread.writer())));
    if args.log_format == LogFormat::Json {
        logger.format(|buffer, record| {
            let message = record.args().to_string();
            buffer.write_all(&json_line(record.level(), record.target(), &message))
        });
    }
    let relay_log = RelayLog {
        logger: PrintableLog(logger.build()),
        budget: Mutex::new(LogBudget::new(Instant::now())),
        thread: thread.writer(),
    };
    let level = relay_log.logger.0.filter();
    // In this process somebody else logs already: so be it.
    if log::set_boxed_logger(Box::new(relay_log)).is_ok() {
        log::set_max_level(level);
    }
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = Backtrace::capture();
        match backtrace.status() {
            BacktraceStatus::Captured => log::error!("{panic}\n{backtrace}"),
            _ => log::error!("{panic}"),
        }
    }));
    Ok(thread)
}

/// Logs each record at the level at which it counts, and replaces what could act on the terminal of
/// whoever reads the log: a record may quote what a client or a relay has sent.
struct PrintableLog(Logger);

impl Log for PrintableLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let record = &demoted(record);
        if !self.0.matches(record) {
            return;
        }
        let message = record.args().to_string();
        match printable_lines(&message) {
            Cow::Borrowed(_) => self.0.log(record),
            Cow::Owned(message) => self.0.log(
                &Record::builder()
                    .metadata(record.metadata().clone())
                    .args(format_args!("{message}"))
                    .module_path(record.module_path())
                    .file(record.file())
                    .line(record.line())
                    .build(),
            ),
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// A logger with a budget for what operators see. Who asks for more has to take it as it comes.
struct RelayLog {
    logger: PrintableLog,
    budget: Mutex<LogBudget>,
    thread: LogWriter,
}

impl RelayLog {
    fn may(&self, level: Level, target: &str) -> bool {
        if level > Level::Info || !clients_cause(target) {
            return true;
        }
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.take(Instant::now())
    }
}

impl Log for RelayLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.logger.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let record = &demoted(record);
        if !self.logger.0.matches(record) {
            return;
        }
        match self.may(record.level(), record.target()) {
            true => self.logger.log(record),
            false => self.thread.skip(),
        }
    }

    fn flush(&self) {
        self.logger.flush();
    }
}

/// The level at which a record of this target counts. What the libraries that parse a peer's bytes call an error is
/// the peer's: an aborted association, a bad packet. Nothing of it needs an operator's attention, so it is at debug.
pub fn level_of(target: &str, level: Level) -> Level {
    let library = target.split("::").next().unwrap_or_default();
    match QUIET.contains(&library) {
        true => level.max(Level::Debug),
        false => level,
    }
}

/// The record with the level at which it counts.
fn demoted<'a>(record: &Record<'a>) -> Record<'a> {
    Record::builder()
        .args(*record.args())
        .level(level_of(record.target(), record.level()))
        .target(record.target())
        .module_path(record.module_path())
        .file(record.file())
        .line(record.line())
        .build()
}

/// Whether clients can cause as many lines of this target as they like: those of the crates below, and of
/// panics, which are logged here. What the program says of itself, its summaries above all, is little, and
/// wanted most when there is much of the other.
fn clients_cause(target: &str) -> bool {
    let own = env!("CARGO_PKG_NAME");
    let rest = target.strip_prefix(own);
    let is_own = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    !is_own || target == module_path!()
}

/// A line of a log in JSON, its end included.
pub(crate) fn json_line(level: Level, target: &str, message: &str) -> Vec<u8> {
    /// In this order.
    #[derive(Serialize)]
    struct Line<'a> {
        time: String,
        level: String,
        target: &'a str,
        message: &'a str,
    }
    let line = Line {
        time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        level: level.as_str().to_lowercase(),
        target,
        message,
    };
    // Strings alone cannot fail.
    let mut line = serde_json::to_vec(&line).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_says_of_itself_is_not_for_clients_to_crowd_out() {
        for target in ["oneport", "oneport::summary", "oneport::webhook::sender"] {
            assert!(!clients_cause(target), "{target}");
        }
        for target in ["oneport_core::relay", "str0m", "oneport::logging"] {
            assert!(clients_cause(target), "{target}");
        }
    }

    #[test]
    fn what_a_library_says_of_a_peer_is_no_error_of_ours() {
        let level = |target: &str, level: Level| {
            let record = Record::builder().target(target).level(level).build();
            let demoted = demoted(&record);
            assert_eq!(demoted.target(), target);
            demoted.level()
        };
        for (target, said, counts) in [
            ("sctp_proto::association", Level::Error, Level::Debug),
            ("str0m::sctp", Level::Warn, Level::Debug),
            ("dimpl", Level::Info, Level::Debug),
            ("rustls::conn", Level::Trace, Level::Trace),
            ("oneport_core::relay", Level::Error, Level::Error),
            ("oneport", Level::Warn, Level::Warn),
            ("isolated", Level::Error, Level::Error),
        ] {
            assert_eq!(level(target, said), counts, "{target}");
        }
    }

    #[test]
    fn a_line_of_json_is_one_line_and_one_object() {
        let line = json_line(Level::Warn, "oneport::a", "two\nlines \"and\" more");
        let text = String::from_utf8(line).expect("UTF-8");
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["level"], "warn");
        assert_eq!(value["target"], "oneport::a");
        assert_eq!(value["message"], "two\nlines \"and\" more");
        let time = value["time"].as_str().expect("a string");
        assert_eq!(time.len(), "2026-01-01T00:00:00.000Z".len(), "{time}");
        assert!(humantime::parse_rfc3339(time).is_ok(), "{time}");
    }
}
