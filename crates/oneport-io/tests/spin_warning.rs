//! A machine whose timeout is always due gets one warning, and does not take the processor. In a
//! process of its own because the logger is one for all.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use log::{Level, LevelFilter, Log, Metadata, Record};
use oneport_io::{BindOptions, Config, EventLoop, Sockets};
use oneport_link::{Input, Machine, Reason, Transmit};

struct Warnings(Mutex<Vec<String>>);

static WARNINGS: Warnings = Warnings(Mutex::new(Vec::new()));

impl Log for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() == Level::Warn && metadata.target().starts_with("oneport_io::spin")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut warnings = self.0.lock().expect("no panic under it");
            warnings.push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

struct Restless {
    due: Instant,
    stopped: bool,
}

impl Machine for Restless {
    type Command = ();
    type Reply = ();

    fn handle_input(&mut self, _: Instant, _: Input<'_>) {}

    fn handle_command(&mut self, _: Instant, (): ()) {
        self.stopped = true;
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        Some((self.due, Reason::Pacing))
    }

    fn is_finished(&self) -> bool {
        self.stopped
    }
}

#[test]
fn a_busy_loop_is_one_line_that_names_the_reason() {
    log::set_logger(&WARNINGS).expect("the only logger");
    log::set_max_level(LevelFilter::Warn);
    let addr = "127.0.0.1:0".parse().expect("a literal address");
    let sockets = Sockets::bind(&[addr], &BindOptions::default()).expect("a free port");
    let machine = Restless {
        due: Instant::now(),
        stopped: false,
    };
    let (event_loop, handle) =
        EventLoop::new(sockets, machine, None, Config::default()).expect("a loop");
    let thread = thread::spawn(move || event_loop.run());

    let give_up = Instant::now() + Duration::from_secs(10);
    let begin = Instant::now();
    while handle.stats().turns_spun < 50 {
        assert!(Instant::now() < give_up, "{:?}", handle.stats());
        thread::yield_now();
    }
    // 50 turns of at least a millisecond each, less the one that was cut short by the start.
    assert!(begin.elapsed() >= Duration::from_millis(40));
    handle.call(()).expect("still served");
    thread.join().expect("no panic").expect("no error");

    let warnings = WARNINGS.0.lock().expect("no panic under it");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("Pacing"), "{warnings:?}");
}
