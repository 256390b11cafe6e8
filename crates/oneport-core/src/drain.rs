//! Going down so that clients notice a pause and not a loss.
//!
//! Nobody new comes in, and what framed clients say is not heard any more: they say it again to the
//! next relay, under the same ids. Each link is given what it is still owed; as soon as the client
//! has it all, or when the time for that is up, it is told when to come back, and closed.

use std::time::{Duration, Instant};

use oneport_wire::ByeCode;

use crate::{LinkId, Relay};

/// Over how long a time the clients of a small relay are spread when they come back.
const SPREAD_MIN: Duration = Duration::from_secs(1);

/// How much longer that takes for each link: a handshake costs a core about a millisecond, and there
/// shall be time for what comes after it: joins, what was missed, and everybody who is back already.
const SPREAD_PER_LINK: Duration = Duration::from_millis(10);

/// A relay that is going down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shutdown {
    /// Until then clients are given what they are owed; `None` when they have been sent away.
    drains_until: Option<Instant>,
    /// Then it is over.
    ends: Instant,
    /// Over how long a time clients are to come back.
    spread: Duration,
}

impl Shutdown {
    /// When something must be done about it.
    pub(crate) fn deadline(&self) -> Instant {
        self.drains_until.unwrap_or(self.ends)
    }
}

impl Relay {
    /// Goes down, and takes no more clients. Everybody is given what he is owed, for at most
    /// [`RelayConfig::drain_timeout`](crate::RelayConfig::drain_timeout), and then sent away with a
    /// hint when to come back. [`Machine::is_finished`](crate::Machine::is_finished) says when all are
    /// gone: at most [`RelayConfig::shutdown_timeout`](crate::RelayConfig::shutdown_timeout) later.
    /// Then [`Self::state`] is what the next relay needs to go on.
    pub fn shut_down(&mut self, now: Instant) {
        self.advance(now);
        if self.shutdown.is_some() {
            return;
        }
        // What has arrived before is heard.
        self.attend_fed();
        let drains_until = self.now + self.config.drain_timeout;
        self.shutdown = Some(Shutdown {
            drains_until: Some(drains_until),
            ends: drains_until + self.config.shutdown_timeout,
            spread: self.spread(),
        });
        log::info!("going down, with {} links", self.links.len());
        self.finish_all_receipts();
        self.pump_ready();
        let ids: Vec<_> = self.links.keys().collect();
        ids.into_iter().for_each(|id| self.part_if_done(id));
    }

    /// Whether it is going down: it takes nobody any more.
    pub fn is_shutting_down(&self) -> bool {
        self.shutdown.is_some()
    }

    /// So long that the next relay is not overrun, and so short that nobody's grace time is over before
    /// he is to come back.
    fn spread(&self) -> Duration {
        let links = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
        let spread = SPREAD_MIN.max(SPREAD_PER_LINK.saturating_mul(links));
        spread.min(self.config.grace / 2)
    }

    /// After how many milliseconds somebody who is sent away may come back.
    pub(crate) fn retry_after_ms(&mut self) -> u32 {
        let spread = self.shutdown.map_or(Duration::ZERO, |down| down.spread);
        let spread_ms = u32::try_from(spread.as_millis()).unwrap_or(u32::MAX);
        self.secrets.below(spread_ms.saturating_add(1))
    }

    /// Of a relay that goes down, a link that has all that it is owed is closed.
    pub(crate) fn part_if_done(&mut self, id: LinkId) {
        let Some(client) = self.links.get_mut(id) else {
            return;
        };
        let session = client.session.and_then(|key| self.sessions.get(key));
        let is_owed = |owner| self.hub.has_next(owner);
        let waits = is_owed(client.owner)
            || session.is_some_and(|s| is_owed(s.owner) || s.outbox.front().is_some());
        if waits || client.link.has_unacknowledged(self.now) {
            self.unsettled.push_back(id);
        } else {
            self.part(id);
        }
    }

    fn part(&mut self, id: LinkId) {
        if self.links[id].link.is_closed() {
            return;
        }
        self.say_bye(id, ByeCode::Shutdown);
        self.links[id].link.close(self.now, "shutdown");
        self.settle(id);
    }

    /// The time is up for those who have not taken what they are owed, or have not gone.
    pub(crate) fn go_down(&mut self) {
        let (now, timeout) = (self.now, self.config.shutdown_timeout);
        let Some(down) = &mut self.shutdown else {
            return;
        };
        let ids: Vec<_> = self.links.keys().collect();
        if down.drains_until.take_if(|at| *at <= now).is_some() {
            // From now on, however late that is: what is said here has to leave.
            down.ends = now + timeout;
            ids.into_iter().for_each(|id| self.part(id));
        } else if down.ends <= now {
            ids.into_iter().for_each(|id| self.remove(id));
        }
    }
}
