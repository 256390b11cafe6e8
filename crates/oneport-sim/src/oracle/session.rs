//! One member's session, as far as it was told: whether the relay kept it as long as it must.

use std::time::{Duration, Instant};

/// A session outlives its link by 30 s (`grace_ms`), and a link is at least this much younger than what
/// was last heard over it: what is delayed on its way for longer comes over no link that lives.
const KEPT: Duration = Duration::from_secs(25);

/// The sessions that a member had, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Which of them it is: 1 is the first.
    pub(crate) number: u32,
    /// Rises with each link that begins or ends.
    pub(crate) link: u32,
    /// How many publications were acknowledged that had an id.
    pub(crate) acknowledged: usize,
    /// How many messages without an id were refused or given up.
    pub(crate) anonymous_refusals: usize,
    began: Option<Instant>,
    heard: Option<Instant>,
    /// It did not listen for a while: nobody knows when it was told what.
    pub(crate) has_slept: bool,
}

impl Session {
    /// The relay was heard.
    pub(crate) fn hear(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// `welcome`. A session is kept for the grace time if `is_kept`: if it is in a room.
    pub(crate) fn connected(
        &mut self,
        now: Instant,
        resumed: bool,
        is_kept: bool,
        restarted: Option<Instant>,
    ) -> Result<(), String> {
        self.link += 1;
        let heard = self.heard.replace(now);
        if resumed {
            return match self.number {
                0 => Err("resumed, but what?".into()),
                _ => Ok(()),
            };
        }
        let is_new_relay = restarted.is_some_and(|at| self.began.is_some_and(|began| at >= began));
        let is_early = heard.is_some_and(|heard| now - heard < KEPT);
        let is_lost_early =
            self.number > 0 && is_kept && is_early && !is_new_relay && !self.has_slept;
        self.number += 1;
        self.began = Some(now);
        match is_lost_early {
            true => Err(format!(
                "its session is lost after {:?}",
                heard.map(|heard| now - heard)
            )),
            false => Ok(()),
        }
    }
}
