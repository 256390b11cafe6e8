//! What a member's network is like.

use std::time::Duration;

use crate::{Access, Path, Weather};

pub(super) fn set_weather(access: &mut Access, weather: Weather) {
    let fair = Path {
        is_cut: false,
        ..Path::default()
    };
    let path = match weather {
        Weather::Fair => fair,
        Weather::Rain => Path {
            loss: 20,
            duplication: 20,
            jitter: Duration::from_millis(10),
            ..fair
        },
        Weather::Storm => Path { loss: 200, ..fair },
        Weather::Shuffle => Path {
            jitter: Duration::from_millis(200),
            duplication: 100,
            ..fair
        },
        Weather::Corrupt => Path {
            corruption: 50,
            ..fair
        },
        Weather::Narrow => Path {
            bytes_per_s: Some(64 * 1024),
            ..fair
        },
        Weather::Trickle => Path {
            bytes_per_s: Some(8 * 1024),
            ..fair
        },
        Weather::SmallMtu => Path { mtu: 600, ..fair },
        Weather::Far => Path {
            delay: Duration::from_millis(300),
            ..fair
        },
    };
    for way in [&mut access.up, &mut access.down] {
        *way = Path {
            is_cut: way.is_cut,
            ..path
        };
    }
}
