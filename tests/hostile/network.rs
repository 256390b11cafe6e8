//! Packets that get lost, and a network that is gone for a while.

use std::thread;
use std::time::Duration;

use oneport_tests::{Result, network::Network, talkers::Talkers};

use crate::WORST;

/// Slower than elsewhere: what is said during a cut has to wait, and only so much may.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a member may need once the network is back: it may just have given up and wait.
const BACK_WITHIN: Duration = Duration::from_secs(35);

/// The firewall loses single datagrams, not whole GSO batches, as routers do.
#[test]
fn a_batch_crosses_the_wire_as_single_packets() -> Result {
    let test = "network::a_batch_crosses_the_wire_as_single_packets";
    let Some(network) = Network::enter(test)? else {
        return Ok(());
    };
    network.send_batches(10)
}

#[test]
fn five_percent_loss() -> Result {
    let Some(network) = Network::enter("network::five_percent_loss")? else {
        return Ok(());
    };
    let relay = network.relay()?;
    let talkers = Talkers::start(relay.url(), 3, PAUSE / 2)?;
    network.lose(5)?;
    thread::sleep(Duration::from_secs(10));
    let figures = talkers.finish();
    figures.print("5 % of all packets lost, both ways, 10 s", "");
    figures.assert_unnoticed(WORST);
    // Without loss nothing takes so long.
    assert!(figures.worst > Duration::from_millis(100), "{figures:?}");
    Ok(())
}

/// Nothing passes for that time.
fn cut(test: &str, time: Duration) -> Result {
    let Some(network) = Network::enter(test)? else {
        return Ok(());
    };
    let relay = network.relay()?;
    let talkers = Talkers::start(relay.url(), 3, PAUSE)?;
    talkers.all_hear_all(WORST)?;
    network.lose(100)?;
    thread::sleep(time);
    network.lose(0)?;
    let back = talkers.all_hear_all(BACK_WITHIN)?;
    let figures = talkers.finish();
    let remark = format!("all hear all {:.1} s after its end", back.as_secs_f64());
    figures.print(&format!("no network for {} s", time.as_secs()), &remark);
    figures.assert_recovered();
    assert!(figures.worst >= time, "it was not cut: {figures:?}");
    Ok(())
}

#[test]
fn a_cut_of_5_s() -> Result {
    cut("network::a_cut_of_5_s", Duration::from_secs(5))
}

#[test]
fn a_cut_of_20_s() -> Result {
    cut("network::a_cut_of_20_s", Duration::from_secs(20))
}
