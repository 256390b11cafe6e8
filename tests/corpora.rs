//! The fuzz targets on what fuzzing has found worth keeping, and on some mutations of it.
//!
//! The README says how to fuzz on from there without changing these corpora.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use log::{Level, Log, Metadata, Record};
use oneport_sim::{Dice, fuzz};

/// The most files of a corpus: what is more is not read by anybody.
const FILES_MAX: usize = 60;

thread_local! {
    /// What was logged at error and warn on this thread.
    static LOUD: RefCell<Vec<(String, Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the errors and warnings of each thread apart.
struct Recorder;

impl Log for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        let line = (
            record.target().to_owned(),
            record.level(),
            record.args().to_string(),
        );
        if self.enabled(record.metadata()) {
            LOUD.with_borrow_mut(|loud| loud.push(line));
        }
    }

    fn flush(&self) {}
}

/// Runs a target on its whole corpus, and on so many mutations of it.
fn replay(target: fn(&[u8]), name: &str, mutations: u64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let files = fs::read_dir(folder.join(name)).expect("a corpus");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let count = files.len();
    assert!(
        (1..=FILES_MAX).contains(&count),
        "{count} files in fuzz/corpus/{name}: what a fuzzer finds belongs in fuzz/found/{name}"
    );
    let mut corpus = Vec::new();
    for file in &files {
        // What is printed last is what failed.
        println!("{}", file.display());
        corpus.push(fs::read(file).expect("readable"));
        target(&corpus[corpus.len() - 1]);
    }
    for seed in 0..mutations {
        println!("mutation {seed}");
        target(&mutation(&mut Dice::new(seed), &corpus));
    }
}

/// The beginning of one file and the end of another, with a few bytes changed.
fn mutation(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let [one, other] = [dice.pick(corpus), dice.pick(corpus)];
    let beginning = &one[..dice.index(one.len() + 1)];
    let end = &other[dice.index(other.len() + 1)..];
    let mut bytes = [beginning, end].concat();
    for _ in 0..dice.below(4) {
        let at = dice.index(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = dice.below(256) as u8;
        }
    }
    bytes
}

#[test]
fn channel() {
    replay(fuzz::channel, "channel", 100);
}

#[test]
fn datagrams() {
    replay(fuzz::datagrams, "datagrams", 100);
    replay(fuzz::datagrams_in_turn, "datagrams", 500);
}

#[test]
fn frames() {
    replay(fuzz::frames, "frames", 10_000);
}

#[test]
fn hub() {
    replay(fuzz::hub, "hub", 1000);
}

#[test]
fn offers() {
    replay(fuzz::offers, "offers", 2000);
}

#[test]
fn scenario() {
    replay(fuzz::scenario, "scenario", 100);
}

#[test]
fn sctp() {
    // What is logged on this thread.
    let _ = log::set_logger(&Recorder);
    log::set_max_level(log::LevelFilter::Warn);
    replay(fuzz::sctp, "sctp", 100);
    replay(fuzz::sctp_in_turn, "sctp", 500);
    let loud = LOUD.take();
    // They abort, and have nothing but nonsense to say.
    let is_error = |(target, level, _): &(String, Level, String)| {
        target.starts_with("sctp_proto") && *level == Level::Error
    };
    assert!(loud.iter().any(is_error), "no client provokes anything");
    for (target, level, text) in loud {
        let level = oneport::level_of(&target, level);
        assert!(
            level >= Level::Debug,
            "a client causes {level} of {target}: {text}"
        );
    }
}

#[test]
fn signaling() {
    replay(fuzz::signaling, "signaling", 500);
}

#[test]
fn stream() {
    replay(fuzz::stream, "stream", 10_000);
}

#[test]
fn state() {
    replay(fuzz::state, "state", 2000);
}

#[test]
fn tokens() {
    replay(oneport_tests::fuzz::tokens, "tokens", 1000);
}
