//! The table for people.

use std::fmt::{self, Write};

use super::contender::Contender;
use super::goals;
use super::load::Load;
use super::measurement::Measurement;
use super::results::{Results, Sample};
use super::summary::{Summary, figure};

/// Loads with a row, and what is in it.
const ROWS: [(Load, &str); 7] = [
    (Load::Small10, "10 members, 100 bytes, 20,000/s: µs; p99"),
    (Load::Small100, "100 members, 100 bytes, 20,000/s: µs; p99"),
    (Load::Medium, "10 members, 4,000 bytes, 2,000/s: µs; p99"),
    (Load::Large, "10 members, 60,000 bytes, 1,000/s: µs; p99"),
    (
        Load::Framed,
        "10 members, 100 bytes, 20,000/s, framed: µs; p99",
    ),
    (Load::Connect, "a client that comes: ms of CPU; memory"),
    (
        Load::Most,
        "10 members, 100 bytes: the most that is held, a second",
    ),
];

const SERIES: [(Load, &str); 4] = [
    (Load::Members, "members"),
    (Load::Sizes, "bytes"),
    (Load::Rooms, "rooms of 4"),
    (Load::Idle, "idle clients elsewhere"),
];

/// All that was measured, as Markdown.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(results, &mut text);
    text
}

fn write(results: &Results, out: &mut String) -> fmt::Result {
    write_head(results, out)?;
    write_rows(results, out)?;
    write_series(results, out)?;
    let goals = goals::judge(results);
    if !goals.is_empty() {
        writeln!(out, "| goal | is | holds |\n|---|---|---|")?;
    }
    goals.iter().try_for_each(|goal| writeln!(out, "{goal}"))
}

fn write_head(results: &Results, out: &mut String) -> fmt::Result {
    let Results {
        host,
        runs,
        secs,
        scale,
        ..
    } = results;
    writeln!(out, "{host}.\n")?;
    if let Some(warning) = host.warning() {
        writeln!(out, "**Beware:** {warning}.\n")?;
    }
    write!(
        out,
        "Median [least–most]; runs: {runs}, of {secs} s each: the server's CPU time and the \
         99th percentile of latency for each delivery (of which there are so many a second)."
    )?;
    if *scale != 1.0 {
        write!(out, " All rates are multiplied by {scale}.")?;
    }
    writeln!(out, "\n")
}

fn write_rows(results: &Results, out: &mut String) -> fmt::Result {
    let contenders = &results.contenders;
    let is_measured = |load| results.samples.iter().any(|sample| sample.job.load == load);
    let mut rows = ROWS
        .into_iter()
        .filter(|(load, _)| is_measured(*load))
        .peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    write!(out, "| load |")?;
    for contender in contenders {
        write!(out, " {contender} |")?;
    }
    writeln!(out, " oneport to the better peer | to the floor |")?;
    writeln!(out, "|---|{}---|---|", "---|".repeat(contenders.len()))?;
    for (load, about) in rows {
        write!(out, "| {about} |")?;
        for &contender in contenders {
            write!(out, " {} |", cell(results, load, contender))?;
        }
        for ratio in ratios(results, load) {
            let ratio = ratio.filter(|ratio| !ratio.is_nan()).map(figure);
            write!(out, " {} |", ratio.unwrap_or_default())?;
        }
        writeln!(out)?;
    }
    if out.contains(UNCLEAN) {
        writeln!(
            out,
            "\n{UNCLEAN} Not all of it arrived in time, once and in order."
        )?;
    }
    if out.contains(MORE) {
        writeln!(
            out,
            "\n{MORE} The clients could do no more, the relay perhaps could."
        )?;
    }
    writeln!(out)
}

fn write_series(results: &Results, out: &mut String) -> fmt::Result {
    for (load, axis) in SERIES {
        let points = results.series(load, Contender::Oneport, Measurement::cpu_us_where_held);
        if !points.is_empty() {
            let xs: Vec<_> = points.iter().map(|(x, _)| x.to_string()).collect();
            let ys: Vec<_> = points.iter().map(|(_, y)| figure(y.median)).collect();
            writeln!(out, "| {axis} | {} |", xs.join(" | "))?;
            writeln!(out, "|---|{}", "---|".repeat(points.len()))?;
            writeln!(out, "| µs | {} |\n", ys.join(" | "))?;
        }
    }
    Ok(())
}

/// Marks in cells.
const UNCLEAN: char = '†';
const MORE: char = '≥';

fn cell(results: &Results, load: Load, contender: Contender) -> String {
    if !load.is_for(contender) {
        return String::new();
    }
    let samples = results.of(load, contender);
    let of = |figure| results.summary(load, contender, figure);
    let text = |summary: Option<Summary>| summary.map(|summary| summary.to_string());
    let cell = match load {
        Load::Most => {
            let mut found = results
                .most
                .iter()
                .filter(|most| most.job.contender == contender);
            let is_more = found.any(|most| most.are_clients_limit);
            let most = text(results.most(contender));
            return most.map_or("fails".into(), |most| {
                if is_more {
                    format!("{MORE} {most}")
                } else {
                    most
                }
            });
        }
        Load::Connect => text(of(Measurement::cpu_ms_per_client))
            .zip(of(Measurement::kib_per_client))
            .map(|(ms, kib)| format!("{ms} ms; {:.0} KiB", kib.median)),
        // It waits for ticks: its latency says nothing.
        _ if contender == Contender::Floor => text(of(Measurement::cpu_us_per_delivery)),
        _ => text(of(Measurement::cpu_us_per_delivery))
            .zip(of(Measurement::p99_ms))
            .map(|(us, p99)| format!("{us}; {} ms", figure(p99.median))),
    };
    let is_unclean = |sample: &Sample| match load {
        Load::Connect => !sample.measurement.is_clean(),
        _ => !sample.measurement.is_held(),
    };
    match cell {
        Some(cell) if samples.clone().any(is_unclean) => format!("{cell} {UNCLEAN}"),
        Some(cell) => cell,
        None if samples.count() > 0 => "fails".into(),
        None => String::new(),
    }
}

/// How oneport is to the better peer, and to the floor: less is better, but for the most that is held.
fn ratios(results: &Results, load: Load) -> [Option<f64>; 2] {
    match load {
        Load::Most => goals::most(results),
        Load::Connect => goals::ratios(results, load, Measurement::cpu_ms_per_client),
        _ => goals::ratios(results, load, Measurement::cpu_us_per_delivery),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::bench::Job;
    use super::super::host::Host;
    use super::super::results::Most;
    use super::*;

    fn job(load: Load, contender: Contender) -> Job {
        Job {
            load,
            contender,
            round: 0,
        }
    }

    fn sample(load: Load, contender: Contender, us: f64, lost: u64) -> Sample {
        let outcome = json!({
            "load": { "deliveries_per_s": 1000.0 },
            "messages": { "lost": lost, "blocked": 0, "disordered": 0, "links_lost": 0, "strange": 0 },
            "deliveries_per_s": 1000.0,
            "latency_ms": { "p99": 1.5 },
            "server": { "cpu_us_per_delivery": us },
        });
        Sample {
            job: job(load, contender),
            x: 1000.0,
            measurement: Measurement(Ok(outcome)),
        }
    }

    fn results(samples: Vec<Sample>) -> Results {
        let most = |contender, rate| Most {
            job: job(Load::Most, contender),
            rate: Some(rate),
            are_clients_limit: contender == Contender::Oneport,
        };
        let limited = sample(Load::Most, Contender::Oneport, 3.0, 1);
        Results {
            host: Host::this(),
            runs: 2,
            secs: 5.0,
            scale: 1.0,
            contenders: Contender::ALL.to_vec(),
            samples: [samples, vec![limited]].concat(),
            most: vec![
                most(Contender::Oneport, 180_000.0),
                most(Contender::Janus, 50_000.0),
            ],
        }
    }

    #[test]
    fn medians_ratios_and_goals() {
        use Contender::{Floor, Janus, Oneport, Pion};
        let text = markdown(&results(vec![
            sample(Load::Small10, Oneport, 4.0, 0),
            sample(Load::Small10, Oneport, 6.0, 0),
            sample(Load::Small10, Pion, 21.0, 0),
            sample(Load::Small10, Janus, 27.0, 3),
            sample(Load::Small10, Floor, 2.0, 0),
        ]));
        let row =
            "| 5.00 [4.00–6.00]; 1.50 ms | 21.0; 1.50 ms | 27.0; 1.50 ms † | 2.00 | 0.24 | 2.50 |";
        assert!(text.contains(row), "{text}");
        let most = "| ≥ 180,000 | fails | 50,000 | fails | 3.60 |  |";
        assert!(text.contains(most), "{text}");
        let goal = "| 10 members: CPU at most 1/4 of the better peer's | 0.24 | yes |";
        assert!(text.contains(goal), "{text}");
        assert!(
            text.contains("at most twice the floor's | 2.50 | **no** |"),
            "{text}"
        );
        assert!(
            text.contains("the better peer's | 3.60 | **no** |"),
            "{text}"
        );
        assert!(!text.contains("4,000 bytes"), "{text}");
    }

    #[test]
    fn who_does_not_hold_a_load_has_not_reached_the_goal() {
        use Contender::{Janus, Oneport};
        let mut failed = sample(Load::Large, Oneport, 1.0, 0);
        failed.measurement = Measurement(Err("it has ended".into()));
        let text = markdown(&results(vec![
            sample(Load::Medium, Oneport, 1.0, 9),
            sample(Load::Medium, Janus, 100.0, 0),
            failed,
            sample(Load::Large, Janus, 100.0, 0),
        ]));
        assert!(
            text.contains("| 4,000 bytes: CPU at most 1/4 of Janus's | fails | **no** |"),
            "{text}"
        );
        assert!(text.contains("| fails |  | 100; 1.50 ms |"), "{text}");
        assert!(text.contains("1.00; 1.50 ms †"), "{text}");
    }
}
