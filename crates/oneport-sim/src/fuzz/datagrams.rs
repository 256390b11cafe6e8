//! Datagrams from anywhere, while two members talk.

use std::net::SocketAddr;
use std::time::Duration;

use oneport_link::ChannelConfig;

use super::scene::{BEGINNING, Kept, Measure, ROOM, Scene, WHOLE, mutate, play};
use crate::{Dice, Direction, relay_address};

/// RFC 8489 section 5: a binding request without its length and transaction.
const BINDING: [u8; 2] = [0, 1];
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

thread_local! {
    /// With the latest stranger.
    static KEPT: Kept<Option<usize>> = const { Kept::new(None) };
}

/// A stranger makes offers, sends what it likes instead of what its link wants to send, and that again
/// from whatever addresses: its own, the members', nobody's. The members do not notice.
///
/// # Panics
///
/// Where they do, or the relay exceeds a bound or keeps something.
pub fn datagrams(data: &[u8]) {
    let mut scene = Scene::new();
    disturb(&mut scene, &mut Dice::chosen(data), &mut None, WHOLE);
    scene.end();
}

/// [`datagrams`], but only the beginning, and one input after the other in the same world: many times faster.
///
/// # Panics
///
/// As there.
pub fn datagrams_in_turn(data: &[u8]) {
    let mut dice = Dice::chosen(data);
    play(&KEPT, |scene, stranger| {
        disturb(scene, &mut dice, stranger, BEGINNING);
    });
}

fn disturb(scene: &mut Scene, dice: &mut Dice, latest: &mut Option<usize>, measure: Measure) {
    for _ in 0..measure.operations_max {
        if dice.is_spent() {
            break;
        }
        let stranger = *latest;
        match dice.below(8) {
            0 => scene.run_watchfully(dice.below(64)),
            1 => {
                let address = stranger_address(scene, dice);
                let channel = vec![ChannelConfig::new("chat")];
                let offered = match address {
                    Some(address) => scene
                        .world
                        .offer_from(address, ROOM, channel, str::to_string),
                    None => scene.world.offer(ROOM, channel),
                };
                *latest = offered.ok().or(stranger);
            }
            2 | 3 => tamper(scene, dice, stranger),
            4 | 5 => replay(scene, dice, stranger),
            6 => {
                let source = source(scene, dice, stranger);
                let bytes = made_up(scene, dice, stranger);
                scene.world.datagram(source, &bytes);
            }
            _ => scene.run_for(Duration::from_millis(dice.below(8000)) / measure.pause_divisor),
        }
    }
}

/// Where a new stranger has its socket: mostly where nobody else is, but behind one NAT with a member.
fn stranger_address(scene: &Scene, dice: &mut Dice) -> Option<SocketAddr> {
    let [ada, bob] = scene.addresses();
    let near = |address: SocketAddr| SocketAddr::new(address.ip(), address.port() + 1);
    *dice.pick(&[None, None, Some(near(ada)), Some(near(bob))])
}

/// From where a datagram comes.
fn source(scene: &Scene, dice: &mut Dice, stranger: Option<usize>) -> SocketAddr {
    let [ada, bob] = scene.addresses();
    let own = stranger.map_or(ada, |guest| scene.world.guest(guest).access.outside);
    *dice.pick(&[
        own,
        own,
        ada,
        bob,
        ([203, 0, 113, 7], 9).into(),
        ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 0).into(),
        relay_address(),
    ])
}

/// What the stranger's link has sent arrives at once, changed.
fn tamper(scene: &mut Scene, dice: &mut Dice, stranger: Option<usize>) {
    let Some(stranger) = stranger else {
        return;
    };
    scene.world.collect();
    let source = scene.world.guest(stranger).access.outside;
    let taken = scene.world.intercept(Direction::Up, source);
    for mut bytes in taken {
        if dice.happens(500) {
            let other = overheard(scene, dice);
            mutate(dice, &mut bytes, &other);
        }
        scene.world.datagram(source, &bytes);
    }
}

/// Something arrives again, mostly changed.
fn replay(scene: &mut Scene, dice: &mut Dice, stranger: Option<usize>) {
    let mut bytes = overheard(scene, dice);
    if dice.below(4) > 0 {
        let other = overheard(scene, dice);
        mutate(dice, &mut bytes, &other);
    }
    let source = source(scene, dice, stranger);
    scene.world.datagram(source, &bytes);
}

fn overheard(scene: &Scene, dice: &mut Dice) -> Vec<u8> {
    let place = dice.index(scene.overheard.len());
    scene.overheard.get(place).cloned().unwrap_or_default()
}

/// What looks like STUN, like DTLS (RFC 9147 section 4), or like nothing.
fn made_up(scene: &Scene, dice: &mut Dice, stranger: Option<usize>) -> Vec<u8> {
    let length = dice.index(128);
    match dice.below(4) {
        0 => dice.bytes(length),
        1 => {
            let body = dice.bytes(length);
            let sequence = dice.bytes(6);
            let head = [*dice.pick(&[22, 20, 21, 23, 26, 32, 47, 63]), 254, 253];
            let epoch = [0, dice.below(4) as u8];
            let length = (body.len() as u16).to_be_bytes();
            [&head[..], &epoch, &sequence, &length, &body].concat()
        }
        2 => {
            // A check for a link that there is, without the password.
            let answer = stranger.map(|guest| &scene.world.guest(guest).answer);
            let ufrag = answer.and_then(|answer| {
                let lines = answer.lines();
                lines.filter_map(|l| l.strip_prefix("a=ice-ufrag:")).next()
            });
            let name = format!("{}:guest0", ufrag.unwrap_or("abcd"));
            let mut attributes = vec![0, 6, 0, name.len() as u8];
            attributes.extend(name.as_bytes());
            attributes.resize(attributes.len().next_multiple_of(4), 0);
            attributes.extend(dice.bytes(length));
            stun(BINDING, dice, &attributes)
        }
        _ => {
            let kind = [dice.below(4) as u8, dice.below(256) as u8];
            let attributes = dice.bytes(length);
            stun(kind, dice, &attributes)
        }
    }
}

fn stun(kind: [u8; 2], dice: &mut Dice, attributes: &[u8]) -> Vec<u8> {
    let length = (attributes.len() as u16).to_be_bytes();
    let transaction = dice.bytes(2).repeat(6);
    [&kind[..], &length, &MAGIC_COOKIE, &transaction, attributes].concat()
}
