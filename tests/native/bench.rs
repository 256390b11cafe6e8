//! The load generator against the relay.

use oneport_tests::{
    Result,
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
