//! Delay under loss, in virtual time: the same figures each time, compared with those that are committed.
//!
//! Each message goes to dcsctp, which delays acknowledgements by 200 ms, as Chromium does.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::engines::{Class, NAMES};
use crate::network::{Faults, World};

/// Rewrites the table instead of comparing with it.
const WRITE: &str = "ONEPORT_SCTP_LOSS_WRITE";

struct Cell {
    name: &'static str,
    faults: Faults,
    interval_ms: u64,
    messages: usize,
}

const fn cell(
    name: &'static str,
    loss: f64,
    delay_us: u64,
    jitter_ms: u64,
    interval_ms: u64,
    messages: usize,
) -> Cell {
    Cell {
        name,
        faults: Faults {
            loss,
            duplication: 0.0,
            corruption: 0.0,
            delay: Duration::from_micros(delay_us),
            jitter: Duration::from_millis(jitter_ms),
            reorders: jitter_ms > 2,
        },
        interval_ms,
        messages,
    }
}

const CELLS: [Cell; 6] = [
    cell("2 %, rtt 40 ms, each 100 ms", 0.02, 20_000, 2, 100, 3_000),
    cell("2 %, rtt 40 ms, each 10 ms", 0.02, 20_000, 2, 10, 5_000),
    cell("5 %, rtt 100 ms, each 20 ms", 0.05, 50_000, 2, 20, 3_000),
    cell("1 %, rtt 40 ms, each 1 s", 0.01, 20_000, 2, 1_000, 2_000),
    cell("5 %, no delay, each 50 ms", 0.05, 150, 0, 50, 3_000),
    cell(
        "5 %, 40 to 60 ms reordered, each 50 ms",
        0.05,
        40_000,
        20,
        50,
        3_000,
    ),
];

/// Returns the delays of a cell, sorted, and the packets it took.
fn run(sender: &str, cell: &Cell) -> (Vec<Duration>, u64) {
    let mut world = World::new([sender, "dcsctp"], 7);
    world.connect();
    let now = world.now;
    world.ends[0].open(now, 0, Class::Ordered);
    let begin = world.now + Duration::from_secs(2);
    world.run_until(begin, |world| while world.ends[1].receive().is_some() {});
    world.faults = cell.faults;
    let packets = world.packets_sent();
    let mut sent: Vec<Instant> = Vec::new();
    let mut delays = Vec::new();
    let mut take = |world: &mut World, sent: &[Instant]| {
        while let Some((_, bytes)) = world.ends[1].receive() {
            let place = u32::from_be_bytes(bytes[..4].try_into().expect("four bytes"));
            delays.push(world.now - sent[place as usize]);
        }
        delays.len() == cell.messages
    };
    while sent.len() < cell.messages {
        let due = begin + Duration::from_millis(cell.interval_ms) * sent.len() as u32;
        world.run_until(due, |world| {
            take(world, &sent);
        });
        let mut bytes = vec![0; 100];
        bytes[..4].copy_from_slice(&(sent.len() as u32).to_be_bytes());
        sent.push(world.now);
        let now = world.now;
        world.ends[0].send(now, 0, &bytes);
    }
    let is_done = world.run(Duration::from_secs(100), |world| take(world, &sent));
    assert!(is_done);
    if std::env::var_os("ONEPORT_SCTP_LOSS_SHOW").is_some() {
        println!("{}", world.ends[0].describe());
    }
    delays.sort();
    (delays, world.packets_sent() - packets)
}

fn table() -> String {
    let mut table = String::from(
        "delay of messages of 100 bytes in ms, to dcsctp, in virtual time; loss each way\n",
    );
    for cell in &CELLS {
        writeln!(table, "\n{}, {} messages", cell.name, cell.messages).expect("a string");
        for name in NAMES {
            let (delays, packets) = run(name, cell);
            let millis = |delay: Duration| delay.as_secs_f64() * 1e3;
            let at = |part: f64| millis(delays[((delays.len() - 1) as f64 * part) as usize]);
            let mean = millis(delays.iter().sum::<Duration>()) / delays.len() as f64;
            writeln!(
                table,
                "{name:<11} mean {mean:>7.1}  p99 {:>7.1}  p99.9 {:>7.1}  max {:>7.1}  packets {packets}",
                at(0.99),
                at(0.999),
                at(1.0),
            )
            .expect("a string");
        }
    }
    table
}

/// Messages of 16 KiB that are sent at once.
const BULK_MESSAGES: usize = 60;

/// Loss each way, and the delay one way in microseconds.
const BULK: [(f64, u64); 3] = [(0.05, 500), (0.10, 500), (0.02, 20_000)];

/// Returns how long bulk takes.
fn bulk(sender: &str, loss: f64, delay_us: u64, seed: u64) -> Duration {
    let mut world = World::new([sender, "dcsctp"], seed);
    world.connect();
    let now = world.now;
    world.ends[0].open(now, 0, Class::Ordered);
    let begin = world.now + Duration::from_secs(2);
    world.run_until(begin, |world| while world.ends[1].receive().is_some() {});
    world.faults = Faults {
        loss,
        delay: Duration::from_micros(delay_us),
        ..Faults::none(0)
    };
    for _ in 0..BULK_MESSAGES {
        let now = world.now;
        world.ends[0].send(now, 0, &[7; 16 * 1024]);
    }
    let mut received = 0;
    let is_done = world.run(Duration::from_secs(600), |world| {
        while world.ends[1].receive().is_some() {
            received += 1;
        }
        received == BULK_MESSAGES
    });
    assert!(is_done);
    world.now - begin
}

fn bulk_table() -> String {
    let mut table = String::from("\n960 KiB at once, in messages of 16 KiB: mean of 10 runs\n");
    for (loss, delay_us) in BULK {
        let percent = loss * 100.0;
        let millis = delay_us as f64 * 2e-3;
        writeln!(table, "\n{percent} %, rtt {millis} ms").expect("a string");
        for name in NAMES {
            let total: Duration = (0..10).map(|seed| bulk(name, loss, delay_us, seed)).sum();
            let mean = total.as_secs_f64() / 10.0;
            let rate = (BULK_MESSAGES * 16 * 1024) as f64 / mean / 1e6;
            writeln!(table, "{name:<11} {mean:>7.3} s  {rate:>6.2} MB/s").expect("a string");
        }
    }
    table
}

#[test]
fn the_delay_under_loss_is_as_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sctp/loss.txt");
    let table = table() + &bulk_table();
    println!("{table}");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(path, table).expect("written");
        return;
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        table == committed,
        "the figures changed; if that is meant, or better than before, commit what this writes:\n    \
         {WRITE}=1 cargo test -p oneport-sctp --test sctp loss"
    );
}
