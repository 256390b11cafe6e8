//! The load generator against the relay.

use std::{
    fs,
    process::{Command, Stdio},
};

use oneport_tests::{
    Result, artifacts,
    relay::{self, Relay},
};
use serde_json::Value;

fn run(arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
    let output = relay::tool("oneport-bench")?
        .arg("run")
        .args(arguments)
        .output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    ))
}

/// A load that any machine can bear: all of it arrives, and is measured.
#[test]
fn a_small_load_arrives_and_is_measured() -> Result {
    let relay = Relay::on_loopback()?;
    let pid = relay.pid().to_string();
    for channel in ["plain", "framed"] {
        let (status, out, err) = run(&[
            "--url",
            relay.url(),
            "--pid",
            &pid,
            "--channel",
            channel,
            "--clients",
            "6",
            "--rooms",
            "2",
            "--rate",
            "400",
            "--secs",
            "1",
            "--json",
        ])?;
        assert_eq!(status, Some(0), "{out}{err}");
        let outcome: Value = serde_json::from_str(&out).expect("it is JSON");
        let messages = &outcome["messages"];
        // 200 messages a second for the two others of each room, warm-up included.
        let sent = messages["sent"].as_u64().unwrap_or(0);
        assert!((350..=450).contains(&sent), "{outcome}");
        assert_eq!(messages["received"], 2 * sent, "{outcome}");
        assert_eq!(
            (&messages["lost"], &messages["disordered"]),
            (&0.into(), &0.into())
        );
        let p50 = outcome["latency_ms"]["p50"].as_f64().unwrap_or(0.0);
        assert!(p50 > 0.0 && p50 < 1000.0, "{outcome}");
        assert!(
            outcome["server"]["resident_bytes"].as_u64() > Some(1 << 20),
            "{outcome}"
        );
    }
    Ok(())
}

#[test]
fn a_relay_that_is_not_there_is_told() -> Result {
    let (status, out, err) = run(&["--url", "http://127.0.0.1:9", "--clients", "2"])?;
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(
        err.starts_with("oneport-bench: http://127.0.0.1:9"),
        "{err}"
    );
    Ok(())
}

/// One short comparison of oneport and the floor, as root: what it leaves behind.
#[test]
fn a_comparison_leaves_a_table_and_every_measurement() -> Result {
    let name = format!("oneport-tests-{}", std::process::id());
    let ip = |verb| Command::new("ip").args(["netns", verb, &name]).output();
    if !ip("add").is_ok_and(|output| output.status.success()) {
        println!("skipped: no named network namespaces here");
        return Ok(());
    }
    ip("delete")?;
    let folder = artifacts::path("comparison")?;
    let child = relay::tool("oneport-bench")?
        .args(["compare", "--peer", "oneport", "--peer", "floor"])
        .args(["--loads", "small-10", "--runs", "1", "--secs", "1"])
        .args(["--scale", "0.05", "--out"])
        .arg(&folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let namespaces = format!("oneport-bench-{}-", child.id());
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{err}");
    assert_eq!(said, fs::read_to_string(folder.join("table.md"))?);
    assert!(said.contains("| load | oneport | floor |"), "{said}");
    let results = fs::read(folder.join("results.json"))?;
    let results: Value = serde_json::from_slice(&results).expect("it is JSON");
    for peer in ["oneport", "floor"] {
        let of = |sample: &&Value| sample["peer"] == peer;
        let samples = results["measurements"].as_array().expect("a list").iter();
        let sample = samples.clone().find(of).expect("it was measured");
        let outcome = &sample["outcome"];
        assert_eq!(outcome["messages"]["lost"], 0, "{sample}");
        let us = outcome["server"]["cpu_us_per_delivery"].as_f64();
        assert!(us.is_some_and(|us| us > 0.1), "{sample}");
    }
    let left = Command::new("ip").args(["netns", "list"]).output()?;
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    assert!(!left.contains(&namespaces), "{left}");
    Ok(())
}
