//! What a relay has left, from bytes that somebody else chose.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use oneport_core::hub::HubLimits;
use oneport_core::{Input, Machine, Relay, RelayConfig, State};

use crate::relay_config;

/// Each session ends within its grace time, and so do rooms: no more wake-ups than that are needed.
const WAKE_UPS_MAX: usize = 100_000;

/// A relay goes on with a state, or refuses it; and what it would leave at once another one goes on
/// with, and it is the same. In the end, when nobody has come back, nothing is left.
///
/// # Panics
///
/// Where that is not so.
pub fn state(data: &[u8]) {
    let Ok(state) = State::decode(data) else {
        return;
    };
    let now = Instant::now();
    let Ok((mut relay, _)) = Relay::restore(now, config().clone(), [1; 32], state) else {
        return;
    };
    let left = relay.state().encode();
    let again = State::decode(&left).expect("what a relay leaves");
    let (heir, restored) =
        Relay::restore(now, config().clone(), [2; 32], again).expect("a state of a relay");
    assert_eq!(restored.rooms_dropped + restored.stays_dropped, 0);
    assert_eq!(
        (restored.entries_dropped, restored.sessions_dropped),
        (0, 0)
    );
    assert_eq!(heir.state().encode(), left);
    let end = now + Duration::from_secs(100);
    for _ in 0..WAKE_UPS_MAX {
        while relay.poll_transmit().is_some() {}
        let Some((at, _)) = relay.poll_timeout().filter(|(at, _)| *at <= end) else {
            break;
        };
        relay.handle_input(at, Input::Timeout);
    }
    assert!(relay.is_empty(), "somebody is left: {:?}", relay.stats());
}

/// A certificate costs more than all that is done with it here.
fn config() -> &'static RelayConfig {
    static CONFIG: OnceLock<RelayConfig> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let defaults = relay_config();
        RelayConfig {
            hub: HubLimits {
                rooms_max: 3,
                members_per_room_max: 3,
                ring_messages_max: 20,
                ..defaults.hub
            },
            rooms_per_session_max: 2,
            sessions_max: 4,
            ..defaults
        }
    })
}
