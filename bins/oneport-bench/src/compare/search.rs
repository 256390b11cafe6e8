//! The highest rate that is held, by asking for one after the other.

/// When the highest rate held and the lowest one not held are so close, that is enough.
const PRECISION: f64 = 1.1;

/// How many rates are tried at most: a relay that holds nothing would be asked for ever.
const TRIES_MAX: u32 = 24;

/// Doubles the rate until it is not held (or halves it until it is), then bisects.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    first: f64,
    held: Option<f64>,
    not_held: Option<f64>,
    tries: u32,
}

impl Search {
    pub(crate) fn new(first: f64) -> Self {
        Self {
            first,
            held: None,
            not_held: None,
            tries: 0,
        }
    }

    /// The rate to try next, if there is still something to find out.
    pub(crate) fn next(&self) -> Option<f64> {
        if self.tries >= TRIES_MAX {
            return None;
        }
        match (self.held, self.not_held) {
            (None, None) => Some(self.first),
            (Some(held), None) => Some(held * 2.0),
            (None, Some(not_held)) => Some(not_held / 2.0).filter(|rate| *rate >= 1.0),
            // The middle of a range that is looked at in ratios.
            (Some(held), Some(not_held)) => {
                (not_held / held > PRECISION).then(|| (held * not_held).sqrt())
            }
        }
    }

    /// Whether a rate was held.
    pub(crate) fn tell(&mut self, rate: f64, is_held: bool) {
        self.tries += 1;
        let side = match is_held {
            true => &mut self.held,
            false => &mut self.not_held,
        };
        *side = Some(rate);
    }

    /// The highest rate that was held.
    pub(crate) fn found(&self) -> Option<f64> {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(first: f64, most: f64) -> (Option<f64>, u32) {
        let mut search = Search::new(first);
        while let Some(rate) = search.next() {
            search.tell(rate, rate <= most);
        }
        (search.found(), search.tries)
    }

    #[test]
    fn what_is_found_is_held_and_close() {
        for most in [300.0, 19_999.0, 20_000.0, 29_000.0, 181_000.0, 9e6] {
            let (found, tries) = search(20_000.0, most);
            let found = found.expect("it holds something");
            assert!(
                found <= most && found * PRECISION >= most,
                "{most}: {found}"
            );
            assert!(tries < 16, "{most}: {tries}");
        }
    }

    #[test]
    fn who_holds_nothing_is_not_asked_for_ever() {
        assert_eq!(search(20_000.0, 0.0).0, None);
        assert_eq!(search(20_000.0, f64::INFINITY).1, TRIES_MAX);
    }
}
