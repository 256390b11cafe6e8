//! Bounded waiting for a condition.

use std::{
    fmt, thread,
    time::{Duration, Instant},
};

use crate::{Error, Result};

/// Between two looks: short beside anything a person notices, long beside a round trip to a browser.
const PAUSE: Duration = Duration::from_millis(5);

/// What one look at a condition found.
#[derive(Debug)]
pub enum Look<T> {
    /// It holds.
    Done(T),
    /// Not yet; what was seen instead, for the error if time runs out.
    NotYet(String),
}

/// Looks again and again until the condition holds, and gives up `timeout` after the start.
///
/// An `Err` of `look` ends the wait at once.
///
/// # Errors
/// [`Error::Expired`] with what the last look saw.
pub fn until<T>(
    what: impl fmt::Display,
    timeout: Duration,
    mut look: impl FnMut() -> Result<Look<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        let seen = match look()? {
            Look::Done(value) => return Ok(value),
            Look::NotYet(seen) => seen,
        };
        if start.elapsed() >= timeout {
            return Err(Error::Expired {
                what: what.to_string(),
                after: timeout,
                seen,
            });
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_when_the_condition_holds_or_time_is_up() {
        let mut looks = 0;
        let third = until("the third look", Duration::from_secs(5), || {
            looks += 1;
            Ok(if looks == 3 {
                Look::Done(looks)
            } else {
                Look::NotYet(looks.to_string())
            })
        });
        assert!(matches!(third, Ok(3)));

        let never = until::<()>("never", Duration::from_millis(20), || {
            Ok(Look::NotYet("nothing".into()))
        });
        let error = never.expect_err("it cannot hold").to_string();
        assert_eq!(error, "waited 20ms for never\n  seen: nothing");
    }
}
