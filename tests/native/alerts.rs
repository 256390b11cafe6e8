//! The PromQL of the documentation: it is about series that a relay has, and its alerts fire.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use oneport_tests::{Result, certificate::Pair, http, relay::Relay};

/// What may have expressions in it.
const DOCUMENTS: [&str; 5] = [
    "README.md",
    "ARCHITECTURE.md",
    "bins/oneport/REFERENCE.md",
    "bins/oneport-bench/README.md",
    "crates/oneport-wire/PROTOCOL.md",
];

/// Names that look like metrics and are crates.
const CRATES: [&str; 8] = [
    "oneport_bench",
    "oneport_client",
    "oneport_core",
    "oneport_io",
    "oneport_link",
    "oneport_signal",
    "oneport_sim",
    "oneport_wire",
];

/// The expressions of the documentation.
#[derive(Default)]
struct Documented {
    /// The groups of rules, as a file of rules.
    rules: String,
    alerts: Vec<String>,
    expressions: Vec<String>,
    /// What is in backticks and named like a metric.
    names: BTreeSet<String>,
}

impl Documented {
    fn read() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut found = Self::default();
        for document in DOCUMENTS {
            let text = fs::read_to_string(root.join(document))?;
            let mut block: Option<(&str, String)> = None;
            for line in text.lines() {
                match (line.strip_prefix("```"), block.take()) {
                    (Some(_), Some((language, body))) => found.take_block(language, &body),
                    (Some(language), None) => block = Some((language, String::new())),
                    (None, Some((language, body))) => block = Some((language, body + line + "\n")),
                    (None, None) => found.take_prose(document, line),
                }
            }
        }
        Ok(found)
    }

    fn take_block(&mut self, language: &str, body: &str) {
        if language == "promql" {
            self.expressions.extend(body.lines().map(str::to_owned));
        } else if body.starts_with("groups:\n") {
            assert!(self.rules.is_empty(), "one block of rules");
            body.clone_into(&mut self.rules);
            let after = |key: &'static str| {
                let values = body.lines().filter_map(move |line| line.split_once(key));
                values.map(|(_, value)| value.trim().to_owned())
            };
            self.alerts.extend(after("alert:"));
            self.expressions.extend(after("expr:"));
        } else {
            assert!(
                !body.contains("rate(oneport_"),
                "not marked as PromQL: {body}"
            );
        }
    }

    fn take_prose(&mut self, document: &str, line: &str) {
        assert!(
            !line.contains("rate(oneport_"),
            "{document}: PromQL belongs into a block: {line}"
        );
        let quoted = line.split('`').skip(1).step_by(2);
        let names = quoted.filter(|word| is_name(word) && !CRATES.contains(word));
        self.names.extend(names.map(str::to_owned));
    }
}

fn is_name(word: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c == '_';
    (word.starts_with("oneport_") || word.starts_with("process_")) && word.chars().all(is_good)
}

/// The labels of each series of a relay that has everything: by name, and each as it stands in the text.
struct Live {
    labels: BTreeMap<String, BTreeSet<String>>,
    series: Vec<(String, String)>,
}

impl Live {
    fn scrape(folder: &Path) -> Result<Self> {
        let pair = Pair::until(2100)?;
        let secret = folder.join("webhook-secret");
        fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
        let secret = secret.to_string_lossy();
        let relay = Relay::start(&[
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            &pair.chain().to_string_lossy(),
            "--tls-key",
            &pair.key().to_string_lossy(),
            "--webhook",
            "http://127.0.0.1:9/",
            "--webhook-secret-file",
            &secret,
        ])?;
        let text = http::get(relay.address(), "/metrics")?.text();
        let mut live = Self {
            labels: BTreeMap::new(),
            series: Vec::new(),
        };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, _) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}');
            let known = live.labels.entry(name.to_owned()).or_default();
            // No value has a comma in it.
            let names = labels.split(',').filter_map(|label| label.split_once('='));
            known.extend(names.map(|(label, _)| label.to_owned()));
            live.series.push((name.to_owned(), labels.to_owned()));
        }
        Ok(live)
    }

    /// A test for promtool in which all of these series grow, and each expression yields something.
    fn test_of(&self, expressions: &[String]) -> String {
        let mut test = String::from("tests:\n  - interval: 15s\n    input_series:\n");
        for (name, labels) in &self.series {
            let comma = if labels.is_empty() { "" } else { "," };
            let target = "instance=\"a\",job=\"oneport\"";
            let series = format!("{name}{{{labels}{comma}{target}}}");
            let _ = writeln!(test, "      - {{ series: '{series}', values: '1+1x80' }}");
        }
        test += "    promql_expr_test:\n";
        for expression in expressions {
            let expression = format!("count({}) > bool 0", without_filter(expression));
            let _ = writeln!(
                test,
                "      - {{ expr: '{expression}', eval_time: 15m, exp_samples: [{{ labels: '{{}}', value: 1 }}] }}"
            );
        }
        test
    }

    /// Metrics and labels of an expression that this relay does not have.
    fn unknown_in(&self, expression: &str) -> Vec<String> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words: Vec<_> = expression
            .split(|c| !is_part(c))
            .filter(|word| is_name(word))
            .collect();
        let unknown = words
            .iter()
            .filter(|word| !self.labels.contains_key(**word));
        let mut unknown: Vec<_> = unknown.map(|word| (*word).to_owned()).collect();
        let known: BTreeSet<_> = words
            .iter()
            .filter_map(|word| self.labels.get(*word))
            .flatten()
            .collect();
        for label in labels_in(expression) {
            if !known.contains(&label) && !["instance", "job"].contains(&label.as_str()) {
                unknown.push(label);
            }
        }
        unknown
    }
}

/// The labels that an expression groups, joins or selects by.
fn labels_in(expression: &str) -> Vec<String> {
    let mut labels = Vec::new();
    for keyword in [
        "by",
        "without",
        "ignoring",
        "on",
        "group_left",
        "group_right",
    ] {
        for (at, _) in expression.match_indices(keyword) {
            let rest = expression[at + keyword.len()..].trim_start();
            if let Some((list, _)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
                labels.extend(list.split(',').map(|label| label.trim().to_owned()));
            }
        }
    }
    for selector in expression.split('{').skip(1) {
        let selector = selector.split('}').next().unwrap_or_default();
        let names = selector
            .split(',')
            .filter_map(|label| label.split(['=', '!']).next());
        labels.extend(names.map(|label| label.trim().to_owned()));
    }
    labels
}

/// The expression with its last comparison yielding 0 or 1 instead of dropping series.
fn without_filter(expression: &str) -> String {
    for operator in [" > ", " < ", " == "] {
        if let Some((left, right)) = expression.rsplit_once(operator)
            && right.parse::<f64>().is_ok()
        {
            return format!("{left}{operator}bool {right}");
        }
    }
    expression.to_owned()
}

fn promtool(folder: &Path, arguments: &[&str]) -> Result {
    // Where tests/run puts it, if Debian's package is not installed.
    let fetched = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools/promtool");
    let program = if fetched.exists() {
        fetched
    } else {
        PathBuf::from("promtool")
    };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.expect("promtool is there: tests/run fetches it");
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&said)
    );
    Ok(())
}

#[test]
fn documented_expressions_are_about_what_a_relay_has_and_alerts_fire() -> Result {
    let documented = Documented::read()?;
    assert!(documented.alerts.len() >= 10, "{:?}", documented.alerts);
    assert!(documented.expressions.len() > documented.alerts.len());
    let folder = tempfile::tempdir()?;
    let live = Live::scrape(folder.path())?;
    for expression in &documented.expressions {
        assert_eq!(live.unknown_in(expression), [""; 0], "{expression}");
    }
    for name in &documented.names {
        let is_of = |series: &String| series.strip_prefix(name).is_some_and(is_suffix);
        assert!(live.labels.keys().any(is_of), "there is no metric {name}");
    }

    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    write("rules.yml", &documented.rules)?;
    write("live.yml", &live.test_of(&documented.expressions))?;
    let fires = include_str!("alerts.yml");
    write("alerts.yml", fires)?;
    for alert in &documented.alerts {
        assert!(
            fires.contains(&format!("alertname: {alert},")),
            "{alert} is not tested"
        );
    }
    promtool(folder.path(), &["check", "rules", "rules.yml"])?;
    promtool(folder.path(), &["test", "rules", "live.yml", "alerts.yml"])
}

/// What a family's samples have behind its name.
fn is_suffix(rest: &str) -> bool {
    ["", "_total", "_info", "_bucket", "_sum", "_count"].contains(&rest)
}

#[test]
fn expressions_that_can_never_match_are_noticed() {
    let live = Live {
        labels: [
            (
                "oneport_gaps_total".to_owned(),
                BTreeSet::from(["reason".to_owned()]),
            ),
            ("oneport_links".to_owned(), BTreeSet::new()),
        ]
        .into(),
        series: Vec::new(),
    };
    for (expression, unknown) in [
        (
            "sum by (reason, job) (rate(oneport_gaps_total{reason=\"slow\"}[5m])) > 0",
            &[][..],
        ),
        (
            "rate(oneport_gaps_total[5m]) / ignoring(from) oneport_links",
            &["from"],
        ),
        (
            "oneport_gap_total{code!=\"a\"}",
            &["oneport_gap_total", "code"],
        ),
        ("oneport_links{reason=\"slow\"} > 1", &["reason"]),
    ] {
        assert_eq!(live.unknown_in(expression), unknown, "{expression}");
    }
    assert_eq!(without_filter("a / b > 0.9"), "a / b > bool 0.9");
    assert_eq!(without_filter("a - time() < 7"), "a - time() < bool 7");
    assert_eq!(without_filter("a > b"), "a > b");
}
