//! What the figures were when somebody last looked at them: `baseline.json`, which is committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use oneport_tests::Result;
use serde_json::{Value, json};

use crate::callgrind::version;
use crate::phase::Phase;

/// Rewrites the baseline instead of comparing with it.
const WRITE: &str = "ONEPORT_COST_WRITE";

/// Set by `.ci/run`.
const CI: &str = "CI";

/// A column of the table: its key in the baseline, its value, and how far that may be from the
/// baseline's, in percent.
struct Column {
    key: &'static str,
    value: fn(&Phase) -> f64,
    percent_max: f64,
}

const COLUMNS: [Column; 3] = [
    Column {
        key: "instructions",
        value: Phase::instructions,
        percent_max: INSTRUCTIONS_PERCENT_MAX,
    },
    Column {
        key: "datagrams_in",
        value: Phase::datagrams_in,
        percent_max: DATAGRAMS_PERCENT_MAX,
    },
    Column {
        key: "datagrams_out",
        value: Phase::datagrams_out,
        percent_max: DATAGRAMS_PERCENT_MAX,
    },
];

/// Keys, tags and the seeds of hash tables are random, so no two runs count quite the same: they were
/// up to 0.2 % apart. This is five times as much.
const INSTRUCTIONS_PERCENT_MAX: f64 = 1.0;

/// Virtual time is the same in each run.
const DATAGRAMS_PERCENT_MAX: f64 = 1.0;

/// Compares with the baseline and prints both; or then writes it, where that is wanted.
///
/// A figure that is too low is an error as well as one that is too high: a gain that nobody writes
/// down would be lost later without anybody noticing.
///
/// # Errors
/// Where it cannot be written.
///
/// # Panics
/// Where a figure is too far from the baseline's.
pub(crate) fn settle(phases: &[Phase]) -> Result {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cost/baseline.json");
    // Without one, or with half of one, there is nothing that the figures could be near.
    let text = fs::read_to_string(&path).unwrap_or_default();
    let baseline: Value = serde_json::from_str(&text).unwrap_or_default();
    let known = baseline["figures"].as_object();
    let mut strays: Vec<_> = (known.into_iter().flat_map(|figures| figures.keys()))
        .filter(|name| !phases.iter().any(|phase| phase.name == **name))
        .map(|name| format!("{name} is in the baseline only"))
        .collect();
    for phase in phases {
        strays.extend(compare(phase, &baseline["figures"][&phase.name]));
    }
    if env::var_os(WRITE).is_some() {
        let text = serde_json::to_string_pretty(&written(phases)).expect("it is plain");
        return Ok(fs::write(path, text + "\n")?);
    }
    let (then, now) = (baseline["tools"].as_str().unwrap_or("other tools"), tools());
    let is_comparable = then == now;
    if !is_comparable {
        println!("the baseline is from {then}, this from {now}");
    }
    // Another compiler is not a change of this code, except where it is the one that counts.
    if is_comparable || env::var_os(CI).is_some() {
        assert!(
            strays.is_empty(),
            "{}\nIf that is meant, or better than before, commit what this writes:\n    \
             {WRITE}=1 cargo test -p oneport-tests --test cost\n",
            strays.join("\n")
        );
    }
    Ok(())
}

/// Prints a phase's figures beside those of the baseline, and returns what to say of those that are
/// too far from them.
fn compare(phase: &Phase, baseline: &Value) -> Vec<String> {
    let mut strays = Vec::new();
    for Column {
        key,
        value,
        percent_max,
    } in &COLUMNS
    {
        let (value, before) = (value(phase), baseline[key].as_f64());
        let percent = before.map(|before| (value / before - 1.0) * 100.0);
        let row = format!(
            "{:<25} {key:<13} per {:<15} {value:>12.2} {:>12.2} {:>+7.2} %",
            phase.name,
            phase.unit,
            before.unwrap_or(f64::NAN),
            percent.unwrap_or(f64::NAN),
        );
        println!("{row}");
        if percent.is_none_or(|percent| percent.abs() > *percent_max) {
            strays.push(format!("{row}, of {percent_max} % allowed"));
        }
    }
    strays
}

fn written(phases: &[Phase]) -> Value {
    let figures = phases.iter().map(|phase| {
        let value = |column: &Column| (column.key, json!(rounded((column.value)(phase))));
        let mut figures: BTreeMap<_, _> = COLUMNS.iter().map(value).collect();
        figures.insert("per", json!(phase.unit));
        (phase.name.clone(), figures)
    });
    json!({
        "about": "written by tests/cost; crates/oneport-sim/examples/cost.rs says what each is",
        "tools": tools(),
        "figures": figures.collect::<BTreeMap<_, _>>(),
    })
}

/// To three decimals, more than means anything.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// What makes instructions, and what counts them. Which processor it is does not matter: valgrind
/// shows programs the same one on each that has AVX2.
fn tools() -> String {
    let name = |program| version(program).unwrap_or_else(|| format!("no {program}"));
    let rustc = name("rustc");
    // Without the commit and the date.
    let rustc = rustc.split(" (").next().unwrap_or(&rustc);
    format!("{rustc}, {}, {}", name("valgrind"), env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strays_is_told_in_either_direction() -> Result {
        let baseline = written(&[Phase::parse("talk\tdelivery\t10\t20\t30", 1000)?]);
        let strays = |line, instructions| -> Result<usize> {
            let phase = Phase::parse(line, instructions)?;
            Ok(compare(&phase, &baseline["figures"]["talk"]).len())
        };
        assert_eq!(strays("talk\tdelivery\t10\t20\t30", 1005)?, 0);
        assert_eq!(
            strays("talk\tdelivery\t20\t40\t60", 2000)?,
            0,
            "what counts is a unit"
        );
        for instructions in [985, 1015] {
            assert_eq!(strays("talk\tdelivery\t10\t20\t30", instructions)?, 1);
        }
        assert_eq!(strays("talk\tdelivery\t10\t21\t29", 1000)?, 2);
        let unknown = Phase::parse("talk\tdelivery\t10\t20\t30", 1000)?;
        assert_eq!(compare(&unknown, &Value::Null).len(), COLUMNS.len());
        Ok(())
    }
}
