//! What work costs, without a clock: a machine that is busy or slow counts the same instructions and
//! makes the same calls. What these figures mean in time, the load generator measures.

mod baseline;
mod callgrind;
mod calls;
mod phase;

use oneport_tests::Result;

/// How much more a message may cost where there are a thousand idle links elsewhere. That they are
/// there costs something: what is ordered by time is deeper, by the logarithm of their number.
const IDLE_PERCENT_MAX: f64 = 5.0;

/// Instructions of the relay, and the datagrams that it takes and sends in virtual time.
#[test]
fn work_is_what_it_was() -> Result {
    let Some(phases) = callgrind::run()? else {
        return Ok(());
    };
    let of = |name: &str| {
        let found = phases.iter().find(|phase| phase.name == name);
        found.expect("a phase of that name").instructions()
    };
    let (alone, with_idle) = (of("message-plain-10"), of("message-with-idle"));
    let percent = (with_idle / alone - 1.0) * 100.0;
    println!("a message with idle links elsewhere: {percent:+.1} %");
    baseline::settle(&phases)?;
    assert!(
        percent < IDLE_PERCENT_MAX,
        "a message with idle links elsewhere costs {percent:.1} % more"
    );
    Ok(())
}
