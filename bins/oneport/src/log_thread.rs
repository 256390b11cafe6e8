//! A thread that writes the log, so that nobody else waits for whoever reads it.
//!
//! A pipe that is full, or a terminal that was stopped, blocks the one who writes to it. That must not be
//! the relay: what its log does not take in time is dropped, counted, and told as soon as it takes
//! something again.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use log::Level;

use crate::cli::LogFormat;
use crate::logging::json_line;

/// How many bytes may wait to be written, and as many may be on their way: some ten thousand lines,
/// more than a thousand clients who all leave at once cause.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// How long the last lines may take to be written when the program ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The log's thread. Dropping this waits until all is written, or for a second.
#[derive(Debug)]
pub struct LogThread(Arc<Shared>);

/// Takes records for a [`LogThread`]; each is to be one write. Never blocks, never fails.
#[derive(Debug)]
pub struct LogWriter(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    lines_dropped: u64,
    is_writing: bool,
}

impl LogThread {
    /// Starts the thread, which writes to this for as long as the program runs, and in this form that
    /// something is missing.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread.
    pub fn start(destination: impl Write + Send + 'static, format: LogFormat) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        let thread = thread::Builder::new().name("log".into());
        thread.spawn(move || writer.write_to(destination, format))?;
        Ok(Self(shared))
    }

    /// What takes the records.
    pub fn writer(&self) -> LogWriter {
        LogWriter(Arc::clone(&self.0))
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        let state = self.0.lock();
        let is_busy = |state: &mut State| state.is_writing || !state.waiting.is_empty();
        let flushed = self
            .0
            .changed
            .wait_timeout_while(state, FLUSH_TIMEOUT, is_busy);
        drop(flushed);
    }
}

impl LogWriter {
    /// Counts a record that is not even to be written.
    pub(crate) fn skip(&self) {
        self.0.lock().lines_dropped += 1;
    }
}

impl Write for LogWriter {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        if state.waiting.len() + record.len() > WAITING_BYTES_MAX {
            state.lines_dropped += lines(record);
        } else {
            state.waiting.extend_from_slice(record);
            self.0.changed.notify_all();
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn write_to(&self, mut destination: impl Write, format: LogFormat) -> ! {
        loop {
            let is_idle = |state: &mut State| state.waiting.is_empty();
            let waited = self.changed.wait_while(self.lock(), is_idle);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            let mut text = mem::take(&mut state.waiting);
            let dropped = mem::take(&mut state.lines_dropped);
            state.is_writing = true;
            drop(state);

            if dropped > 0 {
                text.extend_from_slice(&missing(dropped, format));
            }
            // A disk that is full may have room again later; what it did not take is missing then.
            let written = destination.write_all(&text);

            let mut state = self.lock();
            if written.is_err() {
                // The note was one of them.
                state.lines_dropped += lines(&text) + dropped.saturating_sub(1);
            }
            state.is_writing = false;
            self.changed.notify_all();
        }
    }

    /// What is in there is never half done, whoever panicked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The line that says so.
fn missing(lines: u64, format: LogFormat) -> Vec<u8> {
    let message = format!("{lines} lines of the log are missing here");
    match format {
        LogFormat::Text => format!("[{message}]\n").into_bytes(),
        LogFormat::Json => json_line(Level::Warn, module_path!(), &message),
    }
}

fn lines(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Takes a write when the test receives it; fails when the test has gone.
    struct Reluctant(SyncSender<String>);

    impl Write for Reluctant {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let gone = |_| io::ErrorKind::BrokenPipe.into();
            self.0.send(text).map(|()| bytes.len()).map_err(gone)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn reluctant() -> (LogThread, Receiver<String>) {
        let (sender, receiver) = sync_channel(0);
        let log = LogThread::start(Reluctant(sender), LogFormat::Text).expect("a thread");
        (log, receiver)
    }

    #[test]
    fn what_is_not_taken_is_dropped_counted_and_told() {
        let (log, taken) = reluctant();
        let mut writer = log.writer();
        writer.write_all(b"first\n").expect("never fails");
        // The thread has it and waits, so all else has to wait before it.
        while !log.0.lock().is_writing {
            thread::yield_now();
        }
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        for _ in 0..1024 + 3 {
            writer.write_all(&line).expect("never fails");
        }
        assert_eq!(log.0.lock().waiting.len(), WAITING_BYTES_MAX);
        assert_eq!(taken.recv().expect("written"), "first\n");
        let rest = taken.recv().expect("written");
        let note = "[3 lines of the log are missing here]\n";
        assert_eq!(rest.len(), WAITING_BYTES_MAX + note.len());
        assert!(rest.ends_with(note));
    }

    #[test]
    fn what_could_not_be_written_is_told_later() {
        /// Fails once.
        struct Full(bool, SyncSender<String>);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if !mem::replace(&mut self.0, true) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                let text = String::from_utf8_lossy(bytes).into_owned();
                self.1.send(text).expect("the test waits");
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (sender, taken) = sync_channel(1);
        let log = LogThread::start(Full(false, sender), LogFormat::Json).expect("a thread");
        log.writer().write_all(b"one\ntwo\n").expect("never fails");
        while log.0.lock().lines_dropped == 0 {
            thread::yield_now();
        }
        log.writer().skip();
        log.writer().write_all(b"three\n").expect("never fails");
        let rest = taken.recv().expect("written");
        let note = rest.strip_prefix("three\n").expect("what was written");
        let note: serde_json::Value = serde_json::from_str(note).expect("JSON");
        assert_eq!(note["message"], "3 lines of the log are missing here");
    }

    #[test]
    fn the_end_waits_for_the_last_line_but_not_for_ever() {
        let (log, taken) = reluctant();
        log.writer().write_all(b"last\n").expect("never fails");
        let reader = thread::spawn(move || taken.recv());
        drop(log);
        assert_eq!(reader.join().expect("no panic").as_deref(), Ok("last\n"));

        let (log, _taken) = reluctant();
        log.writer().write_all(b"last\n").expect("never fails");
        drop(log);
    }
}
