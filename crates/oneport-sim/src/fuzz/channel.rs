//! Data channels with any properties, and anything written to them, while two members talk.

use std::time::Duration;

use oneport_link::{ChannelConfig, Kind, Reliability};
use oneport_wire::PROTOCOL;

use super::scene::{OPERATIONS_MAX, ROOM, Scene};
use crate::Dice;

/// How many links the stranger makes.
const GUESTS_MAX: usize = 6;

/// Frames to begin with: what comes after `hello` and `join` is seldom found by chance.
const FRAMES: [&str; 16] = [
    r#"{"t":"hello","version":1}"#,
    r#"{"t":"join","room":"lobby","name":"eve"}"#,
    r#"{"t":"join","room":"attic","history":500,"id":"j"}"#,
    r#"{"t":"pub","room":"lobby","text":"x","echo":true,"id":"1"}"#,
    r#"{"t":"pub","room":"lobby","text":"x","class":"transient","receipt":true,"id":"2"}"#,
    r#"{"t":"pub","room":"lobby","text":"x","to":[1]}"#,
    r#"{"t":"pub","room":"attic","text":"x","class":"lossy","echo":true}"#,
    r#"{"t":"leave","room":"lobby"}"#,
    r#"{"t":"history","room":"lobby","count":4294967295}"#,
    r#"{"t":"members","room":"lobby"}"#,
    r#"{"t":"update","room":"lobby","name":"mallory","meta":{"a":[1]}}"#,
    r#"{"t":"kick","room":"lobby","member":1}"#,
    r#"{"t":"hello","version":1,"resume":"00112233445566778899aabbccddeeff"}"#,
    r#"{"t":"join","room":"lobby","since":{"epoch":"0123456789abcdef","offset":1}}"#,
    r#"{"t":"pong","n":1}"#,
    r#"{"t":"ping","n":1}"#,
];

/// A stranger opens channels, writes, closes them, goes and comes again.
///
/// # Panics
///
/// Where the members notice, or the relay exceeds a bound or keeps something.
pub fn channel(data: &[u8]) {
    let mut dice = Dice::chosen(data);
    let mut scene = Scene::new();
    let mut guests = Vec::new();
    for _ in 0..OPERATIONS_MAX {
        if dice.is_spent() {
            break;
        }
        let who = dice.below(GUESTS_MAX as u64) as usize;
        let guest = who.checked_rem(guests.len()).map(|place| guests[place]);
        match (dice.below(12), guest) {
            (0, _) | (_, None) => guests.extend(arrive(&mut scene, &mut dice, guests.len())),
            (1..8, Some(guest)) => write(&mut scene, &mut dice, guest),
            (8, Some(guest)) => {
                let now = scene.world.now();
                let guest = scene.world.guest_mut(guest);
                let place = dice.index(guest.channels.len());
                if let Some((channel, _)) = guest.channels.get(place) {
                    guest.link.close_channel(now, *channel);
                }
            }
            (9, Some(guest)) => {
                let now = scene.world.now();
                match dice.below(3) {
                    0 => scene.world.guest_mut(guest).access.set_cut(true),
                    1 => scene.world.guest_mut(guest).link.close(now, "enough"),
                    _ => scene.world.guest_mut(guest).answers_pings ^= true,
                }
            }
            (10, Some(_)) => scene
                .world
                .run_for(Duration::from_millis(dice.below(20_000))),
            (_, Some(_)) => scene.run_for(Duration::from_millis(dice.below(64))),
        }
    }
    scene.end();
}

fn arrive(scene: &mut Scene, dice: &mut Dice, guests: usize) -> Option<usize> {
    if guests >= GUESTS_MAX {
        return None;
    }
    let count = match dice.below(16) {
        0 => 40,
        count => count.min(4),
    };
    let channels = (0..count).map(|_| any_channel(dice)).collect();
    let room = *dice.pick(&[ROOM, "attic"]);
    let guest = scene.world.offer(room, channels).ok();
    // As long as ICE, DTLS and SCTP take.
    scene.run_for(Duration::from_millis(150));
    guest
}

fn any_channel(dice: &mut Dice) -> ChannelConfig {
    let text = |dice: &mut Dice| {
        let count = dice.index(32);
        String::from_utf8_lossy(&dice.bytes(count)).into_owned()
    };
    let label = match dice.below(6) {
        0 => String::new(),
        1 => "x".repeat(128),
        2 => "x".repeat(129),
        3 => text(dice),
        _ => "chat".into(),
    };
    let protocol = match dice.below(6) {
        0 => String::new(),
        1 => text(dice),
        2 => "x".repeat(1000),
        _ => PROTOCOL.into(),
    };
    let number = dice.below(1 << 16) as u16;
    ChannelConfig {
        label,
        protocol,
        ordered: dice.below(4) > 0,
        reliability: match dice.below(4) {
            0 => Reliability::LifetimeMs(number),
            1 => Reliability::Retransmits(number % 3),
            _ => Reliability::Reliable,
        },
    }
}

fn write(scene: &mut Scene, dice: &mut Dice, guest: usize) {
    let now = scene.world.now();
    let guest = scene.world.guest_mut(guest);
    let place = dice.index(guest.channels.len());
    let Some((channel, _)) = guest.channels.get(place) else {
        return;
    };
    let (kind, payload) = any_message(dice);
    let times = if dice.below(8) == 0 { 64 } else { 1 };
    let mut batch = guest.link.batch(now);
    for _ in 0..times {
        // A full link drops it, which is as good as not to have written it.
        let _ = batch.write(*channel, kind, &payload);
    }
}

fn any_message(dice: &mut Dice) -> (Kind, Vec<u8>) {
    let kind = *dice.pick(&[Kind::Text, Kind::Text, Kind::Binary]);
    let payload = match dice.below(8) {
        0..5 => dice.pick(&FRAMES).as_bytes().to_vec(),
        5 => {
            let count = dice.index(256);
            dice.bytes(count)
        }
        6 => {
            let count = 1 + dice.below(300_000) as usize;
            vec![*dice.pick(b"a{\"\xff\x01"); count]
        }
        _ => {
            // A frame with something else in one place.
            let mut frame = dice.pick(&FRAMES).as_bytes().to_vec();
            let at = dice.index(frame.len());
            let count = dice.index(16);
            let end = frame.len().min(at + dice.index(16));
            frame.splice(at..end, dice.bytes(count));
            frame
        }
    };
    (kind, payload)
}
