//! The file of settings that the package brings along.

use std::collections::BTreeSet;
use std::fs;

use oneport_tests::{Result, relay};

use crate::unit::packaging;

/// The settings that the file only shows, and the comments without them.
fn shown(text: &str) -> Vec<&str> {
    let settings = text.lines().filter_map(|line| line.strip_prefix('#'));
    settings
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .collect()
}

/// What `oneport config` makes of it.
fn effective(settings: &str) -> Result<String> {
    let path = std::env::temp_dir().join(format!("oneport-{}.toml", std::process::id()));
    fs::write(&path, settings)?;
    let output = relay::run(&["config", "--config", &path.to_string_lossy()]);
    fs::remove_file(&path)?;
    let output = output?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{settings}\n{complaint}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn all_that_the_file_shows_is_understood() -> Result {
    let text = fs::read_to_string(packaging().join("oneport.toml"))?;
    let shown = shown(&text);
    assert!(shown.len() > 5, "{shown:?}");

    // As it is: for this machine only, and with a memory.
    let set = text.lines().filter(|line| !line.is_empty());
    let set: Vec<_> = set.filter(|line| !line.starts_with('#')).collect();
    assert_eq!(set, ["state = \"/var/lib/oneport/state\""]);
    assert!(effective(&text)?.contains("listen = [\"127.0.0.1:3478\"] # default\n"));

    // All at once, the first where a key has two; then those.
    let mut keys = BTreeSet::new();
    let key = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let (first, second): (Vec<&str>, Vec<&str>) =
        shown.iter().partition(|line| keys.insert(key(line)));
    for settings in [first, second] {
        let made = effective(&settings.join("\n"))?;
        for line in settings {
            let from_file = made
                .lines()
                .find(|made| key(made) == key(line) && made.contains(".toml:"));
            assert!(from_file.is_some(), "{line} has no effect:\n{made}");
        }
    }
    Ok(())
}
