//! Style that a machine can check: layers, purity, size, and that the folder listing stays what
//! somebody expects who opens it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Beyond this many lines of production code, a noun should move out.
const FILE_LINES_MAX: usize = 500;

/// Crate, and those of ours that it may use.
const LAYERS: [(&str, &[&str]); 10] = [
    ("oneport-wire", &[]),
    ("oneport-sctp", &[]),
    ("oneport-link", &[]),
    ("oneport-core", &["oneport-wire", "oneport-link"]),
    ("oneport-client", &["oneport-wire", "oneport-link"]),
    ("oneport-io", &["oneport-wire", "oneport-link"]),
    ("oneport-signal", &["oneport-wire"]),
    (
        "oneport-sim",
        &[
            "oneport-wire",
            "oneport-link",
            "oneport-client",
            "oneport-core",
            "oneport-signal",
        ],
    ),
    (
        "oneport-bench",
        &[
            "oneport-wire",
            "oneport-link",
            "oneport-client",
            "oneport-io",
        ],
    ),
    (
        "oneport",
        &[
            "oneport-wire",
            "oneport-client",
            "oneport-core",
            "oneport-io",
            "oneport-signal",
        ],
    ),
];

/// What a crate without clock, socket, thread, environment or randomness does not mention.
const IMPURE: [&str; 9] = [
    "Instant::now",
    "SystemTime",
    "std::thread",
    "std::env",
    "std::fs",
    "UdpSocket",
    "TcpStream",
    "getrandom",
    "thread_rng",
];

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace").to_path_buf()
}

/// The files that git tracks, or would.
fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is there");
    let names = String::from_utf8(output.stdout).expect("names are UTF-8");
    let files: Vec<_> = names.lines().map(PathBuf::from).collect();
    assert!(files.len() > 50, "git lists the files");
    files
        .into_iter()
        .filter(|file| root().join(file).exists())
        .collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_default()
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let is_rust = |file: &PathBuf| {
        file.starts_with(folder) && file.extension().is_some_and(|extension| extension == "rs")
    };
    files().into_iter().filter(is_rust).collect()
}

/// Whether a file has nothing but tests.
fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests")
        || file.file_name().is_some_and(|name| name == "tests.rs")
}

/// What comes before a file's tests, without comments.
fn production(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn top_level_is_as_agreed() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "crates",
        "bins",
        "fuzz",
        "tests",
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
    ];
    for file in files() {
        let first = file
            .iter()
            .next()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let is_agreed = allowed.contains(&first.as_str())
            || first.starts_with('.')
            || first.starts_with("LICENSE");
        assert!(is_agreed, "{first} is not in the agreed layout");
    }
}

#[test]
fn crates_use_only_the_crates_below_them() {
    for (name, below) in LAYERS {
        let folder = match name {
            "oneport" | "oneport-bench" => "bins",
            _ => "crates",
        };
        let manifest = read(&Path::new(folder).join(name).join("Cargo.toml"));
        let dependencies = manifest
            .split("[dependencies]")
            .nth(1)
            .expect("dependencies");
        let used: BTreeSet<_> = dependencies
            .lines()
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .filter(|dependency| dependency.starts_with("oneport"))
            .collect();
        let allowed: BTreeSet<_> = below.iter().copied().collect();
        let more: Vec<_> = used.difference(&allowed).collect();
        assert!(more.is_empty(), "{name} must not use {more:?}");
    }
}

#[test]
fn only_one_crate_touches_str0m() {
    for file in files() {
        let is_manifest = file.file_name().is_some_and(|name| name == "Cargo.toml");
        if is_manifest && file.iter().count() > 1 && !file.starts_with("crates/oneport-link") {
            let manifest = read(&file);
            let depends = manifest.lines().any(|line| line.starts_with("str0m"));
            assert!(!depends, "{}", file.display());
        }
    }
    for file in rust_files("crates/oneport-core/src/hub") {
        assert!(!read(&file).contains("str0m"), "{}", file.display());
    }
}

#[test]
fn the_core_is_pure() {
    for folder in [
        "crates/oneport-wire/src",
        "crates/oneport-link/src",
        "crates/oneport-sctp/src",
        "crates/oneport-core/src",
        "crates/oneport-client/src",
    ] {
        for file in rust_files(folder).into_iter().filter(|file| !is_test(file)) {
            let text = read(&file);
            for line in production(&text) {
                let impure = IMPURE.iter().find(|impure| line.contains(**impure));
                assert_eq!(impure, None, "{}: {line}", file.display());
            }
        }
    }
}

#[test]
fn files_stay_readable() {
    for file in ["crates", "bins", "fuzz"].into_iter().flat_map(rust_files) {
        let text = read(&file);
        // A test file is as long as its table of promises.
        let lines = if is_test(&file) {
            0
        } else {
            production(&text).count()
        };
        assert!(
            lines <= FILE_LINES_MAX,
            "{} has {lines} lines",
            file.display()
        );
        assert!(
            text.contains("//!") || text.starts_with("use super::"),
            "{} does not say what it is",
            file.display()
        );
    }
}

#[test]
fn nothing_is_left_open() {
    // Spelt apart, so that this file does not find itself.
    let open = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["XX", "X:"],
        ["todo", "!("],
        ["unimplemented", "!("],
    ]
    .map(|parts| parts.concat());
    for file in files() {
        let text = read(&file);
        for word in &open {
            assert!(
                !text.contains(word.as_str()),
                "{word} in {}",
                file.display()
            );
        }
    }
}

#[test]
fn every_crate_inherits_the_lints() {
    for file in files() {
        if file.file_name().is_some_and(|name| name == "Cargo.toml") && file.iter().count() > 1 {
            let manifest = read(&file);
            let inherits = manifest.contains("[lints]\nworkspace = true");
            // Another workspace, whose macro is not without unsafe code.
            assert!(inherits || file.starts_with("fuzz"), "{}", file.display());
        }
    }
    assert!(read(Path::new("Cargo.toml")).contains("unsafe_code = \"forbid\""));
}
