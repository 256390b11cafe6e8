//! The relay's limits and its gate.

use std::time::Duration;

use oneport_core::hub::HubLimits;
use oneport_core::{
    Admission, Draft, ErrorCode, Gate, Grant, RelayConfig, Rights, SlowPolicies, SlowPolicy,
    Verdict,
};

use crate::{Dice, relay_config};

/// The topic that the gate refuses.
pub(super) const FORBIDDEN: &str = "forbidden";

/// Lets everybody kick, and refuses a topic.
pub(super) struct Doorkeeper;

impl Gate for Doorkeeper {
    fn admit(&mut self, _: Admission<'_>) -> Result<Grant, ErrorCode> {
        let rights = Rights {
            kick: true,
            ..Rights::OPEN
        };
        Ok(Grant {
            rights,
            ..Grant::default()
        })
    }

    fn judge(&mut self, draft: Draft<'_>) -> Verdict {
        match draft.topic.as_str() {
            FORBIDDEN => Verdict::Refuse("not here".into()),
            _ => Verdict::Accept,
        }
    }
}

/// Limits that are small enough to be reached, of one kind or another.
pub(super) fn config(dice: &mut Dice) -> RelayConfig {
    let defaults = relay_config();
    let hub = HubLimits {
        // Three of members, two of guests, and the one of members' URLs, which must have a place too.
        rooms_max: 6,
        members_per_room_max: 8,
        ring_messages_max: *dice.pick(&[16, 200, 4096]),
        ring_bytes_max: 2 * defaults.link.message_bytes_max * *dice.pick(&[1, 8]),
        ring_age_max: Duration::from_secs(*dice.pick(&[40, 86_400])),
        empty_room_age_max: Duration::from_secs(60),
    };
    let others = *dice.pick(&[SlowPolicy::Disconnect, SlowPolicy::Gap]);
    let of_attic = match others {
        SlowPolicy::Disconnect => SlowPolicy::Gap,
        SlowPolicy::Gap => SlowPolicy::Disconnect,
    };
    RelayConfig {
        hub,
        links_max: 64,
        sessions_max: 64,
        unix_time: Duration::from_secs(1_700_000_000),
        rooms_per_session_max: 2,
        slow_policies: SlowPolicies {
            rules: vec![("attic".parse().expect("a pattern"), of_attic)],
            others,
        },
        ..defaults
    }
}
