//! Notices a loop that turns without getting anywhere.

use std::time::Duration;

use oneport_link::Reason;

/// How many turns without progress in a row are a spin. One or two happen to an honest machine whose
/// deadline falls between two readings of the clock; a hundred do not, and are still cheap.
const TURNS_MAX: u32 = 100;

/// How long a spinning loop waits at least from turn to turn: the processor is left to others, and
/// what arrives is still served.
pub(crate) const SPIN_REST: Duration = Duration::from_millis(1);

/// Notices a machine whose timeout stays due although it was told the time, again and again.
///
/// That is a bug of the machine (see its contract), and would take a whole processor without a word.
#[derive(Debug, Default)]
pub(crate) struct SpinGuard {
    turns: u32,
    warned: bool,
}

impl SpinGuard {
    /// Takes note of a turn: whether anything came in or went out, and why the machine's timeout is
    /// due still, if it is. Warns once.
    pub(crate) fn observe(&mut self, progress: bool, overdue: Option<Reason>) {
        let (false, Some(reason)) = (progress, overdue) else {
            self.turns = 0;
            return;
        };
        self.turns = self.turns.saturating_add(1);
        if self.is_spinning() && !self.warned {
            self.warned = true;
            log::warn!(
                "busy loop: nothing came in or went out in {TURNS_MAX} turns, and the machine's \
                 timeout ({reason:?}) is always due"
            );
        }
    }

    /// Whether the loop gets nowhere and should wait [`SPIN_REST`] although a timeout is due.
    pub(crate) fn is_spinning(&self) -> bool {
        self.turns >= TURNS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spin(guard: &mut SpinGuard, turns: u32) {
        for _ in 0..turns {
            guard.observe(false, Some(Reason::Rtc));
        }
    }

    #[test]
    fn only_an_unbroken_row_is_a_spin() {
        let mut guard = SpinGuard::default();
        spin(&mut guard, TURNS_MAX - 1);
        assert!(!guard.is_spinning());
        guard.observe(true, Some(Reason::Rtc));
        spin(&mut guard, TURNS_MAX - 1);
        assert!(!guard.is_spinning());
        spin(&mut guard, 1);
        assert!(guard.is_spinning());
    }

    #[test]
    fn a_turn_that_gets_somewhere_ends_it() {
        let mut guard = SpinGuard::default();
        spin(&mut guard, TURNS_MAX);
        guard.observe(false, None);
        assert!(!guard.is_spinning());
    }
}
