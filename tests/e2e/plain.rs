//! A page without a library: one `createDataChannel('x')` and one POST.

use oneport_tests::{Result, relay::Relay};
use serde_json::{Value, json};

use crate::{bare, stage::Stage, user::SOON};

/// Up to the largest that Chromium takes.
const SIZES: [usize; 5] = [1, 1200, 16 << 10, 64 << 10, 256 << 10];

#[test]
fn text_and_binary_of_every_size_pass_between_browsers() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let chromium = bare::join(stage.chromium, &relay, "plain")?;
    let firefox = bare::join(stage.firefox, &relay, "plain")?;

    for (seed, sender, receiver) in [(1, &chromium, &firefox), (2, &firefox, &chromium)] {
        let sent = sender.eval(&format!("sendSizes({}, {seed})", json!(SIZES)))?;
        let kinds_and_sizes = sent
            .as_array()
            .into_iter()
            .flatten()
            .map(|sent| json!([sent[0], sent[1]]));
        let expected = SIZES
            .iter()
            .flat_map(|size| [json!(["text", size]), json!(["binary", size])]);
        assert!(
            kinds_and_sizes.eq(expected),
            "the page sent something else: {sent}"
        );

        receiver.wait_for(&format!("received.length >= {}", 2 * SIZES.len()), SOON)?;
        let received = receiver.eval("digestReceived()")?;
        assert_eq!(
            received,
            sent,
            "from {} to {}",
            sender.name(),
            receiver.name()
        );
    }
    for page in [&chromium, &firefox] {
        assert_eq!(
            page.eval("received.length")?,
            Value::from(2 * SIZES.len()),
            "nothing comes back"
        );
    }
    Ok(())
}
